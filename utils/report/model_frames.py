"""Frames of models beside each other: ranks, differences item by item, and what other benchmarks say of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..analysis.analyse import Analysis
from ..analysis.standing import ranked_with
from ..analysis.tables import overall
from ..dataset.taxonomy import LEVELS
from .frame_kinds import CORE, FRAMES, framed
from .paper_tables import OURS, table_6
from .units import with_interval


def rank_change(analysis: Analysis, *, published: bool) -> pd.DataFrame:
    """Return the ranks by accuracy at L0 and at L2 of the models that have both.

    Beside published models only runs on the published items have a rank; without such a run the published have none.
    """
    not_ranked, with_published = ranked_with(analysis.standing, published=published)
    table = table_6(analysis, published=with_published)
    table = table[(table["origin"] != OURS) | ~table["model"].isin(not_ranked)]
    wide = table.pivot_table(index=["model", "origin"], columns="column", values="accuracy", sort=False)
    if not {LEVELS[0], LEVELS[-1]} <= set(wide.columns):
        return framed("rank_change", [])
    wide = wide.dropna(subset=[LEVELS[0], LEVELS[-1]]).reset_index()
    ranks = {level: wide[level].rank(ascending=False, method="min").astype(int) for level in (LEVELS[0], LEVELS[-1])}
    wide = wide.assign(
        accuracy_l0=wide[LEVELS[0]],
        accuracy_l2=wide[LEVELS[-1]],
        rank_l0=ranks[LEVELS[0]],
        rank_l2=ranks[LEVELS[-1]],
        rank_change=ranks[LEVELS[-1]] - ranks[LEVELS[0]],
    )
    return framed("rank_change", wide.sort_values(["rank_l0", "model"], ignore_index=True))


def paired(analysis: Analysis) -> pd.DataFrame:
    """Return the differences of runs on the same items, each with a sentence that says whether it is within noise."""
    table = overall(analysis.tables["models"])
    chosen = table[table["figure"].isin(CORE)]
    within = (chosen["low"] <= 0) & (chosen["high"] >= 0)
    return framed(
        "paired",
        chosen.assign(within_noise=within, statement=[_statement(row) for row in chosen.itertuples()]),
    )


def refused_pairs(analysis: Analysis) -> pd.DataFrame:
    """Return the pairs that are not compared, or by accuracy alone, with the reason."""
    return framed(
        "refused_pairs",
        [
            {"first": pair.first, "second": pair.second, "reason": reason}
            for pair in analysis.pairs
            if (reason := pair.refused or pair.accuracy_alone) is not None
        ],
    )


def dunning_kruger_between(analysis: Analysis) -> pd.DataFrame:
    """Return whether the less accurate of two compared runs has the larger shift, by level."""
    return framed("dunning_kruger_between", overall(analysis.tables["models_dunning_kruger"]))


def other_results(analysis: Analysis) -> pd.DataFrame:
    """Return the numbers of other tasks in the same results files."""
    others = analysis.collection.other_results
    return framed(
        "other_results", [{name: getattr(other, name) for name in FRAMES["other_results"].columns} for other in others]
    )


def _statement(row: object) -> str:
    """Return what a paired difference means, in words, with its numbers."""
    what = {"accuracy": "accuracy", "confidence": "confidence", "calibration_shift": "Calibration Shift"}[row.figure]
    if np.isnan(row.low):
        return f"{row.level}: too few source questions to compare the {what} of {row.first} and {row.second}"
    interval = with_interval(row.estimate, row.low, row.high, signed=True, unit=" points")
    few = f"; only {row.clusters} source questions" if row.small else ""
    if row.low <= 0 <= row.high:
        return f"{row.level}: the {what} of {row.first} and {row.second} differ by {interval}, within noise{few}"
    more, less = (row.first, row.second) if row.estimate > 0 else (row.second, row.first)
    return f"{row.level}: the {what} of {more} is larger than that of {less}, {interval} (first minus second){few}"
