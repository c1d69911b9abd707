"""What a run's flags are worth, in a terminal: one row per set of items and figure."""

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
from .figure_style import spoken
from .units import percent, with_interval

_SETS = {"gone_against_L0": "gone - L0", "gone_against_survives": "gone - survives"}


def print_flags(analysis: Analysis, console: Console | None = None) -> None:
    """Print each run's flags.

    Args:
        analysis: nothing is printed of a run whose trials could not flag.
        console: where to print; standard output if None.
    """
    console = console or Console()
    for run, own in analysis.tables["flags"].groupby("run", sort=False):
        console.print(Text(one_line(f"{run}: flags that the image does not allow an answer")), highlight=False)
        table = Table(box=box.SIMPLE, padding=(0, 1, 0, 0))  # fits 80 columns
        for name in ("items", "figure", "%", "always", "never", "n"):
            table.add_column(name, justify="left" if name in ("items", "figure") else "right")
        before = None
        for row in own.to_dict("records"):
            named = _SETS.get(row["set"], row["set"])
            table.add_row("" if named == before else named, *_cells(row))
            before = named
        console.print(table)
        notes = [
            "survives, gone: phantoms whose image still shows the answer, or no longer",
            "always, never: what a model that always flags gets, and what this one would get if it never did",
            "effective reliability: right 1, flagged 0, wrong -1/(K - 1); guessing earns 0",
        ]
        if own["small"].any():
            notes.append(f"* fewer than {SMALL} source questions: do not rely on the intervals")
        for note in notes:
            console.print(Text(note), highlight=False)


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    beside = ["-" if math.isnan(row[name]) else percent(row[name]) for name in ("always_flag", "never_flag")]
    value = "-" if math.isnan(row["estimate"]) else with_interval(row["estimate"], row["low"], row["high"])
    return spoken(row["figure"]), value, *beside, f"{row['n']}{'*' if row['small'] else ''}"
