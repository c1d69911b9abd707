"""Everything of a report into one folder: pages, pictures, figures, tables."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import filelock
import matplotlib as mpl
import pandas as pd

from ..analysis.analyse import Analysis
from ..base.atomic_files import write_atomically
from ..base.errors import InputError, one_line
from ..phantoms.suite import SOURCE as PHANTOMS
from .compact_table import COMPACT, compact_latex
from .example import Example, find_example
from .figure_style import RC
from .figures import write_figure, write_figures
from .headline_figure import headline_figure
from .items import write_items
from .model_card import write_cards
from .page import write_page
from .page_example import page_example
from .paper_style import DEFAULT_STYLE, PaperStyle
from .pictures import write_pictures
from .printed_tables import write_tables
from .provenance import data_name

FIGURES, TABLES = "figures", "tables"
HEADLINE = "headline"
"""The figure of a single run: with an example where pictures are at hand."""


def write_report(
    analysis: Analysis,
    frames: Mapping[str, pd.DataFrame],
    out: Path,
    *,
    data: Path | None = None,
    for_papers: bool = True,
    cards: bool = False,
    workers: int = 1,
    style: PaperStyle = DEFAULT_STYLE,
    slogan: bool = False,
    command: str = "",
) -> list[Path]:
    """Write a report into a folder, which is made if absent.

    Args:
        analysis: of one or several runs.
        frames: of `content.report_frames`.
        out: the folder.
        data: folder of the data set, for questions and pictures; the phantoms' are found without.
        cards: write a model card of every run.
        for_papers: write every figure and table, not only the pages and the headline figure.
        workers: processes for the figures, at most.
        style: width and font of the figures.
        slogan: head the headline figure with the question that it answers.
        command: that makes the report, as it was given; empty where none was.

    Returns:
        The files written, the page first.

    Raises:
        InputError: the folder cannot be written, or another process writes into it; something is wrong with `data`.
    """
    try:
        for name in (FIGURES, TABLES) if for_papers else (FIGURES,):
            (out / name).mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(out / ".medqdeg-report.lock", timeout=0):
            shown = write_pictures(analysis.collection.runs, out, data)
            runs = analysis.collection.runs
            example = find_example(runs[0], shown, out) if len(runs) == 1 else None
            written = [
                write_page(analysis, frames, out, item_browser=True, example=page_example(example), command=command),
                write_items(runs, out, shown),
                *_write_headline(analysis, frames, out, example, style, slogan=slogan),
            ]
            if for_papers:
                compact = out / TABLES / f"{COMPACT}.tex"
                write_atomically(compact, compact_latex(frames).encode())
                written += [compact]
                written += write_tables(frames, out / TABLES) + write_figures(frames, out / FIGURES, workers, style)
            return written + (write_cards(analysis, frames, out) if cards else [])
    except filelock.Timeout:
        raise InputError(f"{out}: another process is writing a report there") from None
    except BrokenProcessPool:
        raise InputError("a process that drew figures was ended, perhaps for want of memory; run it again") from None
    except OSError as error:
        raise InputError(f"{out} cannot be written: {one_line(error)}") from None


def _write_headline(
    analysis: Analysis,
    frames: Mapping[str, pd.DataFrame],
    out: Path,
    example: Example | None,
    style: PaperStyle,
    *,
    slogan: bool,
) -> list[Path]:
    if len(analysis.collection.runs) > 1:
        return []
    (run,) = analysis.collection.runs
    with mpl.rc_context({**RC, **style.settings()}):
        phantoms = data_name(run) == PHANTOMS
        figure = headline_figure(frames, run.name, example, slogan=slogan, phantoms=phantoms, width=style.width)
    return [] if figure is None else write_figure(figure, out / FIGURES, HEADLINE, style)
