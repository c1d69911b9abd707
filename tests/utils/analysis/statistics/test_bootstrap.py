"""The bootstrap against physically repeated data, Student's interval, and its own stated properties."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse, stats

from medqdeg.utils.analysis.statistics.bootstrap import (
    ClusterBootstrap,
    expanded_tail,
    intervals,
    p_values,
    studentised_intervals,
    weighted_sums,
)


def test_draws_are_whole_samples_of_clusters() -> None:
    draws = ClusterBootstrap(40, replicates=300, seed=3).draws()
    assert draws.shape == (40, 301)
    assert (draws[:, 0] == 1).all()
    assert (draws.sum(axis=0) == 40).all()
    # Each cluster is drawn once on average, with the variance of a multinomial count.
    assert draws[:, 1:].mean() == 1
    assert draws[:, 1:].var() == pytest.approx(1 - 1 / 40, abs=0.05)


def test_draws_follow_from_the_seed_in_another_process() -> None:
    code = (
        "from medqdeg.utils.analysis.statistics.bootstrap import ClusterBootstrap as B; import zlib;"
        "print(zlib.crc32(B(50, 20, 7).draws().tobytes()))"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(2)]
    assert runs[0].stdout == runs[1].stdout
    assert (ClusterBootstrap(50, 20, 7).draws() != ClusterBootstrap(50, 20, 8).draws()).any()


def test_weighted_sums_are_sums_over_repeated_items() -> None:
    values = np.random.default_rng(0).normal(size=(3, 30))
    draws = ClusterBootstrap(30, replicates=200).draws()
    found = weighted_sums(values, draws)
    assert found == pytest.approx(weighted_sums(sparse.csr_array(values), draws))
    for replicate in (0, 1, 150, 200):
        repeated = np.repeat(values, draws[:, replicate], axis=1)
        assert found[:, replicate] == pytest.approx(repeated.sum(axis=1))


def _means(values: np.ndarray, replicates: int) -> tuple[np.ndarray, np.ndarray]:
    """Means, and naive standard errors, of one number per cluster."""
    draws = ClusterBootstrap(len(values), replicates, seed=1).draws()
    means, errors = [], []
    for column in draws.T:
        repeated = np.repeat(values, column)
        means.append(repeated.mean())
        errors.append(np.sqrt(((repeated - repeated.mean()) ** 2).sum()) / len(repeated))
    return np.array([means]), np.array([errors])


@pytest.mark.parametrize("n", [12, 30, 200])
def test_all_intervals_of_a_normal_mean_are_student_s(n: int) -> None:
    values = stats.norm.ppf((np.arange(n) + 0.5) / n)  # as even as a sample can be
    means, errors = _means(values, 4000)
    student = np.array(stats.t.interval(0.95, n - 1, values.mean(), stats.sem(values)))
    g = np.array([n])
    for low, high in (
        intervals(means[:, 0], means[:, 1:], g),
        studentised_intervals(means[:, 0], means[:, 1:], errors, g, (-np.inf, np.inf)),
    ):
        assert np.array([low[0], high[0]]) == pytest.approx(student, rel=0.1)


def test_expanded_tail_tends_to_the_plain_one() -> None:
    tails = expanded_tail(np.array([1, 2, 30, 10**7]))
    assert np.isnan(tails[0])
    assert tails[1] < tails[2] < tails[3] == pytest.approx(0.025, abs=1e-5)


@pytest.mark.parametrize("value", [0.0, 0.25, 1.0])
def test_without_any_spread_a_bound_takes_the_interval_s_place(value: float) -> None:
    replicates = np.full((1, 500), value)
    low, high = intervals(np.array([value]), replicates, np.array([20]), (0.0, 1.0))
    # Of 20 clusters, all alike, a share q may differ with probability (1 - q)^20 = 0.025 at most.
    q = 1 - 0.025 ** (1 / 20)
    assert (low[0], high[0]) == pytest.approx((value * (1 - q), value + q * (1 - value)))
    exact = stats.binomtest(20, 20).proportion_ci(0.95, "exact")
    if value == 1.0:
        assert low[0] == pytest.approx(exact.low)


def test_no_interval_from_one_cluster_or_no_replicate() -> None:
    replicates = np.vstack([np.random.default_rng(0).random((2, 50)), np.full((1, 50), np.nan)])
    low, high = intervals(np.array([0.5, np.nan, 0.5]), replicates, np.array([1, 9, 9]))
    assert np.isnan(low).all()
    assert np.isnan(high).all()


@given(st.integers(0, 10**6), st.integers(12, 200), st.floats(-3, 3))
def test_p_values_agree_with_the_intervals(seed: int, clusters: int, centre: float) -> None:
    replicates = np.random.default_rng(seed).normal(centre, 1.0, (1, 999))
    g = np.array([clusters])
    low, high = intervals(np.array([centre]), replicates, g)
    p = p_values(replicates, g)[0]
    outside = not low[0] <= 0 <= high[0]
    # Quantile and count differ by one replicate at most.
    assert outside == (p < 0.05) or abs(p - 0.05) < 0.02


def test_a_mean_stays_in_its_range_and_few_clusters_widen_it() -> None:
    values = np.array([0.0, 1.0, 1.0, 1.0])
    means, errors = _means(values, 500)
    low, high = studentised_intervals(means[:, 0], means[:, 1:], errors, np.array([4]), (0.0, 1.0))
    assert low[0] == 0.0
    assert high[0] == 1.0
