"""Curves of a series of severities in the report: panels for paper, the page's section, and neither without one."""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest
from rich.console import Console

from medqdeg.utils.analysis.analyse import Analysis, analyse
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.report.content import SCOPE, report_frames
from medqdeg.utils.report.curve_figures import curve_data, curve_figure
from medqdeg.utils.report.curve_lines import print_curves
from medqdeg.utils.report.figure_style import RC
from medqdeg.utils.report.page import write_page

from ..series_files import records, series_run
from .browser import chromium, complaints, open_page


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    return analyse(read_runs([series_run(tmp_path_factory.mktemp("series"), records("exact"))]), 100, 0, SCOPE)


@pytest.fixture(scope="module")
def series_frames(series: Analysis) -> dict[str, pd.DataFrame]:
    return report_frames(series)


def test_one_panel_per_modality_with_levels_half_and_dose(series_frames: dict[str, pd.DataFrame]) -> None:
    with mpl.rc_context(RC):
        figure = curve_figure(series_frames, "model-7B", "gaussian_blur")
    assert figure is not None
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in panels] == ["CT", "MRI"]
    row = series_frames["curves"].query("degradation == 'gaussian_blur' and modality == 'CT'").iloc[0]
    verticals = {round(float(line.get_xdata()[0]), 6) for line in panels[0].lines if len(set(line.get_xdata())) == 1}
    assert verticals == {1.0, 2.0, round(row["s50"], 6)}
    accuracy = series_frames["curve_points"].query(
        "degradation == 'gaussian_blur' and modality == 'CT' and figure == 'accuracy'"
    )
    drawn = next(line for line in panels[0].lines if len(line.get_xdata()) == len(accuracy))
    assert list(drawn.get_ydata()) == list(accuracy["estimate"])
    (top,) = panels[0].child_axes
    assert [tick.get_text() for tick in top.get_xticklabels()] == ["3", "7"]  # sigma of L1 and L2 for CT, px


def test_the_page_draws_them(series: Analysis, series_frames: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    path = write_page(series, series_frames, tmp_path)
    with chromium(tmp_path) as browser:
        open_page(browser, path)
        panels = browser.execute_script(
            "return [...document.querySelectorAll('#series-plot h3')].map((head) => head.textContent)"
        )
        assert panels == ["CT", "MRI"]
        assert browser.execute_script("return document.querySelectorAll('#series-plot svg path').length") > 0
        assert complaints(browser) == []


def test_runs_of_levels_have_neither(analysis: Analysis, frames: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    assert curve_data(frames) == {}
    assert 'id="series"' not in write_page(analysis, frames, tmp_path).read_text()


def test_the_terminal_shows_one_line_per_curve(series: Analysis) -> None:
    console = Console(width=80, record=True, file=io.StringIO())
    print_curves(series, console)
    text = console.export_text()
    assert "low_dose" in text
    assert "[1.00, 1.50]" in text
    assert max(map(len, text.splitlines())) <= 80
