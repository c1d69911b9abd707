"""Clustered ratios of every cell: sums over the items of each source question, weighted where the run is a subset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .statistics.agreement_gap import GapTerms
from .statistics.clustered import ClusteredRatio, clustered_ratio, sums_by_place
from .statistics.gap_intervals import LevelGap, level_gap

Array = NDArray[np.float64]
_Key = TypeVar("_Key")


class CellRatios:
    """Sums of items by cell and source question.

    Args:
        items: the places of each cell's items.
        clusters: (n,) number 0..size-1 of each item's source question.
        size: source questions.
        weight: (n,) how many items of the whole set each stands for.
    """

    def __init__(
        self, items: Mapping[_Key, NDArray[np.int64]], clusters: NDArray[np.int64], size: int, weight: Array
    ) -> None:
        self.number = len(items)
        self.size = size
        self.weight = weight
        self._items = list(items.values())
        self._clusters = clusters
        self._row = np.concatenate([np.array([], dtype=np.int64), *items.values()])
        cell = np.repeat(np.arange(self.number), [len(rows) for rows in items.values()])
        self._cell = cell
        self._place = cell * size + clusters[self._row]

    def chosen(self, cells: Sequence[int]) -> CellRatios:
        """Return those of some of the cells."""
        items = {place: self._items[cell] for place, cell in enumerate(cells)}
        return CellRatios(items, self._clusters, self.size, self.weight)

    def sums(self, values: Array) -> Array:
        """Return (cells, source questions) weighted sums; NaN counts as 0."""
        own = (np.nan_to_num(values) * self.weight)[self._row]
        return sums_by_place(self._place, own, self.number * self.size).reshape(-1, self.size)

    def count(self, known: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return (cells,) numbers of items, not weighted."""
        return np.bincount(self._cell[known[self._row]], minlength=self.number)

    def mean(self, values: Array) -> ClusteredRatio:
        """Return the means of a column, over the items that have it."""
        return clustered_ratio(self.sums(values), self.sums(np.isfinite(values).astype(float)))

    def ratio(self, numerators: Array, denominators: Array) -> ClusteredRatio:
        """Return the ratios of two columns' sums, over the items that have the first."""
        known = np.isfinite(numerators)
        return clustered_ratio(
            self.sums(numerators), self.sums(np.where(known, denominators, np.nan)), self.sums(known.astype(float))
        )

    def gap(self, terms: GapTerms) -> LevelGap:
        """Return the agreement gaps."""
        known = np.isfinite(terms.weight)
        agree, right, weight = map(self.sums, (terms.agree, terms.right, terms.weight))
        return level_gap(agree, right, weight, self.sums(known.astype(float)))


@dataclass(frozen=True)
class Estimates:
    """One figure of some cells, with what is printed of it.

    Attributes:
        values: (s,) estimates, NaN where the figure does not exist.
        low, high: (s,) ends of the 95% interval, NaN where there is none.
        n: (s,) items that have the figure.
        clusters: (s,) their source questions.
        effective: (s,) source questions of equal size that would say as much.
        bound: (s,) whether the interval is a bound, which covers far more than 95%.
        reasons: why there is no estimate or no interval; None where there is one, or where the reason is that there
            are fewer than two source questions.
        errors: (s,) clustered standard errors, NaN where there is none.
        p: (s,) two-sided p-values of "0", NaN where there is none.
    """

    values: Array
    low: Array
    high: Array
    n: NDArray[np.int64]
    clusters: NDArray[np.int64]
    effective: Array
    bound: NDArray[np.bool_]
    reasons: tuple[str | None, ...]
    errors: Array
    p: Array

    def rows(self, chosen: NDArray[np.int64] | list[int]) -> Estimates:
        """Return some of the cells."""
        return Estimates(
            self.values[chosen],
            self.low[chosen],
            self.high[chosen],
            self.n[chosen],
            self.clusters[chosen],
            self.effective[chosen],
            self.bound[chosen],
            tuple(self.reasons[place] for place in chosen),
            self.errors[chosen],
            self.p[chosen],
        )

    def without(self, reason: str, chosen: NDArray[np.bool_] | None = None) -> Estimates:
        """Return the same without estimate and interval where chosen (None for everywhere)."""
        gone = np.ones(len(self.values), dtype=bool) if chosen is None else chosen

        def nan(part: Array) -> Array:
            return np.where(gone, np.nan, part)

        return replace(
            self,
            values=nan(self.values),
            low=nan(self.low),
            high=nan(self.high),
            errors=nan(self.errors),
            p=nan(self.p),
            bound=self.bound & ~gone,
            reasons=tuple(reason if out else own for out, own in zip(gone, self.reasons, strict=True)),
        )


def too_few_differ(differing: float) -> str:
    """Return the reason against an interval where too few source questions differ."""
    return f"too few questions differ (m={differing:.1f})"


def estimates(
    found: ClusteredRatio,
    ends: tuple[Array, Array],
    *,
    n: NDArray[np.int64],
    bound: NDArray[np.bool_] | None = None,
    reasons: Mapping[int, str] | None = None,
    p: Array | None = None,
) -> Estimates:
    """Return the estimates of ratios.

    Args:
        found: the ratios.
        ends: of their intervals.
        n: (s,) items behind them.
        bound: which intervals are bounds; none if None.
        reasons: place -> why there is no interval.
        p: (s,) p-values, if there are any.
    """
    number = len(found.estimate)
    return Estimates(
        found.estimate,
        *ends,
        n.astype(np.int64),
        found.clusters.astype(np.int64),
        found.effective,
        np.zeros(number, dtype=bool) if bound is None else bound,
        tuple((reasons or {}).get(place) for place in range(number)),
        found.error,
        np.full(number, np.nan) if p is None else p,
    )
