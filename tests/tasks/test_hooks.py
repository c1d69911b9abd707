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


def test_a_summary_says_how_it_came_about_and_keeps_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["lmms_eval", "--model_args", "a=b,api_key=topsecret", "--tasks", "medqdeg"])
    monkeypatch.setenv("MEDQDEG_DATA", "owner/set@v2")
    record = hooks.process_results(document(level="L0"), ["B"])["medqdeg"]
    origin = hooks.summarise_level([record])["origin"]
    assert origin["data"] == {"name": "owner/set", "revision": "v2"}
    assert "--tasks medqdeg" in origin["command"]
    assert "topsecret" not in origin["command"]
    drawn = hooks.summarise_level([{**record, "source": "MedQ-Deg phantoms"}])["origin"]
    assert drawn["data"]["name"] == "MedQ-Deg phantoms"
    monkeypatch.setattr(hooks, "data_set_identity", lambda: 1 / 0)
    assert hooks.summarise_level([record])["origin"] is None  # no reason to lose a run


def test_a_verbalized_item_that_cannot_be_scored_stays_verbalized() -> None:
    broken = document(answer="Z", letters=["A"], options=["only one"])
    record = hooks.process_results_verbalized(broken, ["Answer: A\nConfidence: 70%"])["medqdeg"]
    assert record["error"]
    assert record["elicitation"] == "verbalized"


@pytest.mark.parametrize(
    ("way", "said", "flagged"),
    [("flag", "sufficient|insufficient", "Answer: A\nImage: insufficient"), ("abstain", "reply N", "N")],
)
def test_a_flag_has_a_prompt_and_a_reading_of_its_own(way: str, said: str, flagged: str) -> None:
    doc = document(level="L0")
    asked = getattr(hooks, f"doc_to_text_{way}")(doc)
    assert asked.startswith("What is shown?\n\nA. a cyst\nB. a polyp\n")
    assert said in asked
    metrics = getattr(hooks, f"process_results_{way}")(
        doc, [flagged, "Answer: B", "Answer: B", "[LMMS_EVAL_REQUEST_FAILED]"]
    )
    assert metrics["flag_rate"]["score"] == pytest.approx(1 / 3)
    assert metrics["flag_unread_rate"]["score"] == pytest.approx(2 / 3 if way == "flag" else 0)
    summary = getattr(hooks, f"summarise_{way}_level")([metrics["medqdeg"]])
    assert said in summary["prompt"]
    assert "flag_rate" not in hooks.process_results(doc, ["B"])


def test_a_fourth_level_is_told_beside_the_three() -> None:
    assert hooks.across_levels([0.8, 0.7, 0.5, 0.2], [1] * 4, False) == (
        "L0 0.8000, L1 0.7000 (-0.1000), L2 0.5000 (-0.3000), gone 0.2000 (-0.6000)"
    )


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
