"""`medqdeg analyze`: results folders in, tables with intervals and one JSON document out."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import one_line
from .category_lines import print_categories

if TYPE_CHECKING:
    import pandas as pd

    from ..analysis.analyse import Analysis

_HEADLINE = {
    "accuracy": "accuracy",
    "confidence": "confidence",
    "calibration_shift": "shift",
    "shift_james_stein": "James-Stein shift",
}


def analyze(
    results: Annotated[
        list[Path],
        typer.Argument(
            metavar="RESULTS...", help="Folders, results files or samples files of lmms-eval or lm-eval, also gzipped."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the tables and analysis.json.")],
    replicates: Annotated[int, typer.Option(min=100, help="Replicates of the cluster bootstrap.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
) -> None:
    """Analyse runs: every figure of every node with a 95% interval, changes between levels, and between models.

    Runs need the harness's --log_samples. Intervals come from a bootstrap of whole source questions. docs/analysis.md
    describes the files.

    Example: medqdeg analyze results/ --out analysis/
    """
    from ..analysis.analyse import analyse
    from ..analysis.writing import write_analysis
    from ..runs.reading import read_runs

    collection = read_runs(results)
    for line in (*collection.warnings, *(f"{run.name}: {line}" for run in collection.runs for line in run.warnings)):
        print(f"medqdeg: {one_line(line)}", file=sys.stderr)
    analysis = analyse(collection, replicates, seed)
    written = write_analysis(analysis, out)
    print_headline(analysis)
    print(f"{len(written)} files in {out.resolve()}, {written[0].name} among them")


def print_headline(analysis: Analysis) -> None:
    """Print each run's levels with intervals, T, K and the guesser's shift, the changes from L0, and refused pairs."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from ..analysis.tables import overall
    from ..statistics.bootstrap import SMALL

    console = Console()
    tables = {
        name: overall(analysis.tables[name]) for name in ("nodes", "figures", "changes", "dunning_kruger", "models")
    }
    figures = tables["figures"].set_index(["run", "level", "figure"])
    nodes = tables["nodes"]
    for run in analysis.collection.runs:
        own = nodes[nodes["run"] == run.name]
        mixes = "; ".join(f"{name} = {_mix(own[column])}" for name, column in (("T", "trials"), ("K", "options")))
        console.print(f"{run.name}: {run.conditions['elicitation']}, {mixes}", markup=False, highlight=False)
        table = Table(box=box.SIMPLE)
        for name in ("level", "n", *_HEADLINE.values(), "guesser's shift"):
            # On a narrow terminal heads wrap between words, not within.
            longest_word = max(map(len, name.split()))
            table.add_column(name, justify="left" if name == "level" else "right", min_width=longest_word)
        for node in own.itertuples():
            cells = [_with_interval(figures.loc[run.name, node.level, name], between="\n") for name in _HEADLINE]
            table.add_row(node.level, f"{node.n}{'*' if node.small else ''}", *cells, f"{node.guesser_shift:+.3f}")
        console.print(table)
        if own["small"].any():
            console.print(f"* fewer than {SMALL} source questions: do not rely on the intervals", highlight=False)
        _print_changes(console, tables, run.name)
        print_categories(console, analysis.tables["changes"], run.name)
    for pair in analysis.pairs:
        if pair.refused:
            line = f"{pair.first} and {pair.second} are not compared: {pair.refused}"
            console.print(line, markup=False, highlight=False)
        else:
            _print_pair(console, tables["models"], pair.first, pair.second)


def _print_changes(console: Any, tables: Mapping[str, pd.DataFrame], run: str) -> None:
    changes, effects = tables["changes"], tables["dunning_kruger"]
    for effect in effects[effects["run"] == run].itertuples():
        chosen = changes[(changes["run"] == run) & (changes["comparison"] == effect.comparison)]
        of = chosen.set_index(["pairing", "figure"])
        rule = {True: "yes", False: "no"}.get(effect.paper_rule, "unknown")
        console.print(
            f"{effect.comparison.replace('_', ' ')}, each item against its own: accuracy "
            f"{_with_interval(of.loc['matched', 'accuracy'], '+')}, shift "
            f"{_with_interval(of.loc['matched', 'calibration_shift'], '+')}; Dunning-Kruger effect: rule {rule}, "
            f"intervals {effect.verdict_matched}",
            markup=False,
            highlight=False,
        )


def _print_pair(console: Any, models: pd.DataFrame, first: str, second: str) -> None:
    chosen = models[(models["first"] == first) & (models["second"] == second)].set_index(["level", "figure"])
    for level in chosen.index.get_level_values("level").unique():
        accuracy, shift = (_with_interval(chosen.loc[level, name], "+") for name in ("accuracy", "calibration_shift"))
        line = f"{first} minus {second}, {level}: accuracy {accuracy}, shift {shift}"
        console.print(line, markup=False, highlight=False)


def _mix(column: Iterable[str]) -> str:
    return ", ".join(sorted({key for text in column for key in json.loads(text)}, key=int))


def _with_interval(row: Any, sign: str = "", between: str = " ") -> str:
    if math.isnan(row.estimate):
        return "-"
    interval = "" if math.isnan(row.low) else f"{between}[{row.low:{sign}.3f}, {row.high:{sign}.3f}]"
    return f"{row.estimate:{sign}.3f}{interval}"
