"""MedQ-Deg's change from clean images beside that of the same model's wrapped tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from medqdeg.utils.analysis.analyse import analyse
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.report.content import SCOPE, report_frames
from medqdeg.utils.report.typical_drop import typical_drop_figure, typical_rows
from medqdeg.utils.report.writing import write_report

from ..analysis.runs.test_wrapped import write_wrapped
from ..run_files import scored_levels, write_run


@pytest.mark.usefixtures("as_svg_alone")
def test_one_figure_and_one_table_for_the_models_that_ran_both(tmp_path: Path) -> None:
    wrapped = write_wrapped(tmp_path / "in", "open")
    own = scored_levels(40, seed=1)
    write_run(tmp_path / "in", own)
    write_run(tmp_path / "in", scored_levels(40, seed=2), model="other/alone")
    analysis = analyse(read_runs([tmp_path / "in"]), 100, scope=SCOPE)
    frames = report_frames(analysis)
    frame = frames["typical_drop"]
    assert set(frame["model"]) == {"model-7B"}
    assert list(dict.fromkeys(frame["benchmark"])) == ["MedQ-Deg", "slake"]
    assert len(frame) == 2 * 2 * 3
    drop = frame.set_index(["benchmark", "comparison", "figure"])["estimate"]
    pairs = zip(wrapped["L2"], wrapped["L0"], strict=True)
    assert drop["slake", "L0_to_L2", "accuracy"] == pytest.approx(
        sum(bad["accuracy"] - clean["accuracy"] for bad, clean in pairs) / 40, abs=1e-9
    )
    clean = {record["source_question_id"]: record["confidence"] for record in own["L0"]}
    bad = [(record["confidence"], clean[record["source_question_id"]]) for record in own["L1"]]
    assert drop["MedQ-Deg", "L0_to_L1", "confidence"] == pytest.approx(sum(b - c for b, c in bad) / len(bad), abs=1e-9)
    assert [row["benchmark"] for row in typical_rows(frames)] == list(frame["benchmark"])
    figure = typical_drop_figure(frames)
    assert figure is not None
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["MedQ-Deg", "slake"]
    page = next(path for path in write_report(analysis, frames, tmp_path / "out") if path.name == "report.html")
    assert 'id="typical-plot"' in page.read_text(encoding="utf-8")


def test_without_a_wrapped_task_there_is_none(tmp_path: Path) -> None:
    write_run(tmp_path, scored_levels(12, seed=1))
    analysis = analyse(read_runs([tmp_path]), 100, scope=SCOPE)
    frames = report_frames(analysis)
    assert frames["typical_drop"].empty
    assert typical_drop_figure(frames) is None
