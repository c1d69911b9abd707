"""A subset through the tasks' hooks: the same questions at every level, weights in records and in means."""

from __future__ import annotations

import pytest

from medqdeg.tasks import hooks
from medqdeg.utils.dataset.image_cells import decode_cell
from medqdeg.utils.dataset.subset import VARIABLE
from medqdeg.utils.scoring.records import score_item


def test_levels_of_the_small_phantoms(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {level: hooks.load_items("phantom_small", level) for level in ("L0", "L1", "L2")}
    assert "weight" not in whole["L2"].column_names
    monkeypatch.setenv(VARIABLE, "0.2")
    part = {level: hooks.load_items("phantom_small", level) for level in ("L0", "L1", "L2")}
    questions = {level: sorted(items["source_question_id"][:]) for level, items in part.items()}
    assert questions["L0"] == questions["L1"] == questions["L2"]
    assert 3 * len(questions["L0"]) == pytest.approx(0.2 * sum(map(len, whole.values())), abs=2)
    counts = whole["L2"]["source_question_id"][:]
    for doc in part["L2"].remove_columns("images"):
        record = score_item(doc, [doc["answer"], "nothing"])
        assert record["weight"] == counts.count(doc["source_question_id"])
    assert {decode_cell(doc["images"][0]).mode for doc in part["L1"].select([0])} == {"RGB"}


def test_a_level_s_mean_is_weighted() -> None:
    values = [{"score": 1.0, "weight": 3.0}, {"score": 0.0, "weight": 1.0}, {"weight": 5.0}]
    assert hooks.mean_score(values) == 0.75
    assert hooks.mean_score([{"score": 1.0}, {"score": 0.0}]) == 0.5


def test_a_gap_is_a_ratio_of_weighted_sums() -> None:
    gaps = [
        {"difference": -0.25, "weight": 1.0, "readable": 1.0, "varies": True},
        {"difference": 0.0, "weight": 0.5, "readable": 0.5, "varies": True},
        {"difference": 0.5, "weight": 0.5, "readable": 0.5, "varies": True},
    ]
    assert hooks.gap_score([{"gap": gap} for gap in gaps]) == 1 / 8
    assert hooks.gap_score([{"gap": {**gap, "varies": False}} for gap in gaps]) is None
    assert hooks.gap_score([{"cluster_id": "a"}]) is None


def test_a_bad_share_ends_the_run_with_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "a third")
    with pytest.raises(SystemExit, match="MEDQDEG_SUBSET is 'a third'"):
        hooks.load_items("phantom_small", "L0")
