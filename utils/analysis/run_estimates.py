"""Every metric of a run's cells with its interval, what changes between levels, and what differs from another run.

The ratios behind a metric are computed when they are asked for: all of them at once would take gigabytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..dataset.taxonomy import LEVELS
from . import change_estimates as changing
from . import level_estimates as leveled
from .cell_ratios import CellRatios, Estimates, too_few_differ
from .cell_sums import Cell, CellSums, Replicates, combined
from .change_estimates import Sizes
from .item_table import ItemTable
from .metrics import CLIFFS, FIGURES
from .statistics.clustered import ClusteredRatio
from .statistics.discrimination import FEWEST_DIFFERING_AURC

Array = NDArray[np.float64]
Rows = Sequence[int]

STEPS: Mapping[str, tuple[str, str]] = {
    f"{before}_to_{after}": (before, after) for place, before in enumerate(LEVELS) for after in LEVELS[place + 1 :]
}
"""Name of a step -> level before and after: "L0_to_L1", "L0_to_L2", "L1_to_L2"."""

CLIFF = "cliff"
"""The step from L1 to L2 minus the step from L0 to L1."""

PLAIN, MATCHED = "plain", "matched"

NO_INTERVAL: Mapping[str, str] = {
    "ece": leveled.ONLY_A_POINT,
    "augrc": leveled.NOT_RELIABLE,
    "calibration_error": leveled.NOT_RELIABLE,
}
"""Metrics whose changes are points."""


@dataclass(frozen=True)
class Change:
    """One metric's change in one comparison, for some nodes.

    Attributes:
        comparison: a name of `STEPS`, or `CLIFF`.
        pairing: "plain" (difference of the levels' figures) or "matched" (mean over degraded items, each against its
            own less degraded version).
        figure: a name of `FIGURES`.
        nodes: the (axis, node) of each row.
        estimates: one row per node.
        corrected: whether its p-values are Student's, which can be corrected for the number of nodes.
    """

    comparison: str
    pairing: str
    figure: str
    nodes: tuple[tuple[str, str], ...]
    estimates: Estimates
    corrected: bool = True


class RunEstimates:
    """The cells of one run.

    Args:
        table: its items.
        sums: its cells, with the bootstrap's draws.
    """

    def __init__(self, table: ItemTable, sums: CellSums) -> None:
        self.table = table
        self.cells = sums.cells
        self.items = list(sums.items.values())
        self.ratios = CellRatios(sums.items, table.clusters, len(table.cluster_ids), table.weight)
        self.levels = [cell.level for cell in self.cells]
        self._sums = sums
        self._replicates: dict[str, Replicates] = {}
        self._aurocs: dict[str, leveled.Aurocs] = {}
        self.differing = leveled.majority_differing(self.ratios, table.columns["majority_vote"])

    def for_axes(self, axes: tuple[str, ...] | None) -> list[int]:
        """Return the rows of the cells of some axes; of all for None."""
        return [row for row, cell in enumerate(self.cells) if axes is None or cell.axis in axes]

    def use_bootstrap(self, replicates: Mapping[str, Replicates]) -> None:
        """Take over the metrics that were bootstrapped."""
        self._replicates = dict(replicates)

    def metric(self, name: str) -> Estimates:
        """Return a metric of every cell."""
        kind = FIGURES[name].interval
        column = self.table.columns.get(name)
        terms = self.table.answers.gap
        if kind == "share":
            if name == "readable_accuracy":
                return leveled.shares_of(self.ratios, terms.right, terms.weight)
            return leveled.shares(self.ratios, terms.readable if name == "readable_share" else column)
        if name == "brier":
            return leveled.brier(self.ratios, column, self.differing)
        if name == "agreement_gap":
            return leveled.gaps(self.ratios, terms, self.levels, self.table.without_gap)
        if kind == "auroc":
            return self._auroc(name).estimates()
        if name == "augrc":
            found = self._auroc("auroc")
            return leveled.points(found.estimates(), leveled.augrcs(found), leveled.NOT_RELIABLE)
        if name == "calibration_error":
            trials = self.table.vote_levels if self.table.votes_make_scores else None
            return leveled.calibration_errors(
                *(self.ratios, self.items, self.table.columns["top_share"], self.table.columns["majority_vote"]),
                *(self.table.clusters, trials, self.differing),
            )
        if name == "ece":
            behind = leveled.shares(self.ratios, self.table.columns["majority_vote"])
            values = leveled.expected_calibration_errors(
                *(self.items, self.table.columns["top_share"], self.table.columns["majority_vote"]),
                *(self.table.weight, self.table.vote_levels),
            )
            return leveled.points(behind, values, leveled.ONLY_A_POINT)
        return self._bootstrapped(name)

    def _auroc(self, name: str) -> leveled.Aurocs:
        if name not in self._aurocs:
            score = "top_share" if name == "auroc" else "confidence"
            self._aurocs[name] = leveled.aurocs(
                *(self.ratios, self.items, self.table.columns[score], self.table.columns["majority_vote"]),
                *(self.table.clusters, self.differing),
            )
        return self._aurocs[name]

    def _bootstrapped(self, name: str) -> Estimates:
        found = self._replicates[name]
        low, high = found.intervals(FIGURES[name].bounds)
        errors = self.ratio(name).error if FIGURES[name].kind != "calibration" else np.full(len(low), np.nan)
        estimate = _of_replicates(found, (low, high), np.full(len(low), np.nan), errors)
        return _few_aurc(estimate, self.differing) if FIGURES[name].interval == "aurc" else estimate

    def ratio(self, name: str) -> ClusteredRatio:
        """Return a mean, or a difference of means, as a ratio of sums over source questions."""
        if name == "readable_share":
            return self.ratios.mean(self.table.answers.gap.readable)
        if name == "readable_accuracy":
            return self.ratios.ratio(self.table.answers.gap.right, self.table.answers.gap.weight)
        if name == "unread_effect":
            first, second = self.ratio("shift_unread_dropped"), self.ratio("calibration_shift")
            own = first.own - second.own
            both = np.isfinite(own)
            return ClusteredRatio(
                np.where(both, own, 0.0),
                both.astype(float),
                first.items,
                first.estimate - second.estimate,
                first.influence - second.influence,
            )
        return self.ratios.mean(self.table.columns[name])

    def count(self, name: str) -> NDArray[np.int64]:
        """Return how many items of each cell have a metric."""
        gap = self.table.answers.gap
        columns = {"readable_share": gap.readable, "readable_accuracy": gap.weight, "agreement_gap": gap.weight}
        of = {"unread_effect": "shift_unread_dropped", "auroc": "top_share", "confidence_auroc": "confidence"}
        values = columns.get(name)
        return self.ratios.count(np.isfinite(self.table.columns[of.get(name, name)] if values is None else values))

    def changes(self, names: Sequence[str]) -> Iterator[Change]:
        """Yield every change of some metrics that the run's levels allow."""
        present = set(self.levels)
        for step, (before, after) in STEPS.items():
            if {before, after} <= present:
                yield from self._plain(names, step, before, after)
                yield from self._matched(names, step, before, after)
        if present >= set(LEVELS):
            cliffs = [name for name in CLIFFS if name in names]
            yield from self._plain_cliffs(cliffs)
            yield from self._matched_cliffs(cliffs)

    def _rows(self, levels: Sequence[str]) -> tuple[tuple[tuple[str, str], ...], list[list[int]]]:
        place = {cell: row for row, cell in enumerate(self.cells)}
        nodes = tuple(
            (cell.axis, cell.node)
            for cell in self.cells
            if cell.level == levels[0] and all(Cell(level, cell.axis, cell.node) in place for level in levels)
        )
        return nodes, [[place[Cell(level, axis, node)] for axis, node in nodes] for level in levels]

    def _plain(self, names: Sequence[str], step: str, before: str, after: str) -> Iterator[Change]:
        nodes, rows = self._rows((before, after))
        if nodes:
            for name in names:
                found, corrected = self._difference(name, self, rows[0], self, rows[1])
                yield Change(step, PLAIN, name, nodes, self._known_gap(name, found, before, after), corrected)

    def _known_gap(self, name: str, found: Estimates, *levels: str) -> Estimates:
        reason = next((self.table.without_gap[level] for level in levels if level in self.table.without_gap), None)
        return found.without(reason) if reason and name == "agreement_gap" else found

    def against(self, other: RunEstimates, name: str, rows: Rows) -> tuple[Estimates, bool]:
        """Return this run's metric minus that of another run on the same items, and whether p can be corrected."""
        found, corrected = self._difference(name, other, rows, self, rows)
        if name == "agreement_gap":
            for reasons in (self.table.without_gap, other.table.without_gap):
                for level, reason in reasons.items():
                    gone = np.array([self.levels[row] == level for row in rows])
                    found = found.without(reason, gone)
        return found, corrected

    @staticmethod
    def _difference(
        name: str, first: RunEstimates, before: Rows, second: RunEstimates, after: Rows
    ) -> tuple[Estimates, bool]:
        """Return second - first of some cells."""
        before, after = list(before), list(after)
        figure = FIGURES[name]
        bounds = _range(name)
        n = first.count(name)[before], second.count(name)[after]
        if name in NO_INTERVAL:
            earlier, later = first.metric(name).rows(before), second.metric(name).rows(after)
            return leveled.points(later, later.values - earlier.values, NO_INTERVAL[name]), False
        if name == "agreement_gap":
            gaps = first.ratios.gap(first.table.answers.gap), second.ratios.gap(second.table.answers.gap)
            rows = changing.gap_rows(gaps[0], before), changing.gap_rows(gaps[1], after)
            return changing.gap_changes(*rows, changing.smaller(rows[0].ratio, rows[1].ratio, n)), True
        if figure.interval == "auroc":
            aurocs = first._auroc(name), second._auroc(name)
            items = changing.rows_of(aurocs[0].items, before), changing.rows_of(aurocs[1].items, after)
            return changing.auroc_change(*aurocs, before, after, changing.smaller(*items, n)), True
        if figure.kind == "calibration":
            parts = [first._replicates[name].rows(before), second._replicates[name].rows(after)]
            found = combined(parts, parts[1].values - parts[0].values)
            estimate = _of_replicates(found, found.intervals(bounds), found.p_values(), np.full(len(n[0]), np.nan))
            return _few_aurc(estimate, np.minimum(first.differing[before], second.differing[after])), False
        ratios = changing.rows_of(first.ratio(name), before), changing.rows_of(second.ratio(name), after)
        return changing.mean_change(*ratios, changing.smaller(*ratios, n), bounds), True

    def _matched(self, names: Sequence[str], step: str, before: str, after: str) -> Iterator[Change]:
        table = self.table
        units = table.clusters if before == LEVELS[0] else table.pairs
        sides = table.levels == before, table.levels == after
        for name in names:
            if name in ("agreement_gap", "readable_accuracy"):
                terms = changing.matched_terms(table.answers.gap, units, *sides)
                known = np.isfinite(terms[1].weight)
                if name == "agreement_gap":
                    yield from self._of_level(
                        *(step, name, after, known),
                        lambda rows, sizes, terms=terms: changing.gap_changes(
                            *(changing.gap_rows(self.ratios.gap(own), rows) for own in terms), sizes
                        ),
                    )
                else:
                    ratios = [self.ratios.ratio(own.right, own.weight) for own in terms]
                    yield from self._of_level(*(step, name, after, known), _means(ratios, _range(name)))
            elif FIGURES[name].kind == "mean":
                values = table.answers.gap.readable if name == "readable_share" else table.columns[name]
                columns = changing.matched_columns(values, units, *sides)
                ratios = [self.ratios.mean(column) for column in columns]
                yield from self._of_level(*(step, name, after, np.isfinite(columns[1])), _means(ratios, _range(name)))

    def _of_level(
        self,
        step: str,
        name: str,
        level: str,
        known: NDArray[np.bool_],
        of: Callable[[list[int], Sizes], Estimates],
    ) -> Iterator[Change]:
        n = self.ratios.count(known)
        rows = [row for row, cell in enumerate(self.cells) if cell.level == level and n[row]]
        if rows:
            clusters = self.ratios.mean(np.where(known, 1.0, np.nan)).clusters
            sizes = Sizes(n[rows], clusters[rows].astype(np.int64))
            nodes = tuple((self.cells[row].axis, self.cells[row].node) for row in rows)
            levels = STEPS.get(step, LEVELS)
            yield Change(step, MATCHED, name, nodes, self._known_gap(name, of(rows, sizes), *levels))

    def _plain_cliffs(self, names: Sequence[str]) -> Iterator[Change]:
        nodes, rows = self._rows(LEVELS)
        for name in names if nodes else ():
            ratio, count = self.ratio(name), self.count(name)
            parts = [changing.rows_of(ratio, own) for own in rows]
            clusters = np.min([part.clusters for part in parts], axis=0).astype(np.int64)
            sizes = Sizes(np.min([count[own] for own in rows], axis=0), clusters)
            yield Change(CLIFF, PLAIN, name, nodes, changing.mean_cliff(parts, sizes, _range(name, CLIFF)))

    def _matched_cliffs(self, names: Sequence[str]) -> Iterator[Change]:
        from .statistics.comparisons import matched_cliff

        levels = [self.table.levels == level for level in LEVELS]
        for name in names:
            column = matched_cliff(self.table.columns[name], self.table.clusters, self.table.pairs, *levels)
            ratio = self.ratios.mean(column)
            yield from self._of_level(
                *(CLIFF, name, LEVELS[-1], np.isfinite(column)),
                lambda rows, sizes, ratio=ratio, name=name: changing.of_zero(
                    changing.rows_of(ratio, rows), sizes, _range(name, CLIFF)
                ),
            )


def _means(ratios: Sequence[ClusteredRatio], bounds: tuple[float, float]) -> Callable[[list[int], Sizes], Estimates]:
    def of(rows: list[int], sizes: Sizes) -> Estimates:
        earlier, later = (changing.rows_of(ratio, rows) for ratio in ratios)
        return changing.mean_change(earlier, later, sizes, bounds)

    return of


def _range(name: str, comparison: str = "") -> tuple[float, float]:
    low, high = FIGURES[name].bounds
    width = (high - low) * (2 if comparison == CLIFF else 1)
    return -width, width


def _of_replicates(found: Replicates, ends: tuple[Array, Array], p: Array, errors: Array) -> Estimates:
    number = len(found.values)
    return Estimates(
        *(found.values[:, 0], *ends, found.n, found.clusters, found.effective),
        np.zeros(number, dtype=bool),
        (None,) * number,
        *(errors, p),
    )


def _few_aurc(found: Estimates, differing: Array) -> Estimates:
    """Return the estimates without the intervals that rest on too few questions."""
    few = (differing < FEWEST_DIFFERING_AURC) & np.isfinite(found.values)
    reasons = tuple(
        too_few_differ(float(m)) if gone else own for own, gone, m in zip(found.reasons, few, differing, strict=True)
    )
    low, high, p = (np.where(few, np.nan, part) for part in (found.low, found.high, found.p))
    return replace(found, low=low, high=high, p=p, reasons=reasons)
