"""Node against node: estimates against pandas, errors against a bootstrap of whole source questions."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from medqdeg.utils.analysis.contrasts import CONTRASTS, Contrast, contrast_rows
from medqdeg.utils.analysis.item_table import item_table
from medqdeg.utils.analysis.statistics.multiplicity import q_values

from ..run_files import scored_levels

Row = dict[str, object]


@pytest.fixture(scope="module")
def records() -> list[Row]:
    levels = scored_levels(150, seed=3)
    return [record for records in levels.values() for record in records]


@pytest.fixture(scope="module")
def rows(records: list[Row]) -> pd.DataFrame:
    return pd.DataFrame(contrast_rows("r", item_table(records)))


def losses(records: list[Row]) -> pd.DataFrame:
    frame = pd.DataFrame(records)[
        ["level", "source_question_id", "modality", "degradation", "accuracy", "skill"]
    ].copy()
    clean = frame[frame["level"] == "L0"].groupby("source_question_id")["accuracy"].mean()
    worst = frame[frame["level"] == "L2"].copy()
    worst["loss"] = worst["accuracy"] - worst["source_question_id"].map(clean)
    return worst.dropna(subset=["loss"])


def one(rows: pd.DataFrame, contrast: str, figure: str = "accuracy") -> pd.Series:
    (row,) = rows[(rows["contrast"] == contrast) & (rows["figure"] == figure)].to_dict("records")
    return pd.Series(row)


def test_the_estimate_is_the_difference_of_the_sides_mean_losses(records: list[Row], rows: pd.DataFrame) -> None:
    worst = losses(records)
    here = worst["modality"] == "CT"
    row = one(rows, "CT against the rest")
    assert row["first"] == pytest.approx(worst[here]["loss"].mean())
    assert row["second"] == pytest.approx(worst[~here]["loss"].mean())
    assert row["estimate"] == pytest.approx(row["first"] - row["second"])
    assert (row["n_first"], row["n_second"]) == (here.sum(), (~here).sum())
    assert row["clusters"] == worst["source_question_id"].nunique()


@pytest.mark.parametrize(
    "contrast", ["CT against the rest", "artifacts and motion_interference against intensity_jitter"]
)
def test_the_interval_is_that_of_a_bootstrap_of_questions(
    records: list[Row], rows: pd.DataFrame, contrast: str
) -> None:
    from medqdeg.utils.dataset.taxonomy import degradation_category

    worst = losses(records)
    if contrast.startswith("CT"):
        first = worst["modality"] == "CT"
        second = ~first
    else:
        category = worst["degradation"].map(degradation_category)
        first = category.isin(["artifacts", "motion_interference"])
        second = category == "intensity_jitter"
    rng = np.random.default_rng(0)
    number = {name: place for place, name in enumerate(worst["source_question_id"].unique())}
    place = worst["source_question_id"].map(number).to_numpy()
    sums = [np.bincount(place[side], worst["loss"][side], len(number)) for side in (first, second)]
    sizes = [np.bincount(place[side], minlength=len(number)) for side in (first, second)]
    drawn = rng.multinomial(len(number), np.full(len(number), 1 / len(number)), size=4000)
    means = [drawn @ total / (drawn @ size) for total, size in zip(sums, sizes, strict=True)]
    row = one(rows, contrast)
    half = (row["high"] - row["low"]) / 2
    assert half == pytest.approx(1.99 * (means[0] - means[1]).std(), rel=0.12)


def test_q_is_over_the_contrasts_of_an_axis(rows: pd.DataFrame) -> None:
    family = rows[(rows["axis"] == "modality") & (rows["figure"] == "accuracy")]
    assert len(family) >= 3
    assert family["q"].to_numpy() == pytest.approx(q_values(family["p"].to_numpy()), nan_ok=True)


def test_a_planted_difference_is_found_and_none_is_invented() -> None:
    levels = scored_levels(200, seed=5)
    for record in levels["L2"]:
        if record["modality"] == "CT":
            record["accuracy"] = 0.0
    for record in levels["L0"]:
        record["accuracy"] = 1.0 if record["modality"] == "CT" else record["accuracy"]
    rows = pd.DataFrame(contrast_rows("r", item_table([r for records in levels.values() for r in records])))
    found = one(rows, "CT against the rest")
    assert found["high"] < 0
    assert found["q"] < 0.001
    other = one(rows, "artifacts and motion_interference against intensity_jitter")
    assert other["low"] < 0 < other["high"]


def test_the_rate_of_false_findings_is_near_five_per_cent() -> None:
    """200 runs of a guesser, whose sides lose alike."""
    found = []
    for seed in range(200):
        levels = scored_levels(40, seed=100 + 10 * seed)
        rows = contrast_rows("r", item_table([r for records in levels.values() for r in records]))
        found += [row["p"] < 0.05 for row in rows if row["figure"] == "accuracy" and not math.isnan(row["p"])]
    assert len(found) > 400
    assert 0.02 < np.mean(found) < 0.08


def test_no_row_without_items_on_both_sides(records: list[Row]) -> None:
    clean_only = [record for record in records if record["level"] == "L0"]
    assert contrast_rows("r", item_table(clean_only)) == []


def test_names_in_words() -> None:
    assert Contrast("modality", ("CT",)).name == "CT against the rest"
    assert len({contrast.name for contrast in CONTRASTS}) == len(CONTRASTS)
