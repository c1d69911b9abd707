"""The report's tables as files: LaTeX with booktabs, Markdown and CSV.

The CSV files hold the frames of `content` with all their columns. LaTeX and Markdown hold what a page has room for,
in percent with intervals; any text in them is escaped, since models' names and warnings come from files.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from ..analysis.published.results import GROUPS, SOURCE
from ..base.atomic_files import write_atomically
from ..base.csv_cells import safe_csv
from ..base.errors import one_line
from .figure_style import spoken
from .frame_kinds import DIFFERENT_ITEMS, FRAMES, MOST_FLIPPED
from .latex_tables import CHANGE, latex
from .paper_tables import DIGITISED, OURS, PUBLISHED, paper_layout
from .units import RANK_CHANGE, count, is_share, is_signed, probability, with_interval

LAYOUTS: tuple[str, ...] = ("table_6", "table_2", "table_3")
"""Frames that are printed as the paper lays them out; their CSV is in that layout too."""

REASONS = ("not_ranked", "not_published")
"""Columns of reasons: the first is shown where a row has one, the second stands in captions (`caption`)."""

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|~#&!$])")


@dataclass(frozen=True)
class PrintedTable:
    """A table as text.

    Attributes:
        title: without markup.
        note: what to know when reading it.
        columns: heads.
        rows: cells, as many as there are columns.
    """

    title: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def printed(name: str, frame: pd.DataFrame, more: str = "") -> PrintedTable:
    """Return a frame of the report as text: percent with one decimal, intervals in brackets behind their figure.

    An asterisk behind a count marks fewer than 30 source questions. `more` is added to the note.
    """
    table = _paper_table(name, frame) if name in LAYOUTS else _plain_table(name, frame)
    return replace(table, note=f"{table.note} {more}".strip())


def caption(frames: Mapping[str, pd.DataFrame], name: str) -> str:
    """Return what a table or figure must say beside its meaning: whose items are others than the published models'."""
    frame = frames.get(name)
    if frame is None or "origin" not in frame or not (frame["origin"] != OURS).any():
        return ""
    others = frames["headline"].drop_duplicates("model").dropna(subset=["not_published"])
    if others.empty:
        return ""
    if len(others) == frames["headline"]["model"].nunique() and others["not_published"].nunique() == 1:
        reasons = str(others["not_published"].iloc[0])
    else:
        named = [f"{one_line(row.model, 60)}: {row.not_published}" for row in others.itertuples()]
        reasons = "; ".join([*named[:3], *([f"and {len(named) - 3} more"] if len(named) > 3 else [])])
    return f"Not comparable row by row: {DIFFERENT_ITEMS} ({reasons})."


def _plain_table(name: str, frame: pd.DataFrame) -> PrintedTable:
    kind = FRAMES[name]
    most = MOST_FLIPPED if name == "flipped" else None
    signed_rows = frame["figure"].eq("calibration_shift") if "figure" in frame else pd.Series(False, frame.index)
    changes = name in ("degradation_drop", "paired", "typical_drop", "findings", "against")
    columns = [column for column in kind.columns if not column.endswith(("_low", "_high")) and column != "small"]
    hidden = [column for column in REASONS if column in frame and (column == REASONS[1] or frame[column].isna().all())]
    columns = [column for column in columns if column not in hidden]
    columns = [column for column in columns if column not in ("low", "high", "statement")]
    if name == "findings":
        columns.remove("note")  # sentences, for which the page has room
    rows = []
    for row, signed in zip(frame.to_dict("records")[:most], signed_rows[:most], strict=True):
        cells = []
        for column in columns:
            sign = (is_share(column) and is_signed(column)) or (
                column in ("estimate", "guesser") and (signed or changes)
            )
            ends = ("low", "high") if column == "estimate" else (f"{column}_low", f"{column}_high")
            cells.append(_cell(row, column, *ends, sign="+" if sign else ""))
        rows.append(tuple(cells))
    note = kind.meaning
    if "small" in frame and frame["small"].fillna(False).any():
        note += " * fewer than 30 source questions: do not rely on the interval."
    heads = tuple(f"{_head(column)}, %" if is_share(column) else _head(column) for column in columns)
    return PrintedTable(kind.title, note, heads, tuple(rows))


def markdown(table: PrintedTable) -> str:
    """Return a table in Markdown (pipes), with every text escaped."""
    lines = [
        f"### {escape_markdown(table.title)}",
        "",
        escape_markdown(table.note),
        "",
        *("| " + " | ".join(row) + " |" for row in _markdown_rows(table)),
    ]
    return "\n".join(lines) + "\n"


def escape_markdown(text: str) -> str:
    """Return text on one line that Markdown prints as it is, also in a cell."""
    return _MARKDOWN.sub(r"\\\1", one_line(text)).replace("\\<", "&lt;").replace("\\>", "&gt;").replace("\\&", "&amp;")


def write_tables(frames: Mapping[str, pd.DataFrame], folder: Path) -> list[Path]:
    """Write every frame into a folder that exists, as NAME.csv, and where it has rows as NAME.tex and NAME.md.

    Returns:
        The files written.

    Raises:
        OSError: the folder cannot be written.
    """
    written = []
    for name, frame in frames.items():
        whole = paper_layout(frame) if name in LAYOUTS else frame
        texts = {"csv": safe_csv(whole)}
        if len(frame):
            table = printed(name, frame, caption(frames, name))
            texts |= {"tex": latex(table, name), "md": markdown(table)}
        for suffix, text in texts.items():
            written.append(folder / f"{name}.{suffix}")
            write_atomically(written[-1], text.encode())
    return written


def _paper_table(name: str, frame: pd.DataFrame) -> PrintedTable:
    wide = paper_layout(frame)
    present = [column.removesuffix("_change") for column in wide if column.endswith("_change")]
    rows = []
    for row in wide.to_dict("records"):
        cells = [one_line(row["model"]), _origin(row)]
        for column in present:
            cells.append(_cell(row, column, f"{column}_low", f"{column}_high", small=row[f"{column}_small"]))
            if column != "L0":
                ends = f"{column}_change_low", f"{column}_change_high"
                cells.append(_cell(row, f"{column}_change", *ends, sign="+"))
        rows.append(tuple(cells))
    heads = ["model", "origin"]
    for column in present:
        heads += [spoken(column)] if column == "L0" else [spoken(column), CHANGE]
    note = FRAMES[name].meaning
    if (frame["origin"] == PUBLISHED).any():
        note += f' All but "{OURS}": published, {SOURCE}, which states no intervals.'
    if frame["small"].any():
        note += " * fewer than 30 source questions: do not rely on the interval."
    return PrintedTable(FRAMES[name].title, f"Percent, 95% intervals. {note}", tuple(heads), tuple(rows))


def _origin(row: Mapping[str, Any]) -> str:
    return OURS if row["origin"] == OURS else GROUPS[row["group"]]


def _cell(row: Mapping[str, Any], column: str, low: str, high: str, *, sign: str = "", small: object = False) -> str:
    value = row[column]
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, str):
        if column in ("figure", "comparison", "degradation", "category"):
            return spoken(value)
        return value if value != DIGITISED else f"{value} (±0.2)"
    if column in ("n", "clusters"):
        return f"{value}{'*' if row.get('small') is True and column == 'n' else ''}"
    in_points = is_share(column)
    if not in_points:
        if column == "correlation":
            ends = [f"{row[end]:.2f}" for end in (low, high) if not math.isnan(row[end])]
            return f"{value:.2f} [{', '.join(ends)}]" if ends else f"{value:.2f}"
        if isinstance(value, float):
            return f"{value:.4g}" if column != "p" else probability(value)
        if isinstance(value, bool):
            return "yes" if value else "no"
        return count(value, signed=True) if column == RANK_CHANGE else f"{value}"
    ends = (end if end is not None and pd.notna(end) else math.nan for end in (row.get(low), row.get(high)))
    text = with_interval(value, *ends, signed=bool(sign)).replace("−", "-")
    return text + ("*" if small is True else "")


def _head(column: str) -> str:
    return {"estimate": "estimate", "n": "n", "clusters": "source questions", "trials": "T", "options": "K"}.get(
        column, spoken(column).replace("l0", "L0").replace("l2", "L2")
    )


def _markdown_rows(table: PrintedTable) -> Sequence[Sequence[str]]:
    body = [[escape_markdown(cell) for cell in row] for row in table.rows]
    return [[escape_markdown(head) for head in table.columns], ["---"] * len(table.columns), *body]
