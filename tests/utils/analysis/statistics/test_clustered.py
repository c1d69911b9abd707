"""Ratios of cluster sums against the jackknife, ordinary t intervals and a worked example."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from medqdeg.utils.analysis.statistics import clustered


def test_worked_example() -> None:
    found = clustered.clustered_ratio(np.array([[1.0, 0.0, 2.0]]), np.array([[1.0, 1.0, 2.0]]))
    assert found.estimate[0] == 3 / 4
    assert found.error[0] ** 2 == pytest.approx(19 / 216)


def test_the_error_is_the_jackknife_s() -> None:
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 5, 40).astype(float)
    sums = rng.normal(size=40) * sizes
    found = clustered.clustered_ratio(sums[None], sizes[None])
    left_out = (sums.sum() - sums) / (sizes.sum() - sizes)
    assert found.influence[0] == pytest.approx(found.estimate[0] - left_out)
    around_the_estimate = 39 / 40 * ((left_out - found.estimate[0]) ** 2).sum()
    assert found.error[0] ** 2 == pytest.approx(around_the_estimate)


def test_equal_clusters_give_student_s_interval() -> None:
    values = np.random.default_rng(1).normal(size=25)
    found = clustered.clustered_ratio(values[None], np.ones((1, 25)))
    low, high = clustered.ratio_interval(found, (-np.inf, np.inf))
    expected = stats.t.interval(0.95, 24, values.mean(), stats.sem(values))
    assert (low[0], high[0]) == pytest.approx(expected)
    p = clustered.two_sided_p(found.estimate, found.error, found.effective - 1)
    assert p[0] == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
    above = clustered.one_sided_p(found.estimate, found.error, found.effective - 1, 0.1)
    assert above[0] == pytest.approx(stats.ttest_1samp(values, 0.1, alternative="greater").pvalue)


def test_effective_number() -> None:
    found = clustered.effective_number(np.array([[2.0, 2, 2, 2], [4, 0, 0, 0], [0, 0, 0, 0], [3, 1, 0, 0]]))
    assert found.tolist() == [4, 1, 0, 16 / 10]


def test_rows_do_not_touch_each_other_and_empty_ones_are_nan() -> None:
    sums, sizes = np.array([[1.0, 0, 2], [0, 0, 0]]), np.array([[1.0, 1, 2], [0, 0, 0]])
    found = clustered.clustered_ratio(sums, sizes)
    assert np.isnan(found.estimate[1])
    assert np.isnan(found.error[1])
    assert found.clusters.tolist() == [3, 0]


def test_a_change_is_the_paired_t_test() -> None:
    rng = np.random.default_rng(2)
    first, second = rng.normal(size=(2, 30))
    ones = np.ones((1, 30))
    change = clustered.clustered_change(
        clustered.clustered_ratio(first[None], ones), clustered.clustered_ratio(second[None], ones)
    )
    assert change.error[0] == pytest.approx(stats.sem(second - first))
    differences = np.abs(second - first)
    assert change.differing[0] == pytest.approx(differences.sum() ** 2 / (differences**2).sum())
    low, high = change.interval((-9.0, 9.0))
    expected = stats.t.interval(0.95, change.differing[0] - 1, (second - first).mean(), stats.sem(second - first))
    assert (low[0], high[0]) == pytest.approx(expected)


def test_few_that_change_give_no_interval() -> None:
    before, ones = np.zeros((1, 60)), np.ones((1, 60))
    after = before.copy()
    after[0, :9] = 1
    nine, ten = (
        clustered.clustered_change(clustered.clustered_ratio(before, ones), clustered.clustered_ratio(values, ones))
        for values in (after, np.where(np.arange(60) < 10, 1.0, 0.0)[None])
    )
    assert np.isnan(nine.interval((-1, 1))[0][0])
    assert np.isnan(nine.p_values()[0])
    assert np.isfinite(ten.interval((-1, 1))[0][0])
    assert ten.freedom[0] == 9


def test_intervals_stay_within_the_range() -> None:
    found = clustered.clustered_ratio(np.array([[1.0, 1, 1, 0]]), np.ones((1, 4)))
    low, high = clustered.ratio_interval(found, (0.0, 1.0))
    assert low[0] >= 0
    assert high[0] == 1


def test_clusters_that_agree_give_a_bound() -> None:
    found = clustered.clustered_ratio(np.full((1, 20), 0.5), np.ones((1, 20)))
    low, high = clustered.ratio_interval(found, (-1.0, 1.0))
    share = 1 - 0.025 ** (1 / 20)
    assert (low[0], high[0]) == pytest.approx((0.5 - 1.5 * share, 0.5 + 0.5 * share))


def test_one_cluster_says_nothing() -> None:
    low, high = clustered.ratio_interval(clustered.clustered_ratio(np.array([[0.5]]), np.ones((1, 1))), (0.0, 1.0))
    assert np.isnan(low[0])
    assert np.isnan(high[0])


def test_many_small_changes_leave_room_for_a_whole_one() -> None:
    ones, before = np.ones((1, 50)), np.full((1, 50), 0.9)
    small = clustered.clustered_change(
        clustered.clustered_ratio(before, ones),
        clustered.clustered_ratio(before + np.linspace(0, 0.02, 50), ones),
    )
    assert small.unseen[0] == 1 / 50
    low, _ = small.interval((-1.0, 1.0))
    assert low[0] == pytest.approx(0.01 - stats.t.ppf(0.975, small.freedom[0]) * np.hypot(small.error[0], 0.02))
    assert small.p_values()[0] > 0.3
    large = clustered.clustered_change(
        clustered.clustered_ratio(before, ones), clustered.clustered_ratio(before - np.linspace(0, 0.8, 50), ones)
    )
    assert large.unseen[0] == 0
