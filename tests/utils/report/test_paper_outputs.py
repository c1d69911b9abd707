"""Figures of a width that was asked for, and the table for one column."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from PIL import Image

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.report.compact_table import compact_latex
from medqdeg.utils.report.comparison_figures import paired, rank_change
from medqdeg.utils.report.degradation_figure import degradation_drop
from medqdeg.utils.report.figure_style import RC
from medqdeg.utils.report.figures import write_figure
from medqdeg.utils.report.frame_kinds import FRAMES
from medqdeg.utils.report.latex_tables import latex
from medqdeg.utils.report.level_figures import confidence_accuracy, severity_curves
from medqdeg.utils.report.paper_style import COLUMN, TEXT, PaperStyle, paper_style
from medqdeg.utils.report.printed_tables import LAYOUTS, PrintedTable, printed
from medqdeg.utils.report.units import is_share


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
        figure = PaperStyle(width).drawn(lambda: severity_curves(clean_only))
    assert figure is not None
    sizes = {text.get_fontsize() for axes in figure.axes for text in axes.get_xticklabels()}
    paths = write_figure(figure, tmp_path, "curves", PaperStyle(width))
    with Image.open(next(path for path in paths if path.suffix == ".png")) as image:
        assert image.width / 200 * 25.4 == pytest.approx(width, abs=0.3)
    assert {text.get_fontsize() for axes in figure.axes for text in axes.get_xticklabels()} == sizes
    rows = {round(axes.get_position().y0, 3) for axes in figure.axes}
    assert len(rows) == (3 if width == COLUMN else 1)
    assert all(path.stat().st_size < 200_000 for path in paths if path.suffix == ".pdf")


@pytest.mark.parametrize("draw", [degradation_drop, rank_change, paired, confidence_accuracy])
def test_a_column_that_cannot_hold_a_figure_gives_way_to_the_text(
    frames: dict[str, pd.DataFrame], tmp_path: Path, draw: Callable[[dict[str, pd.DataFrame]], Figure | None]
) -> None:
    style = PaperStyle(COLUMN)
    with mpl.rc_context(RC):
        figure = style.drawn(lambda: draw(frames))
        assert figure is not None
        figure.draw_without_rendering()
        boxes = [text.get_window_extent() for axes in figure.axes for text in axes.texts]
        legends = [legend.get_window_extent() for legend in figure.legends]
        below = [] if figure._supxlabel is None else [figure._supxlabel.get_window_extent()]
    boxes += legends + below
    for place, box in enumerate(boxes):
        for other in boxes[:place]:
            shared = Bbox.intersection(box, other)
            assert shared is None or min(shared.width, shared.height) < 4
    (path, *_) = (path for path in write_figure(figure, tmp_path, "drawn", style) if path.suffix == ".png")
    with Image.open(path) as image:
        width = image.width / 200 * 25.4
    assert min(abs(width - COLUMN), abs(width - TEXT)) < 0.3


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


def test_a_table_too_wide_is_set_as_several() -> None:
    wide = PrintedTable("Wide", "A note.", ("model", *(f"figure {n}, %" for n in range(12))), (("m", *[_WIDE] * 12),))
    text = latex(wide, "wide")
    parts = text.split(r"\begin{longtable}")[1:]
    assert len(parts) == 2
    assert all(part.count("\nm & ") == 1 for part in parts)  # which row it is, in each
    assert text.count(_WIDE.replace("-", "$-$").replace("[", "{[}").replace("]", "{]}")) == 12
    assert [f"({n} of 2)" in part for n, part in enumerate(parts, 1)] == [True] * 2
    assert text.count("A note.") == 1


_WIDE = "-12.3 [-14.5, +10.1]"


def test_the_tables_are_set_by_latex_and_nothing_is_wider_than_the_page(
    frames: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    body = "".join(latex(printed(name, frame), name) + r"\clearpage " for name, frame in frames.items() if len(frame))
    for name in set(FRAMES) - set(LAYOUTS):
        body += latex(printed(name, _crowded(name)), f"crowded_{name}") + r"\clearpage "
    _set("article", "array,longtable,pdflscape", body, tmp_path / "tables.tex")


def test_the_compact_table_fits_into_one_column_of_two(frames: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    headline = frames["headline"].head(3).assign(model="W" * 40, accuracy=1.0, agreement_gap=-0.995)
    bodies = [compact_latex(frames), compact_latex({**frames, "headline": headline})]
    _set("[twocolumn]article", "array", "\nA paper.\n".join(bodies), tmp_path / "compact.tex")


def _crowded(name: str) -> pd.DataFrame:
    """Return a frame of that kind whose cells are as long as they get."""
    texts = ("x" * 70, "a-name/of_several-parts_without_a_blank-in_it", "words, which may be broken, of a reason " * 4)
    rows = [
        {
            column: 0.12345 if is_share(column) else 10294 if column in ("n", "clusters") else f"{texts[place % 3]}"
            for place, column in enumerate(FRAMES[name].columns, start)
        }
        for start in range(3)
    ]
    return pd.DataFrame(rows).assign(**{"small": True} if "small" in rows[0] else {})


def _set(document_class: str, packages: str, body: str, path: Path) -> None:
    program = shutil.which("pdflatex")
    if program is None:
        pytest.skip("pdflatex is not on the path")
    options, _, name = document_class.rpartition("]")
    path.write_text(
        rf"\documentclass{options}{']' if options else ''}{{{name}}}\usepackage{{booktabs,textcomp,{packages}}}"
        rf"\usepackage[T1]{{fontenc}}\begin{{document}}{body}\end{{document}}",
        encoding="utf-8",
    )
    command = [program, "-interaction=nonstopmode", "-halt-on-error", path.name]
    done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    log = path.with_suffix(".log").read_text(encoding="latin-1")
    assert "Overfull" not in log, [line for line in log.splitlines() if line.startswith("Overfull")]
    assert path.with_suffix(".pdf").stat().st_size > 1000


def test_the_fonts_of_the_figures_draw_as_the_whole_ones_do_and_embed_little(tmp_path: Path) -> None:
    text = "AVATAR first ÿ ł Ω ≤ ± − … ◂ ▸ ✓ ‡ ⊘ → 95% [+1.2, −3.4] 漢"  # the last stands in neither
    drawn = {}
    for name, family in (("few", list(RC["font.family"])), ("all", ["DejaVu Sans"])):
        with mpl.rc_context({**RC, "font.family": family}):
            figure = Figure(figsize=(6, 1))
            for place, weight in enumerate(("normal", "bold")):
                figure.text(0.02, 0.2 + 0.4 * place, text, fontweight=weight)
            with pytest.warns(UserWarning, match="missing from font"):
                paths = {path.suffix: path for path in write_figure(figure, tmp_path, name)}
        with Image.open(paths[".png"]) as image:
            drawn[name] = image.convert("RGB").tobytes()
    assert drawn["few"] == drawn["all"]
    assert (tmp_path / "few.pdf").stat().st_size < 0.8 * (tmp_path / "all.pdf").stat().st_size
