"""What to know about the input of a report, as a frame: what was amiss with files and runs, who has no rank."""

from __future__ import annotations

import pandas as pd

from ..analysis.analyse import Analysis
from .frame_kinds import DIFFERENT_ITEMS, framed


def notes(analysis: Analysis, *, published: bool = False) -> pd.DataFrame:
    """Return what was amiss with the input, what may have moved a difference, and who has no rank, one line each."""
    collection = analysis.collection
    rows = [{"model": "", "note": note} for note in collection.warnings]
    rows += [{"model": run.name, "note": note} for run in collection.runs for note in run.warnings]
    for pair in analysis.pairs:
        rows += [{"model": "", "note": f"{pair.first} and {pair.second}: {note}"} for note in pair.notes]
    for run, standing in analysis.standing.items():
        if len(collection.runs) > 1 and standing.not_ranked:
            rows.append({"model": run, "note": f"not ranked beside the other runs: {standing.not_ranked}"})
        if published and standing.not_published:
            rows.append({"model": run, "note": f"{DIFFERENT_ITEMS}, so no rank among them: {standing.not_published}"})
        elif published and standing.unread:
            rows.append({"model": run, "note": f"not ranked among the published models: {standing.unread}"})
    return framed("notes", rows)
