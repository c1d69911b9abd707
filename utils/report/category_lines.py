"""Which categories of degradation a loss of accuracy comes from, in the terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..analysis.item_table import OVERALL
from .units import percent, with_interval

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

_AXIS = "degradation_category"
_FROM_CLEAN = ("L0_to_L2", "L0_to_L1")


def category_losses(changes: pd.DataFrame, run: str) -> tuple[str, pd.DataFrame]:
    """Return what each category costs one run, and between which levels.

    Args:
        changes: the analysis table of that name.
        run: name of the run.

    Returns:
        The widest comparison with L0 that there is ("" if none), and one row per category, the costliest first: node,
        n (items), small, accuracy with its interval (low, high) and shift, each matched (each item against its own
        clean version), and share: of the accuracy that all items lose together, NaN where
        the interval of that loss holds 0. No row where there is no comparison.
    """
    matched = changes[
        (changes["run"] == run)
        & (changes["pairing"] == "matched")
        & changes["figure"].isin(("accuracy", "calibration_shift"))
    ]
    wanted = matched[matched["axis"] == _AXIS]
    comparison = next((name for name in _FROM_CLEAN if (wanted["comparison"] == name).any()), "")
    of = {name: rows.set_index("node") for name, rows in wanted[wanted["comparison"] == comparison].groupby("figure")}
    if "accuracy" not in of:
        return "", wanted
    found = of["accuracy"][["n", "small", "low", "high"]].assign(accuracy=of["accuracy"]["estimate"])
    found["shift"] = of["calibration_shift"]["estimate"] if "calibration_shift" in of else float("nan")
    lost = found["n"] * found["accuracy"]
    whole = matched[(matched["axis"] == OVERALL) & (matched["comparison"] == comparison)].set_index("figure")
    loses = "accuracy" in whole.index and whole.loc["accuracy", "high"] < 0
    found["share"] = lost / lost.sum() if loses and lost.sum() < 0 else float("nan")
    return comparison, found.sort_values("accuracy").reset_index()


def print_categories(console: Console, changes: pd.DataFrame, run: str) -> None:
    """Print one row per category of degradation under a run's headline; nothing for a run without L0 or without one."""
    from rich import box
    from rich.table import Table

    comparison, found = category_losses(changes, run)
    if not comparison:
        return
    table = Table(box=box.SIMPLE)
    name = comparison.replace("_", " ")
    heads = (f"{name}, points", "items", "accuracy, each item against its own", "shift", "share of the loss")
    for head in heads:
        table.add_column(head, justify="left" if head == heads[0] else "right")
    for row, share in zip(found.itertuples(), found["share"].tolist(), strict=True):
        table.add_row(
            str(row.node).replace("_", " "),
            f"{row.n}{'*' if row.small else ''}",
            with_interval(row.accuracy, row.low, row.high, signed=True),
            percent(row.shift, signed=True),
            "-" if math.isnan(share) else f"{percent(share)}%",
        )
    console.print(table)
