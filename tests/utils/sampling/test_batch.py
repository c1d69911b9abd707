"""Several items in one decode give what each gives by itself, through the hook and through the integrations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from medqdeg.utils.sampling import asking_blocks
from medqdeg.utils.sampling.block import BLOCK, decode_blocks, generate_block, read_prompt
from medqdeg.utils.sampling.keys import IN_BLOCKS, in_blocks, request_key
from medqdeg.utils.sampling.shareable import CannotPad

from .conftest import Run, records, sampling
from .tiny_architectures import ARCHITECTURES, prompt, tiny_model

CPU = "device=cpu,device_map=cpu"
SMALL = f"{CPU},min_pixels=784,max_pixels=784"
LENGTHS = {0: 6, 1: 13, 2: 1}
"""Words of the prompts, by their seed."""


pytestmark = pytest.mark.usefixtures("one_thread")


def calls(name: str, dtype: Any = torch.float32, **settings: Any) -> tuple[Any, list[dict[str, Any]]]:
    prompts = [prompt(name, dtype, seed=seed, words=words) for seed, words in LENGTHS.items()]
    return tiny_model(name, dtype), [{**one, "max_new_tokens": 12, **settings} for one in prompts]


def together(model: Any, calls: list[dict[str, Any]], seeds: list[list[int]], **options: Any) -> Any:
    prompts = [read_prompt(model, model.generate, call, with_logits=True) for call in calls]
    blocks = list(zip(prompts, seeds, strict=True))
    return decode_blocks(model, model.generate, blocks, with_logits=True, **options)


# --- At the hook ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [None, 64])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_likeliest_tokens_beside_other_items_are_those_of_a_plain_call(name: str, width: int | None) -> None:
    model, every = calls(name)
    blocks = together(model, every, [[0, 1]] * 3, noisy=False, width=width)
    for call, block in zip(every, blocks, strict=True):
        plain = model.generate(**call, do_sample=False, return_dict_in_generate=True, output_logits=True)
        assert [row.tolist() for row in block.rows] == [plain.sequences[0].tolist()] * 2
        for logits in block.logits:
            assert (logits[: len(plain.logits)] - torch.cat(plain.logits)).abs().max() < 1e-4


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_block_beside_other_items_draws_what_it_draws_alone(name: str) -> None:
    model, every = calls(name)
    seeds = [list(range(start, start + BLOCK)) for start in (0, 100, 200)]
    for call, own, block in zip(every, seeds, together(model, every, seeds), strict=True):
        alone = generate_block(model, model.generate, call, own)
        assert [row.tolist() for row in block.rows] == [row.tolist() for row in alone.rows]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_in_bfloat16_companions_change_nothing_where_the_shape_is_the_same(name: str) -> None:
    model, every = calls(name, torch.bfloat16)
    seeds = [list(range(start, start + BLOCK)) for start in (0, 100, 200)]
    first = together(model, every, seeds, width=64)
    other = together(model, [every[0], every[0], every[1]], [seeds[0], seeds[2], seeds[1]], width=64)
    copies = together(model, [every[0]] * 3, [seeds[0]] * 3, width=64)
    for others in (other, copies):
        assert [row.tolist() for row in others[0].rows] == [row.tolist() for row in first[0].rows]
        for one, two in zip(others[0].logits, first[0].logits, strict=True):
            steps = min(len(one), len(two))  # a decode goes on until its last row has ended
            assert torch.equal(one[:steps], two[:steps])


@pytest.mark.parametrize("settings", [{"repetition_penalty": 1.4}, {"no_repeat_ngram_size": 2}])
def test_what_reads_the_padding_is_not_padded(settings: dict[str, Any]) -> None:
    model, every = calls("llava", **settings)
    with pytest.raises(CannotPad, match=next(iter(settings))):
        together(model, every, [[0, 1]] * 3)
    together(model, [every[0]] * 2, [[0, 1]] * 2)  # equal lengths need none


def test_a_layer_that_nobody_tried_is_not_padded() -> None:
    from transformers.cache_utils import DynamicLayer

    class Other(DynamicLayer):
        pass

    model, every = calls("llava")
    prompts = [read_prompt(model, model.generate, call) for call in every]
    prompts[0].cache.layers[0].__class__ = Other
    with pytest.raises(CannotPad, match="a layer of the cache is a Other"):
        decode_blocks(model, model.generate, [(prompt, [1, 2]) for prompt in prompts])


# --- Keys ----------------------------------------------------------------------------------------------------


def test_a_shape_is_part_of_the_key_and_one_item_s_is_that_of_before() -> None:
    content = {"task": "t", "item": "i", "prompt": ["a\ud800"], "arguments": {}, "model": "m", "mode": "votes"}
    alone = request_key(**content, drawing=in_blocks(1, 64))
    four = request_key(**content, drawing=in_blocks(4, 64))
    assert alone.drawing == IN_BLOCKS
    assert four.digest not in (alone.digest, request_key(**content, drawing=in_blocks(8, 64)).digest)
    assert four.drawn(IN_BLOCKS) == alone
    assert alone.drawn(four.drawing) == four
    assert [key.in_blocks for key in (alone, four, request_key(**content))] == [True, True, False]


# --- Through the integrations ---------------------------------------------------------------------------------


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int | None]]:
    """Of every decode of several items from now on: how many, and the length that they are filled up to."""
    seen: list[tuple[int, int | None]] = []
    original = asking_blocks.decode_blocks

    def noted(model: Any, generate: Any, blocks: Any, **options: Any) -> Any:
        seen.append((len(blocks), options["width"]))
        return original(model, generate, blocks, **options)

    monkeypatch.setattr(asking_blocks, "decode_blocks", noted)
    return seen


def letters(results: dict[str, Any]) -> dict[str, list[str]]:
    return {record["item_id"]: record["letters"] for record in records(results)}


def batch(results: dict[str, Any]) -> dict[str, Any]:
    return sampling(results)["sharing"]["batch"]


def test_in_float32_a_batch_is_one_at_a_time_and_shares_its_store(
    llava: Path, evaluate: Run, tmp_path: Path, batches: list[Any]
) -> None:
    arguments = f"inner=llava_hf,pretrained={llava},{CPU}"
    single = evaluate(arguments, repeats=3)
    assert batches == []
    results = evaluate(f"{arguments},store={tmp_path},batch=5", repeats=3)
    assert batches == [(5, None), (5, None), (2, None)]
    assert batch(results) == {
        **{"asked_for": 5, "items_at_once": 5, "why_not": None, "blocks_together": 12, "blocks_alone": {}},
    }
    assert letters(results) == letters(single)
    again = evaluate(f"{arguments},store={tmp_path}", repeats=10)
    assert sampling(again)["trials"] == {"requested": 120, "asked": 0, "reused": 120, "failed": 0}
    twelve = evaluate(f"{arguments},batch=11", repeats=12)
    assert letters(twelve) == letters(evaluate(arguments, repeats=12)), "two blocks of an item may go together"
    assert batch(twelve)["blocks_alone"] == {"no other item was left": 2}
    assert batches[3:] == [(11, None), (11, None)]


def test_in_bfloat16_shapes_are_fixed_whoever_is_left_to_ask(
    qwen: Path, evaluate: Run, tmp_path: Path, batches: list[Any]
) -> None:
    arguments = f"inner=qwen2_5_vl,pretrained={qwen},{SMALL}"
    whole = evaluate(f"{arguments},store={tmp_path / 'whole'},batch=4", repeats=3)
    assert batch(whole)["blocks_together"] == 12
    assert {items for items, _ in batches} == {4}
    assert all(width % 64 == 0 for _, width in batches)
    evaluate(f"{arguments},store={tmp_path / 'parts'},batch=4", repeats=3, limit=3)
    parts = evaluate(f"{arguments},store={tmp_path / 'parts'},batch=4", repeats=3)
    assert sampling(parts)["trials"]["reused"] == 9
    assert letters(parts) == letters(whole)
    other = evaluate(f"{arguments},store={tmp_path / 'whole'},batch=3", repeats=3)
    assert sampling(other)["trials"]["reused"] == 0, "another shape, another key"


def test_out_of_memory_halves_the_batch_and_is_told(
    llava: Path, qwen: Path, evaluate: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    original = asking_blocks.decode_blocks

    def short(model: Any, generate: Any, blocks: Any, **options: Any) -> Any:
        if len(blocks) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return original(model, generate, blocks, **options)

    for arguments in (f"inner=llava_hf,pretrained={llava},{CPU}", f"inner=qwen2_5_vl,pretrained={qwen},{SMALL}"):
        expected = letters(evaluate(f"{arguments},batch=2", repeats=3))
        with monkeypatch.context() as patch:
            patch.setattr(asking_blocks, "decode_blocks", short)
            results = evaluate(f"{arguments},batch=9,store={tmp_path}", repeats=3)
            assert batch(results)["items_at_once"] == 2
            assert sampling(results)["trials"] == {"requested": 36, "asked": 36, "reused": 0, "failed": 0}
            again = evaluate(f"{arguments},batch=9,store={tmp_path}", repeats=3)
        assert letters(results) == letters(again) == expected


def test_an_item_that_cannot_be_padded_is_decoded_alone_and_told(
    llava: Path, evaluate: Run, batches: list[Any]
) -> None:
    arguments = f"inner=llava_hf,pretrained={llava},{CPU}"
    results = evaluate(f"{arguments},batch=3", repeats=2, limit=4, gen_kwargs="min_new_tokens=1")
    assert batches
    assert batch(results)["blocks_alone"] == {"no other item was left": 1}
    assert evaluate(f"{arguments},batch=3,share=false", repeats=2, limit=2)["results"]


def test_positions_that_differ_beside_a_longer_prompt_are_found_before_the_run(
    llava: Path, evaluate: Run, monkeypatch: pytest.MonkeyPatch, batches: list[Any]
) -> None:
    from medqdeg.utils.sampling import block

    def without_padding(prompts: Any, counts: Any, width: int) -> Any:
        return torch.ones((sum(counts), width + 1), dtype=torch.long)

    monkeypatch.setattr(block, "_masks", without_padding)
    results = evaluate(f"inner=llava_hf,pretrained={llava},{CPU},batch=4", repeats=2, limit=4)
    assert "a row beside a longer one differs from one alone" in batch(results)["why_not"]
    assert sampling(results)["sharing"]["why_not"] is None
    assert (batches, batch(results)["items_at_once"]) == ([], 1)


def test_a_batch_with_one_reply_per_item_takes_the_plain_way(llava: Path, evaluate: Run, batches: list[Any]) -> None:
    arguments = f"inner=llava_hf,pretrained={llava},{CPU}"
    plain = evaluate(arguments, repeats=2, limit=3, gen_kwargs="temperature=0")
    results = evaluate(f"{arguments},batch=3", repeats=2, limit=3, gen_kwargs="temperature=0")
    assert letters(results) == letters(plain)
    assert batches == []
