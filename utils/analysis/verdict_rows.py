"""The verdict on every node: does overconfidence hold or grow while accuracy falls?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..dataset.taxonomy import CLEAN, LEVELS
from .cell_ratios import CellRatios
from .change_estimates import matched_columns, matched_terms
from .run_estimates import RunEstimates
from .statistics.agreement_gap import GapTerms
from .statistics.multiplicity import FEWEST_QUESTIONS, LEVEL, q_values
from .statistics.verdict import Claims, Verdict, claims

Array = NDArray[np.float64]

NOT_BEYOND_NODES = "not beyond the number of nodes looked at"


@dataclass(frozen=True)
class NodeVerdict:
    """The verdict on a node.

    Attributes:
        row: of the cell, among all cells.
        verdict: in words; "supported" of a node among others only where q is at most 5%.
        p: of "supported"; NaN where a claim has none, or with fewer than five source questions.
        q: among the nodes of the same axis.
    """

    row: int
    verdict: Verdict
    p: float
    q: float


def node_verdicts(
    ratios: CellRatios,
    rows_of_axes: Mapping[str, Sequence[int]],
    accuracy: Array,
    terms: GapTerms,
    questions: NDArray[np.int64],
    before: NDArray[np.bool_],
    after: NDArray[np.bool_],
    without_gap: str | None,
) -> Iterator[NodeVerdict]:
    """Yield the verdict on the step between two levels for every node, each item against its own clean version.

    Args:
        ratios: of the cells.
        rows_of_axes: axis -> the later level's cells.
        accuracy: (n,) of the items.
        terms: of the agreement gap.
        questions: (n,) numbers of the items' source questions.
        before, after: (n,) items of the two levels.
        without_gap: why there is no gap at one of the levels.
    """
    rows = [row for own in rows_of_axes.values() for row in own]
    if not rows:
        return
    chosen = ratios.chosen(rows)
    found = _claims(chosen, accuracy, terms, questions, before, after)
    place = {row: number for number, row in enumerate(rows)}
    words = found.verdicts(without_gap)
    clusters = chosen.mean(np.where(after, accuracy, np.nan)).clusters
    p = np.where((clusters >= FEWEST_QUESTIONS) & (without_gap is None), found.p, np.nan)
    for own in rows_of_axes.values():
        places = [place[row] for row in own]
        q = q_values(p[places])
        for row, number, of_node in zip(own, places, q, strict=True):
            yield NodeVerdict(row, _among(words[number], len(own), of_node), float(p[number]), float(of_node))


def _among(verdict: Verdict, nodes: int, q: float) -> Verdict:
    """Return the verdict, taken back where it is one of many and q is above the level."""
    if verdict.word != "supported" or nodes == 1 or q <= LEVEL:
        return verdict
    because = NOT_BEYOND_NODES if not math.isnan(q) else "too few source questions"
    return Verdict("not decided", open_claims=(because,))


def _claims(
    ratios: CellRatios,
    accuracy: Array,
    terms: GapTerms,
    questions: NDArray[np.int64],
    before: NDArray[np.bool_],
    after: NDArray[np.bool_],
) -> Claims:
    columns = matched_columns(accuracy, questions, before, after)
    matched = matched_terms(terms, questions, before, after)
    means = [ratios.mean(column) for column in columns]
    readable = [ratios.ratio(own.right, own.weight) for own in matched]
    gaps = [ratios.gap(own) for own in matched]
    return claims((means[0], means[1]), (readable[0], readable[1]), (gaps[0], gaps[1]))


def run_verdicts(run: RunEstimates) -> dict[tuple[str, str, str], NodeVerdict]:
    """Return (comparison, axis, node) -> verdict, for the steps from L0."""
    table = run.table
    found = {}
    for level in LEVELS[1:]:
        if not {CLEAN, level} <= set(run.levels):
            continue
        sides = table.levels == CLEAN, table.levels == level
        matched = matched_columns(table.columns["accuracy"], table.questions, *sides)[1]
        there = run.ratios.count(np.isfinite(matched))
        axes: dict[str, list[int]] = {}
        for row, cell in enumerate(run.cells):
            if cell.level == level and there[row]:
                axes.setdefault(cell.axis, []).append(row)
        reasons = [table.without_gap[at] for at in (CLEAN, level) if at in table.without_gap]
        for one in node_verdicts(
            *(run.ratios, axes, table.columns["accuracy"], table.answers.gap, table.questions, *sides),
            reasons[0] if reasons else None,
        ):
            cell = run.cells[one.row]
            found[f"{CLEAN}_to_{level}", cell.axis, cell.node] = one
    return found
