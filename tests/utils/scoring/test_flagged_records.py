"""Records of replies that flag the image: letters as without a flag, and what N leaves of the votes."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from medqdeg.utils.analysis.item_table import item_table
from medqdeg.utils.analysis.runs.validation import recomputed, record_fault
from medqdeg.utils.scoring.flag_share import flag_share, silent_share
from medqdeg.utils.scoring.level_summary import level_summary, run_conditions
from medqdeg.utils.scoring.records import failed_record, score_item

from ..record_examples import document

FAILED = "[LMMS_EVAL_REQUEST_FAILED] timeout"


def flagged(*replies: str, elicitation: str = "flag", **changes: Any) -> dict[str, Any]:
    return dict(score_item(document(**changes), replies, elicitation))


def test_a_flag_beside_the_letter_changes_no_score() -> None:
    letters = ["B", "B", "A", "C"]
    words = ["sufficient", "insufficient", "insufficient", "sufficient"]
    replies = [f"Answer: {letter}\nImage: {word}" for letter, word in zip(letters, words, strict=True)]
    record, plain = flagged(*replies), dict(score_item(document(), letters))
    assert record["not_diagnostic"] == [False, True, True, False]
    assert record["elicitation"] == "votes"
    for name in ("letters", "accuracy", "confidence", "majority_vote", "calibration_shift", "unread_rate", "trials"):
        assert record[name] == plain[name]


def test_n_casts_no_vote_and_the_scores_are_of_the_rest() -> None:
    record = flagged("B", "N", "B", "A", "N", "what?", FAILED, elicitation="abstain")
    assert record["letters"] == ["B", "abstained", "B", "A", "abstained", "unread", "missing"]
    assert record["not_diagnostic"] == [False, True, False, False, True, None, None]
    assert (record["trials"], record["missing_rate"]) == (6, 1 / 7)
    shares = [(1 + 1 / 4) / 4, (2 + 1 / 4) / 4, 1 / 16, 1 / 16]  # three letters and an unread one, spread over K = 4
    entropy = -sum(share * math.log(share) for share in shares)
    assert record["confidence"] == pytest.approx(1 - entropy / math.log(4), abs=1e-12)
    assert (record["accuracy"], record["unread_rate"], record["majority_vote"]) == (0.5, 0.25, 1.0)
    assert record["calibration_shift"] == pytest.approx(record["confidence"] - 0.5, abs=1e-12)
    assert (flag_share(record), silent_share(record)) == (2 / 6, 1 / 6)


def test_an_item_with_nothing_but_flags_has_no_scores() -> None:
    record = flagged("N", "N", "N", elicitation="abstain")
    assert [record[name] for name in ("accuracy", "confidence", "calibration_shift", "unread_rate")] == [None] * 4
    assert (record["trials"], flag_share(record)) == (3, 1.0)
    summary = level_summary([record, flagged("B", "B", "N", elicitation="abstain")])
    assert (summary["overall"]["n"], summary["overall"]["n_scored"]) == (2, 1)


def test_who_could_not_flag_has_no_share() -> None:
    assert flag_share(score_item(document(), ["B", "A"])) is None
    assert flag_share(flagged(FAILED, FAILED)) is None
    assert flag_share(flagged("B", "Answer: B\nImage: insufficient")) == 0.5
    assert silent_share(flagged("B", "Answer: B\nImage: insufficient")) == 0.5


@pytest.mark.parametrize("elicitation", ["flag", "abstain"])
def test_the_analysis_reads_them_and_computes_the_same(elicitation: str) -> None:
    replies = ["Answer: B\nImage: insufficient", "N", "A", "B", "what?", FAILED]
    records = [flagged(*replies, elicitation=elicitation), flagged("N", "N", elicitation="abstain", item_id="8")]
    for record in records:
        assert record_fault(record) is None
        assert recomputed(record) == (record, [])
    table = item_table(records)
    for name in ("accuracy", "confidence", "unread_rate"):
        assert table.columns[name][0] == pytest.approx(records[0][name], abs=1e-12)
    assert run_conditions(records)["read_as"].get("unread", 0) == records[0]["letters"].count("unread")


def test_an_item_that_cannot_be_scored_is_one_of_votes() -> None:
    record = failed_record(document(), ValueError("no"), "flag")
    assert (record["elicitation"], record["not_diagnostic"]) == ("votes", [])
    assert record_fault(record) is None


def test_an_abstained_trial_must_say_so() -> None:
    record = flagged("B", "N", elicitation="abstain")
    for flags in ([False, False], [False, None]):
        assert "abstained" in str(record_fault({**record, "not_diagnostic": flags}))


def test_a_phantom_s_evidence_reaches_the_record() -> None:
    of_phantom = {"level": "gone", "extra": json.dumps({"evidence": "gone", "severity": "16.0"})}
    record = score_item(document(**of_phantom), ["B"])
    assert (record["level"], record["evidence"], "severity" in record) == ("gone", "gone", False)
    assert record_fault(record) is None
    assert "evidence" not in score_item(document(extra=json.dumps({"evidence": "my own column"})), ["B"])
    assert "evidence" in str(record_fault({**record, "evidence": "some"}))
