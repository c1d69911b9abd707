"""Confidence and shift against hand-worked values, SciPy's entropy and exhaustive enumeration."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from medqdeg.utils.scoring.confidence import (
    MISSING,
    UNREAD,
    majority_credit,
    normalised_entropy_confidence,
    score_votes,
    vote_shares,
)


@pytest.mark.parametrize(
    ("shares", "confidence"),
    [
        ([1.0, 0.0, 0.0, 0.0], 1.0),
        ([0.25] * 4, 0.0),
        # H = log 2, K = 4: C = 1 - log 2 / log 4 = 1/2.
        ([0.5, 0.5, 0.0, 0.0], 0.5),
        # H = log 3, K = 3.
        ([1 / 3] * 3, 0.0),
        # p = (7, 2, 1) / 10, K = 4: H = 0.801819 nats, log 4 = 1.386294, C = 0.421610.
        ([0.7, 0.2, 0.1, 0.0], 0.421610),
        # p = (9, 1) / 10, K = 2: H = 0.325083, log 2 = 0.693147, C = 0.531004.
        ([0.9, 0.1], 0.531004),
    ],
)
def test_confidence_worked_by_hand(shares: list[float], confidence: float) -> None:
    assert normalised_entropy_confidence(shares) == pytest.approx(confidence, abs=1e-6)


@given(st.lists(st.integers(0, 50), min_size=2, max_size=9).filter(any))
def test_confidence_agrees_with_scipy(counts: list[int]) -> None:
    shares = [count / sum(counts) for count in counts]
    expected = 1 - entropy(counts, base=len(counts))
    assert normalised_entropy_confidence(shares) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("shares", [[1.0], [0.5, 0.4], [1.5, -0.5], []])
def test_impossible_shares_are_refused(shares: list[float]) -> None:
    with pytest.raises(ValueError, match="at least"):
        normalised_entropy_confidence(shares)


@pytest.mark.parametrize(
    ("options", "trials", "expected"),
    # The mean plug-in confidence of a uniform guesser, whose true confidence is 0 (statistics of few trials).
    [(2, 3, 0.311), (2, 10, 0.077), (4, 3, 0.445), (4, 10, 0.123), (5, 3, 0.483), (5, 10, 0.145)],
)
def test_a_guesser_s_mean_confidence_by_enumeration(options: int, trials: int, expected: float) -> None:
    letters = "ABCDE"[:options]
    total = 0.0
    if trials == 3:
        for votes in itertools.product(letters, repeat=trials):
            total += normalised_entropy_confidence(vote_shares(votes, letters)) / options**trials
    else:
        for counts in _compositions(trials, options):
            ways = math.factorial(trials) // math.prod(map(math.factorial, counts))
            total += normalised_entropy_confidence([count / trials for count in counts]) * ways / options**trials
    assert total == pytest.approx(expected, abs=5e-4)


def test_unread_votes_spread_evenly() -> None:
    assert vote_shares([UNREAD] * 10, "ABCD") == [0.25] * 4
    assert vote_shares(["A", "A", UNREAD, UNREAD], "ABCD") == [0.625, 0.125, 0.125, 0.125]


def test_missing_trials_are_no_votes() -> None:
    assert vote_shares(["A", MISSING, "B", MISSING], "AB") == [0.5, 0.5]
    with pytest.raises(ValueError, match="no trial was answered"):
        vote_shares([MISSING] * 3, "AB")


def test_a_vote_outside_the_options_is_refused() -> None:
    with pytest.raises(ValueError, match="not among the options"):
        vote_shares(["A", "E"], "ABCD")


@pytest.mark.parametrize(
    ("votes", "credit"),
    [
        (["B", "B", "A"], 1.0),
        (["A", "A", "B"], 0.0),
        (["A", "B"], 0.5),
        (["A", "B", "C"], 1 / 3),
        ([UNREAD, UNREAD, "B"], 1.0),
        ([UNREAD] * 3, 0.0),
        ([MISSING, "B"], 1.0),
    ],
)
def test_majority_credit_for_b(votes: list[str], credit: float) -> None:
    assert majority_credit(votes, "B") == credit


def test_scores_of_one_item_worked_by_hand() -> None:
    # Ten answered trials: six B (right), two A, two unread (half a vote to each of four options), one missing.
    scores = score_votes(["B"] * 6 + ["A"] * 2 + [UNREAD] * 2 + [MISSING], "ABCD", "B")
    assert scores is not None
    assert scores.accuracy == pytest.approx(0.6)
    assert scores.majority_vote == 1.0
    assert scores.unread_rate == pytest.approx(0.2)
    # p = (.25, .65, .05, .05): H = .346574 + .280009 + 2 * .149787 = .926156, C = 1 - .926156 / 1.386294 = .331920.
    assert scores.confidence == pytest.approx(0.331920, abs=1e-6)
    assert scores.calibration_shift == pytest.approx(0.331920 - 0.6, abs=1e-6)


def test_an_item_without_any_trial_has_no_scores() -> None:
    assert score_votes([MISSING] * 10, "ABCD", "A") is None
    assert score_votes([], "ABCD", "A") is None


def test_all_unread_is_no_confidence_and_no_accuracy() -> None:
    scores = score_votes([UNREAD] * 10, "ABC", "A")
    assert scores is not None
    assert (scores.accuracy, scores.unread_rate) == (0.0, 1.0)
    assert scores.confidence == pytest.approx(0.0, abs=1e-15)


@given(st.lists(st.sampled_from(["A", "B", "C", UNREAD, MISSING]), max_size=20), st.permutations(range(20)))
def test_the_order_of_trials_does_not_matter(votes: list[str], order: list[int]) -> None:
    shuffled = [votes[place] for place in order if place < len(votes)]
    assert score_votes(votes, "ABC", "A") == score_votes(shuffled, "ABC", "A")


def _compositions(total: int, parts: int) -> list[tuple[int, ...]]:
    if parts == 1:
        return [(total,)]
    return [(first, *rest) for first in range(total + 1) for rest in _compositions(total - first, parts - 1)]
