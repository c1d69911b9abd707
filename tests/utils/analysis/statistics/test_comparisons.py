"""Paired comparisons against pandas' joins and hand-worked cases."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from medqdeg.utils.analysis.statistics import comparisons


def _items(seed: int) -> pd.DataFrame:
    """Questions with none to two clean items and up to three degraded pairs, some of them without a value."""
    rng = np.random.default_rng(seed)
    rows = []
    for question in range(25):
        rows += [(question, None, "L0")] * rng.choice([0, 1, 1, 1, 2])
        for degradation in range(rng.integers(0, 4)):
            rows += [(question, degradation, level) for level in ("L1", "L2") if rng.random() < 0.9]
    frame = pd.DataFrame(rows, columns=["question", "degradation", "level"])
    frame["value"] = np.where(rng.random(len(frame)) < 0.1, np.nan, rng.random(len(frame)))
    frame["pair"] = np.where(frame["degradation"].isna(), -1, frame["question"] * 10 + frame["degradation"].fillna(0))
    return frame.sample(frac=1, random_state=seed).reset_index(drop=True)


def _partner(frame: pd.DataFrame, level: str, keys: list[str]) -> pd.Series:
    means = frame[frame["level"] == level].groupby(keys)["value"].mean().rename("partner")
    return frame.join(means, on=keys)["partner"]


@pytest.mark.parametrize("seed", range(5))
def test_matched_changes_are_joins(seed: int) -> None:
    frame = _items(seed)
    level = {name: (frame["level"] == name).to_numpy() for name in ("L0", "L1", "L2")}
    value, question, pair = (frame[name].to_numpy() for name in ("value", "question", "pair"))
    pair = pair.astype(int)
    found = comparisons.matched_change(value, question, level["L0"], level["L2"])
    clean = _partner(frame, "L0", ["question"])
    assert found == pytest.approx(np.where(level["L2"], value - clean, np.nan), nan_ok=True)
    found = comparisons.matched_change(value, pair, level["L1"], level["L2"])
    mild = _partner(frame, "L1", ["question", "degradation"])
    assert found == pytest.approx(np.where(level["L2"], value - mild, np.nan), nan_ok=True)
    found = comparisons.matched_cliff(value, question, pair, level["L0"], level["L1"], level["L2"])
    assert found == pytest.approx(np.where(level["L2"], value - 2 * mild + clean, np.nan), nan_ok=True)


def test_a_mix_of_items_moves_the_plain_difference_only() -> None:
    # Question 0 is hard and degraded three times, question 1 easy and degraded once; degradation does no harm.
    value = np.array([0.0, 1.0, 0.0, 0.0, 0.0, 1.0])
    question = np.array([0, 1, 0, 0, 0, 1])
    clean = np.array([True, True, False, False, False, False])
    assert value[~clean].mean() - value[clean].mean() == -0.25
    assert np.nanmean(comparisons.matched_change(value, question, clean, ~clean)) == 0


def test_cliff_is_negative_where_the_second_step_loses_more() -> None:
    assert comparisons.cliff(np.array([0.8]), np.array([0.7]), np.array([0.4]))[0] == pytest.approx(-0.2)
    assert comparisons.cliff_verdict(-0.3, -0.1) == "larger"
    assert comparisons.cliff_verdict(0.1, 0.3) == "smaller"
    assert comparisons.cliff_verdict(-0.1, 0.3) == "undecided"
    assert comparisons.cliff_verdict(math.nan, 0.3) is None


@pytest.mark.parametrize(
    ("accuracy", "shift", "verdict"),
    [
        ((-0.2, -0.1), (0.05, 0.1), "supported"),
        ((-0.2, -0.1), (-0.01, 0.1), "undecided"),
        ((-0.2, 0.01), (0.05, 0.1), "undecided"),
        ((-0.2, -0.1), (-0.1, -0.05), "contradicted"),
        ((0.0, 0.1), (0.05, 0.1), "contradicted"),
        ((math.nan, math.nan), (0.05, 0.1), None),
    ],
)
def test_dunning_kruger_verdict(accuracy: tuple[float, float], shift: tuple[float, float], verdict: str | None) -> None:
    assert comparisons.dunning_kruger_verdict(accuracy, shift) == verdict


def test_inter_model_rule() -> None:
    assert comparisons.inter_model_dunning_kruger((0.4, 0.6), (0.3, 0.1)) is True
    assert comparisons.inter_model_dunning_kruger((0.6, 0.4), (0.1, 0.3)) is True
    assert comparisons.inter_model_dunning_kruger((0.4, 0.6), (0.1, 0.3)) is False
    assert comparisons.inter_model_dunning_kruger((0.5, 0.5), (0.1, 0.3)) is False
    assert comparisons.inter_model_dunning_kruger((math.nan, 0.5), (0.1, 0.3)) is None
