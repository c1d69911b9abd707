"""Scores of the three elicitations against the plainest computation."""

from __future__ import annotations

import random

import numpy as np
import pytest
import scipy.stats

from medqdeg.utils.scoring.answers import LetterProbabilities, write_probabilities
from medqdeg.utils.scoring.confidence import MISSING, UNREAD, score_votes
from medqdeg.utils.scoring.elicitation import score_probabilities, score_stated
from medqdeg.utils.scoring.level_summary import run_conditions
from medqdeg.utils.scoring.records import ItemRecord, score_item

from ..record_examples import document

FAILED = "[LMMS_EVAL_REQUEST_FAILED] timeout"

NOT_OF_EVERY_RUN = {
    *("severity", "weight", "confidence_scale", "not_diagnostic", "evidence", "degradation_origin"),
    *("respondent", "reader", "session", "seconds"),
}
"""Fields of series, subsets, wrapped tasks, flags, phantoms and people."""


@pytest.mark.parametrize("k", [2, 3, 4, 5])
def test_exact_scores_are_scipy_s(k):
    rng = np.random.default_rng(k)
    for _ in range(20):
        probabilities, mass = rng.dirichlet(np.ones(k)), rng.uniform(0.1, 1)
        options = list("ABCDE"[:k])
        scores = score_probabilities(probabilities.tolist(), mass, options, "B")
        assert scores.confidence == pytest.approx(1 - scipy.stats.entropy(probabilities, base=k))
        assert scores.accuracy == pytest.approx(probabilities[1] * mass)
        assert scores.unread_rate == pytest.approx(1 - mass)
        assert scores.majority_vote == float(probabilities.argmax() == 1)


def test_exact_is_what_many_votes_tend_to():
    probabilities, mass, rng = [0.6, 0.3, 0.1], 0.97, random.Random(1)
    weights = [share * mass for share in probabilities] + [1 - mass]
    votes = rng.choices([*"ABC", UNREAD], weights, k=200_000)
    by_votes = score_votes(votes, list("ABC"), "A")
    by_model = score_probabilities(probabilities, mass, list("ABC"), "A")
    assert by_votes.accuracy == pytest.approx(by_model.accuracy, abs=0.005)
    assert by_votes.unread_rate == pytest.approx(by_model.unread_rate, abs=0.002)
    # Unread votes are spread over the options, so that their confidence lies a little lower.
    assert by_model.confidence - 0.05 < by_votes.confidence < by_model.confidence + 0.005


def test_a_tie_is_shared():
    assert score_probabilities([0.4, 0.4, 0.2], 1.0, list("ABC"), "B").majority_vote == 0.5


def test_stated_confidence_is_that_of_the_trials_with_a_letter_and_a_number():
    letters = ["B", "A", UNREAD, "B", MISSING, "C"]
    stated = [0.9, 0.7, 0.99, None, None, 0.0]
    scores = score_stated(letters, stated, list("ABCD"), "B")
    assert scores.confidence == pytest.approx((0.9 + 0.7 + 0.0) / 3)
    assert scores.accuracy == pytest.approx(2 / 5)
    assert scores.unread_rate == pytest.approx(1 / 5)
    assert scores.calibration_shift == pytest.approx(scores.confidence - 1 / 3)
    assert scores.confidence_unstated_as_guess == pytest.approx((0.9 + 0.7 + 0.25 + 0.25 + 0.0) / 5)
    assert scores.shift_unstated_as_guess == pytest.approx(scores.confidence_unstated_as_guess - 2 / 5)


def test_a_calibrated_model_that_falls_silent_does_not_look_overconfident():
    rng = np.random.default_rng(0)

    def mean_shifts(silent: float) -> tuple[float, float]:
        found = []
        for _ in range(4000):
            said = rng.uniform(0.5, 1.0, 3)
            right = rng.random(3) < said
            quiet = rng.random(3) < silent
            letters = [UNREAD if q else "A" if r else "B" for q, r in zip(quiet, right, strict=True)]
            scores = score_stated(
                letters, [None if q else s for q, s in zip(quiet, said, strict=True)], ["A", "B"], "A"
            )
            found.append((scores.calibration_shift, scores.shift_unstated_as_guess))
        return tuple(np.nanmean(np.array(found, dtype=float), axis=0))

    assert mean_shifts(0.02)[0] == pytest.approx(0, abs=0.01)
    assert mean_shifts(0.45)[0] == pytest.approx(0, abs=0.02)
    assert mean_shifts(0.45)[1] > 0.2


def test_nothing_stated_is_no_confidence():
    scores = score_stated([UNREAD] * 4, [None] * 4, list("AB"), "A")
    assert scores.confidence is scores.calibration_shift is scores.usable_accuracy is None
    assert scores.confidence_unstated_as_guess == 0.5
    assert score_stated([MISSING], [None], list("AB"), "A") is None
    with pytest.raises(ValueError, match="must be in"):
        score_stated(["A"], [1.5], list("AB"), "A")


def test_the_record_of_verbalized_replies():
    replies = ["Answer: B\nConfidence: 80%", "B", "Answer: A\nConfidence: 150%", FAILED, "Who knows?"]
    record = score_item(document(), replies, "verbalized")
    assert set(record) == set(ItemRecord.__annotations__) - NOT_OF_EVERY_RUN
    assert record["elicitation"] == "verbalized"
    assert record["letters"] == ["B", "B", "A", "missing", "unread"]
    assert record["stated"] == [0.8, None, None, None, None]
    assert (record["stated_missing"], record["stated_out_of_range"], record["trials"]) == (2, 1, 4)
    assert record["confidence"] == 0.8
    assert record["confidence_unstated_as_guess"] == pytest.approx((0.8 + 3 * 0.25) / 4)
    assert record["calibration_shift"] == pytest.approx(0.8 - 1.0)
    assert record["accuracy"] == 2 / 4
    conditions = run_conditions([record])
    assert (conditions["stated_missing"], conditions["stated_out_of_range"]) == (2, 1)
    assert any("count in no confidence" in warning for warning in conditions["warnings"])


def test_the_record_of_exact_probabilities():
    masses = {"A": 0.1, "B": 0.7, "C": 0.1, "D": 0.05}
    record = score_item(document(), [write_probabilities(LetterProbabilities(masses, 0.9))] * 10)
    assert set(record) == set(ItemRecord.__annotations__) - NOT_OF_EVERY_RUN - {"confidence_unstated_as_guess"}
    assert (record["elicitation"], record["letters"], record["trials"]) == ("exact", [], 1)
    assert record["probabilities"] == pytest.approx([mass / 0.95 for mass in masses.values()])
    assert record["letter_mass"] == pytest.approx(0.95)
    assert record["accuracy"] == pytest.approx(0.7)
    assert not record["invalid"]


def test_an_invalid_item_is_counted_nowhere():
    masses = {"A": 0.01, "B": 0.001, "C": 0.0, "D": 0.0}
    invalid = score_item(document(), [write_probabilities(LetterProbabilities(masses, 0.9))])
    assert invalid["invalid"]
    assert invalid["accuracy"] is invalid["confidence"] is invalid["calibration_shift"] is None
    assert invalid["letter_mass"] == pytest.approx(0.011)
    conditions = run_conditions([invalid])
    assert (conditions["invalid_items"], conditions["missing_trials"]) == (1, 0)
    assert "too little" in conditions["warnings"][0]


def test_a_failed_exact_request_is_missing():
    record = score_item(document(), ["[LMMS_EVAL_REQUEST_FAILED mode=exact] timeout"] * 10)
    assert (record["elicitation"], record["trials"], record["missing_rate"]) == ("exact", 0, 1.0)
    assert record["accuracy"] is None
    assert run_conditions([record])["missing_trials"] == 1


def test_probabilities_of_other_letters_are_an_error():
    with pytest.raises(ValueError, match="item's options"):
        score_item(document(), [write_probabilities(LetterProbabilities({"A": 0.5, "B": 0.5}, 0.9))])
