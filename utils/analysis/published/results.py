"""The paper's figures with typed access.

The CSV files beside this module hold the figures as printed: percentages, changes in percentage points. Figure 5 is
printed as a plot only; its values were read off it, to about +-0.002, and are marked as digitised wherever they appear.
Functions here return fractions. The paper states no interval for any of these figures, so there is none here.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

import pandas as pd

from ...dataset.taxonomy import LEVELS, TASKS

SOURCE = "arXiv:2603.07769"
"""The paper that every published figure is from."""

GROUPS: Mapping[str, str] = {
    "proprietary": "Proprietary",
    "open_source_general": "Open-source, general",
    "medical_specialized": "Medical",
}
"""The paper's groups of models -> how they are printed."""

TABLE_2_COLUMNS: Mapping[str, str] = {
    "clinical_understanding": "Clinical Understanding",
    "imaging_perception": "Imaging Perception",
    "anatomical_recognition": "Anatomical Recognition",
    "basic_science": "Basic Science Reasoning",
    "diagnosis": "Diagnosis Reasoning",
    "treatment": "Treatment Reasoning",
}
"""Column of table 2 -> mid-level task (`medqdeg.utils.dataset.taxonomy.TASKS`), in the paper's order."""

TABLE_3_COLUMNS: Mapping[str, str] = {
    "intensity": "intensity_jitter",
    "noise": "noise",
    "resolution_blur": "resolution_blur",
    "artifacts": "artifacts",
    "motion": "motion_interference",
}
"""Column of table 3 -> degradation category (`taxonomy.DEGRADATION_CATEGORIES`), in the paper's order."""

assert set(TABLE_2_COLUMNS.values()) == set(TASKS)


@dataclass(frozen=True)
class Stated:
    """An accuracy over L1 and L2 as the paper prints it, and its change from L0, both as fractions."""

    accuracy: float
    change: float


@dataclass(frozen=True)
class Digitised:
    """One model at one level of figure 5; None where the point could not be read off."""

    accuracy: float | None
    confidence: float | None
    calibration_shift: float | None


@dataclass(frozen=True)
class PublishedModel:
    """What the paper states of one model.

    Attributes:
        name: as the paper prints it.
        group: a key of `GROUPS`.
        accuracy: level -> accuracy (table 6).
        task_average: macro mean over the six tasks (table 2).
        tasks: mid-level task -> accuracy over L1 and L2 (table 2).
        category_average: micro mean over the items of L1 and L2 (table 3).
        categories: degradation category -> accuracy over L1 and L2 (table 3).
    """

    name: str
    group: str
    accuracy: Mapping[str, float]
    task_average: Stated
    tasks: Mapping[str, Stated]
    category_average: Stated
    categories: Mapping[str, Stated]


@functools.cache
def published_models() -> tuple[PublishedModel, ...]:
    """Return the 40 models in the order of table 6."""
    severity, tasks, categories = (
        printed_table(name).set_index("model")
        for name in ("table6_accuracy_by_severity", "table2_capability_l1l2", "table3_degradation_l1l2")
    )
    return tuple(
        PublishedModel(
            name=name,
            group=row["group"],
            accuracy={level: _fraction(row[f"acc_{level.lower()}"]) for level in LEVELS},
            task_average=_stated(tasks.loc[name], "avg"),
            tasks={node: _stated(tasks.loc[name], column) for column, node in TABLE_2_COLUMNS.items()},
            category_average=_stated(categories.loc[name], "avg"),
            categories={node: _stated(categories.loc[name], column) for column, node in TABLE_3_COLUMNS.items()},
        )
        for name, row in severity.iterrows()
    )


@functools.cache
def published_calibration() -> Mapping[str, Mapping[str, Digitised]]:
    """Return model -> level -> what figure 5 shows, digitised, for its 19 models in the order of the plot.

    18 of them are among `published_models`; the tables do not have InternVL2.5-MPO(8B). Accuracies read off the plot
    differ from those of table 6 by up to 1.2 points (Gemini-2.5-Flash at L0).
    """
    figure_5 = printed_table("figure5_calibration_shift_digitised").set_index("model")
    return {name: _digitised(row) for name, row in figure_5.iterrows()}


def printed_table(name: str) -> pd.DataFrame:
    """Return one of the CSV files as it is, e.g. "table6_accuracy_by_severity"."""
    with (files(__package__) / f"{name}.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file)


def _stated(row: pd.Series, column: str) -> Stated:
    return Stated(_fraction(row[column]), _fraction(row[f"{column}_change"]))


def _fraction(percent: float) -> float:
    return round(float(percent) / 100, 6)


def _digitised(row: pd.Series) -> Mapping[str, Digitised]:
    names = ("accuracy", "confidence", "calibration_shift")
    read = {level: [row[f"{name}_{level.lower()}"] for name in names] for level in LEVELS}
    return {
        level: Digitised(*(None if pd.isna(value) else float(value) for value in values))
        for level, values in read.items()
    }
