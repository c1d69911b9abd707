"""Figures, tables and the terminal: whole files, small nodes marked, nothing in a name taken for markup."""

from __future__ import annotations

import csv
import html
import io
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from rich.console import Console

from medqdeg.utils.analysis.analyse import Analysis
from medqdeg.utils.report.content import FRAMES, report_frames
from medqdeg.utils.report.figure_style import label, model_styles
from medqdeg.utils.report.figures import draw_figures, write_figures
from medqdeg.utils.report.latex_tables import escape_latex, latex
from medqdeg.utils.report.page import write_page
from medqdeg.utils.report.page_tables import page_table, table_columns, table_rows
from medqdeg.utils.report.printed_tables import escape_markdown, markdown, printed, write_tables
from medqdeg.utils.report.run_story import run_stories
from medqdeg.utils.report.terminal import print_headline, print_published


def test_figures_are_written_whole_and_the_same_by_one_process_and_by_two(
    clean_only: dict[str, pd.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medqdeg.utils.report.figures._WORTH_A_PROCESS", 2)
    for name, workers in (("one", 1), ("two", 2)):
        (tmp_path / name).mkdir()
        written = write_figures(clean_only, tmp_path / name, workers)
    stems = {path.stem for path in written}
    assert {"severity_curves", "dumbbell", "confidence_accuracy", "reliability", "risk_coverage"} <= stems
    assert not {"degradation_drop", "rank_change", "paired"} & stems
    for path in written:
        other = tmp_path / "one" / path.name
        assert path.read_bytes() == other.read_bytes()
        start = {".pdf": b"%PDF-", ".svg": b"<?xml", ".png": b"\x89PNG"}[path.suffix]
        assert path.read_bytes().startswith(start)
    with Image.open(tmp_path / "one" / "dumbbell.png") as image:
        assert image.width > 1000


def test_every_figure_is_drawn(frames: dict[str, pd.DataFrame]) -> None:
    drawn = draw_figures(frames)
    assert {"degradation_drop", "rank_change", "paired", "modality_first", "hierarchy_second"} <= set(drawn)
    assert all("/" not in name and "\\" not in name and "<" not in name for name in drawn)
    dumbbell = drawn["dumbbell"]
    names = [tick.get_text() for tick in dumbbell.axes[0].get_yticklabels()]
    assert len(names) == 22
    assert "digitised" in dumbbell.get_supxlabel() or "read off" in dumbbell.get_supxlabel()
    asterisks = ["*" in text.get_text() for text in drawn["degradation_drop"].axes[0].texts]
    small = frames["degradation_drop"].query("figure == 'accuracy' and comparison == 'L0_to_L1'")["small"]
    assert sum(asterisks) == int(small.sum()) > 0


def test_no_two_models_look_alike() -> None:
    styles = model_styles(f"model {number}" for number in range(20)).values()
    assert len({(style.colour, style.marker, style.dashes) for style in styles}) == 20


def test_a_label_is_never_hidden_or_of_two_lines() -> None:
    assert label("_hidden") == " _hidden"
    assert label("m-" + "x" * 40 + "-7B").startswith("m-x")
    assert label("m-" + "x" * 40 + "-7B").endswith("x-7B")
    assert len(label("a\nb" * 40)) == 34
    assert "\n" not in label("a\nb")


def test_tables_are_written_in_three_forms(frames: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    written = {path.name for path in write_tables(frames, tmp_path)}
    empty = {f"{name}.{suffix}" for name in FRAMES if frames[name].empty for suffix in ("tex", "md")}
    assert written == {f"{name}.{suffix}" for name in FRAMES for suffix in ("csv", "tex", "md")} - empty
    absent = {
        "readers",
        "typical_drop",
        "curves",
        "curve_points",
        "against",
        "flipped",
        "flags",
        "real_images",
        "real_ranks",
    }
    assert {name for name in FRAMES if frames[name].empty} == absent
    for name, frame in frames.items():
        if frame.empty:
            continue
        table = printed(name, frame)
        assert all(len(row) == len(table.columns) for row in table.rows)
        for part in latex(table, name).split(r"\begin{longtable}")[1:]:
            lines = [line for line in part.splitlines() if line.endswith(r" \\")]
            assert len(lines) == 2 + len(table.rows)  # its head twice: on the first page and on those that follow
            assert len({line.replace(r"\&", "").count("&") for line in lines}) == 1
        pipes = [line for line in markdown(table).splitlines() if line.startswith("| ")]
        assert {line.replace(r"\|", "").count("|") for line in pipes} == {len(table.columns) + 1}
    headline = pd.read_csv(tmp_path / "headline.csv")
    assert headline["accuracy"].to_numpy() == pytest.approx(frames["headline"]["accuracy"].to_numpy(), abs=1e-12)
    rows = list(csv.reader((tmp_path / "table_6.csv").read_text().splitlines()))
    assert len(rows) == 1 + 43


def test_a_change_of_rank_is_in_places_not_in_percent(frames: dict[str, pd.DataFrame]) -> None:
    changes = [int(change) for change in frames["rank_change"]["rank_change"].head(20)]
    expected = [f"{change:+d}".replace("-", "−") if change else "0" for change in changes]
    table = printed("rank_change", frames["rank_change"])
    assert [row[table.columns.index("rank change")] for row in table.rows[:20]] == expected
    on_page = page_table("rank_change", frames)
    assert on_page is not None
    assert next(each["unit"] for each in table_columns(on_page.frame) if each["name"] == "rank_change") == ""
    assert [row[-1]["text"] for row in table_rows(on_page.frame)[:20]] == expected


def test_hostile_text_is_escaped(frames: dict[str, pd.DataFrame]) -> None:
    name = next(name for name in frames["headline"]["model"] if "script" in name)
    table = printed("headline", frames["headline"])
    assert name in {row[0] for row in table.rows}
    assert r"\input" not in latex(table, "t")
    assert "$-$1.2" in latex(printed("table_6", frames["table_6"]), "t")
    assert "<script>" not in markdown(table)
    assert escape_latex("a_b & 5% $x$ \\y{z}") == r"a\_b \& 5\% \$x\$ \textbackslash{}y\{z\}"
    assert escape_markdown("a|b\n<i>`c`") == r"a\|b &lt;i&gt;\`c\`"


def test_published_rows_in_print_name_their_source(frames: dict[str, pd.DataFrame]) -> None:
    table = printed("table_6", frames["table_6"])
    row = next(row for row in table.rows if row[0] == "GPT-5")
    assert row == ("GPT-5", "Proprietary", "70.3", "69.1", "-1.2", "64.3", "-6.0")
    assert "arXiv:2603.07769" in table.note
    digitised = printed("figure_5", frames["figure_5"])
    assert any("digitised" in cell for row in digitised.rows for cell in row)


def test_a_pipe_is_not_folded(
    analysis: Analysis, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    print_headline(analysis)
    lines = capsys.readouterr().out.splitlines()
    (finding,) = [line for line in lines if line.startswith("From L0 to L2")][:1]
    assert len(finding) > 120
    assert finding.endswith(".")


def test_page_and_terminal_say_the_same(analysis: Analysis, tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=10_000)
    print_headline(analysis, console)
    page = html.unescape(write_page(analysis, report_frames(analysis), tmp_path).read_text())
    for story in run_stories(analysis):
        for line in story.lines():
            assert line in console.file.getvalue()
            assert line in page


def test_terminal_fits_eighty_columns(analysis: Analysis, frames: dict[str, pd.DataFrame]) -> None:
    console = Console(file=io.StringIO(), width=80)
    print_headline(analysis, console)
    print_published(frames, console)
    text = console.file.getvalue()
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80
    row = frames["headline"].iloc[0]
    assert f"{100 * row['accuracy']:.1f}" in text
    assert f"{100 * row['unread_rate']:.1f}" in text
    assert f"[{100 * row['calibration_shift_low']:+.1f},".replace("-", "−") in text
    plain = " ".join(text.split())
    assert "in 18 of 18 models" in plain
    assert "the shift falls in InternVL2.5(26B), Claude-Sonnet-4.5" in plain
    assert "accuracy alone compares, confidence does not: different numbers of trials T" in plain
