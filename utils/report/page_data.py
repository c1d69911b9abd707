"""The data that the page's figures are drawn from, small enough to stand in the page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from ..analysis.analyse import Analysis
from ..analysis.metrics import FIGURES
from ..analysis.standing import ranked_with
from ..analysis.statistics.bootstrap import SMALL
from ..dataset.taxonomy import CAPABILITY_TREE, LEVELS
from .frame_kinds import NODE_FIGURES, SCOPE
from .paper_tables import OURS
from .readers import reader_points
from .typical_drop import FRAME, typical_rows

_DECIMALS = 4


def page_data(analysis: Analysis, frames: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Return what the scripts of the page read, as JSON values: fractions to four decimals.

    Args:
        analysis: of one or several runs.
        frames: of `content.report_frames`.
    """
    return {
        "levels": LEVELS,
        "figures": {name: FIGURES[name].meaning for name in NODE_FIGURES},
        "tree": CAPABILITY_TREE,
        "small_below": SMALL,
        "runs": [run.name for run in analysis.collection.runs],
        "nodes": _nodes(analysis),
        "changes": _changes(analysis),
        **{name: _curve(frames[name]) for name in ("reliability", "risk_coverage")},
        **_ranking(analysis, frames),
        FRAME: typical_rows(frames),
        "readers": reader_points(frames),
        "published": _published(frames.get("table_6"), frames.get("figure_5")),
    }


def number(value: Any, decimals: int = _DECIMALS) -> float | None:
    """Return a number that JSON has: rounded, None where there is none."""
    return None if value is None or pd.isna(value) or math.isinf(value) else round(float(value), decimals)


def plain(value: Any) -> Any:
    """Return a NumPy scalar as Python's own, and anything else as it is."""
    return value.item() if hasattr(value, "item") else value


def _ranking(analysis: Analysis, frames: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Return `not_ranked` (run -> why it has no rank) and `same_items` (whether the published models are ranked)."""
    frame = frames.get("figure_5")
    published = frame is not None and bool((frame["origin"] != OURS).any())
    not_ranked, same_items = ranked_with(analysis.standing, published=published)
    return {"not_ranked": not_ranked, "same_items": same_items}


def _nodes(analysis: Analysis) -> list[list[Any]]:
    """Return run, level, axis, node, n, clusters, small, guesser's accuracy, confidence and shift, then the figures.

    A figure is its estimate, low and high, and the reason where it has one against an interval.
    """
    figures = analysis.tables["figures"]
    chosen = figures[figures["figure"].isin(NODE_FIGURES)]
    values = {
        (row.run, row.level, row.axis, row.node, row.figure): [
            *(number(row.estimate), number(row.low), number(row.high)),
            *_reason(row),
        ]
        for row in chosen.itertuples()
    }
    place = {run.name: index for index, run in enumerate(analysis.collection.runs)}
    rows = []
    for row in analysis.tables["nodes"].itertuples():
        key = (row.run, row.level, row.axis, row.node)
        guesser = [number(value) for value in (row.guesser_accuracy, row.guesser_confidence, row.guesser_shift)]
        found = [values.get((*key, name)) for name in NODE_FIGURES]
        size = [int(row.n), int(row.clusters), int(row.small)]
        rows.append([place[row.run], row.level, row.axis, row.node, *size, *guesser, *found])
    return rows


def _changes(analysis: Analysis) -> list[list[Any]]:
    """Return run, comparison, pairing, axis, node, figure, estimate, low, high, n, clusters, small, reason or None."""
    changes = analysis.tables["changes"]
    chosen = changes[changes["figure"].isin(SCOPE.changes) & changes["comparison"].isin(["L0_to_L1", "L0_to_L2"])]
    chosen = chosen.sort_values("figure", kind="stable", key=lambda names: names.map(SCOPE.changes.index))
    place = {run.name: index for index, run in enumerate(analysis.collection.runs)}
    return [
        [
            *(place[row.run], row.comparison, row.pairing, row.axis, row.node, row.figure),
            *(number(row.estimate), number(row.low), number(row.high), int(row.n), int(row.clusters), int(row.small)),
            next(iter(_reason(row)), None),
        ]
        for row in chosen.itertuples()
        if row.axis in ("overall", "degradation", "degradation_category", "modality")
    ]


def _reason(row: Any) -> list[str]:
    """Return why a row has no interval; nothing where it has one, or where the table does not say."""
    return [row.reason] if isinstance(row.reason, str) and pd.isna(row.low) else []


def _curve(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows = table.rename(columns={"model": "run"}).to_dict("records")
    return [
        {name: number(value) if isinstance(value, float) else plain(value) for name, value in row.items()}
        for row in rows
    ]


def _published(accuracy: pd.DataFrame | None, calibration: pd.DataFrame | None) -> list[dict[str, Any]]:
    models: dict[str, dict[str, Any]] = {}
    if accuracy is not None:
        for row in accuracy[accuracy["origin"] == "published"].itertuples():
            own = models.setdefault(row.model, {"model": row.model, "accuracy": {}, "calibration": {}})
            own["accuracy"][row.column] = number(row.accuracy)
    if calibration is not None:
        for row in calibration[calibration["origin"].str.startswith("published")].itertuples():
            own = models.setdefault(row.model, {"model": row.model, "accuracy": {}, "calibration": {}})
            own["calibration"][row.level] = [
                number(row.accuracy),
                number(row.confidence),
                number(row.calibration_shift),
            ]
    return list(models.values())
