"""The record of one item."""

from __future__ import annotations

import json

from medqdeg.utils.records import ItemRecord, failed_record, score_item

from .record_examples import document


def test_every_trial_keeps_its_place() -> None:
    replies = ["B", "I cannot tell from this image", "(b)", "[LMMS_EVAL_REQUEST_FAILED] timeout", "The answer is A"]
    record = score_item(document(), replies)
    assert record["letters"] == ["B", "unread", "B", "missing", "A"]
    assert record["trials"] == 4
    assert record["missing_rate"] == 1 / 5
    assert record["unread_rate"] == 1 / 4
    assert record["accuracy"] == 2 / 4
    assert record["distinct_replies"] == 4


def test_what_identifies_and_places_the_item_is_kept() -> None:
    record = score_item(document(), ["B"])
    for name in ("item_id", "source_question_id", "source_question_rule", "level", "modality", "degradation"):
        assert record[name] == document()[name]  # type: ignore[literal-required]
    assert (record["skill"], record["source"], record["k"], record["answer"]) == (
        "Disease Diagnosis",
        "GMAI-MMBench",
        4,
        "B",
    )


def test_an_item_whose_requests_all_failed_has_no_scores() -> None:
    record = score_item(document(), ["[LMMS_EVAL_REQUEST_FAILED] a"] * 3)
    assert record["accuracy"] is record["confidence"] is record["calibration_shift"] is None
    assert (record["trials"], record["missing_rate"]) == (0, 1.0)


def test_a_failed_record_says_why_and_has_every_field() -> None:
    record = failed_record(document(), ValueError("no such letter"))
    assert {"letters", "confidence"} <= set(record) <= set(ItemRecord.__annotations__)
    assert record["error"] == "ValueError: no such letter"
    assert record["accuracy"] is None


def test_records_are_json() -> None:
    record = score_item(document(), ["B", "nonsense"])
    assert set(record) == set(failed_record(document(), ValueError()))
    assert json.loads(json.dumps(record)) == record
