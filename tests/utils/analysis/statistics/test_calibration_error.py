"""The debiased calibration error against its worked example, SciPy's distribution and simulated models."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from medqdeg.utils.analysis.statistics import calibration_error as errors


def test_worked_example() -> None:
    found = errors.BinnedGaps(q=0.022, trace=0.004, trace_of_square=8e-6, variance_of_mean=0.0)
    assert found.estimate == pytest.approx(0.134, abs=5e-4)
    scale, freedom = 0.002, 2.0
    ends = [math.sqrt(scale * errors._noncentrality(0.022 / scale, freedom, p)) for p in (0.975, 0.025)]
    assert ends == pytest.approx([0.049, 0.231], abs=5e-4)
    for end, probability in zip(ends, (0.975, 0.025), strict=True):
        assert stats.ncx2.cdf(11, 2, end**2 / scale) == pytest.approx(probability)
    # Q - tr V = 0.018 is above 3 sqrt(2 tr V^2) = 0.012: united with Student's interval.
    low, high = errors.calibration_error_interval(found, 20.0)
    reach = stats.t.ppf(0.975, 19) * 0.004 / (2 * math.sqrt(0.018))
    assert (low, high) == pytest.approx((min(ends[0], 0.134164 - reach), max(ends[1], 0.134164 + reach)), abs=1e-5)


def test_below_the_noise_the_lower_end_is_zero() -> None:
    found = errors.BinnedGaps(q=0.003, trace=0.004, trace_of_square=8e-6, variance_of_mean=0.0)
    low, high = errors.calibration_error_interval(found, 20.0)
    assert found.estimate == low == 0
    assert high > 0
    assert math.isnan(errors.calibration_error_interval(found, 9.9)[0])


@pytest.mark.parametrize(
    ("score", "trials", "expected"),
    [
        ([0.0, 0.33, 0.34, 1.0], 3, [0, 1, 1, 3]),
        ([0.0, 0.05, 0.3, 0.99, 1.0], None, [0, 0, 3, 9, 9]),
        ([0.29, 0.3, 1.0], 100, [2, 3, 9]),
    ],
)
def test_bins_are_vote_levels_or_tenths(score: list[float], trials: int | None, expected: list[int]) -> None:
    assert errors.score_bins(np.array(score), trials).tolist() == expected


def test_bins_are_merged_upwards_and_the_last_downwards() -> None:
    bins = np.repeat([0, 1, 2, 3, 4], [3, 6, 4, 12, 5])
    groups = errors.merged_bins(bins, np.arange(len(bins)))
    assert [sorted(set(bins[items].tolist())) for items in groups] == [[0, 1, 2], [3, 4]]
    few = errors.merged_bins(np.array([0, 1, 2]), np.arange(3))
    assert [len(items) for items in few] == [3]
    # Ten items of two questions are two questions.
    same = errors.merged_bins(np.repeat([0, 1], 20), np.concatenate([np.arange(20) % 2, np.arange(20)]))
    assert len(same) == 1


def test_terms_of_independent_items_are_those_of_the_bins() -> None:
    rng = np.random.default_rng(0)
    score = rng.integers(0, 4, 400) / 3
    credit = rng.binomial(1, np.clip(score, 0.1, 0.9)).astype(float)
    found = errors.binned_gaps(score, credit, errors.score_bins(score, 3), np.arange(400))
    assert found is not None
    q = trace = square = 0.0
    for level in range(4):
        here = np.isclose(score, level / 3)
        difference = (score - credit)[here]
        share = here.mean()
        q += share * difference.mean() ** 2
        variance = share * difference.var(ddof=1) / here.sum()
        trace, square = trace + variance, square + variance**2
    assert found.q == pytest.approx(q)
    assert found.trace == pytest.approx(trace, rel=0.02)
    assert found.trace_of_square == pytest.approx(square, rel=0.05)


@pytest.mark.parametrize("shift", [0.0, 0.15])
def test_unbiased_and_covering_with_clusters(shift: float) -> None:
    rng = np.random.default_rng(3)
    squares, covered = [], []
    clusters = np.repeat(np.arange(60), 2)
    for _ in range(250):
        score = np.repeat(rng.integers(2, 6, 60) / 5, 2)
        credit = rng.binomial(1, np.clip(score - shift, 0, 1)).astype(float)
        credit[1::2] = np.where(rng.random(60) < 0.5, credit[::2], credit[1::2])
        found = errors.binned_gaps(score, credit, errors.score_bins(score, 5), clusters)
        assert found is not None
        squares.append(found.q - found.trace)
        low, high = errors.calibration_error_interval(found, 20.0)
        covered.append(low <= shift <= high)
    assert np.mean(squares) == pytest.approx(shift**2, abs=0.004)
    assert np.mean(covered) > 0.91


def test_weights_repeat_items() -> None:
    rng = np.random.default_rng(2)
    score, credit, clusters = rng.integers(0, 5, 90) / 4, rng.integers(0, 2, 90).astype(float), np.arange(90)
    weight = rng.integers(1, 4, 90)
    bins = errors.score_bins(score, 4)
    found = errors.binned_gaps(score, credit, bins, clusters, weight.astype(float))
    repeated = errors.binned_gaps(*(np.repeat(part, weight) for part in (score, credit, bins, clusters)))
    assert found is not None
    assert repeated is not None
    assert found.q == pytest.approx(repeated.q)
    assert found.trace == pytest.approx(repeated.trace)


def test_one_cluster_says_nothing() -> None:
    assert errors.binned_gaps(np.ones(3), np.ones(3), np.zeros(3, dtype=int), np.zeros(3, dtype=int)) is None
