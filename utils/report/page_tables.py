"""The tables of the page: which frames, with which columns, and their cells as text and as values to sort by."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ..analysis.published.results import GROUPS
from .figure_style import spoken
from .frame_kinds import FRAMES, MOST_FLIPPED
from .page_data import number, plain
from .paper_tables import paper_layout
from .printed_tables import REASONS, caption
from .units import count, is_share, is_signed, percent, probability

_NAMES = ("figure", "comparison", "degradation", "category", "set")
"""Columns of names that people read without underscores."""

_STATED = ("model", "origin", "elicitation", "T", "K")
"""Columns that are stated once above a table in which they hold one single value; a download keeps them."""


@dataclass(frozen=True)
class PageTable:
    """A table of the page.

    Attributes:
        name: of its CSV file, without the ending.
        title: shown above it.
        note: what the reader must know to read it.
        frame: cells; columns X_low and X_high are shown within X, as an interval.
    """

    name: str
    title: str
    note: str
    frame: pd.DataFrame


def page_table(name: str, frames: Mapping[str, pd.DataFrame]) -> PageTable | None:
    """Return a frame as the page shows it, or None where it has no rows."""
    frame = frames.get(name)
    if frame is None or frame.empty:
        return None
    frame = frame.head(MOST_FLIPPED) if name == "flipped" else frame
    if name in ("table_2", "table_3", "table_6"):
        frame = paper_layout(frame)
        frame = frame.drop(columns=[column for column in frame.columns if column.endswith("_n")])
        groups = frame["group"].map(GROUPS)
        origin = frame["origin"].where(groups.isna(), frame["origin"] + ": " + groups)
        frame = frame.assign(origin=origin).drop(columns=["group"]).dropna(axis="columns", how="all")
    if name == "headline":
        frame = frame.drop(columns=["guesser_confidence"]).rename(columns={"trials": "T", "options": "K"})
        hidden = [name for name in REASONS if name == REASONS[1] or frame[name].isna().all()]
        frame = frame.drop(columns=hidden)
        last = ["n", "clusters", "small", "T", "K", "elicitation"]
        frame = frame[[*frame.columns.difference(last, sort=False), *last]]
    if name == "findings":
        first = ["finding", "reading"]  # side by side, also where the window is narrow
        frame = frame[[*first, *frame.columns.difference(first, sort=False)]]
    if name == "paired":
        frame = frame[["statement", *frame.columns.drop("statement")]]
    if name == "readers":
        frame = frame.drop(columns=["kind"]).dropna(axis="columns", how="all")
    if name == "operating_points":
        frame = frame.dropna(axis="columns", how="all")
        frame = frame if "figure" in frame else frame[["model", "risk", "statement"]]
    if name == "real_ranks":
        if frame["statistic"].isna().all():
            return None  # its reason stands above
        frame = frame.drop(columns=["reason"])
    if "estimate" in frame and ("figure" in frame or name in ("findings", "against")):
        value = "share" if name in ("operating_points", "readers", "flags", "real_images") else "difference"
        frame = frame.rename(columns={"estimate": value, "low": f"{value}_low", "high": f"{value}_high"})
    kind = FRAMES[name]
    return PageTable(name, kind.title, f"{kind.meaning} {caption(frames, name)}".strip(), frame)


def table_columns(frame: pd.DataFrame) -> list[Mapping[str, Any]]:
    """Return `name`, its unit, its one single value in words (`constant`; empty where it is shown), and whether numbers
    stand on the right: not where intervals, which differ in width, follow them."""
    return [
        {
            "name": name,
            "unit": _unit(frame, name),
            "constant": _constant(frame, name),
            "on_the_right": f"{name}_low" not in frame and any(_is_number(value) for value in frame[name]),
        }
        for name in _shown(frame)
    ]


def _constant(frame: pd.DataFrame, name: str) -> str:
    """Return the value of a column that may be stated above the table and holds no other; empty where it is shown."""
    values = frame[name]
    if name not in _STATED or values.isna().any() or values.nunique() != 1:
        return ""
    return _as_text(plain(values.iloc[0]), name)


def _unit(frame: pd.DataFrame, name: str) -> str:
    """Return "%" for a column of shares; nothing where it holds text, as the thresholds of a verdict may."""
    return "%" if is_share(name) and any(_is_number(value) for value in frame[name]) else ""


def _shown(frame: pd.DataFrame) -> list[str]:
    names = set(frame.columns)
    within = {f"{name}{end}" for name in names for end in ("_low", "_high", "_small")} & names
    if "n" in names:
        within.add("small")  # an asterisk at n
    return [name for name in frame.columns if name not in within]


def table_rows(frame: pd.DataFrame) -> list[list[Mapping[str, Any]]]:
    """Return the cells: `text`, the number or text to sort by, and the interval's ends."""
    shown = _shown(frame)
    rows = []
    for row in frame.to_dict("records"):
        cells = []
        for name in shown:
            value = plain(row[name])
            if isinstance(value, bool):
                value = "yes" if value else "no"
            missing = value is None or (isinstance(value, float) and math.isnan(value))
            text = "–" if missing else _as_text(value, name)
            ends = [number(row.get(f"{name}_{end}"), 9) for end in ("low", "high")]
            between = "" if None in ends else f"[{', '.join(_as_text(end, name) for end in ends)}]"
            cells.append(
                {
                    **{"text": text, "value": "" if missing else value},
                    **{"interval": between, "low": ends[0], "high": ends[1]},
                    "small": bool(row.get(f"{name}_small") or (name == "n" and row.get("small") is True)),
                }
            )
        rows.append(cells)
    return rows


def _is_number(value: Any) -> bool:
    value = plain(value)
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


def _as_text(value: Any, name: str) -> str:
    if isinstance(value, float):
        if is_share(name):
            return percent(value, signed=is_signed(name))
        return (
            probability(value)
            if name in ("p", "q")
            else f"{value:.{'2f' if 'correlation' in name else '4g'}}".replace("-", "−")
        )
    if name in _NAMES:
        return spoken(str(value))
    return count(value, signed=is_signed(name)) if isinstance(value, int) else str(value)
