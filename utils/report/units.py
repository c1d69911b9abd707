"""One unit for people: shares in per cent with one decimal, differences of shares in points; files keep fractions."""

from __future__ import annotations

import math

from .frame_kinds import NODE_FIGURES
from .paper_tables import PAPER_COLUMNS

_NAMES = frozenset(
    {
        *NODE_FIGURES,
        *PAPER_COLUMNS,
        *(
            "estimate",
            "difference",
            "share",
            "guesser",
            "always_flag",
            "never_flag",
            "score",
            "coverage",
            "score_from",
            "score_to",
            "threshold",
            "risk",
        ),
        *(
            "guesser_accuracy",
            "guesser_confidence",
            "guesser_shift",
            "accuracy_l0",
            "accuracy_l2",
            "macro",
            "micro",
            "accuracy_before",
        ),
    }
)
_ENDS = ("_low", "_high", "_change")
RANK_CHANGE = "rank_change"
"""A change that is none of shares."""


def is_share(column: str) -> bool:
    """Whether a column holds shares or differences of shares, which people read in per cent.

    The ends of its interval and its change belong to a column: "accuracy_low", "L2_change", "shift_change_high".
    """
    if column in _NAMES or column in ("low", "high", "change"):
        return True
    return column != RANK_CHANGE and any(
        column.endswith(end) and (end == "_change" or is_share(column.removesuffix(end))) for end in _ENDS
    )


def is_signed(column: str) -> bool:
    """Whether a column holds differences, which carry their sign."""
    return any(part in column for part in ("shift", "change", "difference", "gap"))


def count(value: int, *, signed: bool = False) -> str:
    """Return a whole number: "10,294", and a difference of two with its sign, "+2"."""
    return f"{value:{'+' if signed and value else ''},}".replace("-", "−")


def percent(value: float | None, *, signed: bool = False) -> str:
    """Return a fraction in per cent with one decimal and without the unit: "79.6", "+4.0", "−1.2"; "–" for none."""
    if value is None or math.isnan(value):
        return "–"
    text = f"{100 * value:{'+' if signed else ''}.1f}"
    return text.replace("-", "−") if text.strip("+-0.") else text.lstrip("+-")


def interval(low: float | None, high: float | None, *, signed: bool = False) -> str:
    """Return an interval's ends in per cent in brackets; empty where there is none."""
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return ""
    return f"[{percent(low, signed=signed)}, {percent(high, signed=signed)}]"


def with_interval(value: float, low: float, high: float, *, signed: bool = False, unit: str = "") -> str:
    """Return a fraction in per cent with its interval: "79.6% [71.4, 86.0]"."""
    return f"{percent(value, signed=signed)}{unit} {interval(low, high, signed=signed)}".rstrip()


def probability(p: float) -> str:
    """Return a p value: three decimals, "< 0.001" below."""
    return "–" if math.isnan(p) else "< 0.001" if p < 0.0005 else f"{p:.3f}"
