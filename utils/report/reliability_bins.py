"""Reliability with bins that hold enough: neighbouring vote levels are put together up to ten source questions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..analysis.analyse import Analysis
from ..analysis.item_table import ItemTable
from ..analysis.statistics.bootstrap import SMALL
from ..analysis.statistics.calibration_error import merged_bins, score_bins
from ..analysis.statistics.clustered import clustered_ratio, sums_by_place
from ..analysis.statistics.share_intervals import share_intervals
from ..dataset.taxonomy import LEVELS
from ..scoring.elicitation import VOTES
from .frame_kinds import framed

SCORE, CREDIT = "top_share", "majority_vote"


def reliability(analysis: Analysis) -> pd.DataFrame:
    """Return mean top share against share right by merged bins of the vote levels, for every run and level."""
    rows = [
        {"model": run, "level": level, **row}
        for run, table in analysis.item_tables.items()
        for level in LEVELS
        if (table.levels == level).any()
        for row in _bins(table, level)
    ]
    return framed("reliability", rows)


def _bins(table: ItemTable, level: str) -> list[dict[str, Any]]:
    score, credit = table.columns[SCORE], table.columns[CREDIT]
    use = np.flatnonzero((table.levels == level) & np.isfinite(score) & np.isfinite(credit))
    score, credit, weight = score[use], credit[use], table.weight[use]
    present, clusters = np.unique(table.clusters[use], return_inverse=True)
    trials = table.vote_levels if table.elicitation == VOTES else None
    rows: list[dict[str, Any]] = []
    for items in merged_bins(score_bins(score, trials), clusters):
        sizes = sums_by_place(clusters[items], weight[items], len(present))[None]
        sums = sums_by_place(clusters[items], weight[items] * credit[items], len(present))[None]
        found = clustered_ratio(sums, sizes)
        ends = share_intervals(found)
        number = len(np.unique(clusters[items]))
        rows.append(
            {
                **{"score_from": score[items].min(), "score_to": score[items].max()},
                "score": float(np.average(score[items], weights=weight[items])),
                **{"estimate": found.estimate[0], "low": ends.low[0], "high": ends.high[0]},
                **{"n": len(items), "clusters": number, "small": bool(found.effective[0] < SMALL)},
            }
        )
    return rows
