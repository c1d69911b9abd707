"""The headline figure: which item it shows, and what it says of it."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.transforms import Bbox
from PIL import Image

from medqdeg.utils.analysis.analyse import analyse
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.analysis.runs.run import Run
from medqdeg.utils.report.content import report_frames
from medqdeg.utils.report.example import find_example
from medqdeg.utils.report.figure_style import FIGURE_FONT, RC
from medqdeg.utils.report.figures import write_figure
from medqdeg.utils.report.headline_figure import headline_figure
from medqdeg.utils.report.paper_style import COLUMN, TEXT, PaperStyle
from medqdeg.utils.report.pictures import Shown
from medqdeg.utils.scoring.records import score_item

from ..run_files import paired_documents, write_run

FLIPPED = ("0003", "0005")
"""Source questions right at L0 and L1 and wrong at L2, ten votes of ten each time."""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    docs = paired_documents(12, seed=0)
    levels = {}
    for level, items in docs.items():
        levels[level] = []
        for doc in items:
            wrong = next(letter for letter in doc["letters"] if letter != doc["answer"])
            flipped = level == "L2" and doc["source_question_id"].endswith(FLIPPED)
            unsure = [doc["answer"]] * 5 + [wrong] * 5
            replies = [wrong] * 10 if flipped else unsure if level == "L2" else [doc["answer"]] * 10
            levels[level].append(dict(score_item(doc, replies)))
    (found,) = read_runs([write_run(tmp_path / "in", levels)]).runs
    return found


def _shown(run: Run, folder: Path, question: str) -> dict[tuple[str, str, str], Shown]:
    Image.fromarray(np.zeros((8, 8, 3), dtype=np.uint8)).save(folder / "picture.png")
    return {
        (run.family, record["level"], record["item_id"]): Shown(question, (), ("picture.png",))
        for record in run.records
    }


def test_the_first_item_that_flips_is_shown_and_how_many_do_is_said(run: Run, tmp_path: Path) -> None:
    shown = _shown(run, tmp_path, "Look at the left. Which $organ$ <is> abnormal?")
    example = find_example(run, shown, tmp_path)
    flipped = [r for r in run.records if r["level"] == "L2" and r["source_question_id"].endswith(FLIPPED)]
    assert [record["level"] for record in example.records] == ["L0", "L1", "L2"]
    assert example.records[-1]["item_id"] == flipped[0]["item_id"]
    assert len({(record["degradation"]) for record in example.records[1:]}) == 1
    assert example.alike == len(flipped) > 1
    assert example.items == sum(record["level"] == "L2" for record in run.records)
    frames = report_frames(analyse(read_runs(run.paths), 100))
    texts = [text.get_text() for text in headline_figure(frames, run.name, example).texts]
    assert f"first of {len(flipped)} among {example.items} items" in " ".join(texts)
    assert "Look at the left. Which $organ$ <is> abnormal?" in texts  # in full
    (row,) = frames["headline"].query("level == 'L2'").itertuples()
    panel = [text.get_text() for text in headline_figure(frames, run.name).axes[0].texts]
    assert f"accuracy\n{100 * row.accuracy:.1f}%" in panel


@pytest.mark.parametrize("width", [60.0, COLUMN, 120.0, TEXT])
@pytest.mark.parametrize("font", [None, "DejaVu Serif"])
def test_it_has_the_width_and_font_that_are_asked_for_and_nothing_overlaps(
    run: Run, tmp_path: Path, width: float, font: str | None
) -> None:
    example = find_example(run, _shown(run, tmp_path, "Look at the left. " * 12), tmp_path)
    frames = report_frames(analyse(read_runs(run.paths), 100))
    style = PaperStyle(width, font)
    with mpl.rc_context({**RC, **style.settings()}):
        figure = headline_figure(frames, run.name, example, width=width)
        assert figure is not None
        figure.draw_without_rendering()
        panel = figure.axes[0]
        ticks = [tick for tick in panel.get_yticklabels() if tick.get_position()[1] <= panel.get_ylim()[1]]
        texts = [*figure.texts, *panel.texts, *ticks]
        boxes = [text.get_window_extent() for text in texts]
    found = {text.get_fontfamily()[0] for text in texts}
    assert found == {font or FIGURE_FONT}
    assert min(text.get_fontsize() for text in texts) >= 7
    for place, box in enumerate(boxes):
        for other in range(place):
            shared = Bbox.intersection(box, boxes[other])
            assert shared is None or min(shared.width, shared.height) < 2, (texts[place], texts[other])
    paths = write_figure(figure, tmp_path, "headline", style)
    with Image.open(next(path for path in paths if path.suffix == ".png")) as image:
        assert image.width / 200 * 25.4 == pytest.approx(width, abs=0.3)


def test_without_pictures_or_with_one_level_there_is_less(run: Run, tmp_path: Path) -> None:
    assert find_example(run, {}, tmp_path) is None
    levels = {"L0": [dict(record) for record in run.records if record["level"] == "L0"]}
    frames = report_frames(analyse(read_runs([write_run(tmp_path / "clean", levels)]), 100))
    assert headline_figure(frames, frames["headline"]["model"].iloc[0]) is None
