"""Gap intervals against Student's where many are surely wrong, and their coverage where few are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from medqdeg.utils.analysis.statistics.clustered import ratio_interval
from medqdeg.utils.analysis.statistics.gap_intervals import LevelGap, gap_change, level_gap


def _gap(agree: np.ndarray, right: np.ndarray) -> LevelGap:
    ones = np.ones_like(agree)
    return level_gap(agree, right, ones, ones)


def _sure(rng: np.random.Generator, runs: int, sure: float, questions: int = 60) -> LevelGap:
    """Calibrated all or nothing: 97% sure, or even between four; exact probabilities."""
    belief = np.where(rng.random((runs, questions)) < sure, 0.97, 0.25)
    right = rng.random((runs, questions)) < belief
    rest = (1 - belief) / 3
    return _gap(belief**2 + 3 * rest**2, np.where(right, belief, rest))


def test_student_s_interval_where_many_are_wrong() -> None:
    rng = np.random.default_rng(0)
    agree, right = rng.random((1, 80)), rng.binomial(1, 0.4, (1, 80)).astype(float)
    found = _gap(agree, right)
    assert found.unseen[0] == 0
    expected = stats.t.interval(0.95, 79, (agree - right).mean(), stats.sem((agree - right)[0]))
    assert [end[0] for end in found.interval()] == pytest.approx(expected)


def test_only_the_upper_end_is_widened_and_by_one_question_s_worth() -> None:
    agree, right = np.full((1, 50), 0.9), np.ones((1, 50))
    right[0, :2] = 0
    found = _gap(agree, right)
    assert found.unseen[0] == pytest.approx(0.9 / 50)
    low, high = found.interval()
    plain = ratio_interval(found.ratio, (-1.0, 1.0))
    assert low[0] == plain[0][0]
    error = np.hypot(found.ratio.error[0], 0.9 / 50)
    assert high[0] == pytest.approx(found.ratio.estimate[0] + stats.t.ppf(0.975, 49) * error)


def test_a_change_is_widened_upwards_by_the_later_and_downwards_by_the_earlier_level() -> None:
    agree, right = np.full((1, 50), 0.9), np.ones((1, 50))
    few = right.copy()
    few[0, :2] = 0
    many = right.copy()
    many[0, :20] = 0
    plain = gap_change(_gap(agree, many), _gap(agree, 1 - many)).change
    rising = gap_change(_gap(agree, few), _gap(agree, many))
    falling = gap_change(_gap(agree, many), _gap(agree, few))
    for change, wide in ((rising, 0), (falling, 1)):
        both = change.change.interval((-1.0, 1.0))
        ends = change.interval()
        assert ends[1 - wide][0] == pytest.approx(both[1 - wide][0])
        assert abs(ends[wide][0] - change.change.estimate[0]) > abs(both[wide][0] - change.change.estimate[0])
    assert plain.error[0] > 0


def test_p_of_no_change_goes_with_the_interval() -> None:
    rng = np.random.default_rng(1)
    change = gap_change(
        _sure(rng, 300, 0.6), _gap(rng.random((300, 60)), rng.binomial(1, 0.4, (300, 60)).astype(float))
    )
    low, high = change.interval()
    known = np.isfinite(low)
    assert known.any()
    assert ((change.p_values() < 0.05) == ((low > 0) | (high < 0)))[known].all()
    assert ((change.p_of_at_most(-0.02) < 0.025) == (low > -0.02))[known].all()


@pytest.mark.parametrize("sure", [0.3, 0.6, 0.95])
def test_all_or_nothing_models_are_covered(sure: float) -> None:
    found = _sure(np.random.default_rng(2), 1000, sure)
    low, high = found.interval()
    plain = ratio_interval(found.ratio, (-1.0, 1.0))
    assert np.mean((low <= 0) & (high >= 0)) > 0.92
    assert np.mean((plain[0] <= 0) & (plain[1] >= 0)) < 0.9
