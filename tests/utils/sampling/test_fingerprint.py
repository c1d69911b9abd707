"""What tells one model's weights from another's, wherever they lie."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from medqdeg.utils.sampling.fingerprint import weights_fingerprint
from medqdeg.utils.sampling.integration import Integration
from medqdeg.utils.sampling.settings import parse_settings


def model(**buffers: torch.Tensor) -> nn.Module:
    """Linear layers, normalisation with its running means, and a buffer on the outermost module."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        made = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Sequential(nn.Linear(5, 5)))
    for name, value in {"qweight": torch.arange(200, dtype=torch.int8), **buffers}.items():
        made.register_buffer(name, value)
    return made


def test_the_same_weights_have_the_same_fingerprint_and_all_are_read() -> None:
    assert weights_fingerprint(model()) == weights_fingerprint(model())
    assert weights_fingerprint(model()).unread == ()


def test_buffers_count() -> None:
    """GPTQ and AWQ keep their weights in buffers."""
    other = model(qweight=torch.arange(200, dtype=torch.int8).flip(0))
    assert weights_fingerprint(other).digest != weights_fingerprint(model()).digest


@pytest.mark.parametrize("name", ["0.weight", "1.running_var", "2.0.bias"])
def test_one_changed_tensor_is_another_model(name: str) -> None:
    changed = model()
    changed.state_dict()[name].add_(1)
    assert weights_fingerprint(changed).digest != weights_fingerprint(model()).digest


@pytest.mark.parametrize("buffers", [False, True])
@pytest.mark.parametrize("place", ["processor", "disk"])
def test_offloaded_weights_are_read_from_where_they_are(place: str, buffers: bool, tmp_path: Path) -> None:
    from accelerate import cpu_offload, disk_offload

    def offloaded(one: nn.Module, folder: Path) -> nn.Module:
        if place == "disk":
            return disk_offload(one, folder, execution_device="cpu", offload_buffers=buffers)
        return cpu_offload(one, execution_device="cpu", offload_buffers=buffers)

    away = offloaded(model(), tmp_path / "one")
    assert away[0].weight.is_meta
    assert weights_fingerprint(away) == weights_fingerprint(model())
    changed = model()
    changed[0].weight.data.add_(1)
    assert weights_fingerprint(offloaded(changed, tmp_path / "two")).digest != weights_fingerprint(model()).digest


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float8_e4m3fn, torch.complex64, torch.bool, torch.uint8])
def test_every_type_is_read(dtype: torch.dtype) -> None:
    one = model(extra=torch.tensor([0, 1, 1, 0]).to(dtype))
    assert weights_fingerprint(one).unread == ()
    assert weights_fingerprint(one) != weights_fingerprint(model(extra=torch.tensor([1, 1, 1, 0]).to(dtype)))


class _Closed(torch.Tensor):
    """A tensor whose class lets nobody look in, as some quantised ones do."""

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function is torch.Tensor.reshape:
            raise NotImplementedError
        return super().__torch_function__(function, types, args, kwargs or {})


@pytest.mark.parametrize("tensor", [torch.ones(3, device="meta"), torch.ones(3).as_subclass(_Closed)])
def test_what_cannot_be_read_is_told_and_leaves_the_checkpoint_s_name_in_the_identity(tensor: torch.Tensor) -> None:
    closed = model(closed=tensor)
    assert weights_fingerprint(closed).unread == ("closed",)
    for weights, told in ((closed, {"pretrained": "org/one"}), (model(), {})):
        weights.generation_config = None
        integration = Integration(SimpleNamespace(model=weights, is_simple=True))
        identity = integration.identity(parse_settings(["inner=x", "pretrained=org/one"]), {})
        assert identity["arguments"] == told
        assert identity["weights_unread"] == len(told)
