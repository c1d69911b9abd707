"""Images that were bad when they were taken beside simulated degradations: frames, and a sentence on the ranks."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from ..analysis.analyse import Analysis
from .frame_kinds import framed

_STATISTICS = {"kendall_tau_b": "Kendall's tau-b", "spearman_rho": "Spearman's rho"}


def real_images(analysis: Analysis) -> pd.DataFrame:
    """Return each run's figures on real and on simulated images; empty where there are none, or a single run."""
    rows = analysis.tables.get("real_degradations")
    if rows is None or rows["run"].nunique() < 2:
        return framed("real_images", [])
    return framed("real_images", rows.assign(model=rows["run"], images=rows["kind"]))


def real_ranks(analysis: Analysis) -> pd.DataFrame:
    """Return how alike real and simulated images rank the runs; empty where `real_images` is.

    Where there are too few runs for ranks, one row has the reason instead.
    """
    if real_images(analysis).empty:
        return framed("real_ranks", [])
    rows = analysis.tables["real_ranks"]
    ends = {"correlation": rows["estimate"], "correlation_low": rows["low"], "correlation_high": rows["high"]}
    return framed("real_ranks", rows.assign(**ends, statistic=rows["statistic"].map(_STATISTICS)))


def ranks_sentence(frames: Mapping[str, pd.DataFrame]) -> str:
    """Return whether simulated degradations rank the runs as real ones do, in a sentence; "" without a frame."""
    ranks = frames["real_ranks"]
    if ranks.empty:
        return ""
    first = ranks.iloc[0]
    if isinstance(first["reason"], str):
        return f"No ranks: {first['reason']}."
    text = f"{first['correlation']:.2f}"
    if pd.notna(first["correlation_low"]):
        text += f" [{first['correlation_low']:.2f}, {first['correlation_high']:.2f}]"
    few = ", from fewer than 30 source questions" if first["small"] else ""
    return (
        f"By accuracy, {first['n_real']:,} real and {first['n_simulated']:,} simulated items order {first['runs']} "
        f"runs with a Kendall's tau-b of {text.replace('-', '−')}{few}: 1 is the same order, 0 no agreement."
    )
