"""Estimators against SciPy, exhaustive enumeration of votes, and figures found independently."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from medqdeg.utils.analysis.statistics import estimators


def _outcomes(p: list[float], trials: int) -> tuple[np.ndarray, np.ndarray]:
    """Every ordered count vector of `trials` votes and its probability, by SciPy's multinomial."""
    counts = np.array([c for c in itertools.product(range(trials + 1), repeat=len(p)) if sum(c) == trials])
    return counts, stats.multinomial.pmf(counts, trials, p)


def _k(counts: np.ndarray) -> np.ndarray:
    return np.full(len(counts), float(counts.shape[1]))


@given(st.lists(st.integers(0, 12), min_size=2, max_size=5).filter(any))
def test_plug_in_agrees_with_scipy(counts: list[int]) -> None:
    shares = np.array([counts]) / sum(counts)
    expected = 1 - stats.entropy(counts) / math.log(len(counts))
    padded = np.pad(shares, ((0, 0), (0, 2)))
    assert estimators.plug_in_confidence(padded, np.array([len(counts)]))[0] == pytest.approx(expected, abs=1e-12)


def _shrunken(counts: list[int]) -> list[float]:
    """Hausser and Strimmer's equations 4 and 5, for one item."""
    trials, k = sum(counts), len(counts)
    shares = [count / trials for count in counts]
    distance = (trials - 1) * sum((1 / k - share) ** 2 for share in shares)
    amount = 1.0 if distance == 0 else min(1.0, (1 - sum(share**2 for share in shares)) / distance)
    return [amount / k + (1 - amount) * share for share in shares]


@given(st.lists(st.integers(0, 9), min_size=2, max_size=5).filter(any))
def test_shrunken_shares(counts: list[int]) -> None:
    row = np.array([[*counts, 0]], dtype=float)
    found = estimators.shrunken_shares(row / row.sum(), np.array([len(counts)]), np.array([sum(counts)]))[0]
    assert found[:-1] == pytest.approx(_shrunken(counts), abs=1e-12)
    assert found[-1] == 0
    assert found.sum() == pytest.approx(1)


def test_probabilities_are_not_shrunken() -> None:
    p = np.array([[0.25, 0.25, 0.25, 0.25], [0.7, 0.1, 0.1, 0.1]])
    assert estimators.shrunken_shares(p, np.array([4, 4]), np.full(2, np.inf)) == pytest.approx(p)


@pytest.mark.parametrize(
    ("first", "trials", "expected"),
    [(0.25, 3, 0.080), (0.25, 10, 0.020), (0.7, 3, 0.363), (0.7, 10, 0.314), (0.95, 3, 0.862), (0.95, 10, 0.851)],
)
def test_james_stein_means_found_elsewhere(first: float, trials: int, expected: float) -> None:
    counts, weights = _outcomes([first, *[(1 - first) / 3] * 3], trials)
    confidence = estimators.james_stein_confidence(counts / trials, _k(counts), np.full(len(counts), trials))
    assert weights @ confidence == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize(
    ("k", "trials", "expected"),
    [(2, 3, 0.311), (2, 10, 0.077), (4, 3, 0.445), (4, 10, 0.123), (5, 3, 0.483), (5, 10, 0.145)],
)
def test_guesser_s_plug_in_confidence_found_elsewhere(k: int, trials: int, expected: float) -> None:
    assert estimators.guesser_expectation("plug_in", k, trials) == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize("estimator", ["plug_in", "james_stein", "agreement", "top_share"])
@pytest.mark.parametrize(("k", "trials"), [(2, 7), (3, 5), (4, 6), (5, 4)])
def test_guesser_by_brute_force_over_all_sequences(estimator: str, k: int, trials: int) -> None:
    scores = []
    for votes in itertools.product(range(k), repeat=trials):
        counts = [votes.count(option) for option in range(k)]
        pairs = [a == b for a, b in itertools.combinations(votes, 2)]
        scores.append(
            {
                "plug_in": lambda c=counts: 1 - stats.entropy(c) / math.log(k),
                "james_stein": lambda c=counts: 1 - stats.entropy(_shrunken(c)) / math.log(k),
                "agreement": lambda pairs=pairs: (sum(pairs) / len(pairs) - 1 / k) / (1 - 1 / k),
                "top_share": lambda c=counts: max(c) / trials,
            }[estimator]()
        )
    assert estimators.guesser_expectation(estimator, k, trials) == pytest.approx(np.mean(scores), abs=1e-10)


@pytest.mark.parametrize(("k", "trials"), [(2, 1), (3, 10), (4, 50), (5, 50)])
def test_guesser_outcomes_are_all_outcomes(k: int, trials: int) -> None:
    counts, weights = estimators.guesser_outcomes(k, trials)
    assert weights.sum() == pytest.approx(1, abs=1e-9)
    assert (counts.sum(axis=1) == trials).all()
    assert len({tuple(row) for row in counts}) == len(counts)


@pytest.mark.parametrize("p", [[0.5, 0.3, 0.2], [0.9, 0.1], [0.25] * 4, [1.0, 0.0, 0.0]])
@pytest.mark.parametrize("unread", [0.0, 0.3])
@pytest.mark.parametrize("trials", [2, 3, 6])
def test_agreement_is_unbiased_at_every_number_of_trials(p: list[float], unread: float, trials: int) -> None:
    k = len(p)
    outcomes, weights = _outcomes([*(share * (1 - unread) for share in p), unread], trials)
    found = estimators.agreement(
        outcomes[:, :-1].astype(float), outcomes[:, -1].astype(float), np.full(len(weights), k)
    )
    truth = sum((share * (1 - unread) + unread / k) ** 2 for share in p)
    assert weights @ found == pytest.approx((truth - 1 / k) / (1 - 1 / k), abs=1e-12)
    spread = np.array([[share * (1 - unread) + unread / k for share in p]])
    assert estimators.agreement_of_probabilities(spread, np.array([k]))[0] == pytest.approx(
        (truth - 1 / k) / (1 - 1 / k)
    )


def test_agreement_needs_two_trials() -> None:
    found = estimators.agreement(np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([0.0, 1.0]), np.array([2, 2]))
    assert np.isnan(found).all()


def test_expectations_of_a_mix() -> None:
    found = estimators.guesser_expectations("plug_in", np.array([4, 2, 4, 4]), np.array([10, 3, 3, 0]))
    expected = [estimators.guesser_expectation("plug_in", *pair) for pair in ((4, 10), (2, 3), (4, 3))]
    assert found[:3].tolist() == expected
    assert np.isnan(found[3])
