"""A digest of a model's parameters and buffers, which identifies the weights that answer, and whether it covers all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import torch

_SAMPLES_PER_TENSOR = 64


class Fingerprint(NamedTuple):
    """A fingerprint of a model's weights.

    Attributes:
        digest: 32 hexadecimal digits over every tensor's name, shape, type and evenly spaced values.
        unread: names of the tensors of which no value could be read. Two models that differ in them alone have the
            same digest.
    """

    digest: str
    unread: tuple[str, ...]


def weights_fingerprint(model: torch.nn.Module) -> Fingerprint:
    """Return a digest of all parameters and buffers (quantised weights are buffers in GPTQ and AWQ).

    What accelerate moved to the processor or to disk is read from there. Nothing of the model is changed.
    """
    digest, unread = hashlib.sha256(), []
    for name, module, tensor in _tensors(model):
        digest.update(f"{name}:{tuple(tensor.shape)}:{tensor.dtype};".encode())
        try:
            digest.update(_values(module, name, tensor))
        except Exception:  # a tensor may be of any class, with operators of its own
            unread.append(name)
    return Fingerprint(digest.hexdigest()[:32], tuple(unread))


def _tensors(model: torch.nn.Module) -> Iterator[tuple[str, torch.nn.Module, torch.Tensor]]:
    """(full name, the module that owns it, tensor), in order of the names."""
    modules = dict(model.named_modules(remove_duplicate=False))
    named = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    for name, tensor in sorted(named.items()):
        yield name, modules[name.rpartition(".")[0]], tensor


def _values(module: torch.nn.Module, name: str, tensor: torch.Tensor) -> bytes:
    """Up to 64 values as float64.

    Raises:
        ValueError: if they are not in this process.
    """
    import torch

    if tensor.is_meta:
        tensor = _offloaded(module, name)
    if tensor.numel() == 0:
        if hasattr(tensor, "ds_id"):  # DeepSpeed has it in parts, on all ranks
            raise ValueError(f"{name} is spread over the ranks")
        return b""
    with torch.no_grad():
        flat = tensor.detach().reshape(-1)
        places = torch.linspace(0, flat.numel() - 1, min(_SAMPLES_PER_TENSOR, flat.numel()), dtype=torch.float64)
        values = flat[places.long().to(flat.device)].to("cpu")
        values = torch.view_as_real(values) if values.is_complex() else values
        return values.to(torch.float64).numpy().tobytes()


def _offloaded(module: torch.nn.Module, name: str) -> torch.Tensor:
    """What accelerate's hooks would bring back for the next forward pass."""
    hook = getattr(module, "_hf_hook", None)
    for one in getattr(hook, "hooks", None) or [hook]:
        if (weights := getattr(one, "weights_map", None)) is not None:
            found: torch.Tensor = weights[name.rpartition(".")[2]]
            return found
    raise ValueError(f"{name} is on no device")
