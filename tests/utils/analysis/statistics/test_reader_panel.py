"""The mean of a panel of readers: formulas by hand, special cases, and coverage in simulated studies."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special, stats

from medqdeg.utils.analysis.statistics.reader_panel import (
    FIXED_READERS,
    RANDOM_READERS,
    Jackknifed,
    jackknifed_ratios,
    panel_mean,
)


def _study(readers: int, questions: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Simulated readers: (R, G) right answers, of an expected accuracy of Phi(.5 / sqrt(1 + .35^2 + 1))."""
    strength = 0.5 + rng.normal(0, 0.35, (readers, 1)) + rng.normal(0, 1, questions)
    return (rng.random((readers, questions)) < special.ndtr(strength)).astype(float), np.ones((readers, questions))


def test_jackknife_of_a_mean_has_the_covariance_of_means() -> None:
    right, sizes = _study(4, 60, np.random.default_rng(0))
    found = jackknifed_ratios(right, sizes)
    assert found.estimates == pytest.approx(right.mean(axis=1))
    assert found.covariance() == pytest.approx(np.cov(right) / 60)


def test_left_out_ratios_are_computed_anew() -> None:
    rng = np.random.default_rng(1)
    sums, sizes = rng.random((2, 9)), rng.integers(0, 4, (2, 9)).astype(float)
    found = jackknifed_ratios(sums, sizes)
    rest = np.delete(np.arange(9), 5)
    assert found.left_out[:, 5] == pytest.approx(sums[:, rest].sum(axis=1) / sizes[:, rest].sum(axis=1))


def test_by_hand() -> None:
    # Three readers, .6 .7 .8: MS = .01; Cov2 = .001: Var = (.01 + .003) / 3, df = (.013)^2 2 / .01^2 = 3.38.
    left_out = _with_covariance(np.array([0.6, 0.7, 0.8]), np.full((3, 3), 0.001) + np.eye(3) * 0.002)
    found = panel_mean(Jackknifed(np.array([0.6, 0.7, 0.8]), left_out))
    assert found.estimate == pytest.approx(0.7)
    assert found.freedom == pytest.approx(3.38)
    reach = stats.t.ppf(0.975, 3.38) * math.sqrt(0.013 / 3)
    assert (found.low, found.high) == pytest.approx((0.7 - reach, 0.7 + reach))
    assert (found.method, found.readers) == (RANDOM_READERS, 3)


def _with_covariance(figures: np.ndarray, covariance: np.ndarray, questions: int = 12) -> np.ndarray:
    """Figures without one question each that have a given jackknife covariance."""
    basis, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(questions, len(figures) + 1)) * 1.0)
    ones = np.full((questions, 1), questions**-0.5)
    free = np.linalg.qr(np.hstack([ones, basis[:, : len(figures)]]))[0][:, 1:]
    scale = math.sqrt(questions / (questions - 1))
    found: np.ndarray = figures[:, None] + scale * np.linalg.cholesky(covariance) @ free.T
    return found


def test_negative_shared_covariance_counts_as_none() -> None:
    figures = np.array([0.5, 0.6, 0.7])
    covariance = np.eye(3) * 0.004 - 0.001
    found = panel_mean(Jackknifed(figures, _with_covariance(figures, covariance)))
    assert found.freedom == pytest.approx(2), "then it is the t interval of the readers' figures"
    assert found.high - found.estimate == pytest.approx(stats.t.ppf(0.975, 2) * math.sqrt(0.01 / 3))


def test_readers_who_are_alike_leave_the_questions() -> None:
    right = np.tile(np.random.default_rng(2).integers(0, 2, 50).astype(float), (3, 1))
    found = panel_mean(jackknifed_ratios(right, np.ones((3, 50))))
    assert math.isinf(found.freedom)
    assert found.high - found.estimate == pytest.approx(stats.norm.ppf(0.975) * right[0].std(ddof=1) / math.sqrt(50))


def test_perfect_readers_have_no_interval_and_a_reason() -> None:
    found = panel_mean(jackknifed_ratios(np.ones((3, 20)), np.ones((3, 20))), (0.0, 1.0))
    assert found.estimate == 1
    assert math.isnan(found.low)
    assert found.reason == "neither readers nor questions differ"


@pytest.mark.parametrize("readers", [1, 2])
def test_few_readers_stand_for_themselves_alone(readers: int) -> None:
    right, sizes = _study(readers, 80, np.random.default_rng(3))
    found = panel_mean(jackknifed_ratios(right, sizes), (0.0, 1.0))
    assert found.method == FIXED_READERS
    each = right.mean(axis=0)
    reach = stats.t.ppf(0.975, 79) * each.std(ddof=1) / math.sqrt(80)
    assert found.high - found.estimate == pytest.approx(reach)


def test_a_reader_without_the_figure_is_left_out() -> None:
    right, sizes = _study(4, 30, np.random.default_rng(4))
    sizes[3] = 0
    found = panel_mean(jackknifed_ratios(right * sizes, sizes))
    assert found == panel_mean(jackknifed_ratios(right[:3], sizes[:3]))
    assert panel_mean(jackknifed_ratios(right[3:] * 0, sizes[3:])).reason == "no reader has this figure"


def test_intervals_stay_within_the_range() -> None:
    found = panel_mean(Jackknifed(np.array([0.9, 1.0, 0.5]), np.tile([[0.9], [1.0], [0.5]], (1, 5))), (0.0, 1.0))
    assert (found.low >= 0, found.high) == (True, 1.0)


@pytest.mark.parametrize("readers", [3, 5])
def test_covers_the_mean_of_all_such_readers(readers: int) -> None:
    rng = np.random.default_rng(5)
    truth = float(special.ndtr(0.5 / math.sqrt(1 + 0.35**2 + 1)))
    found = [panel_mean(jackknifed_ratios(*_study(readers, 100, rng))) for _ in range(400)]
    # 1,000 studies per design are in benchmarks/readers.py; of 400, 95% +- 3.3% is three standard errors.
    assert np.mean([one.low <= truth <= one.high for one in found]) == pytest.approx(0.945, abs=0.04)
