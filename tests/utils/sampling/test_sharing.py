"""Blocks of trials through lmms-eval's own integrations: what is reused, told, and asked one by one instead."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from medqdeg.utils.sampling import asking_blocks
from medqdeg.utils.sampling.block import BLOCK
from medqdeg.utils.sampling.fidelity import probe_image
from medqdeg.utils.sampling.remembering import equal, once, own_containers

from .conftest import Run, records, sampling

CPU = "device=cpu,device_map=cpu"
SMALL = f"{CPU},min_pixels=784,max_pixels=784"


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of rows of every block that is drawn from now on."""
    drawn: list[int] = []
    original = asking_blocks.decode_block

    def noted(model: Any, generate: Any, prompt: Any, seeds: Any, **options: Any) -> Any:
        drawn.extend([BLOCK] * (len(seeds) // BLOCK))
        return original(model, generate, prompt, seeds, **options)

    monkeypatch.setattr(asking_blocks, "decode_block", noted)
    return drawn


def letters(results: dict[str, Any]) -> list[list[str]]:
    return [record["letters"] for record in records(results)]


def test_a_block_is_drawn_once_and_serves_more_repeats(
    llava: Path, evaluate: Run, tmp_path: Path, blocks: list[int]
) -> None:
    arguments = f"inner=llava_hf,pretrained={llava},{CPU}"
    three = evaluate(f"{arguments},store={tmp_path}", repeats=3)
    assert blocks == [10] * 12
    assert sampling(three)["sharing"] == {
        **{"block": 10, "why_not": None, "rows_at_once": 10, "asked_one_by_one": {}, "batch": None},
    }
    assert sampling(three)["trials"] == {"requested": 36, "asked": 36, "reused": 0, "failed": 0}
    assert sampling(three)["seeded"] is True
    ten = evaluate(f"{arguments},store={tmp_path}", repeats=10)
    assert blocks == [10] * 12, "the ten were drawn with the three"
    assert sampling(ten)["trials"]["reused"] == 120
    twelve = evaluate(f"{arguments},store={tmp_path}", repeats=12)
    assert blocks == [10] * 24
    assert [votes[:3] for votes in letters(twelve)] == letters(three)
    assert [votes[:10] for votes in letters(twelve)] == letters(ten)
    assert letters(evaluate(arguments, repeats=12)) == letters(twelve), "whatever the store held"
    assert any(len(set(votes)) > 1 for votes in letters(twelve))


@pytest.mark.parametrize("force_simple", [False, True])
def test_both_forms_of_qwen_share(force_simple: bool, qwen: Path, evaluate: Run, blocks: list[int]) -> None:
    results = evaluate(f"inner=qwen2_5_vl,pretrained={qwen},{SMALL}", repeats=4, force_simple=force_simple)
    assert sampling(results)["sharing"]["why_not"] is None
    assert blocks == [10] * 12
    assert any(record["distinct_replies"] > 1 for record in records(results))


def test_a_greedy_reply_takes_the_plain_way(llava: Path, evaluate: Run, blocks: list[int]) -> None:
    arguments = f"inner=llava_hf,pretrained={llava},{CPU}"
    results = evaluate(arguments, repeats=3, limit=3, gen_kwargs="temperature=0")
    assert blocks == []
    assert all(record["distinct_replies"] == 1 for record in records(results))


def test_a_single_reply_takes_the_plain_way(llava: Path, evaluate: Run, blocks: list[int], tmp_path: Path) -> None:
    # `--repeats 1` leaves the task's own ten; a task that asks once is a request by itself.
    from lmms_eval.api.instance import Instance

    from medqdeg.utils.sampling.wrapper import ChatWrapper

    lm = ChatWrapper.create_from_arg_string(f"inner=llava_hf,pretrained={llava},store={tmp_path},{CPU}")
    lm.task_dict = {"t": {"s": [{"item_id": "1"}]}}
    content = [{"type": "image", "url": probe_image()}, {"type": "text", "text": "Which?"}]
    messages = [{"role": "user", "content": content}]
    parts = ("", lambda doc: messages, {"temperature": 1.0, "max_new_tokens": 3}, 0, "t", "s")
    request = Instance("generate_until", parts, 0, metadata={"task": "t", "doc_id": 0, "repeats": 1, "split": "s"})
    lm.generate_until([request])
    assert blocks == []
    lm.generate_until([request] * 2)
    assert blocks == [10]


def test_share_false_asks_as_before(llava: Path, evaluate: Run, blocks: list[int]) -> None:
    results = evaluate(f"inner=llava_hf,pretrained={llava},{CPU},share=false", repeats=3)
    assert blocks == []
    assert sampling(results)["sharing"]["why_not"] == "share=false"
    assert sampling(results)["seeded"] is True


def test_beams_are_asked_one_by_one_and_told(llava: Path, evaluate: Run, blocks: list[int]) -> None:
    results = evaluate(f"inner=llava_hf,pretrained={llava},{CPU}", repeats=2, limit=3, gen_kwargs="num_beams=2")
    assert sampling(results)["sharing"]["asked_one_by_one"] == {"num_beams=2": 6}
    assert sampling(results)["trials"] == {"requested": 6, "asked": 6, "reused": 0, "failed": 0}
    assert "num_beams=2" in str(sampling(results)["warnings"])


def test_a_static_cache_is_found_before_the_run(llava: Path, evaluate: Run, tmp_path: Path, blocks: list[int]) -> None:
    checkpoint = shutil.copytree(llava, tmp_path / "static")
    path = checkpoint / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "cache_implementation": "static"}))
    results = evaluate(f"inner=llava_hf,pretrained={checkpoint},{CPU}", repeats=2, limit=2)
    assert blocks == []
    assert sampling(results)["sharing"]["why_not"] == "cache_implementation=static"
    assert sampling(results)["trials"]["asked"] == 4


def test_rows_that_would_differ_are_found_before_the_run(
    llava: Path, evaluate: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An architecture whose positions depend on more than masks and cache would answer another question."""
    from medqdeg.utils.sampling import block

    original = block.joined

    def shifted(*args: Any) -> Any:
        copied = original(*args)
        for layer in copied.layers:
            layer.keys = layer.keys.roll(1, dims=-1)
        return copied

    monkeypatch.setattr(block, "joined", shifted)
    results = evaluate(f"inner=llava_hf,pretrained={llava},{CPU}", repeats=2, limit=2)
    assert "differs from one alone" in sampling(results)["sharing"]["why_not"]
    assert sampling(results)["trials"]["asked"] == 4


def test_out_of_memory_is_recorded(llava: Path, evaluate: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import LlavaForConditionalGeneration

    arguments = f"inner=llava_hf,pretrained={llava},{CPU}"
    plenty = evaluate(arguments, repeats=5, limit=4)
    original = LlavaForConditionalGeneration.forward

    def short(self: Any, *args: Any, **kwargs: Any) -> Any:
        ids = kwargs.get("input_ids")
        if ids is not None and len(ids) > 5:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return original(self, *args, **kwargs)

    short.__signature__ = __import__("inspect").signature(original)  # type: ignore[attr-defined]
    monkeypatch.setattr(LlavaForConditionalGeneration, "forward", short)
    results = evaluate(arguments, repeats=5, limit=4)
    assert sampling(results)["sharing"]["rows_at_once"] == 5
    assert letters(results) == letters(plenty)


# --- What an integration does once ---------------------------------------------------------------------------


def test_a_remembered_function_works_once_per_argument_and_gives_containers_of_their_own() -> None:
    calls: list[Any] = []

    def make(*args: Any, **kwargs: Any) -> dict[str, Any]:
        calls.append((args, kwargs))
        return {"tensor": torch.ones(3), "list": [1]}

    remembered = once(make)
    first = remembered("a", [1, 2], image=torch.zeros(2))
    first["list"].append(2)
    second = remembered("a", [1, 2], image=torch.zeros(2))
    assert len(calls) == 1
    assert second["list"] == [1]
    assert second["tensor"] is first["tensor"]
    remembered("a", [1, 3], image=torch.zeros(2))
    remembered("a", [1, 3], image=torch.ones(2))
    assert len(calls) == 3


def test_what_cannot_be_compared_is_not_equal() -> None:
    assert not equal(object(), object())
    assert not equal(torch.ones(2), torch.ones(2, dtype=torch.int64))
    assert not equal([1], (1,))
    assert equal({"a": [torch.ones(2), "b", None]}, {"a": [torch.ones(2), "b", None]})
    shared = torch.ones(2)
    assert own_containers([{"a": shared}])[0]["a"] is shared
