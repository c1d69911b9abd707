"""Figures of a width that was asked for, and the table for one column."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest
from PIL import Image

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.report.compact_table import compact_latex
from medqdeg.utils.report.degradation_figure import degradation_drop
from medqdeg.utils.report.figure_style import RC
from medqdeg.utils.report.figures import write_figure
from medqdeg.utils.report.level_figures import severity_curves
from medqdeg.utils.report.paper_style import COLUMN, TEXT, PaperStyle, paper_style
from medqdeg.utils.report.printed_tables import latex, printed


@pytest.mark.parametrize(("width", "expected"), [("column", COLUMN), ("text", TEXT), ("120mm", 120.0), ("120", 120.0)])
def test_widths(width: str, expected: float) -> None:
    assert paper_style(width, None) == PaperStyle(expected)


@pytest.mark.parametrize(("width", "font"), [("wide", None), ("20", None), ("9999mm", None), (None, "No Such Font")])
def test_what_cannot_be_set_is_one_line(width: str | None, font: str | None) -> None:
    with pytest.raises(InputError, match=r"--width|--font"):
        paper_style(width, font)


@pytest.mark.parametrize("width", [COLUMN, TEXT])
def test_a_figure_has_the_width_that_was_asked_for(
    clean_only: dict[str, pd.DataFrame], tmp_path: Path, width: float
) -> None:
    with mpl.rc_context(RC):
        figure = severity_curves(clean_only)
    assert figure is not None
    sizes = {text.get_fontsize() for axes in figure.axes for text in axes.get_xticklabels()}
    paths = write_figure(figure, tmp_path, "curves", PaperStyle(width))
    with Image.open(next(path for path in paths if path.suffix == ".png")) as image:
        assert image.width / 200 * 25.4 == pytest.approx(width, abs=3)
    assert {text.get_fontsize() for axes in figure.axes for text in axes.get_xticklabels()} == sizes
    rows = {round(axes.get_position().y0, 3) for axes in figure.axes}
    assert len(rows) == (3 if width == COLUMN else 1)
    assert all(path.stat().st_size < 200_000 for path in paths if path.suffix == ".pdf")


def test_one_run_has_bars_and_no_label_on_its_head(frames: dict[str, pd.DataFrame]) -> None:
    several = degradation_drop(frames)
    assert several is not None
    assert {tick.get_rotation() for axes in several.axes for tick in axes.get_xticklabels()} == {0.0}
    frame = frames["degradation_drop"]
    alone = degradation_drop({**frames, "degradation_drop": frame[frame["model"] == frame["model"].iloc[0]]})
    assert alone is not None
    assert not alone.axes[0].images
    low, high = alone.axes[0].get_xlim()
    marks = [text.get_text() for axes in alone.axes for text in axes.texts]
    own = frame[(frame["model"] == frame["model"].iloc[0]) & (frame["figure"] == "accuracy")]
    leaving = ((own[["estimate", "low"]].min(axis=1) < low) | (own[["estimate", "high"]].max(axis=1) > high)).sum()
    assert sum("◂" in mark or "▸" in mark for mark in marks) >= leaving


def test_the_compact_table_holds_a_row_per_run(frames: dict[str, pd.DataFrame]) -> None:
    text = compact_latex(frames)
    rows = [line for line in text.splitlines() if line.endswith(r" \\")][2:]
    assert len(rows) == frames["headline"]["model"].nunique()
    assert {row.count(" & ") for row in rows} == {5}
    first = frames["headline"].iloc[0]
    assert f"{100 * first['accuracy']:.1f}" in rows[0]
    assert r"\input" not in text


@pytest.mark.slow
def test_the_tables_are_set_by_latex(frames: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    program = shutil.which("pdflatex") or shutil.which("tectonic")
    if program is None:
        pytest.skip("neither pdflatex nor tectonic is on the path")
    body = compact_latex(frames) + latex(printed("headline", frames["headline"]), "headline")
    packages = r"\usepackage{booktabs,longtable,pdflscape,textcomp}\usepackage[T1]{fontenc}"
    document = rf"\documentclass[twocolumn]{{article}}{packages}\begin{{document}}\onecolumn {body}\end{{document}}"
    (tmp_path / "tables.tex").write_text(document)
    flags = [] if "tectonic" in program else ["-interaction=nonstopmode", "-halt-on-error"]
    done = subprocess.run([program, *flags, "tables.tex"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "tables.pdf").stat().st_size > 1000
