"""Benjamini and Hochberg's q and Morris' shrinkage against SciPy, worked examples and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from medqdeg.utils.analysis.statistics import multiplicity


def test_worked_example_of_q() -> None:
    assert multiplicity.q_values(np.array([0.001, 0.02, 0.03, 0.5])) == pytest.approx([0.004, 0.04, 0.04, 0.5])


@pytest.mark.parametrize("seed", range(3))
def test_q_is_scipy_s_adjusted_p_in_any_order(seed: int) -> None:
    p = np.random.default_rng(seed).random(30) ** 3
    assert multiplicity.q_values(p) == pytest.approx(stats.false_discovery_control(p))


def test_nodes_without_p_do_not_count() -> None:
    found = multiplicity.q_values(np.array([np.nan, 0.01, np.nan, 0.02]))
    assert np.isnan(found[[0, 2]]).all()
    assert found[[1, 3]] == pytest.approx([0.02, 0.02])


def test_worked_example_of_shrinkage() -> None:
    found = multiplicity.shrunken(np.array([0.5, 0.6, 0.7, 0.8]), np.full(4, 0.01))
    assert found.between == pytest.approx(1 / 150)
    assert found.estimate[0] == pytest.approx(0.53)
    # v (1 - B (1 - 1/4)) + 2 B^2 (y - mu)^2 with B = 1/5.
    assert found.error[0] ** 2 == pytest.approx(0.01 * (1 - 0.2 * 0.75) + 2 * 0.04 * 0.15**2)


def test_no_variance_between_nodes_shrinks_most() -> None:
    found = multiplicity.shrunken(np.array([0.5, 0.51, 0.5, 0.49, 0.5, 0.5]), np.full(6, 0.01))
    assert found.between == 0
    assert found.estimate[1] == pytest.approx(0.5 + 0.01 * (1 - 3 / 5))


def test_the_equation_of_the_variance_between_is_solved() -> None:
    rng = np.random.default_rng(0)
    y, variance = rng.normal(0.6, 0.2, 12), rng.uniform(0.001, 0.03, 12)
    between = multiplicity.shrunken(y, variance).between
    weight = 1 / (variance + between)
    assert weight @ (y - weight @ y / weight.sum()) ** 2 == pytest.approx(11)


def test_shrunken_figures_are_closer_and_their_errors_honest() -> None:
    rng = np.random.default_rng(1)
    raw, better, covered = [], [], []
    for _ in range(300):
        true = rng.normal(0.6, 0.06, 20)
        variance = rng.uniform(0.005, 0.03, 20)
        y = rng.normal(true, np.sqrt(variance))
        found = multiplicity.shrunken(y, variance)
        raw.append(np.mean((y - true) ** 2))
        better.append(np.mean((found.estimate - true) ** 2))
        covered.append(np.mean(np.abs(found.estimate - true) < 1.96 * found.error))
    assert np.mean(better) < 0.5 * np.mean(raw)
    assert np.mean(covered) > 0.93


def test_too_few_or_certain_figures_are_refused() -> None:
    with pytest.raises(ValueError, match="four"):
        multiplicity.shrunken(np.ones(3), np.ones(3))
    with pytest.raises(ValueError, match="above 0"):
        multiplicity.shrunken(np.ones(5), np.array([1.0, 1, 1, 1, 0]))


def test_figures_that_differ_by_rounding_alone() -> None:
    y = np.full(8, 0.9604) + np.arange(8) * 1e-16
    found = multiplicity.shrunken(y, np.full(8, 1e-34))
    assert found.estimate == pytest.approx(y)
    assert np.isfinite(found.error).all()
