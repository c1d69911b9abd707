"""Runs that cannot be read, and runs on other items, have no rank, and everything that ranks says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from medqdeg.utils.analysis import standing
from medqdeg.utils.analysis.analyse import analyse
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.analysis.runs.run import Collection
from medqdeg.utils.analysis.standing import standings
from medqdeg.utils.report.content import SCOPE, report_frames
from medqdeg.utils.report.figures import draw_figures
from medqdeg.utils.report.headline_figure import headline_figure
from medqdeg.utils.report.printed_tables import caption, printed
from medqdeg.utils.scoring.records import score_item

from ..run_files import paired_documents, scored, scored_levels, write_run

DOCS = paired_documents(40, seed=0)
PUBLISHED_COUNTS = {"PAPER_CLEAN_ITEMS": len(DOCS["L0"]), "PAPER_DEGRADED_ITEMS": len(DOCS["L1"])}


def _levels(
    seed: int, unread: int = 0, docs: dict[str, list[dict[str, Any]]] = DOCS
) -> dict[str, list[dict[str, Any]]]:
    """Records whose first `unread` replies of ten cannot be read at L2."""
    found = {level: scored(docs[level], seed, 10) for level in ("L0", "L1")}
    replies = ["I see a shape."] * unread + ["B"] * (10 - unread)
    found["L2"] = [dict(score_item(doc, replies)) for doc in docs["L2"]]
    return found


@pytest.fixture
def published_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's items count as the published ones."""
    for name, value in PUBLISHED_COUNTS.items():
        monkeypatch.setattr(standing, name, value)


def _collection(folder: Path, **runs: dict[str, list[dict[str, Any]]]) -> Collection:
    for name, levels in runs.items():
        write_run(folder, levels, model=f"some/{name}")
    return read_runs([folder])


def test_from_ten_percent_unread_a_run_is_warned_of_and_not_ranked(tmp_path: Path) -> None:
    collection = _collection(tmp_path, readable=_levels(1), unreadable=_levels(2, unread=5))
    found = standings(collection.runs)
    assert found["readable"].not_ranked is None
    assert found["unreadable"].not_ranked == "unread: 50.0% at L2"
    (run,) = (run for run in collection.runs if run.name == "unreadable")
    assert any("without an answer that can be read: 50.0% at L2" in line for line in run.warnings)
    assert not any("that can be read" in line for line in next(r for r in collection.runs if r is not run).warnings)


@pytest.mark.parametrize(("unread", "ranked"), [(0, True), (1, False), (10, False)])
def test_the_limit_is_one_in_ten(unread: int, ranked: bool, tmp_path: Path) -> None:
    (run,) = _collection(tmp_path, model=_levels(1, unread=unread)).runs
    assert (standings([run])["model"].unread is None) == ranked


@pytest.mark.usefixtures("published_items")
def test_a_model_of_which_nothing_can_be_read_has_no_rank_among_the_published(tmp_path: Path) -> None:
    docs = paired_documents(40, seed=0)
    nothing = {level: [dict(score_item(doc, ["I see a shape."] * 10)) for doc in docs[level]] for level in docs}
    collection = _collection(tmp_path, nothing=nothing, something=_levels(1))
    analysis = analyse(collection, 100, scope=SCOPE)
    frames = report_frames(analysis, published=True)
    headline = frames["headline"].set_index(["model", "level"])
    assert headline.loc[("nothing", "L0"), ["calibration_shift", "unread_rate"]].tolist() == [0.0, 1.0]
    assert headline.loc[("nothing", "L0"), "not_ranked"].startswith("unread: 100.0% at L0")
    ranked = set(frames["rank_change"]["model"])
    assert "nothing" not in ranked
    assert "something" in ranked
    assert len(ranked) == 41
    assert any(note.startswith("not ranked among the published models: unread") for note in frames["notes"]["note"])
    figures = draw_figures(frames)
    names = [tick.get_text() for tick in figures["dumbbell"].axes[0].get_yticklabels()]
    assert names[:2] == ["something", "nothing ‡"]
    assert "‡ not ranked, so last: nothing (unread: 100.0%" in figures["dumbbell"].get_supxlabel()
    assert "Not ranked: nothing" in figures["rank_change"].get_supxlabel()
    texts = " ".join(text.get_text() for text in headline_figure(frames, "nothing").texts)
    assert "Not ranked: unread: 100.0% at L0" in texts


def test_items_that_are_not_the_published_ones_have_no_rank_among_them(tmp_path: Path) -> None:
    analysis = analyse(_collection(tmp_path, mine=_levels(1)), 100, scope=SCOPE)
    frames = report_frames(analysis, published=True)
    assert frames["rank_change"]["model"].tolist() == ["mine"]
    (note,) = (note for note in frames["notes"]["note"] if "published" in note)
    assert note.startswith("the items are not those of the published models, so no rank among them: not all published")
    assert "40 of 4,306 at L0" in note
    for name in ("table_6", "table_2", "table_3", "figure_5", "confidence_accuracy"):
        said = caption(frames, name)
        assert said.startswith("Not comparable row by row: the items are not those of the published models (not all ")
        assert printed(name, frames[name], said).note.endswith(said)
    assert caption(frames, "headline") == ""
    figures = draw_figures(frames)
    for name in ("dumbbell", "confidence_accuracy"):
        assert "the items are not those of" in " ".join(figures[name].get_supxlabel().split())
    assert "rank_change" not in figures
    without = report_frames(analysis)
    assert not any("published" in note for note in without["notes"]["note"])
    assert caption(without, "table_6") == ""


@pytest.mark.usefixtures("published_items")
def test_how_items_are_known_not_to_be_published(tmp_path: Path) -> None:
    foreign = {
        level: [{**record, "source": "MedQ-Deg phantoms"} for record in own] for level, own in _levels(1).items()
    }
    built = {
        level: [{**record, "item_id": f"{record['source']}:{record['item_id']}"} for record in own]
        for level, own in _levels(1).items()
    }
    fewer = {level: own[:19] for level, own in _levels(1).items()}
    collection = _collection(tmp_path, whole=_levels(1), foreign=foreign, built=built, fewer=fewer)
    reasons = {name: found.not_published for name, found in standings(collection.runs).items()}
    assert reasons["whole"] is None
    assert reasons["foreign"] == "items of MedQ-Deg phantoms"
    assert reasons["built"] == "items of a set that medqdeg built"
    assert reasons["fewer"].startswith("not all published items: 19 of 40 at L0")


def test_runs_on_other_items_than_most_have_no_rank(tmp_path: Path) -> None:
    other = scored_levels(20, seed=5)
    collection = _collection(tmp_path, first=_levels(1), second=_levels(2), third=other)
    found = standings(collection.runs)
    assert [found[name].not_ranked for name in ("first", "second")] == [None, None]
    assert found["third"].not_ranked.startswith("other items than first: ")
    frames = report_frames(analyse(collection, 100, scope=SCOPE))
    assert sorted(frames["rank_change"]["model"]) == ["first", "second"]
    assert isinstance(frames["rank_change"], pd.DataFrame)
