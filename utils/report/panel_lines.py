"""Panels of readers in a terminal: their mean, each reader, and how they differ from the models."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..analysis.panels import PANEL_FIGURES, panels_of
from ..analysis.runs.run import Run
from ..analysis.statistics.reader_panel import FIXED_READERS
from ..base.errors import one_line
from .units import percent, with_interval

_HEADS = {"accuracy": "accuracy", "confidence": "confidence", "calibration_shift": "shift"}
"""All in per cent, changes and differences in points."""


def print_panels(console: Console, panels: pd.DataFrame, runs: Sequence[Run]) -> None:
    """Print one table per panel, its changes from L0, and one line per model and level.

    Args:
        console: where to print.
        panels: the table of the analysis.
        runs: all of them.
    """
    for family, readers in panels_of(runs).items():
        own = panels[panels["panel"] == family]
        if own.empty:
            continue
        mean = own[own["reader"].isna()]
        how = mean.iloc[0]["method"]
        said = "readers and questions vary" if how != FIXED_READERS else f"{how}: no statement about others"
        _say(console, f"{family}: {len(readers)} reader{'s' if len(readers) > 1 else ''} ({how}: {said})")
        console.print(_levels(own[own["against"].isna() & own["comparison"].isna()]))
        for row in mean[mean["against"].isna() & mean["comparison"].notna()].itertuples():
            _say(console, f"{_spoken(row.comparison)}, {_HEADS[row.figure]}: {_interval(row, '+')}")
        against = mean[mean["against"].notna()]
        for row in against.itertuples():
            at = row.level if pd.isna(row.comparison) else f"change {_spoken(row.comparison)}"
            _say(console, f"readers minus {row.against}, {at}: {_HEADS[row.figure]} {_interval(row, '+')}")
        if len(against):
            _say(
                console,
                "accuracy compares whatever was asked for and at any T; confidence only with models that state theirs",
            )


def _levels(rows: pd.DataFrame) -> Table:
    table = Table(box=box.SIMPLE, padding=(0, 1, 0, 0))
    for name in ("level", "reader", "n", *_HEADS.values()):
        table.add_column(name, justify="right" if name not in ("level", "reader") else "left")
    for level in dict.fromkeys(rows["level"]):
        here = rows[rows["level"] == level]
        for reader in [None, *dict.fromkeys(here["reader"].dropna())]:
            own = here[here["reader"].isna() if reader is None else here["reader"] == reader].set_index("figure")
            if own.empty:
                continue
            cells = [_interval(own.loc[name], "") if name in own.index else "-" for name in PANEL_FIGURES]
            who = Text("mean" if reader is None else one_line(reader), "bold" if reader is None else "")
            table.add_row(level if reader is None else "", who, str(own.iloc[0]["n"]), *cells)
    return table


def _interval(row: Any, sign: str) -> str:
    if math.isnan(row.low):
        reason = f" ({row.reason})" if isinstance(row.reason, str) and sign else ""
        return percent(row.estimate, signed=bool(sign)) + reason
    return with_interval(row.estimate, row.low, row.high, signed=bool(sign))


def _spoken(comparison: str) -> str:
    return comparison.replace("_", " ")


def _say(console: Console, line: str) -> None:
    console.print(Text(one_line(line)), highlight=False)
