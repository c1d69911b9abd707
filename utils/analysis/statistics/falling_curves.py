"""Falling curves: isotonic means against a severity, and the severity at which a share of the start is lost.

A mean over items cannot be said to follow any parametric family (a sigmoid, a line with a kink), so nothing but its
direction is assumed: the least-squares curve among those that never rise (Barlow, Bartholomew, Bremner and Brunk,
"Statistical inference under order restrictions", 1972), by SciPy's `isotonic_regression`, with straight lines between
the severities at which it was measured.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from .clustered import Array

STEEP = 0.5
"""Share of the first value from which a step is too steep for a straight line to say where in it the fall lies."""

_APART = 4.0  # between rows of values in [-1, 1], so that no two rows are averaged
_ROUNDING = 1e-9


def falling(values: Array, weights: Array) -> Array:
    """Return the isotonic, never rising curve of each row.

    All rows are one call of SciPy: each begins well below the end of the row before, so that none touches another.

    Args:
        values: (r, S) means in [-1, 1] at S severities in ascending order, without NaN.
        weights: (S,) items behind each, above 0.

    Returns:
        (r, S) curves.
    """
    rows, number = values.shape
    lowered = _APART * np.arange(rows)[:, None]
    found = isotonic_regression((values - lowered).ravel(), weights=np.tile(weights, rows), increasing=False).x.reshape(
        rows, number
    )
    curves: Array = found + lowered
    return curves


@dataclass(frozen=True)
class Crossings:
    """Where curves have lost a share of their first value: infinity where they do not, NaN where that is not above 0.

    Attributes:
        place: (r,) on straight lines between the points.
        earliest, latest: (r,) the ends of what the points leave open. Where a single step loses half of the first value
            or more, nobody knows where in the step it falls, and these are its ends; elsewhere the place itself.
    """

    place: Array
    earliest: Array
    latest: Array


def crossings(axis: Array, curves: Array, lost: float) -> Crossings:
    """Return where each curve has lost a share of its first value.

    Args:
        axis: (S,) ascending, 0 first, S >= 2.
        curves: (r, S) never rising.
        lost: the share, in (0, 1).
    """
    start = curves[:, 0]
    target = (1 - lost) * start
    below: NDArray[np.bool_] = curves <= target[:, None] + _ROUNDING
    after = np.maximum(below.argmax(axis=1), 1)
    rows = np.arange(len(curves))
    high, low = curves[rows, after - 1], curves[rows, after]
    share = np.divide(high - target, high - low, out=np.ones_like(high), where=high - low > _ROUNDING)
    before, behind = axis[after - 1], axis[after]
    place = before + np.clip(share, 0.0, 1.0) * (behind - before)
    steep = high - low >= STEEP * start

    def known(found: Array) -> Array:
        return np.where(start > _ROUNDING, np.where(below.any(axis=1), found, np.inf), np.nan)

    return Crossings(known(place), known(np.where(steep, before, place)), known(np.where(steep, behind, place)))
