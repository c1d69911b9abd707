"""Root mean squared calibration error, with the part that noise adds taken out.

Items are binned by vote level (tenths where there are more than ten, or none), bins merged upwards until each holds ten
source questions. With the gap of bin b (mean score minus mean credit), its share w_b of the items, Q = sum w_b gap_b^2
and V the clustered covariance matrix of sqrt(w_b) gap_b, E Q is the true value plus tr V, so the estimate is
sqrt(max(0, Q - tr V)), as in Kumar, Liang and Ma ("Verified uncertainty calibration", NeurIPS 2019) with clusters.

The interval inverts Q / c ~ noncentral chi^2(nu, theta^2 / c) with c = tr V^2 / tr V and nu = (tr V)^2 / tr V^2
(Satterthwaite's match of two moments). Far from 0, where Q - tr V > 3 sqrt(2 tr V^2), it is united with

    theta -+ t sqrt(2 tr V^2 + var) / (2 theta),

var the clustered variance of the mean of gap_b^2 - Q + 2 gap_b (d_i - gap_b), d_i the item's score minus credit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from .clustered import Array, clustered_ratio, student_quantile, sums_by_place

Places = NDArray[np.intp]

FEWEST_QUESTIONS = 10
"""Source questions that each bin holds."""

FEWEST_DIFFERING = 10
"""Effective clusters with a right, or with a wrong, majority below which there is no interval."""

_TENTHS = 10


@dataclass(frozen=True)
class BinnedGaps:
    """What the estimate and its interval need.

    Attributes:
        q: Q = sum w_b gap_b^2.
        trace: tr V.
        trace_of_square: tr V^2.
        variance_of_mean: clustered variance of the linear part far from 0.
    """

    q: float
    trace: float
    trace_of_square: float
    variance_of_mean: float

    @property
    def estimate(self) -> float:
        """sqrt(max(0, Q - tr V)), in [0, 1]."""
        return math.sqrt(max(0.0, self.q - self.trace))


def score_bins(score: Array, trials: int | None) -> NDArray[np.int64]:
    """Return each score's bin: its nearest vote level 0..T for up to ten trials, else its tenth 0..9.

    Args:
        score: (n,) values in [0, 1].
        trials: T; None for scores that are not made of votes.
    """
    if trials is not None and trials <= _TENTHS:
        return np.floor(score * trials + 0.5 + 1e-9).astype(np.int64)
    return np.minimum(np.floor(score * _TENTHS + 1e-9), _TENTHS - 1).astype(np.int64)


def merged_bins(bins: NDArray[np.int64], clusters: NDArray[np.int64], fewest: int = FEWEST_QUESTIONS) -> list[Places]:
    """Return the places of the items of each merged bin.

    From the lowest bin upwards, bins are put together until they hold `fewest` clusters; what is left at the top joins
    the bin below.
    """
    order = np.argsort(bins, kind="stable")
    edges = np.flatnonzero(np.diff(bins[order], prepend=bins[order[0]] - 1)) if len(bins) else np.array([], dtype=int)
    merged: list[Places] = []
    waiting: list[Places] = []
    for part in np.split(order, edges[1:]):
        waiting.append(part)
        together = np.concatenate(waiting)
        if len(np.unique(clusters[together])) >= fewest:
            merged.append(together)
            waiting = []
    if waiting:
        rest = np.concatenate(waiting)
        if merged:
            merged[-1] = np.concatenate([merged[-1], rest])
        elif len(rest):
            merged.append(rest)
    return merged


def binned_gaps(
    score: Array,
    credit: Array,
    bins: NDArray[np.int64],
    clusters: NDArray[np.int64],
    weight: Array | None = None,
) -> BinnedGaps | None:
    """Return the sums behind the calibration error, or None without items or with one cluster.

    Args:
        score: (n,) scores in [0, 1].
        credit: (n,) credits in [0, 1].
        bins: (n,) of `score_bins`.
        clusters: (n,) numbers of the items' clusters.
        weight: (n,) how many items each counts for; 1 if None.
    """
    weight = np.ones(len(score)) if weight is None else weight
    present, clusters = np.unique(clusters, return_inverse=True)
    if len(present) < 2:
        return None
    groups = merged_bins(bins, clusters)
    difference = score - credit
    place = np.empty(len(score), dtype=np.int64)
    for number, items in enumerate(groups):
        place[items] = number
    shape = (len(groups), len(present))
    cell = place * shape[1] + clusters
    sums = sums_by_place(cell, weight * difference, shape[0] * shape[1]).reshape(shape)
    sizes = sums_by_place(cell, weight, shape[0] * shape[1]).reshape(shape)
    found = clustered_ratio(sums, sizes)
    gap, share = found.estimate, sizes.sum(axis=1) / weight.sum()
    q = float(share @ gap**2)
    g = shape[1]
    scaled = np.sqrt(share)[:, None] * found.influence
    covariance = (g - 1) / g * scaled @ scaled.T
    linear = gap[place] ** 2 - q + 2 * gap[place] * (difference - gap[place])
    mean = clustered_ratio(
        sums_by_place(clusters, weight * linear, g)[None],
        sums_by_place(clusters, weight, g)[None],
    )
    return BinnedGaps(q, float(np.trace(covariance)), float((covariance**2).sum()), float(mean.error[0] ** 2))


def calibration_error_interval(found: BinnedGaps, differing: float) -> tuple[float, float]:
    """Return the interval of the calibration error, within [0, 1]; NaN where fewer than `FEWEST_DIFFERING` differ.

    Args:
        found: of `binned_gaps`.
        differing: m of the majority vote.
    """
    if not differing >= FEWEST_DIFFERING or not found.trace > 0:
        return math.nan, math.nan
    scale = found.trace_of_square / found.trace
    freedom = found.trace**2 / found.trace_of_square
    low, high = (
        math.sqrt(scale * _noncentrality(found.q / scale, freedom, probability)) for probability in (0.975, 0.025)
    )
    if found.q - found.trace > 3 * math.sqrt(2 * found.trace_of_square):
        theta = found.estimate
        quantile = float(student_quantile(np.array(differing - 1)))
        spread = math.sqrt(2 * found.trace_of_square + found.variance_of_mean)
        low, high = (
            min(low, theta - quantile * spread / (2 * theta)),
            max(high, theta + quantile * spread / (2 * theta)),
        )
    return max(low, 0.0), min(high, 1.0)


def _noncentrality(value: float, freedom: float, probability: float) -> float:
    """Return the noncentrality at which chi^2 of these degrees of freedom is below `value` with this probability.

    0 where even the central one is below it more rarely.
    """

    def excess(root: float) -> float:
        return float(special.chndtr(value, freedom, root**2)) - probability

    if excess(0.0) <= 0:
        return 0.0
    far = math.sqrt(value) + 10.0  # a noncentral chi of this centre is below sqrt(value) by ten standard deviations
    return float(optimize.brentq(excess, 0.0, far, xtol=1e-10)) ** 2
