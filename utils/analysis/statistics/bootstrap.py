"""Cluster bootstrap: whole source questions are drawn anew, with every item that belongs to them.

A source question appears clean, and up to three times at each degraded level; its items rise and fall together. A
bootstrap that draws single items takes them for independent and comes out too narrow. Here a replicate is a number of
times that each cluster is drawn; a statistic of sums over items needs these numbers and each cluster's sums only, so
that all replicates of all nodes are matrix products. One set of draws serves all levels, nodes and models, which makes
their differences paired.

Two kinds of interval, by what `benchmarks/coverage.py` measured with some tens of clusters, where a plain percentile
interval is too narrow:

- of a mean (`studentised_intervals`): bootstrap-t (Efron and Tibshirani, "An introduction to the bootstrap", 1993,
  section 12.5) with the linearised, clustered standard error of a ratio. Means of skewed, bounded numbers need it.
- of an area under a curve and its differences (`intervals`): expanded percentile intervals (Hesterberg, "What teachers
  should know about the bootstrap", The American Statistician 69, 2015, section 5.3), the quantiles of the replicates at
  the levels at which a percentile interval of a mean is as wide as Student's t interval.
- of the ECE, which noise can only raise, and its differences (`bias_aware_intervals`): wide enough for the metric with
  and without its bias.

Clusters of unequal size count for fewer: G is (sum n_g)^2 / sum n_g^2 for clusters of n_g items.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, special

Array = NDArray[np.float64]

SMALL = 30
"""A node with fewer clusters than this is marked small: its interval rests on too little to be trusted."""

_FEW = 10
_CONSTANT = 1e-12  # what differs by less is the same number
_NO_ERROR = 1e-7  # a standard error of 0 comes out as the root of a rounding error
_CHUNK = 256  # columns turned into floating point at a time


@dataclass(frozen=True)
class ClusterBootstrap:
    """Draws of clusters with replacement.

    Attributes:
        clusters: number of clusters G.
        replicates: number of replicates R.
        seed: the same clusters, replicates and seed give the same draws everywhere.
    """

    clusters: int
    replicates: int = 1000
    seed: int = 0

    def draws(self) -> NDArray[np.uint16]:
        """Return (G, 1 + R): how often each cluster counts in each weighting.

        Column 0 is all ones, the data as they are; every other column is a replicate and sums to G.
        """
        counts = np.ones((self.clusters, 1 + self.replicates), dtype=np.uint16)
        rng = np.random.default_rng(self.seed)
        for column in range(1, 1 + self.replicates):
            drawn = rng.integers(0, self.clusters, size=self.clusters)
            counts[:, column] = np.bincount(drawn, minlength=self.clusters)
        return counts


def weighted_sums(sums: Array | sparse.csr_array, draws: NDArray[np.uint16] | Array) -> Array:
    """Return the sums of every weighting, from the sums of every cluster.

    Args:
        sums: (s, G) sums of s quantities over the items of each cluster, dense or sparse.
        draws: (G, 1 + R) as `ClusterBootstrap.draws` gives.

    Returns:
        (s, 1 + R) sums.
    """
    found = np.empty((sums.shape[0], draws.shape[1]))
    for start in range(0, draws.shape[1], _CHUNK):
        part = slice(start, start + _CHUNK)
        found[:, part] = sums @ draws[:, part].astype(float, copy=False)
    return found


def expanded_tail(clusters: Array, confidence: float = 0.95) -> Array:
    """Return the tail probability at which to take the quantiles of the replicates.

    Phi(-t sqrt(G / (G - 1))) with Student's quantile t of G - 1 degrees of freedom, instead of (1 - confidence) / 2.

    Args:
        clusters: numbers of clusters G behind each statistic.
        confidence: of the interval.

    Returns:
        Probabilities; NaN where G < 2.
    """
    g = np.where(np.asarray(clusters, dtype=float) >= 2, clusters, np.nan)
    level: Array = special.ndtr(special.stdtrit(g - 1, (1 - confidence) / 2) * np.sqrt(g / (g - 1)))
    return level


def intervals(
    estimates: Array,
    replicates: Array,
    clusters: Array,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    confidence: float = 0.95,
) -> tuple[Array, Array]:
    """Return the lower and upper ends of the expanded percentile intervals of some statistics.

    Where every replicate equals the estimate (all clusters say the same, as with accuracy 1 in ten questions), the
    bootstrap has nothing to say, and its interval of no width would be false. There a bound takes its place that needs
    no more than the statistic's range [a, b]: of G clusters none differed, so with the stated confidence at most a
    share q = 1 - ((1 - confidence) / 2)^(1/G) of all clusters does, and the mean lies within q of the way to a or b.

    Args:
        estimates: (s,) statistics of the data.
        replicates: (s, R) statistics of the replicates; NaN where a replicate has none (they are left out).
        clusters: (s,) clusters behind each.
        bounds: the statistic's range.
        confidence: of the intervals.

    With fewer than ten clusters the quantiles cannot reach beyond the data, and the interval spans Student's too.

    Returns:
        Two (s,) arrays; NaN where there is no estimate, fewer than two clusters, or no replicate.
    """
    estimates, clusters = np.asarray(estimates, dtype=float), np.asarray(clusters, dtype=float)
    tail = expanded_tail(clusters, confidence)
    ordered = np.sort(replicates, axis=1)  # NaN last
    valid = np.isfinite(ordered).sum(axis=1)
    low, high = _quantile(ordered, valid, tail), _quantile(ordered, valid, 1.0 - tail)

    constant = (high - low < _CONSTANT) & (np.abs(low - estimates) < _CONSTANT)
    with np.errstate(divide="ignore"):
        share = 1.0 - ((1.0 - confidence) / 2) ** (1.0 / clusters)
    if np.all(np.isfinite(bounds)):
        low = np.where(constant, estimates - share * (estimates - bounds[0]), low)
        high = np.where(constant, estimates + share * (bounds[1] - estimates), high)
    few = (clusters < _FEW) & ~constant
    reach = _student_reach(replicates, clusters, confidence)
    low = np.where(few, np.maximum(np.minimum(low, estimates - reach), bounds[0]), low)
    high = np.where(few, np.minimum(np.maximum(high, estimates + reach), bounds[1]), high)
    usable = np.isfinite(estimates) & (clusters >= 2)
    return np.where(usable, low, np.nan), np.where(usable, high, np.nan)


def _student_reach(replicates: Array, clusters: Array, confidence: float) -> Array:
    """Return half the width of Student's interval with the replicates' standard deviation."""
    g = np.where(np.asarray(clusters) >= 2, clusters, np.nan).astype(float)
    count = np.maximum(np.isfinite(replicates).sum(axis=1), 1)
    mean = np.nansum(replicates, axis=1) / count
    deviation = np.sqrt(np.nansum((replicates - mean[:, None]) ** 2, axis=1) / count)
    reach: Array = special.stdtrit(g - 1, (1 + confidence) / 2) * np.sqrt(g / (g - 1)) * deviation
    return reach


def studentised_intervals(
    estimates: Array,
    replicates: Array,
    errors: Array,
    clusters: Array,
    bounds: tuple[float, float],
    confidence: float = 0.95,
) -> tuple[Array, Array]:
    """Return the lower and upper ends of bootstrap-t intervals of some means, within their range.

    The replicates of (mean - estimate) / standard error give the quantiles that take the place of Student's. Where more
    than one replicate in a hundred has no standard error (few clusters differ from the rest), the quantiles are out of
    reach, and the interval spans that of `intervals` and Student's own.

    Args:
        estimates: (s,) means of the data.
        replicates: (s, R) means of the replicates.
        errors: (s, 1 + R) standard errors of the data and of the replicates.
        clusters: (s,) clusters behind each.
        bounds: the range of a mean.
        confidence: of the intervals.

    Returns:
        Two (s,) arrays; NaN as with `intervals`.
    """
    low, high = intervals(estimates, replicates, clusters, bounds, confidence)
    own, theirs = errors[:, 0], errors[:, 1:]
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = np.where(theirs > _NO_ERROR, (replicates - estimates[:, None]) / theirs, np.nan)
    ordered = np.sort(ratios, axis=1)
    valid = np.isfinite(ordered).sum(axis=1)
    wanted = np.isfinite(replicates).sum(axis=1)
    tail = np.full(len(estimates), (1 - confidence) / 2)
    usable = (own > _NO_ERROR) & (valid >= 0.99 * wanted) & np.isfinite(low)
    student_low = estimates - _quantile(ordered, valid, 1.0 - tail) * own
    student_high = estimates - _quantile(ordered, valid, tail) * own
    g = np.maximum(np.asarray(clusters, dtype=float), 2)
    reach = np.where(own > _NO_ERROR, special.stdtrit(g - 1, (1 + confidence) / 2) * np.sqrt(g / (g - 1)) * own, 0.0)
    low = np.maximum(np.minimum(low, estimates - reach), bounds[0])
    high = np.minimum(np.maximum(high, estimates + reach), bounds[1])
    return (
        np.where(usable, np.maximum(student_low, bounds[0]), low),
        np.where(usable, np.minimum(student_high, bounds[1]), high),
    )


def p_values(replicates: Array, clusters: Array, null: float = 0.0) -> Array:
    """Return two-sided p-values of "the statistic is `null`" that agree with `intervals`.

    The smaller tail of the replicates beyond `null` (ties half, and never less than 1 / (R + 1)) is turned into a
    normal quantile, and that into Student's t as in `expanded_tail`.

    Args:
        replicates: (s, R) statistics of the replicates.
        clusters: (s,) clusters behind each.
        null: value under the hypothesis.

    Returns:
        (s,) values in (0, 1]; NaN where there are fewer than two clusters or no replicate.
    """
    valid = np.isfinite(replicates).sum(axis=1)
    near = np.abs(replicates - null) < _CONSTANT
    with np.errstate(invalid="ignore", divide="ignore"):
        below = (((replicates < null) & ~near).sum(axis=1) + 0.5 * near.sum(axis=1)) / valid
        tail = np.clip(np.minimum(below, 1.0 - below), 1.0 / (valid + 1.0), 0.5)
    g = np.where((np.asarray(clusters) >= 2) & (valid > 0), clusters, np.nan).astype(float)
    p: Array = np.minimum(1.0, 2.0 * special.stdtr(g - 1, special.ndtri(tail) / np.sqrt(g / (g - 1))))
    return p


def _quantile(ordered: Array, valid: NDArray[np.int64], probability: Array) -> Array:
    """Return the quantiles of rows sorted with NaN last, by linear interpolation between order statistics."""
    place = np.where(np.isfinite(probability), probability, 0.0) * np.maximum(valid - 1, 0)
    before = np.floor(place).astype(np.intp)
    after = np.minimum(before + 1, np.maximum(valid - 1, 0))
    rows = np.arange(len(ordered))
    lower = ordered[rows, before]
    value = lower + (place - before) * (ordered[rows, after] - lower)
    return np.where((valid > 0) & np.isfinite(probability), value, np.nan)
