"""Elicitations other than votes, and records that have no scores."""

from __future__ import annotations

import numpy as np
import pytest

from medqdeg.utils.analysis.item_table import item_table
from medqdeg.utils.scoring.records import failed_record, score_item

from ..record_examples import document


def test_exact_probabilities_take_the_place_of_votes() -> None:
    p = [0.1, 0.7, 0.1, 0.1]
    confidence = 1 + sum(x * np.log(x) for x in p) / np.log(4)
    record = {
        **score_item(document(), ["B"]),
        **{"elicitation": "exact", "probabilities": p, "letter_mass": 0.99, "accuracy": 0.7},
        **{"confidence": confidence, "calibration_shift": confidence - 0.7},
    }
    lost = {**record, "item_id": "8", "probabilities": None, "confidence": None, "calibration_shift": None}
    table = item_table([record, lost])
    columns = {name: values[0] for name, values in table.columns.items()}
    assert columns["top_share"] == 0.7
    assert columns["confidence_james_stein"] == columns["confidence"] == pytest.approx(confidence)
    assert columns["agreement"] == pytest.approx((0.52 - 0.25) / 0.75)
    assert np.isnan(columns["shift_unread_dropped"])
    assert table.guesser["confidence"][0] == 0
    assert table.guesser["shift"][0] == -0.25
    assert columns["shift_above_guesser"] == pytest.approx(confidence - 0.7 + 0.25)
    for name in ("top_share", "confidence_james_stein", "agreement", "brier"):
        assert np.isnan(table.columns[name][1])


def test_a_stated_confidence_is_a_probability_itself() -> None:
    record = {
        **score_item(document(), ["B", "B", "A"]),
        **{"elicitation": "verbalized", "stated": [0.9, 0.8, None], "confidence": 0.85},
        "calibration_shift": 0.85 - 2 / 3,
    }
    table = item_table([record])
    assert table.columns["top_share"][0] == pytest.approx(0.85)
    assert table.columns["brier"][0] == pytest.approx(0.15**2)
    assert table.guesser["shift"][0] == 0  # an honest guesser says 1/K
    assert np.isnan(table.columns["confidence_james_stein"][0])


def test_mixed_elicitations_are_refused() -> None:
    record = score_item(document(), ["B"])
    with pytest.raises(ValueError, match="one elicitation"):
        item_table([record, {**record, "elicitation": "exact"}])


def test_items_without_scores_have_none() -> None:
    lost = score_item(document(), ["[LMMS_EVAL_REQUEST_FAILED]"] * 4)
    failed = failed_record(document(item_id="8"), ValueError("x"))
    unread = score_item(document(item_id="9"), ["I cannot tell"] * 4)
    table = item_table([lost, failed, unread])
    for name, values in table.columns.items():
        assert np.isnan(values[0]) or name == "missing_rate", name
        assert np.isnan(values[1]), name
    assert table.columns["missing_rate"][0] == 1
    assert table.columns["confidence"][2] == table.columns["majority_vote"][2] == 0
    assert table.columns["top_share"][2] == 0.25
    assert np.isnan(table.columns["shift_unread_dropped"][2])


def test_unread_votes_dropped_instead_of_spread() -> None:
    record = score_item(document(), ["B", "B", "A", "I cannot tell"])
    table = item_table([record])
    confidence = 1 + (2 / 3 * np.log(2 / 3) + 1 / 3 * np.log(1 / 3)) / np.log(4)
    assert table.columns["shift_unread_dropped"][0] == pytest.approx(confidence - 2 / 3)
