"""`medqdeg report`: results folders in, figures and tables for papers, model cards and people out."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from ..base.command_record import public_command
from ..base.cores import usable_cores
from ..base.errors import InputError, one_line


def report(
    results: Annotated[
        list[Path],
        typer.Argument(
            metavar="RESULTS...", help="Folders, results files or samples files of lmms-eval or lm-eval, also gzipped."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for the page, figures/ and tables/; needed unless --terminal."),
    ] = None,
    compare: Annotated[
        Literal["published"] | None, typer.Option(help="Put the paper's 40 models (arXiv:2603.07769) beside yours.")
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="OLD", help="Results of the version before, on the same items: what changed, and what flipped."
        ),
    ] = None,
    card: Annotated[bool, typer.Option("--card", help="Also write a model card of every run, card_MODEL.md.")] = False,
    data: Annotated[
        Path | None, typer.Option(help="Folder of the data set, for the item browser's questions and pictures.")
    ] = None,
    width: Annotated[
        str | None,
        typer.Option(
            help="Width of the figures: column (85 mm), text (178 mm), or millimetres.", show_default="as drawn"
        ),
    ] = None,
    font: Annotated[str | None, typer.Option(help="Font family of the figures.", show_default="DejaVu Sans")] = None,
    slogan: Annotated[bool, typer.Option("--slogan", help="Head the headline figure with the question.")] = False,
    terminal: Annotated[bool, typer.Option("--terminal", help="Print the headline.")] = False,
    replicates: Annotated[int, typer.Option(min=100, help="Replicates of the cluster bootstrap.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
) -> None:
    """Report on runs: two pages, figures (PDF, SVG, PNG), tables (LaTeX, Markdown, CSV), or a headline in the terminal.

    Runs need the harness's --log_samples.

    Example: medqdeg report results/ --out report/ --compare published
    """
    if out is None and not terminal:
        raise InputError("nothing to do: name a folder with --out, or ask for --terminal")
    from ..report.paper_style import paper_style

    style = paper_style(width, font)
    from ..report.terminal import print_headline, print_published
    from ..report.whole_report import analysis_and_frames

    analysis, frames = analysis_and_frames(results, compare, against or [], replicates, seed)
    for row in frames["notes"].itertuples():
        print(f"medqdeg: {one_line(f'{row.model}: {row.note}' if row.model else row.note)}", file=sys.stderr)
    if out is not None:
        from ..report.writing import write_report

        written = write_report(
            analysis,
            frames,
            out,
            data=data,
            cards=card,
            workers=usable_cores(),
            style=style,
            slogan=slogan,
            command=_as_given(),
        )
        print(f"{len(written)} files in {out.resolve()}")
    if terminal:
        print_headline(analysis)
        print_published(frames)


def _as_given() -> str:
    """Return the line that this process was started with, or nothing where it was no `medqdeg report`."""
    typed = sys.argv[1:]
    return public_command(typed, os.environ, "medqdeg") if typed[:1] == ["report"] else ""
