"""Rows and JSON of the curves of a series, and a table that fits psignifit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from .series_curves import CURVE_FIGURES, Curve, PooledCurve, RunCurves
from .statistics.bootstrap import SMALL
from .statistics.cliffs import Place
from .tables import DECIMALS, estimate_rows

_ENDS = ("", "_low", "_high")
_PLACES = ("s10", "s50", "ratio", "ratio_physical", "ratio_to_l2")

SERIES_TABLES: Mapping[str, tuple[str, ...]] = {
    "curves": (
        *("run", "degradation", "modality", "stop", "parameter"),
        *(f"{name}{end}" for name in _PLACES for end in _ENDS),
        *("cliff", "cliff_reason", "accuracy_asked", "trusted_up_to", "risk", "trusted_answers_up_to", "threshold"),
        *("left_out", "n", "clusters", "small"),
    ),
    "curve_points": (
        *("run", "degradation", "modality", "severity", "rank", "parameter", "value", "unit", "strength", "figure"),
        *("estimate", "low", "high", "bound", "reason", "n", "clusters", "small"),
    ),
    "psignifit": ("run", "degradation", "modality", "level", "n_correct", "n_total"),
}
"""Tables of runs with a series -> their columns; `docs/curves.md` says what each holds."""


def curve_rows(run: str, found: RunCurves) -> Iterable[dict[str, Any]]:
    """Yield the rows of `curves`."""
    for curve in found.curves:
        accuracy = curve.estimates["accuracy"]
        yield {
            **{"run": run, "degradation": curve.items.degradation, "modality": curve.items.modality},
            **{"stop": curve.items.severities[-1], "parameter": _parameter(curve)},
            **{
                f"{name}{end}": value
                for name in _PLACES
                for end, value in zip(_ENDS, _ends(getattr(curve.shape, name)), strict=True)
            },
            **{"cliff": curve.shape.cliff, "cliff_reason": curve.shape.because},
            **{"accuracy_asked": _rounded(curve.floor), "trusted_up_to": _known(curve.trusted)},
            **{"risk": found.risk, "trusted_answers_up_to": _known(curve.trusted_answers)},
            **{"threshold": found.threshold, "left_out": curve.items.left_out},
            **{"n": int(accuracy.n[0]), "clusters": int(accuracy.clusters.min())},
            "small": bool(accuracy.effective.min() < SMALL),
        }


def point_rows(run: str, found: RunCurves) -> Iterable[dict[str, Any]]:
    """Yield the rows of `curve_points`: every curve's, then the pooled ones."""
    for curve in found.curves:
        for figure in CURVE_FIGURES:
            rows = estimate_rows(curve.estimates[figure])
            for place, (severity, row) in enumerate(zip(curve.items.severities, rows, strict=True)):
                dose = curve.doses[place - 1] if place else None
                yield {
                    **{"run": run, "degradation": curve.items.degradation, "modality": curve.items.modality},
                    **{"severity": severity, "rank": _rounded(place / (len(rows) - 1))},
                    "parameter": None if dose is None else dose.parameter,
                    "value": math.nan if dose is None else _rounded(dose.value),
                    "unit": None if dose is None else dose.unit,
                    "strength": (math.nan if dose is None else _rounded(dose.strength)) if place else 0.0,
                    **{"figure": figure, **row},
                }
    for pooled in found.pooled:
        yield from _pooled_rows(run, pooled)


def _pooled_rows(run: str, pooled: PooledCurve) -> Iterable[dict[str, Any]]:
    for figure in CURVE_FIGURES:
        for place, rank in enumerate(pooled.ranks):
            yield {
                **{"run": run, "degradation": pooled.degradation, "modality": pooled.modality},
                **{"severity": _rounded(pooled.severities[place]), "rank": _rounded(rank)},
                **{"parameter": None, "value": math.nan, "unit": None, "strength": math.nan, "figure": figure},
                "estimate": _rounded(pooled.values[figure][place]),
                **{end: _rounded(getattr(pooled, end)[figure][place]) for end in ("low", "high")},
                **{"bound": False, "reason": None, "n": pooled.curves, "clusters": pooled.clusters},
                "small": pooled.effective < SMALL,
            }


def psignifit_rows(run: str, found: RunCurves) -> Iterable[dict[str, Any]]:
    """Yield the rows of `psignifit`: whole numbers, as it asks for, so ties of votes are rounded."""
    for curve in found.curves:
        total = curve.estimates["accuracy"].n
        for severity, correct, number in zip(curve.items.severities, curve.correct, total, strict=True):
            yield {
                **{"run": run, "degradation": curve.items.degradation, "modality": curve.items.modality},
                **{"level": severity, "n_correct": int(min(round(correct), number)), "n_total": int(number)},
            }


def series_json(found: RunCurves) -> dict[str, Any]:
    """Return the curves as JSON types, None where a number does not exist."""
    return {
        "risk": found.risk,
        "threshold": found.threshold,
        "curves": [
            {
                **{"degradation": curve.items.degradation, "modality": curve.items.modality},
                **{
                    "stop": curve.items.severities[-1],
                    "source_questions": int(curve.estimates["accuracy"].clusters[0]),
                },
                "left_out": curve.items.left_out,
                **{name: _as_json(getattr(curve.shape, name)) for name in _PLACES},
                **{"cliff": curve.shape.cliff, "cliff_reason": curve.shape.because},
                **{"accuracy_asked": _rounded(curve.floor), "trusted_up_to": curve.trusted},
                "trusted_answers_up_to": curve.trusted_answers,
                "points": [_point(curve, place) for place in range(len(curve.items.severities))],
            }
            for curve in found.curves
        ],
        "pooled": [
            {
                **{"degradation": pooled.degradation, "modality": pooled.modality, "curves": pooled.curves},
                "points": [
                    {
                        **{"rank": _rounded(rank), "severity": _or_none(pooled.severities[place])},
                        **{
                            figure: {
                                "estimate": _or_none(pooled.values[figure][place]),
                                **{end: _or_none(getattr(pooled, end)[figure][place]) for end in ("low", "high")},
                            }
                            for figure in CURVE_FIGURES
                        },
                    }
                    for place, rank in enumerate(pooled.ranks)
                ],
            }
            for pooled in found.pooled
        ],
    }


def _point(curve: Curve, place: int) -> dict[str, Any]:
    dose = curve.doses[place - 1] if place else None
    rows = {name: curve.estimates[name] for name in CURVE_FIGURES}
    return {
        "severity": curve.items.severities[place],
        "dose": None
        if dose is None
        else {
            **{"parameter": dose.parameter, "value": _rounded(dose.value), "unit": dose.unit},
            "strength": _rounded(dose.strength),
        },
        **{
            name: {
                "estimate": _or_none(row.values[place]),
                **{"low": _or_none(row.low[place]), "high": _or_none(row.high[place])},
                **({"reason": row.reasons[place]} if row.reasons[place] else {}),
            }
            for name, row in rows.items()
        },
    }


def _parameter(curve: Curve) -> str | None:
    return next((dose.parameter for dose in curve.doses if dose is not None), None)


def _ends(place: Place) -> tuple[float, float, float]:
    """Return estimate, low and high; NaN beyond the last severity."""
    low, middle, high = (_rounded(value) for value in (place.low, place.estimate, place.high))
    return middle, low, high


def _as_json(place: Place) -> dict[str, float | None]:
    middle, low, high = map(_or_none, _ends(place))
    return {"estimate": middle, "low": low, "high": high}


def _or_none(value: float) -> float | None:
    return _rounded(value) if math.isfinite(value) else None


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _rounded(value: float) -> float:
    return round(float(value), DECIMALS) + 0.0 if math.isfinite(value) else math.nan
