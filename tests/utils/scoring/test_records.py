"""The record of one item."""

from __future__ import annotations

import json

from medqdeg.utils.scoring.records import ItemRecord, failed_record, letters_without_named, score_item

from ..record_examples import document


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
    assert {"read_as", "letters", "confidence"} <= set(record) <= set(ItemRecord.__annotations__)
    assert record["error"] == "ValueError: no such letter"
    assert record["accuracy"] is None


def test_records_are_json() -> None:
    record = score_item(document(), ["B", "nonsense"])
    assert set(record) == set(failed_record(document(), ValueError()))
    assert json.loads(json.dumps(record)) == record


def test_each_trial_says_how_it_was_read() -> None:
    replies = [
        "B",
        "The answer is A",
        "a rib",
        "The image shows a polyp.",
        "I cannot tell",
        "[LMMS_EVAL_REQUEST_FAILED] timeout",
    ]
    record = score_item(document(), replies)
    assert record["schema"] == 3
    assert record["letters"] == ["B", "A", "C", "B", "unread", "missing"]
    assert record["read_as"] == ["letter", "declared", "option_text", "option_named", None, None]
    assert letters_without_named(record) == ["B", "A", "C", "unread", "unread", "missing"]
    stated = score_item(document(), ["Answer: B\nConfidence: 80%", "B (60%)"], "verbalized")
    assert stated["read_as"] == ["declared", "letter"]


def test_a_record_of_before_was_read_without_the_last_tier() -> None:
    record = {name: value for name, value in score_item(document(), ["B", "x"]).items() if name != "read_as"}
    assert letters_without_named(record) == ["B", "unread"]
