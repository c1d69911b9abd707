"""What a suite's item says of its evidence, and its images at the level "gone"."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ..dataset.taxonomy import CLEAN
from ..dataset.taxonomy import GONE as LEVEL
from ..phantoms.suite import Phantom, Version
from .gone import degraded_at, first_gone
from .judging import LEAST_CLEAN, SURVIVES, VOID, ItemObserver, Judgement

Row = dict[str, Any]


def with_evidence(phantom: Phantom, seed: int, rows: list[Row], version: Callable[[Version], Row]) -> list[Row]:
    """Return an item's rows with what the observer says of each, and those of the level "gone" behind them.

    Args:
        phantom: the item, drawn.
        seed: of the suite.
        rows: the clean item's, then those of its degraded versions.
        version: writes the image of a further version and returns its row.
    """
    observer = ItemObserver(phantom, seed)
    judged = [{**row, **_cells(_judgement(observer, row))} for row in rows]
    index = rows[0]["index"]
    for name in phantom.item.degradations if observer.clean >= LEAST_CLEAN else ():
        if (found := first_gone(observer, name, index)) is None:
            continue
        severity, judgement = found
        image, record = degraded_at(phantom.image, name, severity, index, phantom.item.modality)
        row = version(Version(name, LEVEL, severity, image, record))
        judged.append({**row, **_cells(judgement)})
    return judged


def _judgement(observer: ItemObserver, row: Row) -> Judgement:
    if row["level"] == CLEAN:
        return Judgement(SURVIVES if observer.clean >= LEAST_CLEAN else VOID, observer.clean, None)
    return observer.judge(json.loads(row["parameters"]))


def _cells(judgement: Judgement) -> Row:
    weak = "" if judgement.weak is None else f"{judgement.weak:.3f}"
    return {"evidence": judgement.verdict, "evidence_keen": f"{judgement.keen:.3f}", "evidence_weak": weak}
