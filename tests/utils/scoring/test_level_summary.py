"""Scores of nodes against a brute-force recomputation with pandas, and the comparison of levels by hand."""

from __future__ import annotations

import random
from typing import Any

import pandas as pd
import pytest

from medqdeg.utils.dataset import taxonomy
from medqdeg.utils.scoring import level_summary
from medqdeg.utils.scoring.records import ItemRecord, failed_record, score_item

from ..record_examples import document, random_documents, random_replies


def _records(level: str, seed: int, count: int = 400) -> list[ItemRecord]:
    rng = random.Random(seed)
    return [score_item(doc, random_replies(doc, 10, rng)) for doc in random_documents(count, level, seed)]


@pytest.fixture(scope="module")
def degraded() -> list[ItemRecord]:
    return _records("L2", seed=1)


def test_every_node_agrees_with_pandas(degraded: list[ItemRecord]) -> None:
    frame = pd.DataFrame(degraded)
    frame["task"] = [taxonomy.task_of(skill) for skill in frame["skill"]]
    frame["capability"] = [taxonomy.capability_of(skill) for skill in frame["skill"]]
    frame["degradation_category"] = [taxonomy.DEGRADATIONS[name].category for name in frame["degradation"]]
    found = level_summary.every_node(degraded)
    for axis in level_summary.AXES:
        expected = frame.groupby(axis)
        assert set(found[axis]) == set(expected.groups)
        for node, group in expected:
            assert found[axis][node]["n"] == len(group)
            assert found[axis][node]["n_source_questions"] == group["source_question_id"].nunique()
            for score in level_summary.SCORES:
                assert found[axis][node][score] == pytest.approx(group[score].mean(), abs=1e-12)


def test_shift_is_mean_confidence_minus_accuracy(degraded: list[ItemRecord]) -> None:
    overall = level_summary.node_scores(degraded)
    assert overall["calibration_shift"] == pytest.approx(overall["confidence"] - overall["accuracy"], abs=1e-12)


def test_order_changes_no_bit(degraded: list[ItemRecord]) -> None:
    shuffled = random.Random(2).sample(degraded, len(degraded))
    assert level_summary.level_summary(shuffled) == level_summary.level_summary(degraded)


def test_unlabelled_items_are_counted(degraded: list[ItemRecord]) -> None:
    found = level_summary.every_node(degraded)
    unlabelled = sum(record["skill"] == taxonomy.UNLABELLED for record in degraded)
    for axis in ("capability", "task", "skill"):
        assert found[axis][taxonomy.UNLABELLED]["n"] == unlabelled > 0
        assert sum(scores["n"] for scores in found[axis].values()) == len(degraded)


def test_clean_items_have_no_degradation_axis() -> None:
    found = level_summary.every_node(_records("L0", seed=3, count=20))
    assert found["degradation"] == found["degradation_category"] == {}


def test_items_without_scores_do_not_pull_the_means() -> None:
    good = score_item(document(), ["B"] * 4)
    lost = score_item(document(item_id="8"), ["[LMMS_EVAL_REQUEST_FAILED]"] * 4)
    bad = failed_record(document(item_id="9"), ValueError("x"))
    scores = level_summary.node_scores([good, lost, bad])
    assert (scores["n"], scores["n_scored"]) == (3, 1)
    assert scores["accuracy"] == scores["confidence"] == 1.0
    assert scores["missing_rate"] == 0.5
    conditions = level_summary.run_conditions([good, lost, bad])
    assert (conditions["missing_trials"], conditions["failed_items"]) == (4, 1)
    assert any("ValueError: x" in warning for warning in conditions["warnings"])


def test_equal_replies_raise_a_warning_unless_the_others_vary_too_much_for_that() -> None:
    same = [score_item(document(item_id=str(n)), ["B"] * 10) for n in range(6)]
    varied = [score_item(document(item_id=str(n)), ["B"] * 9 + ["A"]) for n in range(6, 10)]
    assert any("identical on 6 of 7" in text for text in level_summary.run_conditions(same + varied[:1])["warnings"])
    assert level_summary.run_conditions(same + varied)["warnings"] == []
    single = [score_item(document(item_id=str(n)), ["B"]) for n in range(6)]
    assert level_summary.run_conditions(single)["warnings"] == []


def test_unread_replies_raise_a_warning_from_one_in_ten() -> None:
    def records(level: str, unread: int) -> list[ItemRecord]:
        replies = ["I see a shape."] * unread + ["B"] * (20 - unread)
        return [score_item(document(item_id=str(n), level=level), replies) for n in range(6)]

    assert level_summary.unread_rates(records("L0", 1) + records("L2", 2)) == pytest.approx({"L0": 0.05, "L2": 0.1})
    (warning,) = level_summary.run_conditions(records("L0", 1) + records("L2", 2))["warnings"]
    assert warning.startswith("answered trials without an answer that can be read: 10.0% at L2; they count as wrong")
    assert level_summary.run_conditions(records("L0", 1))["warnings"] == []


def test_empty_replies_raise_a_warning() -> None:
    records = [score_item(document(item_id=str(n)), ["", " ", "\n", "B"]) for n in range(3)]
    conditions = level_summary.run_conditions(records)
    assert conditions["empty_replies"] == 9
    assert any("9 of 12 replies are empty" in text for text in conditions["warnings"])
    lost = [score_item(document(), ["[LMMS_EVAL_REQUEST_FAILED]"])]
    assert not any("empty" in text for text in level_summary.run_conditions(lost)["warnings"])


def _summary(level: str, accuracy: float, shift: float, **axes: Any) -> dict[str, Any]:
    scores = {"accuracy": accuracy, "confidence": accuracy + shift, "calibration_shift": shift}
    return {"level": level, "overall": scores, "nodes": {"modality": axes}}


@pytest.mark.parametrize(
    ("l0", "l2", "effect"),
    [
        # The paper's rule: accuracy falls while the shift holds or grows.
        ((0.70, 0.20), (0.62, 0.28), True),
        ((0.70, 0.20), (0.62, 0.20), True),
        ((0.70, 0.20), (0.62, 0.19), False),
        ((0.70, 0.20), (0.70, 0.30), False),
        ((0.70, 0.20), (0.75, 0.30), False),
    ],
)
def test_dunning_kruger_rule(l0: tuple[float, float], l2: tuple[float, float], effect: bool) -> None:
    result = level_summary.compare_levels([_summary("L2", *l2), _summary("L0", *l0)])
    change = result["overall"]["L0_to_L2"]
    assert change["dunning_kruger"] is effect
    assert change["accuracy_drop"] == pytest.approx(l0[0] - l2[0])
    assert change["shift_change"] == pytest.approx(l2[1] - l0[1])
    assert change["confidence_change"] == pytest.approx(sum(l2) - sum(l0))


def test_figure_5_shows_the_effect_in_all_19_models(paper: Any) -> None:
    """The published confidences: the effect in all models with both levels, and two that fall from L0 to L1."""
    table = pd.read_csv(paper / "figure5_calibration_shift_digitised.csv").set_index("model")
    falling = set()
    for model, row in table.dropna(subset=["calibration_shift_l0", "calibration_shift_l2"]).iterrows():
        levels = [
            _summary(level, row[f"accuracy_{level.lower()}"], row[f"calibration_shift_{level.lower()}"])
            for level in taxonomy.LEVELS
        ]
        change = level_summary.compare_levels(levels)["overall"]
        assert change["L0_to_L2"]["dunning_kruger"], model
        if change["L0_to_L1"]["shift_change"] < 0:
            falling.add(model)
    assert falling == {"InternVL2.5(26B)", "Claude-Sonnet-4.5"}


def test_nodes_are_compared_where_both_levels_have_them() -> None:
    node = {"accuracy": 0.5, "confidence": 0.5, "calibration_shift": 0.0}
    worse = {"accuracy": 0.4, "confidence": 0.5, "calibration_shift": 0.1}
    result = level_summary.compare_levels(
        [_summary("L0", 0.5, 0.0, CT=node, MRI=node), _summary("L2", 0.4, 0.1, CT=worse, Endoscopy=worse)]
    )
    assert set(result["nodes"]["modality"]) == {"CT"}
    assert result["nodes"]["modality"]["CT"]["L0_to_L2"]["accuracy_drop"] == pytest.approx(0.1)


def test_without_clean_items_nothing_is_compared() -> None:
    assert level_summary.compare_levels([_summary("L1", 0.5, 0.1)]) == {"overall": {}, "nodes": {}}


def test_conditions_count_how_the_replies_were_read() -> None:
    replies = ["B", "(c)", "The image shows a polyp.", "no idea", "[LMMS_EVAL_REQUEST_FAILED] timeout"]
    record = score_item(document(), replies)
    before = {name: value for name, value in record.items() if name != "read_as"}
    counts = level_summary.run_conditions([record, record, before])["read_as"]
    assert counts == {"letter": 4, "option_named": 2, "unread": 2}
