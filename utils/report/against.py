"""Two versions of a model on the same items: what changed, with intervals, and which items flipped."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ..analysis.analyse import Analysis
from ..analysis.item_table import OVERALL, ItemTable
from .frame_kinds import CORE, SCOPE, framed

AGAINST_SCOPE = replace(SCOPE, axes=(OVERALL, "modality", "degradation"))
"""What an analysis of both versions needs: their differences by modality and degradation too."""

_FIGURES = (*CORE, "agreement_gap")
_HALF = 0.5
LOST, WON = "right before, wrong now", "wrong before, right now"


def differences(analysis: Analysis, old: Collection[str]) -> pd.DataFrame:
    """Return new minus old of accuracy, confidence, shift and gap, overall and by modality and degradation.

    Args:
        analysis: of the new runs and the old ones together, of `AGAINST_SCOPE` or more.
        old: names of the old runs.
    """
    rows: list[dict[str, Any]] = []
    table = analysis.tables["models"]
    for new_run, old_run, first in _pairs(analysis, old):
        chosen = table[
            table["figure"].isin(_FIGURES)
            & (table["first"] == (new_run if first else old_run))
            & (table["second"] == (old_run if first else new_run))
        ]
        for row in chosen.to_dict("records"):
            low, high = (row["low"], row["high"]) if first else (-row["high"], -row["low"])
            rows.append(
                {
                    **{str(name): value for name, value in row.items()},
                    **{"model": new_run, "before": old_run},
                    **{"estimate": row["estimate"] if first else -row["estimate"], "low": low, "high": high},
                }
            )
    return framed("against", rows)


def flipped(analysis: Analysis, old: Collection[str]) -> pd.DataFrame:
    """Return the items whose majority of votes went from right to wrong or back, those that moved most first.

    Args:
        analysis: of the new runs and the old ones together.
        old: names of the old runs.
    """
    rows: list[dict[str, Any]] = []
    for new_run, old_run, _ in _pairs(analysis, old):
        tables = analysis.item_tables[new_run], analysis.item_tables[old_run]
        rows += sorted(
            ({"model": new_run, "before": old_run, **row} for row in _flips(*tables)),
            key=lambda row: (row["level"], -abs(row["accuracy"] - row["accuracy_before"]), row["item_id"]),
        )
    return framed("flipped", rows)


def _pairs(analysis: Analysis, old: Collection[str]) -> Iterator[tuple[str, str, bool]]:
    """Yield (new run, old run, whether the new one is the first) of the pairs that compare."""
    for pair in analysis.pairs:
        if pair.refused is None and (pair.first in old) != (pair.second in old):
            first = pair.second in old
            yield (pair.first, pair.second, True) if first else (pair.second, pair.first, False)


def _flips(new: ItemTable, old: ItemTable) -> Iterator[dict[str, Any]]:
    place = {key: row for row, key in enumerate(zip(old.levels, old.item_ids, strict=True))}
    for row, key in enumerate(zip(new.levels, new.item_ids, strict=True)):
        before = place.get(key)
        if before is None:
            continue
        now, then = new.columns["majority_vote"][row], old.columns["majority_vote"][before]
        if np.isnan(now) or np.isnan(then) or (now - _HALF) * (then - _HALF) >= 0:
            continue  # ties are neither right nor wrong
        yield {
            **{"level": key[0], "item_id": key[1], "flip": WON if now > then else LOST},
            **{axis: new.nodes[axis][row] for axis in ("modality", "degradation")},
            **{"accuracy_before": float(old.columns["accuracy"][before])},
            **{"accuracy": float(new.columns["accuracy"][row])},
        }
