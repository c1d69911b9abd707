"""The published figures: against the files they were copied from, against each other, and the paper's definitions."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from medqdeg.utils.analysis.published.results import (
    GROUPS,
    TABLE_2_COLUMNS,
    TABLE_3_COLUMNS,
    printed_table,
    published_calibration,
    published_models,
)
from medqdeg.utils.dataset.taxonomy import DEGRADATION_CATEGORIES, LEVELS, TASKS

TABLES = (
    "table2_capability_l1l2",
    "table3_degradation_l1l2",
    "table6_accuracy_by_severity",
    "figure5_calibration_shift_digitised",
)


@pytest.mark.parametrize("name", TABLES)
def test_copied_without_a_change(name: str, repository: Path) -> None:
    source = repository.parent / "shared" / "paper" / f"{name}.csv"
    if not source.exists():
        pytest.skip(f"{source} is not here")
    pd.testing.assert_frame_equal(printed_table(name), pd.read_csv(source), check_exact=True)


def test_forty_models_in_three_groups() -> None:
    models = published_models()
    assert len(models) == 40 == len({model.name for model in models})
    assert {model.group for model in models} == set(GROUPS)
    assert all(set(model.tasks) == set(TASKS) for model in models)
    assert all(set(model.categories) == set(DEGRADATION_CATEGORIES) for model in models)
    gpt_5 = next(model for model in models if model.name == "GPT-5")
    assert gpt_5.accuracy == {"L0": 0.7027, "L1": 0.6909, "L2": 0.6430}
    assert (gpt_5.tasks["Diagnosis Reasoning"].accuracy, gpt_5.tasks["Diagnosis Reasoning"].change) == (0.621, -0.029)


def test_table_2_averages_tasks_and_table_3_averages_items() -> None:
    for model in published_models():
        macro = sum(stated.accuracy for stated in model.tasks.values()) / len(TABLE_2_COLUMNS)
        assert model.task_average.accuracy == pytest.approx(macro, abs=0.00105), model.name
        # L1 and L2 hold the same number of items, so the mean over items is the mean of the levels.
        micro = (model.accuracy["L1"] + model.accuracy["L2"]) / 2
        assert model.category_average.accuracy == pytest.approx(micro, abs=0.00105), model.name


def test_table_3_is_not_a_macro_mean() -> None:
    apart = [
        abs(model.category_average.accuracy - sum(x.accuracy for x in model.categories.values()) / len(TABLE_3_COLUMNS))
        for model in published_models()
    ]
    assert max(apart) > 0.002


def test_figure_5_shows_confidence_minus_accuracy() -> None:
    read = published_calibration()
    assert len(read) == 19
    whole = [point for levels in read.values() for point in levels.values() if point.confidence is not None]
    assert len(whole) == 19 * len(LEVELS) - 2
    for point in whole:
        assert point.confidence - point.accuracy == pytest.approx(point.calibration_shift, abs=0.0021)


def test_figure_5_agrees_with_table_6_to_a_point_and_a_half() -> None:
    stated = {model.name: model.accuracy for model in published_models()}
    read = published_calibration()
    assert set(read) - set(stated) == {"InternVL2.5-MPO(8B)"}
    apart = [
        abs(point.accuracy - stated[name][level])
        for name, levels in read.items()
        if name in stated
        for level, point in levels.items()
    ]
    assert max(apart) < 0.015
