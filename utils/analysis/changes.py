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
from .cell_ratios import CellRatios, Estimates
from .cell_sums import Cell
from .change_estimates import Sizes
from .metrics import CLIFFS, FIGURES
from .run_estimates import RunEstimates, difference, range_of_change
from .statistics.agreement_gap import GapTerms
from .statistics.comparisons import matched_cliff

STEPS: Mapping[str, tuple[str, str]] = {
    f"{before}_to_{after}": (before, after) for place, before in enumerate(LEVELS) for after in LEVELS[place + 1 :]
}
"""Name of a step -> level before and after: "L0_to_L1", "L0_to_L2", "L1_to_L2"."""

CLIFF = "cliff"
"""The step from L1 to L2 minus the step from L0 to L1."""

PLAIN, MATCHED = "plain", "matched"

Array = NDArray[np.float64]
_Of = Callable[[CellRatios, Sizes], Estimates]


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
    table = run.table
    units = table.questions if before == LEVELS[0] else table.pairs
    sides = table.levels == before, table.levels == after
    for name in names:
        if FIGURES[name].kind == "ratio":
            terms = changing.matched_terms(table.answers.gap, units, *sides)
            known = np.isfinite(terms[1].weight)
            of = _gaps(*terms) if name == "agreement_gap" else _readable(*terms, name)
            yield from _of_level(run, step, name, after, known, of)
        elif FIGURES[name].kind == "mean":
            columns = changing.matched_columns(table.columns[name], units, *sides)
            known = np.isfinite(columns[1])
            yield from _of_level(run, step, name, after, known, _means(*columns, name))


def _gaps(earlier: GapTerms, later: GapTerms) -> _Of:
    return lambda ratios, sizes: changing.gap_changes(ratios.gap(earlier), ratios.gap(later), sizes)


def _readable(earlier: GapTerms, later: GapTerms, name: str) -> _Of:
    def of(ratios: CellRatios, sizes: Sizes) -> Estimates:
        before, after = (ratios.ratio(side.right, side.weight) for side in (earlier, later))
        return changing.mean_change(before, after, sizes, range_of_change(name))

    return of


def _means(earlier: Array, later: Array, name: str) -> _Of:
    def of(ratios: CellRatios, sizes: Sizes) -> Estimates:
        return changing.mean_change(ratios.mean(earlier), ratios.mean(later), sizes, range_of_change(name))

    return of


def _of_level(
    run: RunEstimates, step: str, name: str, level: str, known: NDArray[np.bool_], of: _Of
) -> Iterator[Change]:
    n = run.ratios.count(known)
    rows = [row for row, cell in enumerate(run.cells) if cell.level == level and n[row]]
    if rows:
        ratios = run.ratios.chosen(rows)
        clusters = ratios.mean(np.where(known, 1.0, np.nan)).clusters
        sizes = Sizes(n[rows], clusters.astype(np.int64))
        nodes = tuple((run.cells[row].axis, run.cells[row].node) for row in rows)
        found = _known_gap(run, name, of(ratios, sizes), STEPS.get(step, LEVELS))
        yield Change(step, MATCHED, name, nodes, found)


def _plain_cliffs(run: RunEstimates, names: Sequence[str]) -> Iterator[Change]:
    nodes, rows = _rows(run, LEVELS)
    for name in names if nodes else ():
        count = run.count(name)
        parts = [run.ratio(name, own) for own in rows]
        clusters = np.min([part.clusters for part in parts], axis=0).astype(np.int64)
        sizes = Sizes(np.min([count[own] for own in rows], axis=0), clusters)
        yield Change(CLIFF, PLAIN, name, nodes, changing.mean_cliff(parts, sizes, range_of_change(name, steps=2)))


def _matched_cliffs(run: RunEstimates, names: Sequence[str]) -> Iterator[Change]:
    table = run.table
    levels = [table.levels == level for level in LEVELS]
    for name in names:
        column = matched_cliff(table.columns[name], table.questions, table.pairs, *levels)

        def of(ratios: CellRatios, sizes: Sizes, column: Array = column, name: str = name) -> Estimates:
            return changing.of_zero(ratios.mean(column), sizes, range_of_change(name, steps=2))

        yield from _of_level(run, CLIFF, name, LEVELS[-1], np.isfinite(column), of)
