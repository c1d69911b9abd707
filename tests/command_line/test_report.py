"""`medqdeg report`: what it writes and prints, and what it says of bad input."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from ..utils.run_files import DATE, scored_levels, write_run
from .calling import exit_status


def _report(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> object:
    return exit_status(monkeypatch, "report", *arguments, "--replicates", "100")


def test_writes_figures_and_tables(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the lines with which docs/your_model.md ends."""
    monkeypatch.chdir(tmp_path)
    write_run(Path("results"), scored_levels(12, seed=1))
    page = (repository / "docs/your_model.md").read_text(encoding="utf-8")
    lines = page.partition("## Afterwards")[2].split("```")[1].splitlines()[1:]
    assert [line.split()[:3] for line in lines] == [["medqdeg", name, "results"] for name in ("analyze", "report")]
    for line in lines:
        assert exit_status(monkeypatch, *shlex.split(line)[1:]) == 0
    assert Path("analysis/analysis.json").is_file()
    out = tmp_path / "report"
    assert (out / "figures" / "dumbbell.pdf").exists()
    assert "GPT-5" in (out / "tables" / "table_6.tex").read_text()
    assert not list(out.rglob("*.part"))
    assert f"files in {out}" in capsys.readouterr().out


def test_terminal_alone_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(tmp_path, scored_levels(12, seed=1))
    before = sorted(tmp_path.rglob("*"))
    assert _report(monkeypatch, tmp_path, "--terminal") == 0
    assert "model-7B" in capsys.readouterr().out
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.usefixtures("as_svg_alone")
def test_one_level_only_is_said_and_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(tmp_path / "results", {"L1": scored_levels(12, seed=1)["L1"]})
    out = tmp_path / "report"
    assert _report(monkeypatch, tmp_path / "results", "--out", out, "--terminal") == 0
    captured = capsys.readouterr()
    assert "no items of L0" in captured.err
    assert (out / "figures" / "severity_curves.svg").exists()
    assert not list((out / "figures").glob("rank_change.*"))


@pytest.mark.usefixtures("as_svg_alone")
def test_a_half_written_file_beside_a_whole_run_is_said_and_the_run_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(tmp_path / "results", scored_levels(12, seed=1))
    (tmp_path / "results" / f"{DATE}_results.json").write_text('{"results": {"medq')
    assert _report(monkeypatch, tmp_path / "results", "--out", tmp_path / "report") == 0
    assert "may be cut off" in capsys.readouterr().err
    assert (tmp_path / "report" / "tables" / "headline.csv").exists()


def _empty(folder: Path) -> None:
    folder.mkdir()


def _half_written(folder: Path) -> None:
    folder.mkdir()
    (folder / f"{DATE}_results.json").write_text('{"results": {"medq')


def _other_task(folder: Path) -> None:
    folder.mkdir()
    (folder / f"{DATE}_results.json").write_text(json.dumps({"results": {"mmmu": {"mmmu_acc,none": 0.4}}}))


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (_empty, "no lmms-eval results"),
        (_half_written, "may be cut off"),
        (_other_task, "no MedQ-Deg run found"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    prepare: object, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(tmp_path / "results")  # type: ignore[operator]
    assert _report(monkeypatch, tmp_path / "results", "--out", tmp_path / "report") == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "report").exists()


def test_without_anything_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _report(monkeypatch, tmp_path) == 1
    assert "--out" in capsys.readouterr().err
