"""The report's headline in a terminal."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..errors import one_line
from .content import CORE
from .figure_style import spoken
from .paper_tables import OURS
from .tables_out import printed

_VERDICT_STYLE = {"supported": "bold red", "contradicted": "green"}


def print_report(frames: Mapping[str, pd.DataFrame], console: Console | None = None) -> None:
    """Print accuracy, confidence and shift of each run and level with the guesser's shift, effects, pairs and refusals.

    Args:
        frames: of `medqdeg.utils.report.content.report_frames`.
        console: where to print; standard output if None.
    """
    console = console or Console()
    console.print(Text("Percent, with 95% intervals; beside the shift that of a guesser with the same T and K", "dim"))
    for model, own in frames["headline"].groupby("model", sort=False):
        console.print(_headline(own, str(model)))
    if frames["headline"]["small"].any():
        console.print(Text("* fewer than 30 source questions: do not rely on the intervals", "dim"))
    for row in frames["dunning_kruger"].itertuples():
        if row.origin == OURS:
            console.print(_effect(row))
    _print_published(frames["dunning_kruger"], console)
    for row in frames["paired"].itertuples():
        if row.figure in ("accuracy", "calibration_shift"):
            console.print(Text(one_line(row.statement), "dim" if row.within_noise else ""))
    for row in frames["refused_pairs"].itertuples():
        console.print(Text(one_line(f"{row.first} and {row.second} are not compared: {row.reason}"), "yellow"))


def _headline(frame: pd.DataFrame, model: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=Text(one_line(model), "bold"), title_justify="left")
    for head in ("level", "n", "accuracy", "confidence", "shift", "guesser's"):
        table.add_column(head, justify="left" if head == "level" else "right", no_wrap=True)
    texts = printed("headline", frame)
    place = {name: texts.columns.index(spoken(name)) for name in CORE}
    for row, cells in zip(frame.itertuples(), texts.rows, strict=True):
        accuracy, confidence, shift = (cells[place[name]].replace(" [", "\n[") for name in CORE)
        overconfident = "bold red" if row.calibration_shift_low > 0 else ""
        count = f"{row.n}{'*' if row.small else ''}"
        table.add_row(
            row.level, count, accuracy, confidence, Text(shift, overconfident), f"{100 * row.guesser_shift:+.1f}"
        )
    return table


def _effect(row: object) -> Text:
    rule = {True: "yes", False: "no"}.get(row.paper_rule, "unknown")
    verdict = row.verdict_matched or "unknown"
    text = Text(
        one_line(f"{row.model}, {row.comparison.replace('_', ' ')}: Dunning-Kruger effect: rule {rule}, intervals")
    )
    return text.append(f" {verdict}", _VERDICT_STYLE.get(verdict, ""))


def _print_published(frame: pd.DataFrame, console: Console) -> None:
    published = frame[frame["origin"] != OURS]
    for comparison, group in published.groupby("comparison", sort=False):
        known = group[group["paper_rule"].notna()]
        falls = known.loc[known["shift_change"] < 0, "model"]
        line = (
            f"published, {comparison.replace('_', ' ')}: Dunning-Kruger effect by the rule in "
            f"{int(known['paper_rule'].sum())} of {len(known)} models (digitised from figure 5"
        )
        if len(group) > len(known):
            line += f"; {', '.join(group.loc[group['paper_rule'].isna(), 'model'])} cannot be read"
        line += ")"
        if len(falls):
            line += f"; the shift falls in {', '.join(falls)}"
        console.print(Text(line))
