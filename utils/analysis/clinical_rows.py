"""Rows of the tables for clinical decisions: operating points, and the effect of recalibration."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

from .operating import RunOperatingPoint
from .recalibrated import NOTHING, Interval, LevelRecalibration, RunRecalibration
from .statistics.bootstrap import SMALL
from .statistics.operating_points import REPORTED

_INTERVAL = ("estimate", "low", "high")

OPERATING_POINTS: tuple[str, ...] = (
    *("run", "level", "figure", *_INTERVAL, "bound", "n", "clusters", "small"),
    *("threshold", "risk", "error_bound", "statement"),
)
"""Columns of `operating_points`: one row per run, level and `REPORTED`; one without level where none is found."""

_ENDS = ("", "_low", "_high")
RECALIBRATION: tuple[str, ...] = (
    *("run", "level", "method", "parameters", "n"),
    *(f"{name}{end}" for name in ("gap_before", "gap_after", "slope", "slope_change") for end in _ENDS),
    *("loss_before", "loss_after", "brier_before", "brier_after", "reason"),
)
"""Columns of `recalibration`: one row per run and level; one without level where nothing was fitted."""

_DECIMALS = 9


def operating_rows(run: str, found: RunOperatingPoint) -> Iterable[dict[str, Any]]:
    """Yield the rows of `operating_points`."""
    of_run = {
        "run": run,
        "threshold": math.nan if found.threshold is None else found.threshold,
        "risk": found.risk,
        "error_bound": _number(found.bound),
        "statement": found.text,
    }
    if not found.levels:
        nothing = dict.fromkeys(("estimate", "low", "high"), math.nan)
        yield {**of_run, "level": None, "figure": None, **nothing, "bound": False, "n": 0, "clusters": 0, "small": True}
    for level, own in found.levels.items():
        for place, figure in enumerate(REPORTED):
            ends = (own.values, own.low, own.high)
            yield {
                **of_run,
                **{"level": level, "figure": figure},
                **{name: _number(part[place]) for name, part in zip(_INTERVAL, ends, strict=True)},
                **{"bound": bool(own.bound[place]), "n": int(own.n[place]), "clusters": int(own.clusters[place])},
                "small": bool(own.effective[place] < SMALL),
            }


def recalibration_rows(run: str, found: RunRecalibration) -> Iterable[dict[str, Any]]:
    """Yield the rows of `recalibration`."""
    parameters = json.dumps({name: _number(value) for name, value in found.parameters.items()})
    of_run = {"run": run, "method": found.method, "parameters": parameters, "reason": found.reason}
    if not found.levels:
        yield {**of_run, "level": None, "n": 0, **_level(LevelRecalibration(0, NOTHING, NOTHING))}
    for level, own in found.levels.items():
        yield {**of_run, "level": level, "n": own.n, **_level(own)}


def _level(own: LevelRecalibration) -> dict[str, float]:
    intervals: dict[str, Interval] = {
        **{"gap_before": own.gap_before, "gap_after": own.gap_after},
        **{"slope": own.slope, "slope_change": own.slope_change},
    }
    row = {
        f"{name}{end}": _number(value)
        for name, ends in intervals.items()
        for end, value in zip(_ENDS, ends, strict=True)
    }
    for name in ("loss", "brier"):
        before, after = own.scores.get(name, (math.nan, math.nan))
        row |= {f"{name}_before": _number(before), f"{name}_after": _number(after)}
    return row


def _number(value: float) -> float:
    return round(float(value), _DECIMALS) + 0.0  # no minus zero
