"""Where a curve falls, and whether the fall is a cliff: known curves, and small simulations of them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from medqdeg.utils.analysis.statistics.bootstrap import ClusterBootstrap
from medqdeg.utils.analysis.statistics.cliffs import (
    NO_PARAMETER,
    NOT_ABOVE_CHANCE,
    NOT_HALF_LOST,
    TOO_FEW,
    Shape,
    shape,
)

GRID = np.array([0, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3])
CURVES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda s: 1 - 0.3 * s,
    "quadratic": lambda s: 1 - 0.1 * s**2,
    "cliff": lambda s: 1 / (1 + np.exp((s - 1.3) / 0.08)),
}


def of_curve(left: np.ndarray, strengths: np.ndarray = GRID, questions: float = 100) -> Shape:
    """The shape of a curve whose replicates all are the curve."""
    return shape(GRID, strengths, np.repeat(0.5 * left[:, None], 201, axis=1), np.full(len(GRID), 50.0), questions)


def simulated(left: np.ndarray, questions: int, seed: int) -> Shape:
    """T = 10 votes, K from 2 to 5, one to three items per question, which share the severity at which they fall."""
    rng = np.random.default_rng([8, seed])
    cluster = np.repeat(np.arange(questions), rng.integers(1, 4, questions))
    chance = 1 / rng.integers(2, 6, len(cluster))
    knows = (rng.random(questions) < 0.85)[cluster, None] & (rng.random(questions)[cluster, None] < left)
    votes = rng.binomial(10, np.where(knows, 1.0, chance[:, None])) / 10
    draws = ClusterBootstrap(questions, 300, seed).draws()[cluster].astype(float)
    above = (votes - chance[:, None]).T @ draws / draws.sum(axis=0)
    sizes = np.bincount(cluster)
    return shape(GRID, GRID, above, np.full(len(GRID), len(cluster)), sizes.sum() ** 2 / (sizes**2).sum())


def test_a_line_a_parabola_and_a_cliff_have_their_ratio() -> None:
    line, parabola, cliff = (of_curve(CURVES[name](GRID)) for name in ("linear", "quadratic", "cliff"))
    assert line.s10.estimate == pytest.approx(1 / 3)
    assert line.s50.estimate == pytest.approx(5 / 3)
    assert line.ratio.estimate == pytest.approx(0.2)
    assert line.cliff == "no"
    assert parabola.ratio.estimate == pytest.approx(math.sqrt(0.2), abs=0.02)
    assert parabola.cliff == "no"
    assert cliff.ratio.low > 0.6
    assert cliff.cliff == "yes"
    assert (cliff.s50.low, cliff.s50.high) == (1.0, 1.5)  # where in the step, nobody measured


def test_a_cliff_must_be_one_on_the_physical_parameter_too() -> None:
    left = np.clip(1 - (GRID - 1.1) / 1.2, 0, 1)  # R = 1.22 / 1.7
    assert of_curve(left).cliff == "yes"
    growing = of_curve(left, strengths=GRID**3)
    assert growing.ratio.low > 0.5 > growing.ratio_physical.high
    assert growing.cliff == "no"


def test_what_is_not_lost_is_censored_and_no_verdict() -> None:
    found = of_curve(1 - 0.1 * GRID)
    assert found.s10.estimate == pytest.approx(1.0)
    assert found.s50.estimate == found.s50.low == math.inf
    assert math.isnan(found.ratio.estimate)
    assert (found.ratio.low, found.ratio.high) == (0.0, pytest.approx(1 / 3))
    assert found.cliff == "no"  # R is at most s10 / 3
    hardly = of_curve(1 - 0.01 * GRID)
    assert (hardly.cliff, hardly.because) == ("not decided", f"{NOT_HALF_LOST} by severity 3")


def test_without_the_severities_above_2_the_ratio_is_that_of_the_shorter_curve() -> None:
    found = of_curve(CURVES["quadratic"](GRID))
    assert math.isnan(found.ratio_to_l2.estimate)
    assert of_curve(CURVES["cliff"](GRID)).ratio_to_l2 == of_curve(CURVES["cliff"](GRID)).ratio


def test_a_model_that_guesses_has_no_curve_and_few_questions_no_verdict() -> None:
    assert of_curve(np.full(len(GRID), -0.1)).because == NOT_ABOVE_CHANCE
    noise = np.random.default_rng(0).normal(0.01, 0.1, (len(GRID), 301))
    noise[:, 0] = 0.05
    assert shape(GRID, GRID, noise, np.ones(len(GRID)), 50).because == NOT_ABOVE_CHANCE
    few = of_curve(CURVES["cliff"](GRID), questions=9)
    assert (few.cliff, few.because) == ("not decided", TOO_FEW)
    assert math.isfinite(few.s50.estimate)


@pytest.mark.parametrize(("name", "s50"), [("linear", 5 / 3), ("quadratic", math.sqrt(5))])
def test_simulated_lines_and_parabolas_are_covered_and_hardly_ever_called_cliffs(name: str, s50: float) -> None:
    found = [simulated(CURVES[name](GRID), 100, seed) for seed in range(120)]
    assert np.mean([one.s50.low <= s50 <= one.s50.high for one in found]) >= 0.88  # 0.90 less noise of 120
    assert np.mean([one.cliff == "yes" for one in found]) <= 0.05


def test_a_simulated_sharp_cliff_is_found_at_a_hundred_questions() -> None:
    found = [simulated(CURVES["cliff"](GRID), 100, seed) for seed in range(60)]
    assert np.mean([one.cliff == "yes" for one in found]) >= 0.8
    assert np.mean([one.s50.low <= 1.3 <= one.s50.high for one in found]) >= 0.9


def test_replicates_at_chance_leave_the_place_open_and_do_not_undo_the_interval() -> None:
    above = np.repeat(0.5 * CURVES["linear"](GRID)[:, None], 201, axis=1)
    above[:, 1:4] = -0.1  # three of 200, fewer than the tail
    found = shape(GRID, GRID, above, np.ones(len(GRID)), 100)
    assert found.s50.low == pytest.approx(5 / 3)
    assert found.s50.high == pytest.approx(5 / 3)


def test_without_the_physical_parameter_nothing_is_called_a_cliff() -> None:
    above = np.repeat(0.5 * CURVES["cliff"](GRID)[:, None], 201, axis=1)
    found = shape(GRID, None, above, np.ones(len(GRID)), 100)
    assert (found.cliff, found.because) == ("not decided", NO_PARAMETER)
    assert math.isnan(found.ratio_physical.low)
