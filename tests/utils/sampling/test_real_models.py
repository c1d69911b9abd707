"""The wrapper around real integrations with tiny checkpoints: sampling, images, exact probabilities."""

from __future__ import annotations

import functools
import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from medqdeg.utils.sampling.fidelity import PROBE_SIDE, compare_images, probe_image
from medqdeg.utils.sampling.neutral import neutralise

from .conftest import Run, records, sampling

CPU = "device=cpu,device_map=cpu"
# Large enough that the probe keeps its size.
PIXELS = f"min_pixels=784,max_pixels={PROBE_SIDE * PROBE_SIDE}"


@pytest.fixture(scope="module")
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


pytestmark = pytest.mark.usefixtures("one_thread")


def with_top_k_1(checkpoint: Path, folder: Path) -> Path:
    """The same weights with a generation_config as some checkpoints bring it."""
    shutil.copytree(checkpoint, folder)
    path = folder / "generation_config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "top_k": 1, "repetition_penalty": 1.05}))
    return folder


def test_top_k_1_is_certain_through_the_stock_integration_and_not_through_the_wrapper(
    llava: Path, evaluate: Run, tmp_path: Path
) -> None:
    greedy_by_default = with_top_k_1(llava, tmp_path / "greedy")
    stock = evaluate(f"pretrained={greedy_by_default},{CPU}", model="llava_hf", repeats=5)
    confidences = [record["confidence"] for record in records(stock) if record["unread_rate"] == 0]
    assert len(confidences) >= 4
    assert all(confidence == 1.0 for confidence in confidences)
    assert all(record["distinct_replies"] == 1 for record in records(stock))
    wrapped = evaluate(f"inner=llava_hf,pretrained={greedy_by_default},{CPU}", repeats=5)
    changed = sampling(wrapped)["generation_config"]["changed"]
    assert changed == {"top_k": [1, 0], "repetition_penalty": [1.05, 1.0]}
    own = evaluate(f"inner=llava_hf,pretrained={llava},{CPU}", repeats=5)
    assert sampling(own)["generation_config"]["changed"] == {}
    assert [record["letters"] for record in records(wrapped)] == [record["letters"] for record in records(own)]
    assert any(record["distinct_replies"] > 1 for record in records(wrapped))


@pytest.mark.parametrize("force_simple", [False, True])
def test_qwen_is_sampled_from_its_own_distribution_in_both_forms(
    force_simple: bool, qwen: Path, evaluate: Run, tmp_path: Path
) -> None:
    """The chat form passes on an explicit top_k of None, the simple form nothing."""
    letters = []
    for checkpoint in (qwen, with_top_k_1(qwen, tmp_path / "greedy")):
        arguments = f"inner=qwen2_5_vl,pretrained={checkpoint},{CPU},min_pixels=784,max_pixels=784"
        results = evaluate(arguments, repeats=4, force_simple=force_simple)
        letters.append([record["letters"] for record in records(results)])
    assert letters[0] == letters[1]
    assert any(len(set(votes)) > 1 for votes in letters[0])


def test_a_moved_checkpoint_is_the_same_model(llava: Path, tmp_path: Path, evaluate: Run) -> None:
    moved = shutil.copytree(llava, tmp_path / "elsewhere")
    arguments = f"inner=llava_hf,store={tmp_path / 'store'},{CPU}"
    evaluate(f"{arguments},pretrained={llava}", repeats=2)
    again = evaluate(f"{arguments},pretrained={moved}", repeats=2)
    assert sampling(again)["trials"] == {"requested": 24, "asked": 0, "reused": 24, "failed": 0}


def test_other_weights_are_another_model(tmp_path: Path, evaluate: Run) -> None:
    from medqdeg.utils.models.tiny import build_tiny_checkpoint

    arguments = f"inner=llava_hf,store={tmp_path / 'store'},{CPU}"
    for seed in (0, 1):
        checkpoint = build_tiny_checkpoint(tmp_path / str(seed), "llava", seed=seed)
        results = evaluate(f"{arguments},pretrained={checkpoint}", repeats=2)
        assert sampling(results)["trials"]["reused"] == 0


def test_neutral_is_what_transformers_documents() -> None:
    from transformers import GenerationConfig
    from transformers.generation.logits_process import LogitsProcessorList

    config = GenerationConfig(
        do_sample=True, top_k=20, top_p=0.8, min_p=0.05, typical_p=0.9, repetition_penalty=1.2, epsilon_cutoff=1e-3,
        eta_cutoff=1e-3, no_repeat_ngram_size=3, temperature=0.7, suppress_tokens=[5], num_beams=1,
    )  # fmt: skip
    told = neutralise(config)
    assert set(told["changed"]) == {
        *("top_k", "top_p", "min_p", "typical_p", "repetition_penalty", "epsilon_cutoff", "eta_cutoff"),
        *("no_repeat_ngram_size", "temperature"),
    }
    assert told["kept"] == {"suppress_tokens": "[5]"}
    unset = GenerationConfig(do_sample=True)
    assert neutralise(unset)["changed"] == {"top_k": [None, 0]}, "transformers would take the 50 best"
    from transformers import LlamaConfig, LlamaForCausalLM

    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=9, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2, pad_token_id=0
        )
    )
    config.suppress_tokens = None
    processors = model._get_logits_processor(config, 3, device="cpu")
    assert isinstance(processors, LogitsProcessorList)
    assert [type(one).__name__ for one in processors] == [], "something still stands between logits and sample"


# --- Images -----------------------------------------------------------------------------------------------


def images(results: dict[str, Any]) -> dict[str, Any]:
    return sampling(results)["images"]


def test_jpeg_of_the_simple_integration_is_found_and_the_chat_one_passes(qwen: Path, evaluate: Run) -> None:
    arguments = f"inner=qwen2_5_vl,pretrained={qwen},{CPU},{PIXELS}"
    simple = images(evaluate(arguments, repeats=2, force_simple=True))
    assert simple["seen"] == "processor"
    assert len(simple["findings"]) == 1
    assert "re-encoded with loss" in simple["findings"][0]
    assert simple["differences"][0]["noise"] < simple["differences"][0]["noise_sent"] - 3
    chat = images(evaluate(arguments, repeats=2))
    assert (chat["seen"], chat["findings"]) == ("processor", [])
    assert chat["differences"][0]["largest_difference"] == 0


def test_strict_ends_the_run(qwen: Path, evaluate: Run) -> None:
    arguments = f"inner=qwen2_5_vl,pretrained={qwen},{CPU},{PIXELS},strict=true"
    with pytest.raises(SystemExit, match="medqdeg: strict=true: images are re-encoded with loss before the model"):
        evaluate(arguments, repeats=2, force_simple=True)
    assert images(evaluate(arguments, repeats=2))["findings"] == []


def test_a_limit_of_pixels_is_found(qwen: Path, evaluate: Run) -> None:
    arguments = f"inner=qwen2_5_vl,pretrained={qwen},{CPU},min_pixels=784,max_pixels=50176"
    (finding,) = images(evaluate(arguments, repeats=2, force_simple=True))["findings"]
    assert "resized before the model (448 x 448 to 224 x 224" in finding


def test_llava_passes_in_both_forms(llava: Path, evaluate: Run) -> None:
    for force_simple in (False, True):
        results = evaluate(f"inner=llava_hf,pretrained={llava},{CPU}", repeats=2, force_simple=force_simple)
        assert images(results)["findings"] == []
        assert sampling(results)["form"] == ("simple" if force_simple else "chat")


DAMAGE: dict[str, tuple[Callable[[Any], Any], str]] = {
    "nothing": (lambda image: image, ""),
    "an array": (np.asarray, ""),
    "a tensor": (lambda image: torch.from_numpy(np.asarray(image).transpose(2, 0, 1).copy()), ""),
    "a tensor of shares": (lambda image: torch.from_numpy(np.asarray(image).transpose(2, 0, 1) / 255), ""),
    "half size": (lambda image: image.resize((224, 224)), "resized"),
    "grey": (lambda image: image.convert("L"), "grey"),
    "grey in three channels": (lambda image: image.convert("L").convert("RGB"), "grey"),
    "16 colours": (lambda image: image.quantize(16).convert("RGB"), "different"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_what_was_done_to_an_image_is_seen(name: str) -> None:
    damage, kind = DAMAGE[name]
    found = compare_images(probe_image(), damage(probe_image()))
    assert found["resized"] is (kind == "resized")
    assert found["grey"] is (kind == "grey")
    assert (found["largest_difference"] == 0) is (kind == "")


def test_the_probe_is_known_and_noisy() -> None:
    pixels = np.asarray(probe_image(), dtype=float)
    assert pixels.shape == (PROBE_SIDE, PROBE_SIDE, 3)
    assert np.array_equal(pixels, np.asarray(probe_image()))
    assert 23 < np.diff(pixels, axis=0).std() / np.sqrt(2) < 26


# --- Exact ------------------------------------------------------------------------------------------------


def direct_probabilities(checkpoint: Path, dataset: Path, level: str) -> list[dict[str, float]]:
    """Letters' probabilities from a call of the model itself: no lmms-eval, no generate."""
    from transformers import AutoProcessor, LlavaForConditionalGeneration

    from medqdeg.tasks.hooks import doc_to_text
    from medqdeg.utils.dataset.loading import load_level
    from medqdeg.utils.dataset.location import LocalFolder

    model = LlavaForConditionalGeneration.from_pretrained(checkpoint).eval()
    processor = AutoProcessor.from_pretrained(checkpoint)
    found = []
    for doc in load_level("test", level, LocalFolder(dataset)):
        content = [*({"type": "image"} for _ in doc["images"]), {"type": "text", "text": doc_to_text(doc)}]
        text = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
        inputs = processor(images=doc["images"], text=text, return_tensors="pt")
        with torch.no_grad():
            logits = model(**inputs).logits[0, -1].double()
        probabilities = logits.exp() / logits.exp().sum()
        found.append(
            {
                letter: float(probabilities[processor.tokenizer.convert_tokens_to_ids(letter)])
                for letter in doc["letters"]
            }
        )
    return found


def test_exact_is_the_softmax_of_a_direct_call(llava: Path, small_dataset: Path, evaluate: Run, tmp_path: Path) -> None:
    arguments = f"inner=llava_hf,pretrained={llava},{CPU},mode=exact,store={tmp_path}"
    results = evaluate(f"{arguments},min_letter_mass=0.5")
    assert sampling(results)["trials"] == {"requested": 120, "asked": 120, "reused": 0, "failed": 0}
    expected = direct_probabilities(llava, small_dataset, "L0")
    assert len(records(results)) == 12
    for record, masses in zip(records(results), expected, strict=True):
        total = sum(masses.values())
        assert record["letter_mass"] == pytest.approx(total, abs=1e-5)
        assert record["probabilities"] == pytest.approx([mass / total for mass in masses.values()], abs=1e-5)
        assert record["invalid"] is (total < 0.5)
        if not record["invalid"]:
            assert record["accuracy"] == pytest.approx(masses[record["answer"]], abs=1e-5)
    # The mass that a run demands is no part of what was asked.
    again = evaluate(f"{arguments},min_letter_mass=0.99")
    assert sampling(again)["trials"]["reused"] == 120
    assert sum(record["invalid"] for record in records(again)) > sum(record["invalid"] for record in records(results))
    node = again["results"]["medqdeg_l0"]["medqdeg,votes"]
    assert node["overall"]["n_scored"] == sum(not record["invalid"] for record in records(again))


def test_votes_converge_to_exact(llava: Path, evaluate: Run) -> None:
    trials = 60
    arguments = f"inner=llava_hf,pretrained={llava},{CPU}"
    exact = records(evaluate(f"{arguments},mode=exact,min_letter_mass=0"))
    votes = records(evaluate(arguments, repeats=trials))
    statistic, freedom = 0.0, 0
    for by_model, by_votes in zip(exact, votes, strict=True):
        masses = [share * by_model["letter_mass"] for share in by_model["probabilities"]]
        cells = dict(zip([*by_model["options"], "unread"], [*masses, 1 - by_model["letter_mass"]], strict=True))
        counts = Counter(by_votes["letters"])
        for cell, probability in cells.items():
            # Pearson's statistic over cells that are common enough.
            if probability * trials >= 2:
                statistic += (counts[cell] - trials * probability) ** 2 / (trials * probability * (1 - probability))
                freedom += 1
            else:
                assert counts[cell] <= 12
    assert freedom > 20
    assert statistic / freedom < 1.8, "votes are not drawn from the exact distribution"
    assert statistic / freedom > 0.4


def test_exact_of_qwen_s_chat_form(qwen: Path, evaluate: Run) -> None:
    results = evaluate(f"inner=qwen2_5_vl,pretrained={qwen},{CPU},{PIXELS},mode=exact,min_letter_mass=0")
    assert all(0 < record["letter_mass"] <= 1 for record in records(results))
    assert results["results"]["medqdeg_l0"]["medqdeg,votes"]["conditions"]["elicitation"] == {"exact": 12}


def test_exact_does_not_read_stated_confidences(llava: Path, evaluate: Run) -> None:
    with pytest.raises(SystemExit, match="asks for a stated confidence"):
        evaluate(f"inner=llava_hf,pretrained={llava},{CPU},mode=exact", tasks=("medqdeg_l0_verbalized",))


def test_an_integration_that_swallows_errors_gives_missing_trials(
    llava: Path, evaluate: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """llava_hf turns an error of the model into an empty reply, which would be an unread vote."""
    from transformers import LlavaForConditionalGeneration

    original, calls = LlavaForConditionalGeneration.forward, Counter()

    @functools.wraps(original)
    def failing(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls["n"] += 1
        if 20 < calls["n"] <= 24:
            raise RuntimeError("out of memory")
        return original(self, *args, **kwargs)

    monkeypatch.setattr(LlavaForConditionalGeneration, "forward", failing)
    results = evaluate(f"inner=llava_hf,pretrained={llava},{CPU},retries=0", repeats=3)
    # Each error took the three trials of one block.
    assert sampling(results)["trials"]["failed"] == 12
    assert sum(record["letters"].count("missing") for record in records(results)) == 12
    assert all(record["empty_replies"] == 0 for record in records(results))
