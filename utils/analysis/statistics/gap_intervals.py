"""95% intervals of the agreement gap, also of a model that is all but sure of most of what it says.

The interval is Student's on the clustered error. Where answers are few and sure, one source question answered wrongly
and with confidence moves the gap by

    W = a / G_eff,   a = sum agree / sum w,

and a sample that by chance holds none of them has a small error and a gap below the truth. How many it holds is

    m_w = sum_g max(0, agree_g - right_g) / (a S / G_eff),

in units of a question that is wrong throughout. With m_w below 5 the upper end, which is the one in danger, is taken
with the error sqrt(se^2 + W^2). A change is widened upwards where the later level holds too
few, and downwards where the earlier one does. Without this the interval covers 70 to 88% for models that either know
or guess at T = 100 and 60 source questions, with it 93 to 100% (`benchmarks/coverage.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .clustered import (
    Array,
    ClusteredChange,
    ClusteredRatio,
    clustered_change,
    clustered_ratio,
    one_sided_p,
    ratio_interval,
    student_quantile,
)

FEWEST_SURELY_WRONG = 5
"""m_w below which the upper end is widened."""

BOUNDS = (-1.0, 1.0)


@dataclass(frozen=True)
class LevelGap:
    """The gaps of one level: (s,) sets of items.

    Attributes:
        ratio: sums of agree - right over sums of w.
        agree: (s,) mean agreement among readable pairs, or mean stated confidence, in [0, 1].
    """

    ratio: ClusteredRatio
    agree: Array

    @property
    def unseen(self) -> Array:
        """(s,) W where too few questions are wrong with confidence, else 0."""
        ratio = self.ratio
        size = ratio.sizes.sum(axis=1) / np.where(ratio.effective > 0, ratio.effective, np.nan)
        scale = self.agree * size
        wrong = np.maximum(ratio.sums, 0.0).sum(axis=1)
        surely = np.divide(wrong, scale, out=np.zeros_like(wrong), where=scale > 0)
        effective = np.where(ratio.effective > 0, ratio.effective, np.nan)
        return np.where(surely < FEWEST_SURELY_WRONG, self.agree / effective, 0.0)

    def interval(self) -> tuple[Array, Array]:
        """Return both ends within [-1, 1]."""
        low, high = ratio_interval(self.ratio, BOUNDS)
        unseen = self.unseen
        reach = student_quantile(self.ratio.effective - 1) * np.sqrt(self.ratio.error**2 + unseen**2)
        wider = np.minimum(self.ratio.estimate + reach, BOUNDS[1])
        return low, np.where(np.isfinite(high), np.fmax(high, wider), np.nan)


def level_gap(agree: Array, right: Array, weight: Array, items: Array) -> LevelGap:
    """Return the gaps from (s, G) sums over clusters of agree, right and w, and the items behind them."""
    whole = weight.sum(axis=1)
    mean = np.divide(agree.sum(axis=1), whole, out=np.full_like(whole, np.nan), where=whole > 0)
    return LevelGap(clustered_ratio(agree - right, weight, items), mean)


@dataclass(frozen=True)
class GapChange:
    """Changes of the gap, later minus earlier.

    Attributes:
        change: the differences and their clustered errors.
        unseen_earlier, unseen_later: (s,) W of both levels.
    """

    change: ClusteredChange
    unseen_earlier: Array
    unseen_later: Array

    def interval(self) -> tuple[Array, Array]:
        """Return both ends within [-1, 1]; NaN where too few source questions change."""
        quantile = student_quantile(self.change.freedom)
        below, above = (
            quantile * np.sqrt(self.change.error**2 + unseen**2) for unseen in (self.unseen_earlier, self.unseen_later)
        )
        estimate = self.change.estimate
        return np.maximum(estimate - below, BOUNDS[0]), np.minimum(estimate + above, BOUNDS[1])

    def p_of_at_most(self, null: float) -> Array:
        """Return the one-sided p-values of "the change is at most `null`"."""
        error = np.sqrt(self.change.error**2 + self.unseen_earlier**2)
        return one_sided_p(self.change.estimate, error, self.change.freedom, null)

    def p_values(self) -> Array:
        """Return two-sided p-values of "no change"."""
        error = np.sqrt(self.change.error**2 + self.unseen_later**2)
        down = one_sided_p(-self.change.estimate, error, self.change.freedom, 0.0)
        p: Array = np.minimum(1.0, 2 * np.minimum(self.p_of_at_most(0.0), down))
        return p


def gap_change(earlier: LevelGap, later: LevelGap) -> GapChange:
    """Return the changes between two levels on the same clusters."""
    return GapChange(clustered_change(earlier.ratio, later.ratio), earlier.unseen, later.unseen)
