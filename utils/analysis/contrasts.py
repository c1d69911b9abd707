"""Does one part of the items lose more than another? Node against node, as the paper claims of some.

A contrast is the change from L0 to L2 of one side minus that of the other, each degraded item against its own clean
version, so that a side that was worse from the start does not count as having lost more. With each side's change as a
difference of two clustered ratios, its influence on a source question is

    I_g = (I_after - I_before) of the first side - (I_after - I_before) of the second,

which also serves where both sides have items of the same source question (see `statistics.clustered`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...degradations import MODALITIES
from ..dataset.taxonomy import CLEAN, LEVELS
from .cell_ratios import CellRatios
from .change_estimates import matched_columns, matched_terms
from .item_table import ItemTable
from .statistics.bootstrap import SMALL
from .statistics.clustered import ClusteredChange, ClusteredRatio, changing_clusters, standard_error
from .statistics.multiplicity import FEWEST_QUESTIONS, q_values

REST = "the rest"

_BOUNDS = (-2.0, 2.0)  # of a difference of two changes of a share or of a gap
_WORST = LEVELS[-1]


@dataclass(frozen=True)
class Contrast:
    """Two sides of the items.

    Attributes:
        axis: of the nodes.
        first: nodes of the first side.
        second: nodes of the second; empty for all others on the axis.
    """

    axis: str
    first: tuple[str, ...]
    second: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """In words, such as "artifacts and motion_interference against intensity_jitter"."""
        return f"{' and '.join(self.first)} against {' and '.join(self.second) or REST}"


CONTRASTS: tuple[Contrast, ...] = (
    Contrast("capability", ("Clinical Reasoning",), ("Medical Perception",)),
    Contrast("degradation_category", ("artifacts", "motion_interference"), ("intensity_jitter",)),
    *(Contrast("modality", (modality,)) for modality in MODALITIES),
)
"""What the paper compares. Negative: the first side loses more accuracy."""

COLUMNS = (
    *("run", "axis", "contrast", "figure", "estimate", "low", "high", "p", "q"),
    *("first", "second", "n_first", "n_second", "clusters", "small"),
)
"""Of the table `contrasts`; `first` and `second` are the changes of the two sides."""


def contrast_rows(run: str, table: ItemTable) -> list[dict[str, Any]]:
    """Return a row per contrast and figure (accuracy, agreement gap), of those whose sides both have items.

    `q` corrects p for the contrasts of one axis and figure.
    """
    clean, worst = table.levels == CLEAN, table.levels == _WORST
    accuracy = matched_columns(table.columns["accuracy"], table.questions, clean, worst)
    columns: dict[str, tuple[NDArray[np.float64], ...]] = {"accuracy": accuracy}
    if not {CLEAN, _WORST} & set(table.without_gap):
        before, after = matched_terms(table.answers.gap, table.questions, clean, worst)
        columns["agreement_gap"] = (before.difference, before.weight, after.difference, after.weight)
    rows: list[dict[str, Any]] = []
    for contrast in CONTRASTS:
        sides = _sides(contrast, table, np.isfinite(accuracy[0]))
        if sides is None:
            continue
        ratios = CellRatios(sides, table.clusters, len(table.cluster_ids), table.weight)
        for figure, parts in columns.items():
            if figure == "accuracy":
                earlier, later = (ratios.mean(part) for part in parts)
            else:
                earlier, later = ratios.ratio(*parts[:2]), ratios.ratio(*parts[2:])
            rows.append({"run": run, "figure": figure, **_row(contrast, earlier, later, sides)})
    return _corrected(rows)


def _sides(contrast: Contrast, table: ItemTable, matched: NDArray[np.bool_]) -> Mapping[str, NDArray[np.int64]] | None:
    nodes = table.nodes[contrast.axis]
    first = np.isin(nodes, contrast.first)
    second = np.isin(nodes, contrast.second) if contrast.second else ~first & (nodes != None)  # noqa: E711
    sides = {"first": np.flatnonzero(first & matched), "second": np.flatnonzero(second & matched)}
    return sides if all(len(rows) for rows in sides.values()) else None


def _row(
    contrast: Contrast, earlier: ClusteredRatio, later: ClusteredRatio, sides: Mapping[str, NDArray[np.int64]]
) -> dict[str, Any]:
    change = later.estimate - earlier.estimate
    influence = later.influence - earlier.influence
    own = np.nan_to_num(later.own - earlier.own)  # a question of one side alone changes what it changes there
    involved = (later.items != 0).any(axis=0)
    effective = np.array([later.effective.min()])
    found = ClusteredChange(
        np.array([change[0] - change[1]]),
        standard_error((influence[0] - influence[1])[None], np.array([involved.sum()])),
        effective,
        *changing_clusters((own[0] - own[1])[None], effective),
    )
    low, high = found.interval(_BOUNDS)
    enough = later.effective.min() >= FEWEST_QUESTIONS
    return {
        **{"axis": contrast.axis, "contrast": contrast.name, "estimate": float(found.estimate[0])},
        **{"low": float(low[0]), "high": float(high[0]), "p": float(found.p_values()[0]) if enough else np.nan},
        **{"first": float(change[0]), "second": float(change[1])},
        **{"n_first": len(sides["first"]), "n_second": len(sides["second"])},
        **{"clusters": int(involved.sum()), "small": bool(later.effective.min() < SMALL)},
    }


def _corrected(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    families: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        families.setdefault((row["axis"], row["figure"]), []).append(row)
    for family in families.values():
        for row, q in zip(family, q_values(np.array([row["p"] for row in family])), strict=True):
            row["q"] = float(q)
    return rows
