"""The items of a series of severities, laid out as curves: one for each degradation in each modality.

A curve begins with the clean items of its own source questions, so that the severities differ in nothing but the
severity. A clean item stands in as many curves as its question has degradations. Source questions that lack an item at
one of their curve's severities are left out of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..dataset.taxonomy import CLEAN, severity_of
from .item_table import ItemTable, item_table
from .runs.conditions import decodes_greedily
from .runs.run import Run

AXIS = "series"
"""The axis whose nodes are curves."""


@dataclass(frozen=True)
class CurveItems:
    """One curve.

    Attributes:
        degradation: its name.
        modality: of its images.
        levels: "L0" and the labels of its severities, in ascending order.
        severities: 0 and their numbers.
        left_out: source questions without an item at each of them.
    """

    degradation: str
    modality: str
    levels: tuple[str, ...]
    severities: tuple[float, ...]
    left_out: int

    @property
    def node(self) -> str:
        """Its node on the axis `AXIS`."""
        return f"{self.degradation} | {self.modality}"


@dataclass(frozen=True)
class SeriesItems:
    """All curves of a run.

    Attributes:
        curves: those that have at least one degraded severity, by degradation and modality.
        once: the clean items and those of the series, each once.
        table: the items of the curves; clean ones once per curve.
        place: (n,) the place in `once` of each item of `table`.
    """

    curves: tuple[CurveItems, ...]
    once: ItemTable
    table: ItemTable
    place: NDArray[np.int64]


def series_items(run: Run) -> SeriesItems | None:
    """Lay out the series of a run; None where there is none, or no source question is there at all its severities."""
    clean = [record for record in run.records if record["level"] == CLEAN]
    records = [*clean, *run.series]
    clean_of: dict[str, list[int]] = defaultdict(list)
    for place, record in enumerate(clean):
        clean_of[record["source_question_id"]].append(place)
    cells: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for place, record in enumerate(run.series, len(clean)):
        cells[record["degradation"], record["modality"]][record["level"]].append(place)
    curves, places, nodes = [], [], []
    for (degradation, modality), by_level in sorted(cells.items()):
        complete = _complete(records, by_level, clean_of)
        every = {records[place]["source_question_id"] for own in by_level.values() for place in own}
        levels = sorted(by_level, key=severity_of)
        numbers = (0.0, *map(severity_of, levels))
        curve = CurveItems(degradation, modality, (CLEAN, *levels), numbers, len(every - complete))
        own = [place for question in sorted(complete) for place in clean_of[question]]
        own += [place for level in levels for place in by_level[level] if _question(records, place) in complete]
        if complete:
            curves.append(curve)
            places += own
            nodes += [curve.node] * len(own)
    if not curves:
        return None
    greedy = decodes_greedily(run.conditions)
    table = item_table([records[place] for place in places], greedy=greedy)
    table = replace(table, nodes={AXIS: np.array(nodes, dtype=object)})
    return SeriesItems(tuple(curves), item_table(records, greedy=greedy), table, np.array(places))


def _complete(
    records: Sequence[Mapping[str, Any]], by_level: Mapping[str, list[int]], clean_of: Mapping[str, list[int]]
) -> set[str]:
    """Return the source questions with a clean item and one at every severity."""
    found = set(clean_of)
    for places in by_level.values():
        found &= {_question(records, place) for place in places}
    return found


def _question(records: Sequence[Mapping[str, Any]], place: int) -> str:
    return str(records[place]["source_question_id"])
