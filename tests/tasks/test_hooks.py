"""Hooks never raise where lmms-eval would lose the run, and stop it in one line where it must not begin."""

from __future__ import annotations

from pathlib import Path

import datasets
import pytest

from medqdeg.tasks import hooks
from medqdeg.utils.scoring.aggregations import NotInTable

from ..utils.record_examples import document


def _stub(split: str) -> datasets.Dataset:
    return datasets.Dataset.from_dict({"stub": [True]}, split=split)


def test_the_split_s_name_says_what_to_load(small_dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDQDEG_DATA", str(small_dataset))
    items = hooks.process_docs(_stub("test_l2"))
    assert set(items["level"]) == {"L2"}
    assert len(items) == 12


def test_bad_data_stops_the_run_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDQDEG_DATA", str(tmp_path))
    with pytest.raises(SystemExit) as stop:
        hooks.process_docs(_stub("test_l0"))
    assert "has no file MedQ-Robust-good-test.tsv" in str(stop.value)
    assert "\n" not in str(stop.value)


def test_an_unforeseen_error_stops_the_run_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """lmms-eval would retry five times, lose the run and exit with status 0."""

    def broken(split: str, level: str) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(hooks, "load_level", broken)
    with pytest.raises(SystemExit, match="OSError: disk full"):
        hooks.process_docs(_stub("test_l0"))


def test_scoring_never_raises() -> None:
    broken = document(answer="Z", letters=["A"], options=["only one"])
    metrics = hooks.process_results(broken, ["A"])
    assert metrics["medqdeg"]["error"]
    assert metrics["accuracy"] == {"cluster_id": "index:3"}
    assert hooks.mean_score([metrics["accuracy"]]) is None


def test_verbalized_replies_have_a_prompt_and_a_reading_of_their_own() -> None:
    doc = document(level="L0")
    asked = hooks.doc_to_text_verbalized(doc)
    assert asked.startswith("What is shown?\n\nA. a cyst\nB. a polyp\n")
    assert "percentage from 0 to 100" in asked
    metrics = hooks.process_results_verbalized(doc, ["Answer: B\nConfidence: 70%"] * 2)
    assert metrics["confidence"]["score"] == pytest.approx(0.7)
    assert metrics["accuracy"]["score"] == 1.0
    summary = hooks.summarise_level([metrics["medqdeg"]])
    assert "percentage" in summary["prompt"]
    assert summary["sampling"] is None
    plain = hooks.summarise_level([hooks.process_results(doc, ["B"])["medqdeg"]])
    assert "percentage" not in plain["prompt"]


def test_a_verbalized_item_that_cannot_be_scored_stays_verbalized() -> None:
    broken = document(answer="Z", letters=["A"], options=["only one"])
    record = hooks.process_results_verbalized(broken, ["Answer: A\nConfidence: 70%"])["medqdeg"]
    assert record["error"]
    assert record["elicitation"] == "verbalized"


def test_summaries_of_nothing_scored() -> None:
    metrics = hooks.process_results(document(level="L0"), ["[LMMS_EVAL_REQUEST_FAILED]"] * 2)
    summary = hooks.summarise_level([metrics["medqdeg"]])
    assert summary["overall"]["accuracy"] is None
    assert hooks.across_levels([None, 0.5, 0.4], [1, 1, 1], False) == "a level has no scores"
    assert hooks.compare_levels([summary], [1], False)["overall"] == {}


def test_nested_results_hide_from_the_table_only() -> None:
    nested = NotInTable({"a": 1})
    assert len(nested) == 0
    assert nested
    assert dict(nested.items()) == {"a": 1}
