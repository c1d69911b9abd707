"""Absurd records and results files: one line each, and nothing raises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from medqdeg.utils.analysis.analyse import analyse
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.analysis.runs.validation import NEWEST_SCHEMA, recomputed, record_fault
from medqdeg.utils.analysis.writing import write_analysis
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.report.content import SCOPE
from medqdeg.utils.scoring.answers import LetterProbabilities, write_probabilities
from medqdeg.utils.scoring.records import SCHEMA_VERSION, score_item

from ...record_examples import document
from ...run_files import DATE, scored_levels, write_run

GOOD: dict[str, Any] = dict(score_item(document(level="L1"), ["B", "B", "A", "what?", "[LMMS_EVAL_REQUEST_FAILED] x"]))
STATED: dict[str, Any] = dict(score_item(document(level="L1"), ["Answer: B\nConfidence: 70%"] * 3, "verbalized"))
SURROGATE = "\ud800"
NESTED: Any = "deep"
for _ in range(400):
    NESTED = [NESTED]


def test_the_project_s_own_records_have_no_fault() -> None:
    assert record_fault(GOOD) is None
    assert record_fault(STATED) is None
    assert record_fault({**GOOD, "not_diagnostic": [True, False, None, False, None]}) is None
    assert record_fault({name: value for name, value in GOOD.items() if name != "elicitation"}) is None
    assert NEWEST_SCHEMA >= SCHEMA_VERSION


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"accuracy": -3}, "accuracy is -3, not in 0 to 1"),
        ({"accuracy": 10**400}, "accuracy is a number of many digits, not in 0 to 1"),
        ({"accuracy": float("nan")}, "accuracy is nan, no number"),
        ({"accuracy": True}, "accuracy is True, no number or null"),
        ({"accuracy": [0.5]}, "accuracy is a list, no number or null"),
        ({"calibration_shift": 1.7}, "calibration_shift is 1.7, not in -1 to 1"),
        ({"trials": -5}, "trials is -5, not in 0 to 1e+06"),
        ({"trials": 10**400}, "trials is a number of many digits"),
        ({"trials": 2}, "trials is 2, but 4 letters are not missing"),
        ({"trials": 4.0}, "trials is 4.0, written as a fraction"),
        ({"distinct_replies": 9}, "more distinct or empty replies than trials"),
        ({"empty_replies": {}}, "empty_replies is a dict, no integer"),
        ({"schema": 99}, "schema 99 is newer than this medqdeg knows"),
        ({"schema": "2"}, "schema is '2', no integer or null"),
        ({"letters": NESTED}, "is nested too deeply"),
        ({"letters": {"A": 1}}, "letters is a dict, no array"),
        ({"letters": "ABBBB"}, "letters is 'ABBBB', no array"),
        ({"options": {"A": 1}}, "options is a dict, no array"),
        ({"options": [["A"], ["B"]]}, "options[0] is ['A'], no string"),
        ({"options": list("AABD")}, "options has an entry twice"),
        ({"k": 10**400}, "k is a number of many digits, not in 2 to 1000"),
        ({"k": 5}, "k is 5, but there are 4 options"),
        ({"k": True}, "k is True, no integer"),
        ({"item_id": SURROGATE}, "item_id is no Unicode text"),
        ({"source": SURROGATE}, "source is no Unicode text"),
        ({"skill": ["x"]}, "skill is ['x'], no string"),
        ({"degradation": {"name": "low_dose"}}, "degradation is a dict, no string or null"),
        ({"error": [1]}, "error is a list, no string or null"),
        ({"level": {"L0": 1}}, "level is a dict, no string"),
        ({"elicitation": []}, "elicitation is [], none of votes, verbalized, exact"),
        ({"elicitation": ["exact"]}, "elicitation is ['exact'], none of"),
        ({"elicitation": "telepathy"}, "elicitation is 'telepathy', none of votes, verbalized, exact"),
        ({"invalid": "no"}, "invalid is 'no', no boolean"),
        ({"probabilities": {"A": 1.0}}, "probabilities is a dict, no array or null"),
        ({"probabilities": [1.0]}, "the probabilities do not agree with k"),
        ({"probabilities": [0.5] * 4}, "the probabilities do not sum to 1"),
        ({"probabilities": [2.0, -1.0, 0.0, 0.0]}, "probabilities[0] is 2.0, not in 0 to 1"),
        ({"probabilities": ["1", 0, 0, 0]}, "probabilities[0] is '1', no number"),
        ({"letter_mass": 7}, "letter_mass is 7, not in 0 to 1"),
        ({"stated": [0.5]}, "the entries of stated do not agree with the letters"),
        ({"stated": [7] * 5}, "stated[0] is 7, not in 0 to 1"),
        ({"confidence": None}, "some scores are missing and others are not"),
        ({"read_as": "letter"}, "read_as is 'letter', no array"),
        ({"level": "\ud83d"}, "level holds no Unicode text"),
        ({"options": ["A", "B", "C", "\ud83d"]}, "options holds no Unicode text"),
        ({"confidence_scale": "\ud83d"}, "confidence_scale is no Unicode text"),
        ({"accuracy": float("nan")}, "accuracy is nan, no number or null"),
        ({"cluster_id": 7}, "cluster_id is 7, no string"),
        ({"severity": "1"}, "severity is '1', no number"),
        ({"not_diagnostic": None}, "not_diagnostic is None, no array"),
        ({"not_diagnostic": [0, 1, 0, 0, None]}, "not_diagnostic[0] is 0, no boolean or null"),
        ({"not_diagnostic": [True] * 4}, "the entries of not_diagnostic do not agree with the letters"),
        ({"not_diagnostic": [True] * 5}, "not_diagnostic says something of a missing trial"),
    ],
)
def test_one_phrase_for_each_fault(changes: dict[str, Any], fault: str) -> None:
    found = record_fault({**GOOD, **changes})
    assert found is not None
    assert fault in found
    assert "\n" not in found
    assert len(found) < 300
    found.encode()


@pytest.mark.parametrize(
    "changes",
    [
        {"accuracy": 0.75, "calibration_shift": GOOD["confidence"] - 0.75},
        {"majority_vote": 0.0},
        {"unread_rate": 0.0},
        {"missing_rate": 0.0},
        {"confidence": 0.9, "calibration_shift": 0.4},
        {"calibration_shift": 0.4},
        dict.fromkeys(("accuracy", "majority_vote", "confidence", "calibration_shift", "unread_rate")),
    ],
)
def test_scores_that_do_not_follow_from_the_letters_are_computed_anew(changes: dict[str, Any]) -> None:
    changed = {**GOOD, **changes}
    assert record_fault(changed) is None
    record, differing = recomputed(changed)
    assert record == GOOD
    assert sorted(phrase.partition(" ")[0] for phrase in differing) == sorted(changes)


def _exact(**masses: float) -> dict[str, Any]:
    reply = write_probabilities(LetterProbabilities(masses, least_mass=0.9))
    return dict(score_item(document(level="L1"), [reply]))


@pytest.mark.parametrize(
    ("record", "name"),
    [
        (STATED, "confidence"),
        (STATED, "accuracy"),
        (_exact(A=0.1, B=0.6, C=0.2, D=0.05), "confidence"),
        (_exact(A=0.1, B=0.6, C=0.2, D=0.05), "accuracy"),
        (_exact(A=0.1, B=0.6, C=0.2, D=0.05), "unread_rate"),
    ],
)
def test_stated_confidences_and_probabilities_are_computed_anew_too(record: dict[str, Any], name: str) -> None:
    assert recomputed(record) == (record, [])
    forged = {**record, name: 0.125}
    own, differing = recomputed(forged)
    assert own == record
    assert len(differing) == 1
    assert differing[0].startswith(f"{name} 0.125, not ")


def test_a_forged_file_is_told_and_gives_the_figures_of_its_letters(tmp_path: Path) -> None:
    levels = scored_levels(8, seed=1)
    write_run(tmp_path / "true", levels, model="m")
    forged = {level: [{**record, "accuracy": 1.0} for record in records] for level, records in levels.items()}
    write_run(tmp_path / "forged", forged, model="m")
    (true,), (run,) = (read_runs([tmp_path / name]).runs for name in ("true", "forged"))
    assert run.records == true.records
    assert not any("recomputed" in line for line in true.warnings)
    assert sum("recomputed ones are used" in line for line in run.warnings) == 3


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(10**400) | st.just(SURROGATE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(sorted(GOOD)), value=JSON, whole=st.booleans())
def test_no_json_value_raises_and_what_passes_can_be_analysed(name: str, value: Any, whole: bool) -> None:
    record = {**(GOOD if whole else STATED), name: value}
    if record_fault(record) is None:
        from medqdeg.utils.analysis.item_table import item_table

        item_table([recomputed(record)[0]])


def test_a_file_of_absurd_records_is_one_line_per_kind_and_the_rest_is_analysed(tmp_path: Path) -> None:
    levels = scored_levels(8, seed=1)
    folder = write_run(tmp_path / "in", levels)
    path = folder / f"{DATE}_samples_medqdeg_l0.jsonl"
    absurd = [{**levels["L0"][0], "accuracy": -3}] * 2 + [{**levels["L0"][0], "schema": 99}]
    lines = [json.dumps({"medqdeg": record}) for record in absurd]
    lines += [
        "[" * 100_000 + "]" * 100_000,
        '{"medqdeg": ' + "[" * 100_000,
        '{"medqdeg": {"accuracy": 1' + "0" * 5000 + "}}",
    ]
    path.write_text(path.read_text() + "".join(line + "\n" for line in lines))
    collection = read_runs([tmp_path / "in"])
    (run,) = collection.runs
    assert sum(record["level"] == "L0" for record in run.records) == len(levels["L0"])
    own = [line for line in run.warnings if "samples_medqdeg_l0" in line]
    assert sum("2 of " in line and "accuracy is -3" in line for line in own) == 1
    assert sum("1 of " in line and "schema 99" in line for line in own) == 1
    assert sum("nested too deeply" in line for line in own) == 2
    assert all("\n" not in line for line in own)
    write_analysis(analyse(collection, 100, scope=SCOPE), tmp_path / "out")


def _set(name: str, value: Any) -> Any:
    return lambda content: content.__setitem__(name, value)


@pytest.mark.parametrize(
    "change",
    [
        *(_set(name, value) for name in ("config", "configs", "n-samples") for value in ([1], "text", 7)),
        lambda content: content["configs"].update({"medqdeg_l0": [1, 2]}),
        lambda content: content["n-samples"].update({"medqdeg_l0": {"effective": "12", "original": [3]}}),
        lambda content: content["results"].update({"medqdeg_l0": ["x"]}),
        lambda content: content["results"].update({"other": {"score,none": 10**400, "score_stderr,none": 10**400}}),
        lambda content: content["results"].update({"other": {"score,none": float("nan")}}),
        _set("model_name", SURROGATE + "model"),
        _set("model_name", ["list"]),
        lambda content: content["config"].update({"model_args": [1, 2]}),
        lambda content: content["config"].update({"model_args": {"a": {"b": [SURROGATE]}}}),
        lambda content: content["config"].update({"gen_kwargs": SURROGATE}),
        _set("system_instruction", {"a": [1]}),
    ],
)
def test_results_files_with_other_types_are_read_as_far_as_they_go(change: Any, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "in", scored_levels(6, seed=1))
    path = folder / f"{DATE}_results.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    collection = read_runs([tmp_path / "in"])
    assert len(collection.runs) == 1
    write_analysis(analyse(collection, 100, scope=SCOPE), tmp_path / "out")


def test_a_results_file_nested_too_deeply_is_one_line(tmp_path: Path) -> None:
    folder = write_run(tmp_path, scored_levels(6, seed=1))
    (folder / f"{DATE}_results.json").write_text('{"results": ' + "[" * 100_000 + "]" * 100_000 + "}")
    collection = read_runs([tmp_path])
    assert any("nested too deeply" in line for line in collection.warnings)
    for path in folder.glob("*.jsonl"):
        path.unlink()
    with pytest.raises(InputError, match="nested too deeply"):
        read_runs([tmp_path])
