"""What changes between two levels, or between two runs, with clustered errors: means, AUROC and the agreement gap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .cell_ratios import CellRatios, Estimates, too_few_differ
from .level_estimates import Aurocs
from .statistics.agreement_gap import GapTerms
from .statistics.clustered import (
    ClusteredChange,
    ClusteredRatio,
    changing_clusters,
    clustered_change,
    clustered_ratio,
    standard_error,
)
from .statistics.comparisons import unit_means
from .statistics.gap_intervals import LevelGap, gap_change

Array = NDArray[np.float64]
Rows = Sequence[int]

FEWEST_QUESTIONS = 2


@dataclass(frozen=True)
class Sizes:
    """Items and source questions behind a change.

    Attributes:
        n: (s,) items.
        clusters: (s,) source questions.
    """

    n: NDArray[np.int64]
    clusters: NDArray[np.int64]


def rows_of(found: ClusteredRatio, rows: Rows) -> ClusteredRatio:
    """Return some of the ratios."""
    chosen = list(rows)
    parts = (found.sums, found.sizes, found.items, found.estimate, found.influence)
    return ClusteredRatio(*(part[chosen] for part in parts))


def smaller(first: ClusteredRatio, second: ClusteredRatio, n: tuple[NDArray[np.int64], NDArray[np.int64]]) -> Sizes:
    """Return the smaller sizes of two ratios."""
    clusters = np.minimum(first.clusters, second.clusters)
    return Sizes(np.minimum(*n).astype(np.int64), clusters.astype(np.int64))


def mean_change(earlier: ClusteredRatio, later: ClusteredRatio, sizes: Sizes, bounds: tuple[float, float]) -> Estimates:
    """Return later - earlier of means on the same source questions."""
    change = clustered_change(earlier, later)
    return _estimates(change, change.interval(bounds), change.p_values(), sizes)


def of_zero(found: ClusteredRatio, sizes: Sizes, bounds: tuple[float, float]) -> Estimates:
    """Return means of differences as changes from zero."""
    nothing = np.zeros_like(found.sums)
    return mean_change(clustered_ratio(nothing, found.sizes, found.items), found, sizes, bounds)


def mean_cliff(levels: Sequence[ClusteredRatio], sizes: Sizes, bounds: tuple[float, float]) -> Estimates:
    """Return (third - second) - (second - first) of means at three levels."""
    first, second, third = levels
    influence = third.influence - 2 * second.influence + first.influence
    clusters = np.max([level.clusters for level in levels], axis=0)
    effective = np.min([level.effective for level in levels], axis=0)
    change = ClusteredChange(
        third.estimate - 2 * second.estimate + first.estimate,
        standard_error(influence, clusters),
        effective,
        *changing_clusters(third.own - 2 * second.own + first.own, effective),
    )
    return _estimates(change, change.interval(bounds), change.p_values(), sizes)


def gap_changes(earlier: LevelGap, later: LevelGap, sizes: Sizes) -> Estimates:
    """Return later - earlier of agreement gaps."""
    found = gap_change(earlier, later)
    return _estimates(found.change, found.interval(), found.p_values(), sizes)


def auroc_change(earlier: Aurocs, later: Aurocs, before: Rows, after: Rows, sizes: Sizes) -> Estimates:
    """Return later - earlier of AUROCs; the smaller m of the majority vote stands for the questions that differ."""
    first, second = list(before), list(after)
    clusters = np.maximum(earlier.items.clusters[first], later.items.clusters[second])
    change = ClusteredChange(
        later.values[second] - earlier.values[first],
        standard_error(later.influence[second] - earlier.influence[first], clusters),
        np.minimum(earlier.items.effective[first], later.items.effective[second]),
        np.minimum(earlier.differing[first], later.differing[second]),
        np.zeros(len(first)),
    )
    return _estimates(change, change.interval((-1.0, 1.0)), change.p_values(), sizes)


def matched_columns(
    values: Array, units: NDArray[np.int64], before: NDArray[np.bool_], after: NDArray[np.bool_]
) -> tuple[Array, Array]:
    """Return earlier and later value of each item of `after` that has both; NaN elsewhere.

    Args:
        values: (n,) values.
        units: (n,) what an item shares with its own earlier version: source question, or question and degradation.
        before, after: (n,) items of the two levels.
    """
    earlier = unit_means(values, units, before)
    both = after & np.isfinite(values) & np.isfinite(earlier)
    return np.where(both, earlier, np.nan), np.where(both, values, np.nan)


def matched_terms(
    terms: GapTerms, units: NDArray[np.int64], before: NDArray[np.bool_], after: NDArray[np.bool_]
) -> tuple[GapTerms, GapTerms]:
    """Return the gap terms of `matched_columns`, of the earlier and of the later version."""
    pairs = [
        matched_columns(part, units, before, after) for part in (terms.agree, terms.right, terms.weight, terms.readable)
    ]
    return GapTerms(*(pair[0] for pair in pairs)), GapTerms(*(pair[1] for pair in pairs))


def item_sizes(ratios: CellRatios, known: NDArray[np.bool_], clusters: Array) -> Sizes:
    """Return how many of some items every cell has."""
    return Sizes(ratios.count(known), clusters.astype(np.int64))


def _estimates(change: ClusteredChange, ends: tuple[Array, Array], p: Array, sizes: Sizes) -> Estimates:
    number = len(change.estimate)
    missing = np.isnan(ends[0]) & np.isfinite(change.estimate) & (change.effective >= FEWEST_QUESTIONS)
    reasons = tuple(
        too_few_differ(float(change.differing[place])) if missing[place] else None for place in range(number)
    )
    bound = np.zeros(number, dtype=bool)
    return Estimates(
        *(change.estimate, *ends, sizes.n, sizes.clusters, change.effective, bound, reasons, change.error, p)
    )
