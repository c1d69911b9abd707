"""The noise of T votes in one item's accuracy and agreement gap.

With the option probabilities p of an item, p_Y of the right one and S = sum p^2, the variances are p_Y (1 - p_Y) / T
and

    (4 (T - 2) (sum p^3 - S^2) + 2 (S - S^2)) / (T (T - 1)) + p_Y (1 - p_Y) / T - 4 p_Y (p_Y - S) / T

(the share of agreeing pairs is a U-statistic). Coefficients of functions of T, so that they add up over items.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .clustered import Array
from .estimators import shrunken_shares


@dataclass(frozen=True)
class VoteNoise:
    """Variance of one item's vote-based figures, as coefficients of functions of T.

    Attributes:
        accuracy: p_Y (1 - p_Y).
        cubes: sum p^3 - S^2.
        squares: S - S^2.
        mixed: p_Y (1 - p_Y) - 4 p_Y (p_Y - S).
    """

    accuracy: float
    cubes: float
    squares: float
    mixed: float

    def at(self, figure: str, trials: float) -> float:
        """Return the variance of "accuracy" or "gap" with T votes (infinity: none); the gap needs two."""
        if math.isinf(trials):
            return 0.0
        if figure == "accuracy":
            return self.accuracy / trials
        if trials < 2:
            return math.nan
        pairs = trials * (trials - 1)
        return (4 * (trials - 2) * self.cubes + 2 * self.squares) / pairs + self.mixed / trials


def vote_noise(p: Array) -> Array:
    """Return (4, n) coefficients of `VoteNoise` from known probabilities, the right option first."""
    right, squares, cubes = p[:, 0], (p**2).sum(axis=1), (p**3).sum(axis=1)
    spread = right * (1 - right)
    return np.array([spread, cubes - squares**2, squares - squares**2, spread - 4 * right * (right - squares)])


def estimated_vote_noise(counts: Array, unread: Array, k: NDArray[np.int64], answer: NDArray[np.int64]) -> Array:
    """Return (4, n) coefficients of `VoteNoise` from votes: unbiased from four readable trials on.

    With fewer, James-Stein shares stand in for the probabilities; one vote tells nothing, and gives NaN.

    Args:
        counts: (n, K_max) readable votes.
        unread: (n,) unread votes, which neither agree nor are right.
        k: (n,) numbers of options.
        answer: (n,) place of the right option.
    """
    counts = np.asarray(counts, dtype=float)
    trials = counts.sum(axis=1) + unread
    rows = np.arange(len(counts))
    c = counts[rows, answer]

    def falling(values: Array, steps: int) -> Array:
        product: Array = np.prod([values - step for step in range(steps)], axis=0)
        return product

    with np.errstate(invalid="ignore", divide="ignore"):
        two, three, four = (falling(trials, steps) for steps in (2, 3, 4))
        pairs = falling(counts, 2)
        squares, cubes = pairs.sum(axis=1) / two, falling(counts, 3).sum(axis=1) / three
        square_of_squares = (pairs.sum(axis=1) ** 2 - (pairs**2).sum(axis=1) + falling(counts, 4).sum(axis=1)) / four
        right_squared = falling(c, 2) / two
        right_times_squares = (falling(c, 3) + c * (pairs.sum(axis=1) - falling(c, 2))) / three
        spread = c / trials - right_squared
        unbiased = np.array(
            [
                spread,
                cubes - square_of_squares,
                squares - square_of_squares,
                spread - 4 * (right_squared - right_times_squares),
            ]
        )
    few = (trials >= 2) & (trials < 4)
    if few.any():
        shares = (counts[few] + (unread[few] / k[few])[:, None] * (np.arange(counts.shape[1]) < k[few][:, None])) / (
            trials[few][:, None]
        )
        p = shrunken_shares(shares, k[few], trials[few])
        own = answer[few]
        first = np.take_along_axis(p, own[:, None], axis=1)[:, 0]
        p[np.arange(len(p)), own] = p[:, 0]
        p[:, 0] = first
        unbiased[:, few] = vote_noise(p)
    unbiased[:, trials < 2] = np.nan
    return unbiased
