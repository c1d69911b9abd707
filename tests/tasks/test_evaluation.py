"""The tasks inside lmms-eval, in this process, with a scripted model: every number recomputed from the samples."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from lmms_eval.api.model import lmms
from lmms_eval.evaluator import simple_evaluate
from lmms_eval.tasks import TaskManager

from medqdeg.tasks import TASKS_FOLDER

TOLERANCE = 1e-12


class ScriptedModel(lmms):
    """Answers at random from a seed, sometimes in prose, sometimes not at all; keeps what it was asked."""

    def __init__(self, *, chat: bool) -> None:
        super().__init__()
        self.is_simple = not chat
        self.asked: list[tuple[str, int, dict[str, Any]]] = []

    def generate_until(self, requests: list[Any]) -> list[str]:
        rng = random.Random(5)
        replies = []
        for request in requests:
            if self.is_simple:
                text, options, doc_to_visual, doc_id, task, split = request.args
                images = doc_to_visual(self.task_dict[task][split][doc_id])
            else:
                _, doc_to_messages, options, doc_id, task, split = request.args
                (message,) = doc_to_messages(self.task_dict[task][split][doc_id])
                images = [part["url"] for part in message["content"] if part["type"] == "image"]
                (text,) = (part["text"] for part in message["content"] if part["type"] == "text")
                assert message["content"][-1]["type"] == "text", "images come before the question"
            assert all(image.mode == "RGB" for image in images)
            self.asked.append((text, len(images), options))
            letters = [line[0] for line in text.splitlines() if line[1:3] == ". "]
            replies.append(
                rng.choice(
                    [
                        *letters,
                        f"The answer is {rng.choice(letters)}",
                        "I cannot tell",
                        "[LMMS_EVAL_REQUEST_FAILED] timeout",
                    ]
                )
            )
        return replies

    def loglikelihood(self, requests: list[Any]) -> list[Any]:
        raise NotImplementedError

    def generate_until_multi_round(self, requests: list[Any]) -> list[str]:
        raise NotImplementedError


def evaluate(tasks: list[str], *, chat: bool = True, **options: Any) -> tuple[dict[str, Any], ScriptedModel]:
    model = ScriptedModel(chat=chat)
    results = simple_evaluate(
        model=model,
        tasks=tasks,
        task_manager=TaskManager(include_path=str(TASKS_FOLDER), include_defaults=False),
        bootstrap_iters=0,
        log_samples=True,
        **options,
    )
    return results, model


@pytest.fixture(scope="module")
def group(small_dataset: Path) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDQDEG_DATA", str(small_dataset))
        return evaluate(["medqdeg"])[0]


def brute_force(letters: list[str], options: list[str], answer: str) -> dict[str, float]:
    """Accuracy, confidence and shift of one item in the plainest way."""
    answered = [letter for letter in letters if letter != "missing"]
    mass = dict.fromkeys(options, 0.0)
    for letter in answered:
        if letter == "unread":
            for option in options:
                mass[option] += 1 / len(options)
        else:
            mass[letter] += 1
    shares = [value / len(answered) for value in mass.values()]
    entropy = sum(share * math.log(1 / share) for share in shares if share)
    accuracy = answered.count(answer) / len(answered)
    confidence = 1 - entropy / math.log(len(options))
    return {"accuracy": accuracy, "confidence": confidence, "calibration_shift": confidence - accuracy}


@pytest.mark.parametrize("level", ["l0", "l1", "l2"])
def test_metrics_agree_with_the_samples(group: dict[str, Any], level: str) -> None:
    samples = group["samples"][f"medqdeg_{level}"]
    results = group["results"][f"medqdeg_{level}"]
    assert len(samples) == 12
    scores = [
        brute_force(record["letters"], record["options"], record["answer"])
        for record in (sample["medqdeg"] for sample in samples)
    ]
    for name in ("accuracy", "confidence", "calibration_shift"):
        mean = sum(score[name] for score in scores) / len(scores)
        assert results[f"{name},votes"] == pytest.approx(mean, abs=TOLERANCE)
        assert results["medqdeg,votes"]["overall"][name] == pytest.approx(mean, abs=TOLERANCE)
    by_modality: dict[str, list[float]] = {}
    for sample, score in zip(samples, scores, strict=True):
        by_modality.setdefault(sample["medqdeg"]["modality"], []).append(score["calibration_shift"])
    nodes = results["medqdeg,votes"]["nodes"]["modality"]
    assert set(nodes) == set(by_modality)
    for modality, shifts in by_modality.items():
        assert nodes[modality]["n"] == len(shifts)
        assert nodes[modality]["calibration_shift"] == pytest.approx(sum(shifts) / len(shifts), abs=TOLERANCE)


def test_letters_are_read_from_the_raw_replies(group: dict[str, Any]) -> None:
    seen = Counter()
    for sample in group["samples"]["medqdeg_l1"]:
        (replies,) = sample["filtered_resps"]
        for reply, letter in zip(replies, sample["medqdeg"]["letters"], strict=True):
            kind = "missing" if reply.startswith("[") else "unread" if reply == "I cannot tell" else reply[-1]
            assert letter == kind
            seen[kind] += 1
    assert {"missing", "unread", "A", "B"} <= set(seen)


def test_standard_errors_cluster_by_source_question(group: dict[str, Any]) -> None:
    result = group["results"]["medqdeg_l1"]
    assert result["accuracy_stderr_clustered,votes"] == pytest.approx(result["accuracy_stderr_clt,votes"], rel=0.2)
    assert group["configs"]["medqdeg_l1"]["cluster_key"] == "cluster_id"


def test_the_group_compares_the_levels(group: dict[str, Any]) -> None:
    change = group["results"]["medqdeg"]["medqdeg,votes"]["overall"]["L0_to_L2"]
    levels = [group["results"][f"medqdeg_{level}"] for level in ("l0", "l2")]
    clean, degraded = ({name: level[f"{name},votes"] for name in ("accuracy", "calibration_shift")} for level in levels)
    assert change["accuracy_drop"] == pytest.approx(clean["accuracy"] - degraded["accuracy"], abs=TOLERANCE)
    shift = degraded["calibration_shift"] - clean["calibration_shift"]
    assert change["shift_change"] == pytest.approx(shift, abs=TOLERANCE)
    assert change["dunning_kruger"] is (clean["accuracy"] > degraded["accuracy"] and shift >= 0)
    line = group["results"]["medqdeg"]["accuracy,votes"]
    assert line.startswith(f"L0 {clean['accuracy']:.4f}, L1 ")
    assert f"L2 {degraded['accuracy']:.4f} ({degraded['accuracy'] - clean['accuracy']:+.4f})" in line


def test_clean_and_degraded_items_share_their_source_question(group: dict[str, Any]) -> None:
    ids = [
        {sample["medqdeg"]["source_question_id"] for sample in group["samples"][f"medqdeg_{level}"]}
        for level in ("l0", "l1", "l2")
    ]
    assert ids[0] == ids[1] == ids[2]
    assert len(ids[0]) == 12


def test_results_nest_in_json_and_stay_out_of_the_table(group: dict[str, Any]) -> None:
    from lmms_eval.utils import make_table

    written = json.loads(json.dumps(group["results"], indent=2, default=str))
    assert written["medqdeg_l2"]["medqdeg,votes"]["overall"]["n"] == 12
    assert written["medqdeg"]["medqdeg,votes"]["overall"]["L0_to_L2"]["accuracy_drop"] is not None
    table = make_table(group) + make_table(group, "groups")
    assert "calibration_shift" in table
    assert any("unread_rate" in line and "L0 " in line and "L2 " in line for line in table.splitlines())
    assert max(map(len, table.splitlines())) < 200


def test_chat_and_simple_models_are_asked_the_same(small_dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDQDEG_DATA", str(small_dataset))
    (_, chat), (_, simple) = (evaluate(["medqdeg_l1"], chat=chat) for chat in (True, False))
    assert chat.asked == simple.asked
    assert {images for _, images, _ in chat.asked} == {1, 2}
    assert chat.asked[0][0] == (
        "Question 0: what does the image show?\n\nA. a cyst\nB. a polyp\n\n"
        "Reply with the letter of the correct option and nothing else."
    )


def test_ten_votes_of_the_model_s_own_distribution(small_dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDQDEG_DATA", str(small_dataset))
    _, model = evaluate(["medqdeg_l0"])
    assert len(model.asked) == 12 * 10
    options = model.asked[0][2]
    assert (options["temperature"], options["top_p"], options["do_sample"], options["until"]) == (1.0, 1.0, True, [])


@pytest.mark.parametrize("trials", [3, 12])
def test_repeats_changes_the_number_of_votes(small_dataset: Path, monkeypatch: pytest.MonkeyPatch, trials: int) -> None:
    monkeypatch.setenv("MEDQDEG_DATA", str(small_dataset))
    results, _ = evaluate(["medqdeg_l0"], repeats=trials)
    assert all(len(sample["medqdeg"]["letters"]) == trials for sample in results["samples"]["medqdeg_l0"])
    assert results["results"]["medqdeg_l0"]["medqdeg,votes"]["conditions"]["trials"] == {str(trials): 12}


def test_prompt_and_versions_are_recorded(group: dict[str, Any]) -> None:
    assert "{{ question }}" in group["results"]["medqdeg_l0"]["medqdeg,votes"]["prompt"]
    found = group["results"]["medqdeg_l0"]["medqdeg,votes"]["versions"]
    assert found["lmms-eval"].startswith("0.7.")
    assert found["medqdeg"] != "absent"


class StatingModel(ScriptedModel):
    """States a confidence with the letter, sometimes none and sometimes an impossible one."""

    def generate_until(self, requests: list[Any]) -> list[str]:
        rng = random.Random(6)
        endings = ("\nConfidence: {}%", "\nConfidence: {}", "", "\nConfidence: 1{}%", " (I am {}% sure)")
        replies = super().generate_until(requests)
        return [
            reply if reply.startswith("[") else f"Answer: {reply[-1]}" + rng.choice(endings).format(rng.randint(10, 99))
            for reply in replies
        ]


def test_the_verbalized_group(small_dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDQDEG_DATA", str(small_dataset))
    monkeypatch.setattr(f"{__name__}.ScriptedModel", StatingModel)
    results, model = evaluate(["medqdeg_verbalized"])
    assert "percentage from 0 to 100" in model.asked[0][0]
    for level in ("l0", "l1", "l2"):
        task = f"medqdeg_{level}_verbalized"
        records = [sample["medqdeg"] for sample in results["samples"][task]]
        confidences = []
        for record in records:
            assert record["elicitation"] == "verbalized"
            pairs = [pair for pair in zip(record["letters"], record["stated"], strict=True) if pair[0] != "missing"]
            usable = [number for letter, number in pairs if letter in record["options"] and number is not None]
            as_guess = (sum(usable) + (len(pairs) - len(usable)) / record["k"]) / len(pairs)
            assert record["confidence_unstated_as_guess"] == pytest.approx(as_guess, abs=TOLERANCE)
            if not usable:
                assert record["confidence"] is record["calibration_shift"] is None
                continue
            confidences.append(sum(usable) / len(usable))
            assert record["confidence"] == pytest.approx(confidences[-1], abs=TOLERANCE)
        found = results["results"][task]
        assert found["confidence,votes"] == pytest.approx(sum(confidences) / len(confidences), abs=TOLERANCE)
        conditions = found["medqdeg,votes"]["conditions"]
        assert conditions["elicitation"] == {"verbalized": 12}
        assert conditions["stated_missing"] > 0
        assert conditions["stated_out_of_range"] > 0
    change = results["results"]["medqdeg_verbalized"]["medqdeg,votes"]["overall"]["L0_to_L2"]
    assert change["shift_change"] is not None


class FlaggingModel(ScriptedModel):
    """Says of the image what every third trial finds; where N is on offer, says it in place of the letter."""

    def generate_until(self, requests: list[Any]) -> list[str]:
        replies = super().generate_until(requests)
        found = []
        for number, (reply, request) in enumerate(zip(replies, requests, strict=True)):
            if reply.startswith("["):
                found.append(reply)
            elif "reply N" in str(request.args[0]):
                found.append("N" if number % 3 == 0 else reply)
            else:
                found.append(f"Answer: {reply[-1]}\nImage: {'in' if number % 3 == 0 else ''}sufficient")
        return found


@pytest.mark.parametrize("way", ["flag", "abstain"])
def test_the_groups_with_a_flag(way: str, small_dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDQDEG_DATA", str(small_dataset))
    monkeypatch.setattr(f"{__name__}.ScriptedModel", FlaggingModel)
    results, model = evaluate([f"medqdeg_{way}"])
    assert ("Image: [sufficient|insufficient]" if way == "flag" else "reply N") in model.asked[0][0]
    for level in ("l0", "l1", "l2"):
        task = f"medqdeg_{level}_{way}"
        records = [sample["medqdeg"] for sample in results["samples"][task]]
        shares = []
        for record in records:
            answered = [
                flag
                for letter, flag in zip(record["letters"], record["not_diagnostic"], strict=True)
                if letter != "missing"
            ]
            shares.append(sum(flag is True for flag in answered) / len(answered))
            assert ("abstained" in record["letters"]) == (way == "abstain" and shares[-1] > 0)
        assert 0 < sum(shares) / len(shares) < 1
        found = results["results"][task]
        assert found["flag_rate,votes"] == pytest.approx(sum(shares) / len(shares), abs=TOLERANCE)
        assert found["medqdeg,votes"]["conditions"]["elicitation"] == {"votes": 12}
        assert ("sufficient" if way == "flag" else "reply N") in found["medqdeg,votes"]["prompt"]
    assert results["results"][f"medqdeg_{way}"]["flag_rate,votes"].startswith("L0 0.")
