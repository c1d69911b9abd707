"""A data set over a series of severities: loaded whole, scored, summarised by severity; no level counts as another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from medqdeg.tasks import hooks
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.dataset.loading import load_level, load_series
from medqdeg.utils.dataset.location import LocalFolder
from medqdeg.utils.dataset.taxonomy import severity_label, severity_of
from medqdeg.utils.models.tiny import build_tiny_checkpoint
from medqdeg.utils.phantoms.cache import make_suite

ITEMS = 3


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_suite(tmp_path_factory.mktemp("series") / "suite", items=ITEMS, seed=2, severities=(0.5, 1, 2))


def test_all_severities_are_loaded_with_their_number(suite: Path) -> None:
    items = load_series("test", LocalFolder(suite))
    assert Counter(items["level"]) == {"L0": ITEMS, "S0.50": 2 * ITEMS, "S1.00": 2 * ITEMS, "S2.00": 2 * ITEMS}
    assert all(severity_of(label) == number for label, number in zip(items["level"], items["severity"], strict=True))
    clean = {item["source_question_id"] for item in items if item["level"] == "L0"}
    assert {item["source_question_id"] for item in items} == clean


def test_a_series_has_no_published_level_and_levels_are_no_series(suite: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no items of level L1"):
        load_level("test", "L1", LocalFolder(suite))
    levels = make_suite(tmp_path / "levels", items=1, seed=2)
    with pytest.raises(InputError, match="holds no series, only L1, L2: make one with --severities"):
        load_series("test", LocalFolder(levels))
    assert load_level("test", "L2", LocalFolder(levels))["severity"][:] == [2.0, 2.0]


def test_the_hooks_score_it_and_summarise_each_severity(suite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDQDEG_DATA", str(suite))
    items = hooks.load_items("test", hooks.CURVE)
    records = [hooks.process_results(item, [item["answer"]] * 10)["medqdeg"] for item in items]
    assert Counter(record.get("severity") for record in records) == {None: ITEMS, 0.5: 6, 1.0: 6, 2.0: 6}
    summary = hooks.summarise_level(records)
    assert summary["level"] == "series"
    assert {label: scores["n"] for label, scores in summary["severities"].items()} == Counter(items["level"])
    assert all(scores["accuracy"] == 1 for scores in summary["severities"].values())
    one = hooks.summarise_level([record for record in records if record["level"] == "L0"])
    assert one["level"] == "L0"
    assert "severities" not in one


@pytest.mark.parametrize("text", ["3", "1.5", "S-1", "Sx", "SL1"])
def test_a_severity_of_a_series_has_its_s(text: str) -> None:
    with pytest.raises(InputError, match="unknown severity"):
        severity_label(text)


def test_labels() -> None:
    assert [severity_label(text) for text in ("s1.5", "S2", "L2", "2", 1)] == ["S1.50", "S2.00", "L2", "L2", "L1"]


@pytest.mark.slow
def test_lmms_eval_runs_a_series_as_one_task(suite: Path, tmp_path: Path) -> None:
    checkpoint = build_tiny_checkpoint(tmp_path / "model", "llava")
    command = [
        *(sys.executable, "-m", "lmms_eval", "--tasks", "medqdeg_curve", "--model", "llava_hf"),
        *("--model_args", f"pretrained={checkpoint},device=cpu,device_map=cpu"),
        *("--output_path", str(tmp_path / "out"), "--log_samples", "--repeats", "2"),
    ]
    environment = {**os.environ, "MEDQDEG_DATA": str(suite), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (results,) = tmp_path.rglob("*_results.json")
    summary = json.loads(results.read_text())["results"]["medqdeg_curve"]["medqdeg,votes"]
    assert {label: scores["n"] for label, scores in summary["severities"].items()} == {
        "L0": ITEMS,
        **dict.fromkeys(("S0.50", "S1.00", "S2.00"), 2 * ITEMS),
    }
    (samples,) = tmp_path.rglob("*_samples_medqdeg_curve.jsonl")
    records = [json.loads(line)["medqdeg"] for line in samples.read_text().splitlines()]
    assert all(record["level"] == "L0" or record["severity"] == float(record["level"][1:]) for record in records)
