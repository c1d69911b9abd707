"""Intervals of shares against Clopper and Pearson's, SciPy's Wilson, simple data and worked examples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from medqdeg.utils.analysis.statistics.clustered import clustered_ratio
from medqdeg.utils.analysis.statistics.share_intervals import (
    differing_clusters,
    gamma_interval,
    share_intervals,
    wilson_interval,
)


def _shares(wrong: int, of: int) -> np.ndarray:
    return (np.arange(of) >= wrong).astype(float)[None]


def test_worked_examples() -> None:
    found = share_intervals(clustered_ratio(np.zeros((1, 30)), np.ones((1, 30))))
    assert (found.low[0], found.high[0]) == pytest.approx((0, 0.1230), abs=5e-5)
    assert found.bound[0]
    low, high = wilson_interval(np.array([0.9]), np.array([0.03]), np.array([2.0]))
    assert (low[0], high[0]) == pytest.approx((0.8238, 0.9454), abs=5e-5)


def test_wilson_is_scipy_s() -> None:
    mean, n = 37 / 80, 80
    low, high = wilson_interval(
        np.array([mean]), np.sqrt(np.array([mean * (1 - mean) / n])), np.array([stats.norm.ppf(0.975)])
    )
    expected = stats.binomtest(37, 80).proportion_ci(method="wilson")
    assert (low[0], high[0]) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("count", [1, 3, 8])
def test_gamma_of_equal_weights_is_the_exact_poisson_interval(count: int) -> None:
    parts = np.where(np.arange(1000) < count, 1 / 1000, 0.0)[None]
    low, high = gamma_interval(parts, np.zeros(1), np.full(1, 1 / 1000))
    # With variance sum t^2 (the (1 - y) is nearly 1) these are Garwood's limits.
    assert low[0] == pytest.approx(stats.chi2.ppf(0.025, 2 * count) / 2000, rel=0.02)
    assert high[0] == pytest.approx(stats.chi2.ppf(0.975, 2 * count + 2) / 2000, rel=0.02)


@pytest.mark.parametrize(("wrong", "of"), [(0, 50), (1, 50), (3, 50), (7, 100), (15, 120), (4, 300), (40, 100)])
def test_both_sides_are_mirror_images_and_close_to_the_exact_interval(wrong: int, of: int) -> None:
    right = _shares(wrong, of)
    found = share_intervals(clustered_ratio(right, np.ones_like(right)))
    mirrored = share_intervals(clustered_ratio(1 - right, np.ones_like(right)))
    assert (found.low[0], found.high[0]) == pytest.approx((1 - mirrored.high[0], 1 - mirrored.low[0]))
    exact = stats.binomtest(of - wrong, of).proportion_ci(method="exact")
    assert found.low[0] == pytest.approx(exact.low, abs=0.03)
    assert found.high[0] == pytest.approx(exact.high, abs=0.03)
    assert found.bound[0] == (wrong < 5)


def test_differing_clusters_counts_the_rarer_side() -> None:
    right = np.array([[1.0, 1, 1, 0, 0], [1, 1, 1, 1, 1], [0.5, 0.5, 1, 1, 1]])
    assert differing_clusters(clustered_ratio(right, np.ones_like(right))).tolist() == [2, 0, 2]


def test_clusters_that_agree_on_a_middle_share_get_a_bound_of_some_width() -> None:
    found = share_intervals(clustered_ratio(np.full((1, 40), 1.0), np.full((1, 40), 2.0)))
    assert found.low[0] < 0.5 < found.high[0]


def test_one_cluster_says_nothing() -> None:
    found = share_intervals(clustered_ratio(np.array([[1.0, 0], [0, 0]]), np.array([[2.0, 0], [0, 0]])))
    assert np.isnan(found.low).all()
    assert not found.bound.any()


@pytest.mark.parametrize("accuracy", [0.03, 0.5, 0.93])
def test_coverage_with_clusters(accuracy: float) -> None:
    rng = np.random.default_rng(5)
    sizes = rng.integers(1, 4, 80)
    own = rng.beta(8 * accuracy, 8 * (1 - accuracy), (600, 80))
    found = share_intervals(clustered_ratio(rng.binomial(sizes, own).astype(float), np.tile(sizes, (600, 1))))
    covered = (found.low <= accuracy) & (accuracy <= found.high)
    assert 0.92 <= covered.mean() <= 1.0


def test_a_sample_without_any_question_that_is_wholly_wrong_still_reaches_them() -> None:
    # Each question is wrong in 1% of its votes; one in thirty would be wrong throughout, and none was met.
    found = share_intervals(clustered_ratio(np.full((1, 50), 0.99) + np.linspace(0, 0.005, 50), np.ones((1, 50))))
    assert not found.bound[0]
    assert found.low[0] < 1 - 1 / 30
