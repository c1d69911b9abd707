"""The curves of a series in a terminal: one row per degradation and modality."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..analysis.analyse import Analysis
from ..analysis.statistics.bootstrap import SMALL
from ..base.errors import one_line

_HEADS = ("curve", "n", "s50", "R", "cliff", "trusted to")


def print_curves(analysis: Analysis, console: Console | None = None) -> None:
    """Print each run's curves: where half of the accuracy above chance is lost, R, cliff, and trust.

    Args:
        analysis: nothing is printed of a run without a series.
        console: where to print; standard output if None.
    """
    console = console or Console()
    for run, found in analysis.series.items():
        rows = analysis.tables["curves"]
        rows = rows[rows["run"] == run]
        console.print(Text(one_line(f"{run}: a series of severities, {len(rows)} curves")), highlight=False)
        table = Table(box=box.SIMPLE, padding=(0, 1, 0, 0))  # fits 80 columns
        for name in _HEADS:
            table.add_column(name, justify="left" if name in ("curve", "cliff") else "right")
        for row in rows.to_dict("records"):
            table.add_row(
                Text(f"{one_line(row['degradation'])}\n{one_line(row['modality'])}"),
                f"{row['n']}{'*' if row['small'] else ''}",
                *(Text(text.replace(" [", "\n[")) for text in (place_text(row, "s50"), ratio_text(row))),
                row["cliff"],
                "-" if math.isnan(row["trusted_up_to"]) else f"{row['trusted_up_to']:g}",
            )
        console.print(table)
        notes = [
            "s50: severity (1 as severe as L1, 2 as L2) at which half of the accuracy above chance is lost",
            "R = s10 / s50; a cliff where its interval lies above 0.5 on the severity and on the physical parameter",
            "trusted to: the largest severity up to which accuracy is as asked; a dash: none, or not established",
            f"operating point: {found.threshold}",
        ]
        if rows["small"].any():
            notes.append(f"* fewer than {SMALL} source questions: do not rely on the intervals")
        for note in notes:
            console.print(Text(one_line(note)), highlight=False)


def place_text(row: Mapping[str, Any], name: str) -> str:
    """Return a severity of a row of `curves` with its interval, such as "1.26 [1.00, 1.50]" or "> 3 [2.41, > 3]"."""
    if math.isnan(row["ratio_low"]):
        return "-"
    middle, low, high = (_severity(row[f"{name}{end}"], row["stop"]) for end in ("", "_low", "_high"))
    return f"{middle} [{low}, {high}]"


def ratio_text(row: Mapping[str, Any], name: str = "ratio") -> str:
    """Return R with its interval, without an estimate where half is not lost; a dash where there is no curve."""
    middle, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    if math.isnan(low):
        return "-"
    return f"{'' if math.isnan(middle) else f'{middle:.2f} '}[{low:.2f}, {high:.2f}]"


def _severity(value: float, stop: float) -> str:
    return f"> {stop:g}" if math.isnan(value) else f"{value:.2f}"
