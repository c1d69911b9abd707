"""Every metric of a run's cells with its interval, and how it differs from that of other cells or of another run.

The ratios behind a metric are computed when they are asked for: all of them at once would take gigabytes.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from . import change_estimates as changing
from . import level_estimates as leveled
from .cell_ratios import CellRatios, Estimates, too_few_differ
from .cell_sums import CellSums, Replicates, combined
from .item_table import ItemTable
from .metrics import FIGURES
from .statistics.clustered import ClusteredRatio
from .statistics.discrimination import FEWEST_DIFFERING_AURC
from .statistics.gap_intervals import LevelGap

Array = NDArray[np.float64]
Rows = Sequence[int]

NO_INTERVAL: Mapping[str, str] = {
    "ece": leveled.ONLY_A_POINT,
    "augrc": leveled.NOT_RELIABLE,
    "calibration_error": leveled.NOT_RELIABLE,
}
"""Metrics whose changes are points."""


class RunEstimates:
    """The cells of one run.

    Args:
        table: its items.
        sums: its cells.
        replicates: the bootstrapped metrics of these cells.
    """

    def __init__(self, table: ItemTable, sums: CellSums, replicates: Mapping[str, Replicates]) -> None:
        self.table = table
        self.cells = sums.cells
        self.items = list(sums.items.values())
        self.ratios = CellRatios(sums.items, table.clusters, len(table.cluster_ids), table.weight)
        self.levels = [cell.level for cell in self.cells]
        self.replicates = {
            name: replace(found, errors=None)
            for name, found in replicates.items()
            if FIGURES[name].interval == "aurc"  # the differences of the others need none
        }
        self._bootstrapped = {
            name: _of_replicates(found, found.intervals(FIGURES[name].bounds)) for name, found in replicates.items()
        }
        self._aurocs: dict[str, leveled.Aurocs] = {}
        self.differing = leveled.majority_differing(self.ratios, table.columns["majority_vote"])

    def narrowed(self, rows: Rows) -> RunEstimates:
        """Return those of some of the cells, without what only the others need."""
        own = copy.copy(self)
        chosen = list(rows)
        own.cells = tuple(self.cells[row] for row in chosen)
        own.items = [self.items[row] for row in chosen]
        own.levels = [self.levels[row] for row in chosen]
        own.ratios = self.ratios.chosen(chosen)
        own.replicates = {name: found.rows(chosen) for name, found in self.replicates.items()}
        own._bootstrapped = {name: found.rows(chosen) for name, found in self._bootstrapped.items()}
        own._aurocs = {}
        own.differing = self.differing[chosen]
        return own

    def rows(self, axes: tuple[str, ...] | None) -> list[int]:
        """Return the rows of the cells of some axes; of all for None."""
        return [row for row, cell in enumerate(self.cells) if axes is None or cell.axis in axes]

    def metric(self, name: str) -> Estimates:
        """Return a metric of every cell."""
        columns, terms, kind = self.table.columns, self.table.answers.gap, FIGURES[name].interval
        top, credit, clusters = columns["top_share"], columns["majority_vote"], self.table.clusters
        if name == "readable_accuracy":
            return leveled.shares_of(self.ratios, terms.right, terms.weight)
        if kind == "share":
            return leveled.shares(self.ratios, columns[name])
        if kind == "brier":
            return leveled.brier(self.ratios, columns[name], self.differing)
        if kind == "gap":
            return leveled.gaps(self.ratios, terms, self.levels, self.table.without_gap)
        if kind == "auroc":
            return self.auroc(name).estimates()
        if name == "augrc":
            auroc = self.auroc("auroc")
            return leveled.points(auroc.estimates(), leveled.augrcs(auroc), leveled.NOT_RELIABLE)
        if kind == "calibration_error":
            trials = self.table.answers.requested if self.table.elicitation == "votes" else None
            return leveled.calibration_errors(self.ratios, self.items, top, credit, clusters, trials, self.differing)
        if name == "ece":
            steps = self.table.vote_levels
            values = leveled.expected_calibration_errors(self.items, top, credit, self.table.weight, steps)
            return leveled.points(leveled.shares(self.ratios, credit), values, leveled.ONLY_A_POINT)
        found = self._bootstrapped[name]
        if kind == "aurc":
            return _few_aurc(found, self.differing)
        return replace(found, errors=self.ratio(name).error)

    def auroc(self, name: str) -> leveled.Aurocs:
        """Return "auroc" or "confidence_auroc" of every cell."""
        if name not in self._aurocs:
            score = self.table.columns["top_share" if name == "auroc" else "confidence"]
            credit, clusters = self.table.columns["majority_vote"], self.table.clusters
            self._aurocs[name] = leveled.aurocs(self.ratios, self.items, score, credit, clusters, self.differing)
        return self._aurocs[name]

    def ratio(self, name: str, rows: Rows | None = None) -> ClusteredRatio:
        """Return a mean, or a difference of means, of some cells (None for all) as a ratio of sums over clusters."""
        ratios = self.ratios if rows is None else self.ratios.chosen(rows)
        if name == "readable_accuracy":
            return ratios.ratio(self.table.answers.gap.right, self.table.answers.gap.weight)
        if name == "unread_effect":
            first, second = self.ratio("shift_unread_dropped", rows), self.ratio("calibration_shift", rows)
            own = first.own - second.own
            both = np.isfinite(own)
            return ClusteredRatio(
                np.where(both, own, 0.0),
                both.astype(float),
                first.items,
                first.estimate - second.estimate,
                first.influence - second.influence,
            )
        return ratios.mean(self.table.columns[name])

    def gap(self, rows: Rows) -> LevelGap:
        """Return the agreement gaps of some cells."""
        return self.ratios.chosen(rows).gap(self.table.answers.gap)

    def count(self, name: str) -> NDArray[np.int64]:
        """Return how many items of each cell have a metric."""
        if FIGURES[name].kind == "ratio":
            return self.ratios.count(np.isfinite(self.table.answers.gap.weight))
        of = {"unread_effect": "shift_unread_dropped", "auroc": "top_share", "confidence_auroc": "confidence"}
        return self.ratios.count(np.isfinite(self.table.columns[of.get(name, name)]))


def run_difference(name: str, first: RunEstimates, second: RunEstimates) -> tuple[Estimates, bool]:
    """Return first - second of two runs on the same items, and whether p can be corrected for the number of nodes."""
    rows = range(len(first.cells))
    found, correctable = difference(name, second, rows, first, rows)
    if name == "agreement_gap":
        for run in (first, second):
            for level, reason in run.table.without_gap.items():
                found = found.without(reason, np.array([own == level for own in run.levels]))
    return found, correctable


def difference(
    name: str, first: RunEstimates, before: Rows, second: RunEstimates, after: Rows
) -> tuple[Estimates, bool]:
    """Return second - first of some cells, on the same clusters, and whether p can be corrected."""
    before, after = list(before), list(after)
    if name in NO_INTERVAL:
        earlier, later = first.metric(name).rows(before), second.metric(name).rows(after)
        return leveled.points(later, later.values - earlier.values, NO_INTERVAL[name]), False
    bounds = range_of_change(name)
    if FIGURES[name].interval == "aurc":
        parts = [first.replicates[name].rows(before), second.replicates[name].rows(after)]
        found = combined(parts, parts[1].values - parts[0].values)
        estimate = _of_replicates(found, found.intervals(bounds), found.p_values())
        return _few_aurc(estimate, np.minimum(first.differing[before], second.differing[after])), False
    n = first.count(name)[before], second.count(name)[after]
    if name == "agreement_gap":
        gaps = first.gap(before), second.gap(after)
        return changing.gap_changes(*gaps, changing.smaller(gaps[0].ratio, gaps[1].ratio, n)), True
    if FIGURES[name].interval == "auroc":
        aurocs = first.auroc(name), second.auroc(name)
        items = changing.rows_of(aurocs[0].items, before), changing.rows_of(aurocs[1].items, after)
        return changing.auroc_change(*aurocs, before, after, changing.smaller(*items, n)), True
    ratios = first.ratio(name, before), second.ratio(name, after)
    return changing.mean_change(*ratios, changing.smaller(*ratios, n), bounds), True


def range_of_change(name: str, steps: int = 1) -> tuple[float, float]:
    """Return the range of a metric's change, or of the difference of two changes."""
    low, high = FIGURES[name].bounds
    width = (high - low) * steps
    return -width, width


def _of_replicates(found: Replicates, ends: tuple[Array, Array], p: Array | None = None) -> Estimates:
    number = len(found.values)
    nothing = np.full(number, np.nan)
    return Estimates(
        *(found.values[:, 0], *ends, found.n, found.clusters, found.effective),
        np.zeros(number, dtype=bool),
        (None,) * number,
        nothing,
        nothing if p is None else p,
    )


def _few_aurc(found: Estimates, differing: Array) -> Estimates:
    """Return the estimates without the intervals that rest on too few questions."""
    few = (differing < FEWEST_DIFFERING_AURC) & np.isfinite(found.values)
    reasons = tuple(
        too_few_differ(float(m)) if gone else own for own, gone, m in zip(found.reasons, few, differing, strict=True)
    )
    low, high, p = (np.where(few, np.nan, part) for part in (found.low, found.high, found.p))
    return replace(found, low=low, high=high, p=p, reasons=reasons)
