"""The shipped JSON Schema: it holds for every record that is written, and refuses nothing that the analysis reads."""

from __future__ import annotations

import copy
import functools
import json
import random
from importlib.resources import files
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from medqdeg.utils.analysis.runs.validation import NEWEST_SCHEMA, OLDEST_SCHEMA, record_fault
from medqdeg.utils.scoring.answers import LetterProbabilities, write_probabilities
from medqdeg.utils.scoring.records import PERSON, SCHEMA_VERSION, ItemRecord, failed_record, score_item

from ..record_examples import document, random_documents, random_replies

SCHEMA: dict[str, Any] = json.loads(
    files("medqdeg.utils.scoring").joinpath("record.schema.json").read_text(encoding="utf-8")
)
MASSES = {"A": 0.1, "B": 0.6, "C": 0.2, "D": 0.05}


@functools.cache
def validator() -> Any:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    return jsonschema.Draft202012Validator(SCHEMA)


def exact(least_mass: float) -> dict[str, Any]:
    return dict(score_item(document(), [write_probabilities(LetterProbabilities(MASSES, least_mass))]))


WRITTEN: dict[str, dict[str, Any]] = {
    "votes": dict(score_item(document(), ["B", "A", "what?", "[LMMS_EVAL_REQUEST_FAILED] x"])),
    "verbalized": dict(score_item(document(), ["Answer: B\nConfidence: 70%", "B", "B, 150%"], "verbalized")),
    "exact": exact(0.9),
    "invalid": exact(0.99),
    "missing": dict(score_item(document(), ["[LMMS_EVAL_REQUEST_FAILED] x"] * 2)),
    "failed": dict(failed_record(document(), ValueError("no"))),
    "of a person": {
        **score_item(document(), ["Answer: B\nConfidence: 70%"], "verbalized"),
        **{"respondent": PERSON, "reader": ["R1"], "session": [2], "seconds": [7.25]},
    },
    "of a panel": {
        **score_item(document(), ["Answer: B\nConfidence: 70%", "Answer: A\nConfidence: 30%"], "verbalized"),
        **{"respondent": PERSON, "reader": ["R1", "R2"], "session": [1, 3], "seconds": [7.25, None]},
    },
    "flagged": dict(score_item(document(), ["Answer: B\nImage: insufficient", "B"], "flag")),
    "abstained": dict(score_item(document(), ["N", "B", "what?"], "abstain")),
    "gone": dict(score_item(document(level="gone", extra='{"evidence": "gone"}'), ["B"])),
    "of a series": dict(score_item(document(level="S1.50"), ["B"])),
}
BEFORE_3 = {name: value for name, value in WRITTEN["votes"].items() if name not in ("cluster_id", "read_as")}
LATER = {"elicitation", "stated", "stated_missing", "stated_out_of_range", "probabilities", "letter_mass", "invalid"}
READ: dict[str, dict[str, Any]] = {
    **WRITTEN,
    "schema 2": {**BEFORE_3, "schema": 2},
    "schema 1": {**{name: value for name, value in BEFORE_3.items() if name not in LATER}, "schema": 1},
}


def test_it_names_what_a_record_has() -> None:
    assert list(SCHEMA["properties"]) == list(ItemRecord.__annotations__)
    assert SCHEMA["properties"]["schema"]["minimum"] == OLDEST_SCHEMA
    assert SCHEMA["properties"]["schema"]["maximum"] == NEWEST_SCHEMA == SCHEMA_VERSION


@pytest.mark.parametrize("kind", READ)
def test_every_kind_of_record_holds(kind: str) -> None:
    assert [error.message for error in validator().iter_errors(json.loads(json.dumps(READ[kind])))] == []
    if kind != "of a series":  # the analysis of levels has no place for it
        assert record_fault(READ[kind]) is None


def test_random_records_hold() -> None:
    check, rng = validator(), random.Random(1)
    for level in ("L0", "L1"):
        for doc in random_documents(40, level, seed=3):
            assert list(check.iter_errors(dict(score_item(doc, random_replies(doc, 5, rng))))) == []


@pytest.mark.parametrize("name", SCHEMA["required"])
def test_what_is_required_is_required_by_the_reader_too(name: str) -> None:
    record = {key: value for key, value in WRITTEN["votes"].items() if key != name}
    assert list(validator().iter_errors(record))
    assert record_fault(record) is not None


JSON = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4)
JSON = JSON | st.lists(JSON, max_size=3) | st.dictionaries(st.text(max_size=3), JSON, max_size=2)


@settings(max_examples=400, deadline=None)
@given(kind=st.sampled_from(sorted(READ)), name=st.sampled_from(sorted(SCHEMA["properties"])), value=JSON)
def test_what_the_schema_refuses_the_reader_refuses(kind: str, name: str, value: Any) -> None:
    record = {**copy.deepcopy(READ[kind]), name: value}
    near_edge = isinstance(value, float) and min(abs(value), abs(abs(value) - 1)) < 1e-5  # rounding is forgiven
    if not near_edge and next(validator().iter_errors(record), None) is not None:
        assert record_fault(record) is not None


def test_the_page_explains_every_field(repository: Path) -> None:
    text = (repository / "docs" / "records.md").read_text(encoding="utf-8")
    assert [name for name in ItemRecord.__annotations__ if f"| `{name}` |" not in text] == []
    assert "record.schema.json" in text
