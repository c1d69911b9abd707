"""A block of trials from one prefill gives what one call per trial gives, and each trial keeps its own draws."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from medqdeg.utils.sampling.block import BLOCK, generate_block
from medqdeg.utils.sampling.noise import TrialNoise
from medqdeg.utils.sampling.shareable import CannotShare

from .tiny_architectures import ARCHITECTURES, EOS, PAD, prompt, tiny_model

DTYPES = [torch.float32, torch.bfloat16]
BOTH = pytest.mark.parametrize("dtype", DTYPES, ids=["float32", "bfloat16"])


pytestmark = pytest.mark.usefixtures("one_thread")


def call(name: str, dtype: Any = torch.float32, **settings: Any) -> tuple[Any, dict[str, Any]]:
    seed = settings.pop("seed", 0)
    return tiny_model(name, dtype), {**prompt(name, dtype, seed=seed), "max_new_tokens": 12, **settings}


def greedy(model: Any, kwargs: dict[str, Any]) -> Any:
    return model.generate(**{**kwargs, "do_sample": False}, return_dict_in_generate=True, output_logits=True)


def rows(model: Any, kwargs: dict[str, Any], seeds: Any = range(BLOCK), **options: Any) -> list[list[int]]:
    return [row.tolist() for row in generate_block(model, model.generate, kwargs, list(seeds), **options).rows]


# --- Equal to the plain path ---------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_likeliest_tokens_of_a_row_are_those_of_a_plain_call(name: str, dtype: Any) -> None:
    model, kwargs = call(name, dtype)
    _, other = call(name, dtype, seed=1)
    for given in (kwargs, other, kwargs):  # an item in between may leave positions behind on the model
        plain = greedy(model, given)
        block = generate_block(model, model.generate, given, [1, 2, 3], noisy=False, with_logits=True)
        assert [row.tolist() for row in block.rows] == [plain.sequences[0].tolist()] * 3
        expected = torch.cat(plain.logits).float()
        tolerance = 1e-5 if dtype == torch.float32 else 0.05
        for logits in block.logits or ():
            assert (logits[: len(expected)].float() - expected).abs().max() < tolerance


@BOTH
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_trial_alone_is_the_trial_among_ten(name: str, dtype: Any) -> None:
    model, kwargs = call(name, dtype)
    together = rows(model, kwargs)
    assert len({tuple(row) for row in together}) > 5, "the draws differ"
    assert [rows(model, kwargs, [seed])[0] for seed in (0, 4, 9)] == [together[seed] for seed in (0, 4, 9)]
    others = rows(model, kwargs, [3, *range(100, 109)])
    assert others[0] == together[3], "other companions change nothing"


@pytest.mark.parametrize(
    "settings",
    [
        {"repetition_penalty": 1.4},
        {"no_repeat_ngram_size": 2},
        {"min_new_tokens": 9},
        {"max_new_tokens": 1},
        {"bad_words_ids": [[3], [17], [40]]},
        {"eos_token_id": [EOS, 11, 23, 42]},
    ],
    ids=lambda settings: next(iter(settings)),
)
@pytest.mark.parametrize("name", ["qwen2_5_vl", "llava"])
def test_what_stands_before_the_choice_stands_there_too(name: str, settings: dict[str, Any]) -> None:
    model, kwargs = call(name, **settings)
    assert rows(model, kwargs, [1, 2], noisy=False) == [greedy(model, kwargs).sequences[0].tolist()] * 2


def test_a_prompt_with_padding_before_it() -> None:
    model, kwargs = call("llava")
    padded = dict(kwargs)
    fill = torch.full((1, 3), PAD)
    padded["input_ids"] = torch.cat([fill, kwargs["input_ids"]], dim=1)
    padded["attention_mask"] = torch.cat([fill * 0, kwargs["attention_mask"]], dim=1)
    assert rows(model, padded, [1, 2], noisy=False) == [greedy(model, padded).sequences[0].tolist()] * 2
    replies = [row[kwargs["input_ids"].shape[1] :] for row in rows(model, kwargs)]
    assert [row[padded["input_ids"].shape[1] :] for row in rows(model, padded)] == replies


def test_top_k_1_draws_the_likeliest_and_truncation_keeps_the_draws_of_what_stays() -> None:
    model, kwargs = call("llava")
    assert rows(model, {**kwargs, "top_k": 1}) == [greedy(model, kwargs).sequences[0].tolist()] * BLOCK
    start = kwargs["input_ids"].shape[1]
    first = greedy(model, kwargs).logits[0][0].softmax(-1)
    kept = {int(token) for token in first.topk(3).indices}
    assert {row[start] for row in rows(model, {**kwargs, "top_k": 3}, range(60))} == kept
    cold = Counter(row[start] for row in rows(model, {**kwargs, "temperature": 0.05, "max_new_tokens": 1}, range(60)))
    assert cold[int(first.argmax())] >= 55


def test_rows_end_at_their_own_end() -> None:
    model, kwargs = call("qwen2_vl", max_new_tokens=40)
    start = kwargs["input_ids"].shape[1]
    replies = [row[start:] for row in rows(model, kwargs, range(40), at_once=40)]
    assert len({len(reply) for reply in replies}) > 5
    assert all(EOS not in reply[:-1] for reply in replies)
    assert all(reply[-1] == EOS or len(reply) == 40 for reply in replies)
    many_ends = {**kwargs, "eos_token_id": [EOS, *range(40)]}
    assert 1 in {len(row) - start for row in rows(model, many_ends, range(40))}, "some end with their first token"


def test_no_global_random_state_is_read_or_changed() -> None:
    model, kwargs = call("llava")
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one = rows(model, kwargs)
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    assert rows(model, kwargs) == one


# --- What cannot be shared -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"num_beams": 2}, "num_beams=2"),
        ({"use_cache": False}, "use_cache=False"),
        ({"cache_implementation": "static"}, "cache_implementation=static"),
        ({"num_return_sequences": 2}, "num_return_sequences=2"),
        ({"input_ids": torch.ones((2, 5), dtype=torch.long)}, "ids of one prompt"),
        ({"inputs_embeds": torch.ones((1, 5, 32))}, "inputs_embeds"),
        ({"stopping_criteria": [object()]}, "stopping_criteria"),
        ({"stop_strings": ["x"]}, "stop_strings"),
        ({"attention_mask": torch.tensor([[1] * 13 + [0]])}, "fills the prompt up on the right"),
        ({"begin_suppress_tokens": [4]}, "begin_suppress_tokens"),
    ],
)
def test_it_is_refused_with_its_reason(change: dict[str, Any], reason: str) -> None:
    model, kwargs = call("llava")
    with pytest.raises(CannotShare, match=reason):
        generate_block(model, model.generate, {**kwargs, **change}, [1, 2])


def test_a_generate_of_its_own_is_refused() -> None:
    model, kwargs = call("llava")
    model.__class__ = type("Own", (type(model),), {"generate": lambda self, **given: None})
    with pytest.raises(CannotShare, match="a generate"):
        generate_block(model, model.generate, kwargs, [1])


def test_a_layer_that_cannot_be_copied_is_refused() -> None:
    """As linear attention's."""
    from transformers.cache_utils import DynamicLayer

    class Linear(DynamicLayer):
        is_compileable = True

    model, kwargs = call("llava")

    def generate(**given: Any) -> Any:
        output = model.generate(**given)
        cache = output.cache if "cache" in output else output.past_key_values
        cache.layers[1] = Linear()
        return output

    with pytest.raises(CannotShare, match="a layer of the cache is a Linear"):
        generate_block(model, generate, kwargs, [1])


@pytest.mark.parametrize("room", [1, 3, 9])
def test_out_of_memory_halves_the_block_and_changes_no_reply(room: int) -> None:
    model, kwargs = call("qwen2_5_vl")
    seen: list[tuple[int, int]] = []

    def generate(**given: Any) -> Any:
        seen.append(tuple(given["input_ids"].shape))
        if seen[-1][0] > room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return model.generate(**given)

    block = generate_block(model, generate, kwargs, list(range(BLOCK)))
    assert [row.tolist() for row in block.rows] == rows(model, kwargs)
    assert block.at_once <= room
    assert seen.count((1, kwargs["input_ids"].shape[1])) == 1, "the prompt is read once"


def test_out_of_memory_of_a_single_row_is_an_error() -> None:
    model, kwargs = call("llava")

    def generate(**given: Any) -> Any:
        if len(given["input_ids"][0]) > kwargs["input_ids"].shape[1]:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return model.generate(**given)

    with pytest.raises(torch.OutOfMemoryError):
        generate_block(model, generate, kwargs, list(range(BLOCK)))


# --- The distribution ----------------------------------------------------------------------------------------


def chi_squared(counts: Counter[int], probabilities: dict[int, float], total: int) -> float:
    """The p value of Pearson's test; cells of fewer than five expected are one."""
    from scipy import stats

    cells = {key: share for key, share in probabilities.items() if share * total >= 5}
    observed = [counts[key] for key in cells]
    expected = [share * total for share in cells.values()]
    if total - sum(expected) > 1e-6 * total:
        observed.append(total - sum(observed))
        expected.append(total - sum(expected))
    return float(stats.chisquare(observed, expected).pvalue)


def test_noise_makes_draws_of_the_softmax() -> None:
    logits = torch.tensor([2.0, 1.0, 0.0, -1.0, -2.5, -4.0], dtype=torch.float64)
    draws = 20_000
    noise = TrialNoise(range(draws), torch.device("cpu")).draw(len(logits), range(draws))
    counts = Counter((logits + noise).argmax(-1).tolist())
    assert chi_squared(counts, dict(enumerate(logits.softmax(-1).tolist())), draws) > 0.001


def test_a_trial_s_noise_depends_on_its_seed_and_step_alone() -> None:
    together, alone = TrialNoise([7, 8, 9], torch.device("cpu")), TrialNoise([8], torch.device("cpu"))
    for _ in range(3):
        assert torch.equal(together.draw(5, [0, 1, 2])[1], alone.draw(5, [0])[0])


@pytest.mark.slow
def test_votes_of_the_reference_model_are_draws_of_its_exact_letter_masses() -> None:
    """10,000 votes in blocks of ten; the trials of a block know nothing of each other."""
    from transformers import AutoModelForImageTextToText, AutoProcessor

    from medqdeg.utils.models.reference_model import CHECKPOINT
    from medqdeg.utils.sampling.fidelity import probe_image

    model = AutoModelForImageTextToText.from_pretrained(Path(CHECKPOINT)).eval()
    processor = AutoProcessor.from_pretrained(Path(CHECKPOINT))
    content = [{"type": "image"}, {"type": "text", "text": "Which?\nA. one\nB. two\nC. three\nD. four"}]
    text = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    inputs = processor(images=[probe_image()], text=text, return_tensors="pt")
    with torch.no_grad():
        masses = model(**inputs).logits[0, -1].double().softmax(-1)
    kwargs = {**inputs, "max_new_tokens": 2, "temperature": 1.0, "top_k": 0}
    votes = [row[inputs["input_ids"].shape[1]] for row in rows(model, kwargs, range(10_000))]
    assert chi_squared(Counter(votes), dict(enumerate(masses.tolist())), len(votes)) > 0.001
    likeliest = (np.array(votes) == int(masses.argmax())).astype(float).reshape(-1, BLOCK)
    centred = likeliest - likeliest.mean()
    for lag in range(1, BLOCK):
        pairs = centred[:, lag:] * centred[:, :-lag]
        # The mean of products of independent draws, in its own standard errors.
        assert abs(pairs.mean()) < 4 * centred.var() / np.sqrt(pairs.size)
