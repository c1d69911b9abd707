"""How strong a degradation is at any severity s: 0 is clean, 1 is L1, 2 is L2.

Each parameter that makes a degradation strong has a strength t, a measure of it that is 0 for a clean image: the
offset itself, the logarithm of a contrast, the reciprocal of a number of views. Between the table's two levels, whose
strengths are t1 and t2, it grows geometrically:

    t(s) = t1 (q^s - 1) / (q - 1),  q = (t2 - t1) / t1,   for s <= 2  (q = 1: t = s t1)
    t(s) = t2 + (s - 2) (t2 - t1)                         for s > 2

So t is 0, t1 and t2 at 0, 1 and 2, has a finite slope at 0 and no kink at 1. It needs 0 < t1 < t2; in a table of one's
own, `interpolate: line` draws straight lines through 0, t1 and t2 instead. The other numbers follow a line through
L1 and L2, and words and flags are L1's below 2. What is whole (ghosts, positions, the length of a line) is mixed from
the whole numbers on both sides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
"""A degradation's parameters, drawn ones not included."""

Part = tuple[float, Row | None]
"""A share of the result and the parameters that make it; None: the clean image."""

GROWTH, LINE = "growth", "line"

_SMALLEST = 1e-9  # of a strength, where its reciprocal is taken
_FINEST_SIDE = 8
"""Pixels of the coarse grid below which a severity above 2 does not go."""
_IDEAL_VIEWS = 720
_SHORTEST_LINE = 3


@dataclass(frozen=True)
class Scale:
    """From a parameter's value to its strength, and back (given L1's value, for the sign)."""

    strength: Callable[[float], float]
    value: Callable[[float, float], float]


_AMOUNT = Scale(abs, lambda t, like: math.copysign(t, like))
_LOGARITHM = Scale(lambda value: abs(math.log(value)), lambda t, like: math.exp(t if like > 1 else -t))
_DEPTH = Scale(lambda value: -math.log1p(-value), lambda t, _: -math.expm1(-t))
_RECIPROCAL = Scale(lambda value: 1 / value, lambda t, _: 1 / max(t, _SMALLEST))
_RECIPROCAL_ROOT = Scale(lambda value: value**-0.5, lambda t, _: max(t, _SMALLEST) ** -2)
_BEYOND_ONE = Scale(lambda value: value - 1, lambda t, _: 1 + t)
_MISSING_ARC = Scale(lambda value: 360 - value, lambda t, _: 360 - t)


@dataclass(frozen=True)
class Dose:
    """What a degradation's severity is made of.

    Attributes:
        scales: parameter -> its measure of strength; the first is what a curve's physical axis shows.
        stop: largest severity.
        along: parameters on a line through L1 and L2 at all severities; the rest of those that differ stay at L1's
            below 1 and at L2's above 2.
        whole: a whole number of things, of which the two levels' are mixed between 1 and 2.
        fades_in: below 1, the clean image is mixed with L1, rather than a weaker degradation made.
        ideal: what makes the operator's own undegraded result, which differs a little from the clean image; below 1
            the difference is taken back by (1 - s).
    """

    scales: Mapping[str, Scale]
    stop: float = 4.0
    along: tuple[str, ...] = ()
    whole: str = ""
    fades_in: bool = False
    ideal: Mapping[str, Any] | None = None


DOSES: Mapping[str, Dose] = {
    "limited_angle": Dose({"arc": _MISSING_ARC}, stop=3, fades_in=True),
    "sparse_view": Dose({"views": _RECIPROCAL}, stop=3, ideal={"views": _IDEAL_VIEWS}),
    "bias_field": Dose({"strength": _AMOUNT}, stop=3),
    "undersampling": Dose({"density": _LOGARITHM}),
    "ghosting": Dose({"weight": _AMOUNT}, stop=2.5, whole="ghosts"),
    "blood_cell": Dose({"count": _AMOUNT}, along=("diameter",)),
    "dark_spots": Dose({"depth": _DEPTH}, along=("sigma",)),
    "object_rotation": Dose({"magnitude": _AMOUNT}, stop=2),
    "object_movement": Dose({"rotation": _AMOUNT, "shift": _AMOUNT}, whole="positions"),
    "adjust_brightness": Dose({"offset": _AMOUNT}),
    "exposure": Dose(
        {"under_gamma": _LOGARITHM, "under_offset": _AMOUNT, "over_gamma": _LOGARITHM, "over_offset": _AMOUNT}
    ),
    "reduce_contrast": Dose({"factor": _LOGARITHM}),
    "gaussian_noise": Dose({"relative_sigma": _AMOUNT}),
    "low_dose": Dose({"photons": _RECIPROCAL_ROOT}, ideal={"photons": None}),
    "low_resolution": Dose({"keep": _LOGARITHM}, fades_in=True),
    "motion_blur": Dose({"length": _BEYOND_ONE}),
    "gaussian_blur": Dose({"sigma": _AMOUNT}),
    "bubble": Dose({"sigma": _AMOUNT}, along=("radius",)),
}
"""Degradation -> its dose. One without an entry takes the published severities alone."""


def strength_at(severity: float, first: float, second: float, interpolate: str = GROWTH) -> float:
    """Return the strength t at a severity above 0, from those at 1 and 2.

    Raises:
        ValueError: growth between strengths that do not grow.
    """
    if severity > 2:
        return max(second + (severity - 2) * (second - first), 0.0)
    if interpolate == LINE:
        return severity * first if severity <= 1 else first + (severity - 1) * (second - first)
    if not 0 < first < second:
        raise ValueError("not 0 < L1 < L2 in strength")
    ratio = (second - first) / first
    if abs(ratio - 1) < 1e-9:
        return severity * first
    at: float = first * (ratio**severity - 1) / (ratio - 1)
    return at


def parts_at(
    name: str, severity: float, first: Row, second: Row, shape: tuple[int, ...], interpolate: str = GROWTH
) -> list[Part]:
    """Return what a degradation at a severity above 0 is composed of.

    Args:
        name: the degradation's canonical name.
        severity: above 0, not above the dose's stop.
        first: the table's row at L1, resolved for the image.
        second: likewise at L2.
        shape: of the image; rows and columns first.
        interpolate: `GROWTH` or `LINE`.

    Returns:
        Shares that sum to 1, each with the parameters of the operator that it is the share of. One part of share 1 at
        the severities 1 and 2, with the table's own values.

    Raises:
        ValueError: a row whose strengths do not grow.
    """
    dose = DOSES[name]
    if severity in (1, 2):
        return [(1.0, dict(first if severity == 1 else second))]
    if dose.fades_in and severity < 1:
        return [(1 - severity, None), (severity, dict(first))]
    if name == "motion_blur":
        first, second = ({**row, "length": max(round(row["length"]), 2)} for row in (first, second))
    row = _between(name, dose, severity, first, second, interpolate)
    if name == "low_resolution":
        coarsest = min(_FINEST_SIDE / min(shape[:2]), second["keep"])
        return [(1.0, {**row, "keep": max(row["keep"], coarsest)})]
    if name == "motion_blur":
        return _whole_lengths(row)
    if name == "sparse_view":
        row["views"] = min(round(row["views"]), _IDEAL_VIEWS)
    if dose.whole and 1 < severity < 2 and first[dose.whole] != second[dose.whole]:
        mixed = ((2 - severity, first), (severity - 1, second))
        return [(share, {**row, dose.whole: of[dose.whole]}) for share, of in mixed]
    if dose.ideal is not None and severity < 1:
        return [(1.0, row), (1 - severity, None), (severity - 1, {**row, **dose.ideal})]
    return [(1.0, row)]


def _between(name: str, dose: Dose, severity: float, first: Row, second: Row, interpolate: str) -> Row:
    row: Row = {}
    for key in dict.fromkeys([*first, *second]):
        if key not in first or key not in second:
            source = first if severity < 2 else second
            if key in source:
                row[key] = source[key]
            continue
        before, after = first[key], second[key]
        if key in dose.scales:
            row[key] = _grown(name, key, dose.scales[key], severity, before, after, interpolate)
        elif before == after or not _is_number(before) or not _is_number(after) or key == dose.whole:
            # A whole number of things changes at 1, where what it adds is mixed in.
            row[key] = before if severity < (1 if key == dose.whole else 2) else after
        else:
            share = severity - 1 if key in dose.along else min(max(severity - 1, 0), 1)
            row[key] = before + share * (after - before)
    _settle_specials(name, row, severity, first, second)
    return row


def _grown(name: str, key: str, scale: Scale, severity: float, before: Any, after: Any, interpolate: str) -> Any:
    if isinstance(before, tuple):
        after = after if isinstance(after, tuple) else (after, after)
        return tuple(_grown(name, key, scale, severity, *ends, interpolate) for ends in zip(before, after, strict=True))
    try:
        strength = strength_at(severity, scale.strength(before), scale.strength(after), interpolate)
    except ValueError:
        raise ValueError(
            f"{name}: {key} is {before} at L1 and {after} at L2, which does not grow from 0, so nothing lies between:"
            " write 'interpolate: line' beside L1 and L2 in the severity table"
        ) from None
    return scale.value(strength, before)


def _settle_specials(name: str, row: Row, severity: float, first: Row, second: Row) -> None:
    """What follows a rule of its own, in place."""
    if name == "undersampling" and severity < 1:
        row["decay"] = first["decay"] / severity  # 1/decay^2 grows with the square, from all lines kept
    elif name == "undersampling":
        squares = [row_["decay"] ** -2 for row_ in (first, second)]
        row["decay"] = max(squares[0] + (severity - 1) * (squares[1] - squares[0]), _SMALLEST) ** -0.5
    elif name == "limited_angle":
        middles = [row_["start"] + row_["arc"] / 2 for row_ in (first, second)]
        turn = (middles[1] - middles[0] + 180) % 360 - 180
        row["start"] = (middles[0] + (severity - 1) * turn - row["arc"] / 2) % 360
    elif name == "low_dose" and "highest" in second and severity > 1:
        # Without a limit, the largest line integral is that of a ray of which one photon is counted.
        before = first.get("highest", math.log(first["photons"]))
        row["highest"] = before + min(severity - 1, 1) * (second["highest"] - before)


def _whole_lengths(row: Row) -> list[Part]:
    """Lines of the whole lengths on both sides; up to the shortest that has a middle, mixed with the clean image."""
    length, shortest = row["length"], _SHORTEST_LINE
    if length < shortest:
        share = (length - 1) / (shortest - 1)
        return [(1 - share, None), (share, {**row, "length": shortest})]
    shorter = math.floor(length)
    if shorter == length:
        return [(1.0, {**row, "length": shorter})]
    return [(shorter + 1 - length, {**row, "length": shorter}), (length - shorter, {**row, "length": shorter + 1})]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
