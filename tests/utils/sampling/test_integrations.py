"""Blocks through lmms-eval's integrations, each with a random checkpoint of its architecture."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import PIL.Image
import pytest
import torch
import transformers
from lmms_eval.api.instance import Instance, unwrap_generation_output
from lmms_eval.models import MODEL_REGISTRY_V2

from medqdeg.utils.sampling import asking_blocks
from medqdeg.utils.sampling.preparing import Preparation
from medqdeg.utils.sampling.report import current_report

from .tiny_checkpoints import write_checkpoint

TRIALS = 10
TOKENS = 12


class Case(NamedTuple):
    """An integration's form, the architecture that it is given, and what else it needs."""

    integration: str
    architecture: str
    simple: bool
    more: str = ""
    reads: bool = True
    dtypes: tuple[torch.dtype, ...] = (torch.float32, torch.bfloat16)


PIXELS = ",min_pixels=784,max_pixels=784"
CASES = {
    "qwen2_5_vl": Case("qwen2_5_vl", "qwen2_5_vl", False, PIXELS),
    "qwen2_5_vl, simple": Case("qwen2_5_vl", "qwen2_5_vl", True, PIXELS),
    "qwen2_vl": Case("qwen2_vl", "qwen2_vl", True, PIXELS, reads=False),
    "llava_hf": Case("llava_hf", "llava", False),
    "llava_hf, simple": Case("llava_hf", "llava", True),
    "llava_hf with LLaVA-OneVision": Case("llava_hf", "llava_onevision", False),
    "internvl_hf": Case("internvl_hf", "internvl", False, dtypes=(torch.bfloat16,)),
    "gemma3": Case("gemma3", "gemma3", True, dtypes=(torch.bfloat16,)),
}
EVERY = [
    pytest.param(name, dtype, id=f"{name}-{str(dtype).removeprefix('torch.')}")
    for name, case in CASES.items()
    for dtype in case.dtypes
]


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(autouse=True)
def loaded_as_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several integrations load everything as bfloat16."""
    original = transformers.PreTrainedModel.from_pretrained.__func__

    def from_pretrained(cls: Any, *args: Any, **kwargs: Any) -> Any:
        return original(cls, *args, **{**kwargs, "torch_dtype": "auto"})

    monkeypatch.setattr(transformers.PreTrainedModel, "from_pretrained", classmethod(from_pretrained))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("architectures")


def model(folder: Path, name: str, dtype: torch.dtype, wrapped: str | None = None) -> Any:
    """The integration, by itself or, with arguments of the wrapper, wrapped."""
    case = CASES[name]
    checkpoint = folder / f"{case.architecture}-{dtype}"
    if not checkpoint.exists():
        write_checkpoint(checkpoint, case.architecture, dtype)
    arguments = f"pretrained={checkpoint},device=cpu,device_map=cpu{case.more}"
    known = "medqdeg" if wrapped is not None else case.integration
    made = MODEL_REGISTRY_V2.get_model_class(known, force_simple=case.simple)
    if wrapped is not None:
        arguments = f"inner={case.integration},{wrapped}{arguments}"
    return made.create_from_arg_string(arguments, {})


def ask(lm: Any, trials: int, items: int = 3, **settings: Any) -> list[list[tuple[str, int | None]]]:
    """Text and number of tokens of each trial of each item."""
    rng = np.random.default_rng(3)
    images = [PIL.Image.fromarray(rng.integers(0, 256, (56, 56, 3), dtype=np.uint8)) for _ in range(items)]
    lm.task_dict = {"t": {"s": [{"item_id": str(number)} for number in range(items)]}}
    asked: list[Any] = []
    for number, image in enumerate(images):
        text = "What is it? " + "Look. " * number
        for _ in range(1 if settings.get("temperature") == 0 else trials):
            arguments = {"temperature": 1.0, "top_p": 1.0, "max_new_tokens": TOKENS, "until": [], **settings}
            if lm.is_simple:
                parts: Any = (text, arguments, lambda doc, image=image: [image], number, "t", "s")
            else:
                content = [{"type": "image", "url": image}, {"type": "text", "text": text}]
                messages = [{"role": "user", "content": content}]
                parts = (text, lambda doc, messages=messages: messages, arguments, number, "t", "s")
            metadata = {"task": "t", "doc_id": number, "repeats": trials, "split": "s"}
            request = Instance("generate_until", parts, number, metadata=metadata)
            asked.append(request)
        if lm.generate_until.__module__.startswith("medqdeg"):
            asked[-trials:] = [asked[-1]] * trials  # as lmms-eval repeats a request
    outputs = [unwrap_generation_output(output) for output in lm.generate_until(asked)]
    flat = [(text, counts.output_tokens if counts else None) for text, counts in outputs]
    each = len(flat) // items
    return [flat[start : start + each] for start in range(0, len(flat), each)]


def sharing() -> dict[str, Any]:
    report = current_report()
    assert report is not None
    return report["sharing"]


@pytest.mark.parametrize(("name", "dtype"), EVERY)
def test_blocks_are_what_the_integration_gives(
    name: str, dtype: torch.dtype, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = ask(model(folder, name, dtype), 1, temperature=0)
    assert all(texts[0][0] for texts in plain)
    lm = model(folder, name, dtype, "")
    drawn = ask(lm, TRIALS)
    assert sharing()["why_not"] is None
    assert sharing()["asked_one_by_one"] == {}
    assert any(len(set(texts)) > TRIALS // 2 for texts in drawn)
    original = asking_blocks.decode_block
    with monkeypatch.context() as patch:
        # The likeliest tokens are those of the integration by itself, token for token.
        patch.setattr(asking_blocks, "decode_block", functools.partial(original, noisy=False))
        assert ask(model(folder, name, dtype, ""), TRIALS) == [texts * TRIALS for texts in plain]

        def one_row(*args: Any, at_once: int, **options: Any) -> Any:
            return original(*args, at_once=1, **options)

        patch.setattr(asking_blocks, "decode_block", one_row)
        assert ask(model(folder, name, dtype, ""), TRIALS) == drawn, "a trial alone is the trial among ten"


@pytest.mark.parametrize(("name", "dtype"), [(name, case.dtypes[0]) for name, case in CASES.items()])
def test_several_items_at_once_are_what_each_is_alone(name: str, dtype: torch.dtype, folder: Path) -> None:
    several = ask(model(folder, name, dtype, "batch=3,"), TRIALS)
    assert sharing()["batch"] == {
        **{"asked_for": 3, "items_at_once": 3, "why_not": None, "blocks_together": 3, "blocks_alone": {}},
    }
    if dtype == torch.float32:
        assert several == ask(model(folder, name, dtype, ""), TRIALS)
    else:  # other keys, other draws: each item beside copies of itself
        assert several == [ask_one(folder, name, dtype, number) for number in range(3)]


def ask_one(folder: Path, name: str, dtype: torch.dtype, number: int) -> list[tuple[str, int | None]]:
    lm = model(folder, name, dtype, "batch=3,")
    original = lm.generate_until
    lm.generate_until = lambda asked: [*original([one for one in asked if one.doc_id == number])] * 3
    lm.generate_until.__module__ = original.__module__
    return ask(lm, TRIALS)[0]


@pytest.mark.parametrize("name", CASES)
def test_whether_a_text_is_decoding_alone_is_seen(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """qwen2_vl strips its texts, so each needs the integration; the others are read without it."""
    seen: list[bool] = []
    original = Preparation.run

    def noted(self: Preparation, call: Any) -> Any:
        prepared = original(self, call)
        seen.append(prepared.read is not None)
        return prepared

    monkeypatch.setattr(Preparation, "run", noted)
    ask(model(folder, name, CASES[name].dtypes[0], ""), TRIALS, items=1)
    assert seen == [CASES[name].reads]
    seen.clear()
    ask(model(folder, name, CASES[name].dtypes[0], ""), TRIALS, items=1, until=["@@"])
    cuts = CASES[name].simple and CASES[name].integration != "llava_hf"
    assert seen == [CASES[name].reads and not cuts]
