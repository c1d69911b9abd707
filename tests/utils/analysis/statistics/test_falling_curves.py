"""Isotonic curves and where they have lost a share."""

from __future__ import annotations

import numpy as np
import pytest

from medqdeg.utils.analysis.statistics.falling_curves import crossings, falling


def by_definition(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """min over a <= j of max over b >= j of the weighted mean of a..b (Barlow and others, 1972, theorem 1.4)."""
    number = len(values)

    def mean(a: int, b: int) -> float:
        return float(np.average(values[a : b + 1], weights=weights[a : b + 1]))

    return np.array([min(max(mean(a, b) for b in range(j, number)) for a in range(j + 1)) for j in range(number)])


def test_rows_are_the_isotonic_curves_of_each_row_alone() -> None:
    rng = np.random.default_rng(3)
    values = rng.uniform(-1, 1, (40, 7)) - 0.2 * np.arange(7)
    values = np.clip(values, -1, 1)
    weights = rng.integers(1, 9, 7).astype(float)
    found = falling(values, weights)
    expected = [by_definition(row, weights) for row in values]
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert (np.diff(found, axis=1) <= 1e-9).all()


def test_rows_at_the_ends_of_the_range_do_not_touch() -> None:
    values = np.array([[-1.0, -1.0], [1.0, 1.0]] * 500)
    np.testing.assert_allclose(falling(values, np.ones(2)), values, atol=1e-9)


def test_a_line_is_crossed_where_it_says() -> None:
    axis = np.array([0.0, 0.5, 1.0, 2.0, 3.0])
    found = crossings(axis, np.array([0.6 * (1 - 0.25 * axis)]), 0.5)
    assert found.place[0] == pytest.approx(2.0)
    assert found.earliest[0] == found.latest[0] == found.place[0]
    assert crossings(axis, np.array([0.6 * (1 - 0.25 * axis)]), 0.1).place[0] == pytest.approx(0.4)


def test_what_does_not_fall_so_far_is_beyond() -> None:
    axis = np.array([0.0, 1.0, 2.0])
    assert crossings(axis, np.array([[0.5, 0.4, 0.3]]), 0.5).place[0] == np.inf
    assert np.isnan(crossings(axis, np.array([[0.0, -0.1, -0.3]]), 0.5).place[0])


def test_in_a_steep_step_the_place_is_open() -> None:
    axis = np.array([0.0, 1.0, 1.5, 2.0])
    found = crossings(axis, np.array([[0.6, 0.6, 0.0, 0.0]]), 0.5)
    assert found.place[0] == pytest.approx(1.25)
    assert (found.earliest[0], found.latest[0]) == (1.0, 1.5)
