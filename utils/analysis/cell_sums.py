"""Every figure of every cell, in the data and in every bootstrap replicate.

A cell is a level and a node on an axis. A mean is two sums over items, so for all cells and replicates it is two matrix
products with the draws of the clusters; a calibration metric is a function of such sums over the cell's tie groups.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from .item_table import ItemTable
from .metrics import BOOTSTRAPPED, MEANS
from .statistics import bootstrap, calibration
from .statistics.bootstrap import weighted_sums
from .statistics.clustered import sums_by_place

Array = NDArray[np.float64]
Draws = NDArray[np.uint16]

COVERAGES: Array = np.arange(1, 21) / 20
"""Coverages at which the risk-coverage curve is tabulated."""

_SAME_SCORE = 9  # decimals: scores that differ by less are one tie group
_WEIGHTS_AT_ONCE = 20_000_000  # draws held as floating point: 160 MB
_GROUPS_AT_ONCE = 2_000_000  # values of a table of tie groups by replicates held at a time


@dataclass(frozen=True, order=True)
class Cell:
    """A level and a node on an axis."""

    level: str
    axis: str
    node: str


@dataclass(frozen=True)
class Replicates:
    """One figure of some cells.

    Attributes:
        values: (cells, 1 + R) the figure in the data and in the replicates, NaN where it does not exist.
        n: (cells,) items that have the figure.
        clusters: (cells,) their source questions.
        effective: (cells,) source questions of equal size that would say as much: (sum n_g)^2 / sum n_g^2.
        errors: (cells, 1 + R) standard errors of a mean, or None where there is no formula.
    """

    values: Array
    n: NDArray[np.int64]
    clusters: NDArray[np.int64]
    effective: Array
    errors: Array | None = None

    def rows(self, chosen: Sequence[int]) -> Replicates:
        """Return some of the cells."""
        errors = None if self.errors is None else self.errors[chosen]
        return Replicates(self.values[chosen], self.n[chosen], self.clusters[chosen], self.effective[chosen], errors)

    def intervals(self, bounds: tuple[float, float]) -> tuple[Array, Array]:
        """Return the lower and upper ends of the 95% intervals."""
        estimates, replicates = self.values[:, 0], self.values[:, 1:]
        if self.errors is None:
            return bootstrap.intervals(estimates, replicates, self.effective, bounds)
        return bootstrap.studentised_intervals(estimates, replicates, self.errors, self.effective, bounds)

    def p_values(self) -> Array:
        """Return two-sided p-values of "the figure is 0"."""
        return bootstrap.p_values(self.values[:, 1:], self.effective)


def combined(parts: Sequence[Replicates], values: Array) -> Replicates:
    """Return replicates computed from those of several figures; each cell is as large as its smallest part."""
    return Replicates(
        values,
        np.min([part.n for part in parts], axis=0),
        np.min([part.clusters for part in parts], axis=0),
        np.min([part.effective for part in parts], axis=0),
    )


@dataclass(frozen=True)
class Curves:
    """The two curves of one cell, in the data and in the replicates.

    Attributes:
        levels: (b,) vote levels that occur, as scores.
        count: (b,) items at each.
        clusters: (b,) source questions at each.
        score: (b,) their mean score.
        credit: (b, 1 + R) their mean credit.
        risk: (c, 1 + R) error rate at `COVERAGES`.
        cell_n: items of the cell with a score.
        cell_clusters: their source questions.
    """

    levels: Array
    count: NDArray[np.int64]
    clusters: NDArray[np.int64]
    score: Array
    credit: Array
    risk: Array
    cell_n: int
    cell_clusters: int


class _Counts:
    """How many items with a figure each cell has, by cluster and in every weighting."""

    def __init__(self, n: NDArray[np.int64], by_cluster: Array, weighted: Array, weighted_squares: Array) -> None:
        self.n = n
        self.by_cluster = by_cluster
        self.weighted = weighted
        self.weighted_squares = weighted_squares
        self.clusters = (by_cluster > 0).sum(axis=1)
        self.effective = effective_clusters(by_cluster)


def effective_clusters(by_cluster: Array) -> Array:
    """Return (sum n_g)^2 / sum n_g^2 of each row of (rows, clusters) sizes n_g; 0 where all are 0."""
    squares = (by_cluster**2).sum(axis=1)
    number: Array = np.divide(by_cluster.sum(axis=1) ** 2, squares, out=np.zeros(len(by_cluster)), where=squares > 0)
    return number


class CellSums:
    """The cells of a table and their sums by cluster."""

    def __init__(self, table: ItemTable, draws: Draws) -> None:
        self.table = table
        self.draws = draws
        # Products want floating point; converted once, unless that takes too much memory.
        self._weights = draws.astype(float) if draws.size <= _WEIGHTS_AT_ONCE else draws
        self.items: dict[Cell, NDArray[np.int64]] = dict(sorted(_cells(table)))
        self.cells: tuple[Cell, ...] = tuple(self.items)
        self._row = np.concatenate([*self.items.values()])
        self._cell = np.repeat(np.arange(len(self.cells)), [len(items) for items in self.items.values()])
        self._counted: dict[bytes, _Counts] = {}

    def mean(self, values: Array, *, with_errors: bool = False) -> Replicates:
        """Return the mean of a column, over the items that have it, for every cell.

        The standard error is the linearised one of a ratio of sums over clusters, sum X_g / sum n_g = m: the root of
        sum (X_g - m n_g)^2, divided by sum n_g.
        """
        known = np.isfinite(values)
        counts = self._count(known)
        filled = np.flatnonzero(counts.n)  # a matched change has values at one level only
        sums, sizes = self._by_cluster(values, known)[filled], counts.by_cluster[filled]
        count = counts.weighted[filled]
        parts = [sums, sums**2, sums * sizes] if with_errors else [sums]
        total, *products = np.split(weighted_sums(np.concatenate(parts), self._weights), len(parts))
        mean = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
        errors = None
        if with_errors:
            squares = products[0] - 2 * mean * products[1] + mean**2 * counts.weighted_squares[filled]
            errors = self._spread(np.sqrt(np.maximum(squares, 0.0)) / np.where(count > 0, count, np.nan), filled)
        return Replicates(self._spread(mean, filled), counts.n, counts.clusters, counts.effective, errors)

    def means(self, wanted: Collection[str] = BOOTSTRAPPED) -> dict[str, Replicates]:
        """Return the bootstrapped means and differences of means; `unread_effect` needs both of its parts."""
        chosen = [name for name in MEANS if name in wanted and name in BOOTSTRAPPED]
        found = {name: self.mean(self.table.columns[name], with_errors=True) for name in chosen}
        if "unread_effect" in wanted:
            found["unread_effect"] = self._difference(found, "shift_unread_dropped", "calibration_shift")
        return found

    def _difference(self, found: Mapping[str, Replicates], name: str, other: str) -> Replicates:
        """Return the difference of two means of the same cells, which share most items, with its standard error.

        With residuals r_g = X_g - m n_g of each, the square root of the sum of (r_g / sum n_g - r'_g / sum n'_g)^2.
        """
        both = found[name], found[other]
        columns = [self.table.columns[figure] for figure in (name, other)]
        known = [np.isfinite(column) for column in columns]
        counts = [self._count(each) for each in known]
        sums = [self._by_cluster(column, each) for column, each in zip(columns, known, strict=True)]
        products = [
            [weighted_sums(first * second, self._weights) for second in (sums[1], counts[1].by_cluster)]
            for first in (sums[0], counts[0].by_cluster)
        ]
        (m, m_other), (n, n_other) = (part.values for part in both), (count.weighted for count in counts)
        shared = products[0][0] - m * products[1][0] - m_other * products[0][1] + m * m_other * products[1][1]
        with np.errstate(invalid="ignore", divide="ignore"):
            squares = sum(part.errors**2 for part in both if part.errors is not None) - 2 * shared / (n * n_other)
        joined = combined(both, m - m_other)
        return replace(joined, errors=np.sqrt(np.maximum(squares, 0.0)))

    def calibration(
        self, wanted: Container[str] = BOOTSTRAPPED, curve_axes: Container[str] | None = None
    ) -> tuple[dict[str, Replicates], dict[Cell, Curves]]:
        """Return AURC by top share and by confidence, and the curves of the cells of some axes (None for all)."""
        shape = (len(self.cells), self.draws.shape[1])
        values = {name: np.full(shape, np.nan) for name in ("aurc", "confidence_aurc") if name in wanted}
        counts = self._count(np.isfinite(self.table.columns["confidence"] + self.table.columns["majority_vote"]))
        curves = {}
        for place, (cell, items) in enumerate(self.items.items()):
            with_curves = curve_axes is None or cell.axis in curve_axes
            for prefix, column in (("", "top_share"), ("confidence_", "confidence")):
                metrics = [name for name in _METRICS if prefix + name in values]
                with_curves = with_curves and not prefix
                groups = self._tie_groups(items, column) if metrics or with_curves else None
                if groups is None:
                    continue
                found, curve = groups.evaluate(self.draws, metrics, with_curves=with_curves)
                for name, replicates in found.items():
                    values[prefix + name][place] = replicates
                if curve is not None:
                    curves[cell] = curve
        return {
            name: Replicates(found, counts.n, counts.clusters, counts.effective) for name, found in values.items()
        }, curves

    def _by_cluster(self, values: Array, known: NDArray[np.bool_]) -> Array:
        chosen = known[self._row]
        row, cell = self._row[chosen], self._cell[chosen]
        groups = len(self.table.cluster_ids)
        place = cell * groups + self.table.clusters[row]
        weights = values[row] * self.table.weight[row]
        return sums_by_place(place, weights, len(self.cells) * groups).reshape(-1, groups)

    def _spread(self, rows: Array, filled: NDArray[np.int64]) -> Array:
        out = np.full((len(self.cells), rows.shape[1]), np.nan)
        out[filled] = rows
        return out

    def _count(self, known: NDArray[np.bool_]) -> _Counts:
        key = np.packbits(known).tobytes()
        if key not in self._counted:
            by_cluster = self._by_cluster(np.ones(len(known)), known)
            n = np.bincount(self._cell[known[self._row]], minlength=len(self.cells))
            self._counted[key] = _Counts(
                n, by_cluster, weighted_sums(by_cluster, self._weights), weighted_sums(by_cluster**2, self._weights)
            )
        return self._counted[key]

    def _tie_groups(self, items: NDArray[np.int64], column: str) -> _TieGroups | None:
        score, credit = self.table.columns[column][items], self.table.columns["majority_vote"][items]
        known = np.isfinite(score) & np.isfinite(credit)
        if not known.any():
            return None
        own = items[known]
        weight = self.table.weight[own]
        return _TieGroups(score[known], credit[known], self.table.clusters[own], weight, self.table.vote_levels)


class _TieGroups:
    """The items of a cell by equal score, and their sums by cluster."""

    def __init__(self, score: Array, credit: Array, clusters: NDArray[np.int64], weight: Array, trials: int) -> None:
        self.n = len(score)
        self.trials = trials
        self.score, group = np.unique(np.round(score, _SAME_SCORE), return_inverse=True)
        self.clusters, local = np.unique(clusters, return_inverse=True)
        shape = (len(self.score), len(self.clusters))
        self._count = sparse.csr_array((weight, (group, local)), shape=shape)
        self._credit = sparse.csr_array((weight * credit, (group, local)), shape=shape)
        self._level = calibration.vote_levels(self.score, trials)
        self._bins = np.flatnonzero(np.diff(self._level, prepend=-1))
        in_bin = np.searchsorted(self._bins, group, side="right") - 1
        pairs = np.unique(in_bin * len(self.clusters) + local)
        self._clusters_in_bin = np.bincount(pairs // len(self.clusters), minlength=len(self._bins))
        self._items_in_bin = np.bincount(in_bin, minlength=len(self._bins))

    def evaluate(
        self, draws: Draws, names: Collection[str], *, with_curves: bool
    ) -> tuple[dict[str, Array], Curves | None]:
        """Return some of `_METRICS`, each (1 + R,), and the curves if they are wanted."""
        parts: dict[str, list[Array]] = {name: [] for name in (*names, "credit", "risk")}
        for count, credit in self._weighted(draws):
            for name in names:
                parts[name].append(_METRICS[name](self, count, credit))
            if with_curves:
                in_bin, credit_in_bin = self._binned(count), self._binned(credit)
                out = np.full_like(in_bin, np.nan)
                parts["credit"].append(np.divide(credit_in_bin, in_bin, out=out, where=in_bin > 0))
                parts["risk"].append(calibration.risk_at_coverage(count, credit, COVERAGES))
        metrics = {name: np.concatenate(parts[name]) for name in names}
        if not with_curves:
            return metrics, None
        sizes: Array = self._count.sum(axis=1)
        count = self._binned(sizes)
        curves = Curves(
            levels=self._level[self._bins] / self.trials,
            count=self._items_in_bin,
            clusters=self._clusters_in_bin,
            score=self._binned(sizes * self.score) / count,
            credit=np.concatenate(parts["credit"], axis=1),
            risk=np.concatenate(parts["risk"], axis=1),
            cell_n=self.n,
            cell_clusters=len(self.clusters),
        )
        return metrics, curves

    def _weighted(self, draws: Draws) -> Iterable[tuple[Array, Array]]:
        """Yield (groups, r) sums of items and credits, for some replicates at a time."""
        own = draws[self.clusters]
        step = max(1, _GROUPS_AT_ONCE // len(self.score))
        for start in range(0, draws.shape[1], step):
            part = own[:, start : start + step]
            yield weighted_sums(self._count, part), weighted_sums(self._credit, part)

    def _binned(self, values: Array) -> Array:
        return np.add.reduceat(values, self._bins, axis=0)


_METRICS: Mapping[str, Callable[[_TieGroups, Array, Array], Array]] = {
    "aurc": lambda _, count, credit: calibration.area_under_risk_coverage(count, credit),
}


def _cells(table: ItemTable) -> Iterable[tuple[Cell, NDArray[np.int64]]]:
    for level in sorted(set(table.levels)):
        for axis, nodes in table.nodes.items():
            here = np.flatnonzero(table.levels == level)
            for node in sorted({node for node in nodes[here] if node is not None}):
                yield Cell(level, axis, node), here[nodes[here] == node]
