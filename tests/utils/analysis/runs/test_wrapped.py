"""Wrapped tasks beside MedQ-Deg: one model, two families, one table; K and scores as recorded."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from medqdeg.utils.analysis.analyse import analyse
from medqdeg.utils.analysis.runs.model_names import spoken_name
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.analysis.runs.wrapped import read_wrapped
from medqdeg.utils.report.content import SCOPE, report_frames
from medqdeg.utils.report.writing import write_report
from medqdeg.utils.wrapping.votes import RECORD, count_votes, record_fields

from ...run_files import DATE, scored_levels, write_run

CHOICES = "Which?\nA. a cyst\nB. a polyp\nC. a rib"
PROMPTS = {
    "choices": (CHOICES, "B", "ABC"),
    "yes or no": ("Is it?", "yes", ("yes", "no")),
    "open": ("What?", "7", "5678"),
}


def wrapped_record(item: int, level: str, kind: str, rng: random.Random, trials: int = 4) -> dict[str, Any]:
    prompt, target, answers = PROMPTS[kind]
    replies = [rng.choice(answers) for _ in range(trials)]
    if item == 1:
        replies[0] = "[LMMS_EVAL_REQUEST_FAILED] x"
    correct = {reply: float(reply == target) for reply in replies if not reply.startswith("[")}
    fields = record_fields(count_votes(replies, prompt, target, None, correct), correct, replies)
    identity = {
        "schema": 2,
        "task": "slake",
        "item_id": str(item),
        "item_id_rule": "row",
        "level": level,
        "modality": None,
        "degradation": None if level == "L0" else "gaussian_blur",
        "assigned": "gaussian_blur",
        "images": 1,
        "unchanged_images": 0,
    }
    return {**identity, **fields, "score_metric": "acc", "error": None}


def write_wrapped(folder: Path, kind: str, model: str = "some/model-7B", items: int = 40) -> dict[str, list[Any]]:
    rng = random.Random(3)
    levels = {level: [wrapped_record(item, level, kind, rng) for item in range(items)] for level in ("L0", "L1", "L2")}
    own = folder / model.replace("/", "__")
    own.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {}
    for level, records in levels.items():
        task = f"slake_medqdeg_{level.lower()}"
        lines = [json.dumps({"doc_id": place, RECORD: record}) for place, record in enumerate(records)]
        (own / f"20261123_000000_samples_{task}.jsonl").write_text("".join(line + "\n" for line in lines))
        results[task] = {
            f"{RECORD},none": {"level": level, "versions": {}},
            "votes_accuracy,none": 0.5,
            "acc,none": 0.25,
        }
    content = {"results": results, "config": {"model": "qwen2_5_vl", "model_args": f"pretrained={model}"}}
    (own / "20261123_000000_results.json").write_text(json.dumps({**content, "model_name": model}))
    return levels


@pytest.mark.parametrize("kind", PROMPTS)
def test_figures_are_those_of_the_records(kind: str, tmp_path: Path) -> None:
    levels = write_wrapped(tmp_path, kind)
    (run,) = read_runs([tmp_path]).runs
    assert run.family == "slake_medqdeg"
    assert ("relative to log T" in "\n".join(run.warnings)) == (kind == "open")
    analysis = analyse(read_runs([tmp_path]), 100, scope=SCOPE)
    figures = analysis.tables["figures"]
    overall = figures[figures["axis"] == "overall"].set_index(["level", "figure"])["estimate"]
    for level, records in levels.items():
        for name in ("accuracy", "confidence", "calibration_shift"):
            mean = sum(record[name] for record in records) / len(records)
            assert overall[level, name] == pytest.approx(mean, abs=1e-9)
    changes = analysis.tables["changes"]
    drop = changes[
        (changes["axis"] == "overall") & (changes["figure"] == "accuracy") & (changes["pairing"] == "matched")
    ]
    drop = drop.set_index("comparison")["estimate"]
    expected = sum(a["accuracy"] - b["accuracy"] for a, b in zip(levels["L2"], levels["L0"], strict=True)) / 40
    assert drop["L0_to_L2"] == pytest.approx(expected, abs=1e-9)


@pytest.mark.usefixtures("as_svg_alone")
def test_one_model_s_two_families_stand_in_one_table_and_report(tmp_path: Path) -> None:
    write_wrapped(tmp_path / "in", "open")
    write_run(tmp_path / "in", scored_levels(40, seed=1))
    collection = read_runs([tmp_path / "in"])
    assert [run.name for run in collection.runs] == ["model-7B (medqdeg)", "model-7B (slake_medqdeg)"]
    assert [(other.model, other.metric) for other in collection.other_results] == [("model-7B", "acc,none")] * 3
    analysis = analyse(collection, 100, scope=SCOPE)
    assert set(analysis.tables["changes"]["run"]) == {run.name for run in collection.runs}
    (pair,) = analysis.pairs
    assert pair.refused is not None
    assert DATE in str(collection.runs[0].paths)
    frames = report_frames(analysis, published=False)
    written = write_report(analysis, frames, tmp_path / "report", workers=1)
    assert any("slake_medqdeg" in path.read_text(encoding="utf-8") for path in written if path.suffix == ".html")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"accuracy": 1.0}, "accuracy 1.0, not "),
        ({"confidence": 0.99}, "confidence 0.99, not "),
    ],
)
def test_scores_that_do_not_follow_are_computed_anew(changes: dict[str, Any], said: str) -> None:
    record = wrapped_record(0, "L1", "choices", random.Random(1))
    read = read_wrapped({**record, **changes})
    assert not isinstance(read, str)
    assert read[0] == read_wrapped(record)[0]  # type: ignore[index]
    assert [phrase.startswith(said) for phrase in read[1]] == [True]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"schema": 1}, "schema 1"),
        ({"correct": [1.0]}, "votes and scores do not agree"),
        ({"correct": [2.0] * 4}, "not in 0 to 1"),
        ({"votes": None}, "damaged"),
        ({"k": "many"}, "damaged"),
    ],
)
def test_a_damaged_record_is_one_phrase(changes: dict[str, Any], fault: str) -> None:
    read = read_wrapped({**wrapped_record(0, "L1", "choices", random.Random(1)), **changes})
    assert isinstance(read, str)
    assert fault in read


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("Qwen/Qwen2.5-VL-7B-Instruct", "Qwen2.5-VL-7B-Instruct"),
        ("/home/jane/.cache/huggingface/hub/models--Qwen--Qwen2-VL/snapshots/0123abcd/", "Qwen2-VL"),
        ("C:\\models\\mine", "mine"),
        ("gpt-4o", "gpt-4o"),
        ("/", "/"),
    ],
)
def test_models_are_called_as_people_write_them(model: str, name: str) -> None:
    assert spoken_name(model) == name
