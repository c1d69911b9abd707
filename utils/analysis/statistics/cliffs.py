"""Is a fall a cliff? Where a curve has lost 10% and 50%, and their ratio R, with bootstrap intervals.

Of accuracy above chance, s10 and s50 are the severities at which the isotonic curve (`falling_curves`) has lost 10% and
50% of its value at severity 0. R = s10 / s50 says how sudden the fall is: 0.2 on a line, 0.45 on a parabola, towards 1
where everything is lost at once. A fall is called a cliff where the lower end of R's interval is above 0.5 on the
severity *and* on the physical parameter (R depends on the axis), no cliff where the upper end is below 0.5 on either,
and is not decided otherwise. "The second of two steps loses more" calls a parabola a cliff in 80 to 100% of
simulations.

Intervals are percentiles of whole source questions drawn anew, expanded for few questions (`bootstrap.expanded_tail`).
What a curve has not lost by its last severity is censored there. A replicate enters the lower end of an interval with
the least and the upper end with the largest value that it leaves open: where half is not lost, R lies between 0 and
s10 / (last severity); where a single step loses half, s10 and s50 lie anywhere in it (`falling_curves.Crossings`).
`benchmarks/severity_curves.py` measured coverage, false cliffs and power.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .bootstrap import expanded_tail
from .clustered import Array
from .falling_curves import Crossings, crossings, falling

CLIFF_RATIO = 0.5
"""R above which a fall is a cliff."""

EARLY, HALF = 0.1, 0.5
"""Shares lost at s10 and s50."""

PUBLISHED_END = 2.0
"""The severity of L2; beyond it the dose goes on along a straight line, so R is also given without."""

NOT_ABOVE_CHANCE = "accuracy on clean images is not above chance"
NOT_HALF_LOST = "less than half is lost"
TOO_FEW = "too few source questions"
NO_PARAMETER = "the physical parameter is not known at every severity"

FEWEST = 10
"""Effective number of source questions below which nothing is said of a cliff."""

Word = Literal["yes", "no", "not decided"]


@dataclass(frozen=True)
class Place:
    """A place on an axis with its 95% interval: infinity beyond the last severity, NaN where there is none."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Shape:
    """What a curve's fall looks like.

    Attributes:
        s10, s50: severities at which 10% and 50% of the accuracy above chance are lost.
        ratio: R on the severity; its estimate is NaN where half is not lost.
        ratio_physical: R on the physical parameter.
        ratio_to_l2: R on the severity without the severities above 2.
        cliff: the verdict.
        because: why it is not decided, or why there are no numbers; else None.
    """

    s10: Place
    s50: Place
    ratio: Place
    ratio_physical: Place
    ratio_to_l2: Place
    cliff: Word
    because: str | None


_NOTHING = Place(math.nan, math.nan, math.nan)


def shape(severities: Array, strengths: Array | None, above_chance: Array, weights: Array, effective: float) -> Shape:
    """Return the shape of one curve.

    Args:
        severities: (S,) ascending, 0 first, S >= 2.
        strengths: (S,) the physical parameter's distance from clean at each, 0 first; None where it is not known.
        above_chance: (S, 1 + R) accuracy minus chance in the data and in each replicate.
        weights: (S,) items at each severity.
        effective: source questions of equal size that would say as much.
    """
    drawn = above_chance[:, 1:]
    usable = np.isfinite(drawn).all(axis=0)
    tail = float(expanded_tail(np.array([effective]))[0])
    curves = falling(np.vstack([above_chance[:, :1].T, drawn[:, usable].T]), weights)
    starts = np.sort(curves[1:, 0])
    if math.isnan(tail) or not len(starts) or starts[int(tail * (len(starts) - 1))] <= 0 or curves[0, 0] <= 0:
        return no_shape(NOT_ABOVE_CHANCE)
    found = [crossings(severities, curves, lost) for lost in (EARLY, HALF)]
    ratio = _ratio(found, severities[-1], tail)
    physical = _NOTHING
    if strengths is not None:
        physical = _ratio([crossings(strengths, curves, lost) for lost in (EARLY, HALF)], strengths[-1], tail)
    word, because = _verdict(ratio, physical, severities[-1]) if effective >= FEWEST else ("not decided", TOO_FEW)
    early = severities <= PUBLISHED_END
    to_l2 = ratio
    if not early.all():
        shorter = falling(np.vstack([above_chance[early, :1].T, drawn[early][:, usable].T]), weights[early])
        places = [crossings(severities[early], shorter, lost) for lost in (EARLY, HALF)]
        to_l2 = _ratio(places, severities[early][-1], tail)
    s10, s50 = (_place(one, tail) for one in found)
    return Shape(s10, s50, ratio, physical, to_l2, word, because)


def no_shape(because: str) -> Shape:
    """Return the shape of a curve of which nothing can be said."""
    return Shape(*(_NOTHING,) * 5, "not decided", because)


def _place(found: Crossings, tail: float) -> Place:
    """Return where a share is lost with its interval; a replicate at chance leaves everything open."""
    at_chance = np.isnan(found.place[1:])
    earliest = np.where(at_chance, 0.0, found.earliest[1:])
    return _interval(found.place[0], earliest, np.where(at_chance, math.inf, found.latest[1:]), tail)


def _ratio(places: Sequence[Crossings], end: float, tail: float) -> Place:
    """Return R with its interval, from the least and the largest R that each replicate leaves open."""
    early, half = places
    reached = np.isfinite(half.place)
    lower = np.where(reached, np.minimum(early.earliest, end) / np.where(reached, half.latest, end), 0.0)
    first = np.where(reached & (half.earliest > 0), half.earliest, end)
    upper = np.where(half.earliest > 0, np.minimum(1.0, np.minimum(early.latest, end) / first), 1.0)
    estimate = float(early.place[0] / half.place[0]) if reached[0] else math.nan
    return _interval(estimate, lower[1:], upper[1:], tail)


def _interval(estimate: float, lower: Array, upper: Array, tail: float) -> Place:
    """Return an estimate with the lower quantile of some replicates and the upper one of others."""
    low = np.quantile(lower, tail, method="lower")
    high = np.quantile(upper, 1 - tail, method="higher")
    return Place(float(estimate), float(low), float(high))


def _verdict(ratio: Place, physical: Place, end: float) -> tuple[Word, str | None]:
    if ratio.low > CLIFF_RATIO and physical.low > CLIFF_RATIO:
        return "yes", None
    if ratio.high < CLIFF_RATIO or physical.high < CLIFF_RATIO:
        return "no", None
    if math.isnan(ratio.estimate):
        return "not decided", f"{NOT_HALF_LOST} by severity {end:g}"
    if math.isnan(physical.low):
        return "not decided", NO_PARAMETER
    if ratio.low > CLIFF_RATIO:
        return "not decided", "R's interval on the physical parameter holds 0.5"
    return "not decided", "R's interval holds 0.5"
