"""`medqdeg analyze`: results folders in, tables with intervals and one JSON document out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..base.errors import one_line


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
    risk: Annotated[
        float,
        typer.Option(min=0.001, max=0.5, help="Error among the answered that the operating point keeps at L0."),
    ] = 0.05,
    least_accuracy: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            max=1.0,
            help='Accuracy that "trusted up to" asks for, of a series of severities.',
            show_default="that at L0 minus 0.05",
        ),
    ] = None,
) -> None:
    """Analyse runs: every figure of every node with a 95% interval, changes between levels, and between models.

    Runs need the harness's --log_samples. Whole source questions, with all their items, are the unit of every interval.
    docs/analysis.md says what each figure means and describes the files.

    Example: medqdeg analyze results/ --out analysis/
    """
    from ..analysis import named_tier
    from ..analysis.analyse import analyse
    from ..analysis.real_degradations import real_lines
    from ..analysis.runs.reading import read_runs
    from ..analysis.writing import write_analysis
    from ..report.curve_lines import print_curves
    from ..report.flag_lines import print_flags
    from ..report.terminal import print_headline

    collection = read_runs(results)
    for line in (*collection.warnings, *(f"{run.name}: {line}" for run in collection.runs for line in run.warnings)):
        print(f"medqdeg: {one_line(line)}", file=sys.stderr)
    analysis = analyse(collection, replicates, seed, risk=risk, least_accuracy=least_accuracy)
    written = write_analysis(analysis, out)
    print_headline(analysis)
    print_curves(analysis)
    print_flags(analysis)
    for line in real_lines(analysis.tables):
        print(one_line(line))
    for run in collection.runs:
        for line in named_tier.lines(run):
            print(one_line(line))
    print(f"{len(written)} files in {out.resolve()}, {written[0].name} among them")
