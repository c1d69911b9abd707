"""Simulated readers beside simulated models in the report: frame, figure and page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from medqdeg.utils.analysis.analyse import Analysis, analyse
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.report.content import SCOPE, report_frames
from medqdeg.utils.report.figures import draw_figures
from medqdeg.utils.report.page import write_page
from medqdeg.utils.report.readers import MEAN, MODEL, READER, reader_points
from medqdeg.utils.scoring.records import PERSON, score_item

from ..run_files import paired_documents, scored, write_run
from ..simulated_readers import reader_records


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    folder = tmp_path_factory.mktemp("study")
    docs = paired_documents(40, seed=0)
    write_run(folder, {level: scored(docs[level], 7) for level in docs}, model="some/model-7B")
    for number in (1, 2, 3):
        accuracy = {"L0": 0.9, "L1": 0.8, "L2": 0.6 + 0.05 * number}
        write_run(folder, reader_records(docs, f"R{number}", accuracy, number), model=f"Reader R{number}")
    together = {
        level: [
            dict(score_item(doc, [f"Answer: {doc['answer']}\nConfidence: 80%"] * 3, "verbalized"))
            | {"respondent": PERSON, "reader": ["R1", "R2", "R3"]}
            for doc in docs[level]
        ]
        for level in docs
    }
    write_run(folder, together, model="Panel of 3 readers")
    return analyse(read_runs([folder]), 100, scope=SCOPE)


@pytest.fixture(scope="module")
def frames(analysis: Analysis) -> dict[str, pd.DataFrame]:
    return report_frames(analysis)


def test_the_curve_of_the_panel_is_that_of_the_analysis(analysis: Analysis, frames: dict[str, pd.DataFrame]) -> None:
    points = reader_points(frames)
    table = analysis.tables["panels"]
    mean = table[table["reader"].isna() & table["against"].isna() & table["comparison"].isna()]
    drawn = {(one["figure"], one["level"]): one for one in points if one["kind"] == MEAN}
    assert len(drawn) == len(mean) == 9
    for row in mean.itertuples():
        one = drawn[row.figure, row.level]
        # Simulated readers who all state the same have no interval of their confidence.
        found = [float("nan") if one[end] is None else one[end] for end in ("estimate", "low", "high")]
        assert found == pytest.approx([row.estimate, row.low, row.high], abs=1e-4, nan_ok=True)
    assert len({one["who"] for one in points if one["kind"] == READER}) == 3
    # The model votes: its confidence is no stated one.
    assert {one["figure"] for one in points if one["kind"] == MODEL} == {"accuracy"}


def test_readers_have_a_figure_and_their_mean_stands_among_the_models(frames: dict[str, pd.DataFrame]) -> None:
    drawn = draw_figures(frames)
    for name in ("readers", "severity_curves"):
        labels = [text.get_text() for text in drawn[name].legends[0].get_texts()]
        assert "mean of 3 readers" in labels
        assert "model-7B" in labels
    shown = [text.get_text() for name in ("readers", "severity_curves") for text in drawn[name].legends[0].get_texts()]
    # The run of the panel is the mean once more.
    assert not any("Reader R" in text or "Panel" in text for text in shown)


def test_the_page_has_a_section_of_people(analysis: Analysis, frames: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    page = write_page(analysis, frames, tmp_path).read_text()
    assert "People beside the models" in page
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    assert data["readers"] == reader_points(frames)


def test_a_report_without_people_has_none(tmp_path: Path) -> None:
    docs = paired_documents(12, seed=0)
    write_run(tmp_path, {level: scored(docs[level], 7) for level in docs})
    analysis = analyse(read_runs([tmp_path]), 100, scope=SCOPE)
    frames = report_frames(analysis)
    assert frames["readers"].empty
    assert reader_points(frames) == []
    assert "readers" not in draw_figures(frames)
    assert "People beside the models" not in write_page(analysis, frames, tmp_path).read_text()
