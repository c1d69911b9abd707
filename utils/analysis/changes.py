"""What changes between the levels of one run: plain and matched differences, and the cliff, for every node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..dataset.taxonomy import CLEAN, LEVELS
from . import change_estimates as changing
from .cell_ratios import Estimates
from .cell_sums import Cell
from .change_estimates import Sizes
from .metrics import CLIFFS, FIGURES
from .run_estimates import RunEstimates, difference, range_of_change
from .statistics.clustered import ClusteredRatio
from .statistics.comparisons import matched_cliff
from .statistics.gap_intervals import LevelGap

STEPS: Mapping[str, tuple[str, str]] = {
    f"{before}_to_{after}": (before, after) for place, before in enumerate(LEVELS) for after in LEVELS[place + 1 :]
}
"""Name of a step -> level before and after: "L0_to_L1", "L0_to_L2", "L1_to_L2"."""

CLIFF = "cliff"
"""The step from L1 to L2 minus the step from L0 to L1."""

PLAIN, MATCHED = "plain", "matched"

_Of = Callable[[list[int], Sizes], Estimates]


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
        correctable: whether its p-values are Student's, which can be corrected for the number of nodes.
    """

    comparison: str
    pairing: str
    figure: str
    nodes: tuple[tuple[str, str], ...]
    estimates: Estimates
    correctable: bool = True


def level_changes(run: RunEstimates, names: Sequence[str]) -> Iterator[Change]:
    """Yield every change of some metrics that the run's levels allow."""
    present = set(run.levels)
    for step, (before, after) in STEPS.items():
        if {before, after} <= present:
            yield from _plain(run, names, step, before, after)
            yield from _matched(run, names, step, before, after)
    if present >= set(LEVELS):
        cliffs = [name for name in CLIFFS if name in names]
        yield from _plain_cliffs(run, cliffs)
        yield from _matched_cliffs(run, cliffs)


def matched_against(records: Iterable[Mapping[str, Any]]) -> str:
    """Return, in words, what a degraded item is compared with in the matched changes from L0.

    Where source questions are told apart by their text, one of them may have several clean items.
    """
    found: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for record in records:
        found[record["level"] == CLEAN][record["source_question_id"]] += 1
    if any(found[True][question] > 1 for question in found[False]):
        return "the mean of its source question's clean items"
    return "its own clean version"


def _rows(run: RunEstimates, levels: Sequence[str]) -> tuple[tuple[tuple[str, str], ...], list[list[int]]]:
    place = {cell: row for row, cell in enumerate(run.cells)}
    nodes = tuple(
        (cell.axis, cell.node)
        for cell in run.cells
        if cell.level == levels[0] and all(Cell(level, cell.axis, cell.node) in place for level in levels)
    )
    return nodes, [[place[Cell(level, axis, node)] for axis, node in nodes] for level in levels]


def _plain(run: RunEstimates, names: Sequence[str], step: str, before: str, after: str) -> Iterator[Change]:
    nodes, rows = _rows(run, (before, after))
    for name in names if nodes else ():
        found, correctable = difference(name, run, rows[0], run, rows[1])
        yield Change(step, PLAIN, name, nodes, _known_gap(run, name, found, (before, after)), correctable)


def _known_gap(run: RunEstimates, name: str, found: Estimates, levels: Iterable[str]) -> Estimates:
    without = run.table.without_gap
    reason = next((without[level] for level in levels if level in without), None)
    return found.without(reason) if reason and name == "agreement_gap" else found


def _matched(run: RunEstimates, names: Sequence[str], step: str, before: str, after: str) -> Iterator[Change]:
    table, ratios = run.table, run.ratios
    units = table.questions if before == LEVELS[0] else table.pairs
    sides = table.levels == before, table.levels == after
    for name in names:
        if FIGURES[name].kind == "ratio":
            terms = changing.matched_terms(table.answers.gap, units, *sides)
            known = np.isfinite(terms[1].weight)
            if name == "agreement_gap":
                of = _gaps([ratios.gap(own) for own in terms])
            else:
                of = _means([ratios.ratio(own.right, own.weight) for own in terms], name)
            yield from _of_level(run, step, name, after, known, of)
        elif FIGURES[name].kind == "mean":
            columns = changing.matched_columns(table.columns[name], units, *sides)
            known = np.isfinite(columns[1])
            yield from _of_level(run, step, name, after, known, _means([ratios.mean(own) for own in columns], name))


def _gaps(gaps: Sequence[LevelGap]) -> _Of:
    def of(rows: list[int], sizes: Sizes) -> Estimates:
        earlier, later = (changing.gap_rows(gap, rows) for gap in gaps)
        return changing.gap_changes(earlier, later, sizes)

    return of


def _means(ratios: Sequence[ClusteredRatio], name: str) -> _Of:
    def of(rows: list[int], sizes: Sizes) -> Estimates:
        earlier, later = (changing.rows_of(ratio, rows) for ratio in ratios)
        return changing.mean_change(earlier, later, sizes, range_of_change(name))

    return of


def _of_level(
    run: RunEstimates, step: str, name: str, level: str, known: NDArray[np.bool_], of: _Of
) -> Iterator[Change]:
    n = run.ratios.count(known)
    rows = [row for row, cell in enumerate(run.cells) if cell.level == level and n[row]]
    if rows:
        clusters = run.ratios.mean(np.where(known, 1.0, np.nan)).clusters
        sizes = Sizes(n[rows], clusters[rows].astype(np.int64))
        nodes = tuple((run.cells[row].axis, run.cells[row].node) for row in rows)
        found = _known_gap(run, name, of(rows, sizes), STEPS.get(step, LEVELS))
        yield Change(step, MATCHED, name, nodes, found)


def _plain_cliffs(run: RunEstimates, names: Sequence[str]) -> Iterator[Change]:
    nodes, rows = _rows(run, LEVELS)
    for name in names if nodes else ():
        ratio, count = run.ratio(name), run.count(name)
        parts = [changing.rows_of(ratio, own) for own in rows]
        clusters = np.min([part.clusters for part in parts], axis=0).astype(np.int64)
        sizes = Sizes(np.min([count[own] for own in rows], axis=0), clusters)
        yield Change(CLIFF, PLAIN, name, nodes, changing.mean_cliff(parts, sizes, range_of_change(name, steps=2)))


def _matched_cliffs(run: RunEstimates, names: Sequence[str]) -> Iterator[Change]:
    table = run.table
    levels = [table.levels == level for level in LEVELS]
    for name in names:
        column = matched_cliff(table.columns[name], table.questions, table.pairs, *levels)
        ratio = run.ratios.mean(column)

        def of(rows: list[int], sizes: Sizes, ratio: ClusteredRatio = ratio, name: str = name) -> Estimates:
            return changing.of_zero(changing.rows_of(ratio, rows), sizes, range_of_change(name, steps=2))

        yield from _of_level(run, CLIFF, name, LEVELS[-1], np.isfinite(column), of)
