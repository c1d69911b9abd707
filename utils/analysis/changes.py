"""What changes between the levels of one run: plain and matched differences, and the cliff, for every node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..dataset.taxonomy import CLEAN, LEVELS
from .cell_sums import Cell, CellSums, Replicates, combined
from .metrics import CLIFFS, FIGURES, MEANS
from .statistics import comparisons

STEPS: Mapping[str, tuple[str, str]] = {
    f"{before}_to_{after}": (before, after) for place, before in enumerate(LEVELS) for after in LEVELS[place + 1 :]
}
"""Name of a step -> level before and after: "L0_to_L1", "L0_to_L2", "L1_to_L2"."""

CLIFF = "cliff"
"""The step from L1 to L2 minus the step from L0 to L1."""

PLAIN, MATCHED = "plain", "matched"


@dataclass(frozen=True)
class Changes:
    """One figure's change in one comparison, for some nodes.

    Attributes:
        comparison: a name of `STEPS`, or `CLIFF`.
        pairing: "plain" (difference of the levels' figures) or "matched" (mean over degraded items, each against its
            own less degraded version).
        figure: a name of `FIGURES`.
        nodes: the (axis, node) of each row.
        replicates: one row a node.
        bounds: range of the change.
    """

    comparison: str
    pairing: str
    figure: str
    nodes: tuple[tuple[str, str], ...]
    replicates: Replicates
    bounds: tuple[float, float]


def level_changes(sums: CellSums, figures: Mapping[str, Replicates]) -> Iterator[Changes]:
    """Yield every change of some figures that the run's levels allow.

    Args:
        sums: the run's cells.
        figures: name of `FIGURES` -> figure of these cells.
    """
    present = set(sums.table.levels)
    for step, (before, after) in STEPS.items():
        if {before, after} <= present:
            yield from _plain(sums, figures, step, (before, after))
            yield from _matched(sums, [name for name in MEANS if name in figures], step, before, after)
    if present >= set(LEVELS):
        cliffs = [name for name in CLIFFS if name in figures]
        yield from _plain(sums, {name: figures[name] for name in cliffs}, CLIFF, LEVELS)
        yield from _matched_cliff(sums, cliffs)


def matched_against(records: Iterable[Mapping[str, Any]]) -> str:
    """Say what a degraded item is compared with in the matched changes from L0.

    Where source questions are told apart by their text, one of them may have several clean items.
    """
    found: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for record in records:
        found[record["level"] == CLEAN][record["source_question_id"]] += 1
    if any(found[True][question] > 1 for question in found[False]):
        return "the mean of its source question's clean items"
    return "its own clean version"


def _plain(
    sums: CellSums, figures: Mapping[str, Replicates], comparison: str, levels: tuple[str, ...]
) -> Iterator[Changes]:
    place = {cell: row for row, cell in enumerate(sums.cells)}
    nodes = tuple(
        (cell.axis, cell.node)
        for cell in sums.cells
        if cell.level == levels[0] and all(Cell(level, cell.axis, cell.node) in place for level in levels)
    )
    if not nodes:
        return
    rows = [[place[Cell(level, axis, node)] for axis, node in nodes] for level in levels]
    for name, found in figures.items():
        parts = [found.rows(row) for row in rows]
        values = [part.values for part in parts]
        yield Changes(
            comparison,
            PLAIN,
            name,
            nodes,
            combined(parts, comparisons.cliff(*values) if comparison == CLIFF else values[1] - values[0]),
            _range(name, comparison),
        )


def _matched(sums: CellSums, names: Iterable[str], comparison: str, before: str, after: str) -> Iterator[Changes]:
    table = sums.table
    units = table.questions if before == LEVELS[0] else table.pairs
    for name in names:
        column = comparisons.matched_change(table.columns[name], units, table.levels == before, table.levels == after)
        yield from _of_level(sums, column, comparison, name, after)


def _matched_cliff(sums: CellSums, names: Iterable[str]) -> Iterator[Changes]:
    table = sums.table
    levels = [table.levels == level for level in LEVELS]
    for name in names:
        column = comparisons.matched_cliff(table.columns[name], table.questions, table.pairs, *levels)
        yield from _of_level(sums, column, CLIFF, name, LEVELS[-1])


def _of_level(sums: CellSums, column: NDArray[np.float64], comparison: str, name: str, level: str) -> Iterator[Changes]:
    found = sums.mean(column)
    rows = [row for row, cell in enumerate(sums.cells) if cell.level == level and found.n[row]]
    nodes = tuple((sums.cells[row].axis, sums.cells[row].node) for row in rows)
    if nodes:
        yield Changes(comparison, MATCHED, name, nodes, found.rows(rows), _range(name, comparison))


def _range(name: str, comparison: str) -> tuple[float, float]:
    low, high = FIGURES[name].bounds
    width = (high - low) * (2 if comparison == CLIFF else 1)
    return -width, width
