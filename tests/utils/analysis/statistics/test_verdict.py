"""The verdict on the worked examples, and its p-value against its intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from medqdeg.utils.analysis.statistics import verdict as verdicts
from medqdeg.utils.analysis.statistics.clustered import clustered_ratio
from medqdeg.utils.analysis.statistics.gap_intervals import level_gap

FALLS = {"accuracy": (-0.09, -0.02), "readable_accuracy": (-0.08, -0.01)}
NONE = (math.nan, math.nan)


def test_worked_examples() -> None:
    found = verdicts.verdict(**FALLS, gap_change=(-0.01, 0.06), gap=(0.03, 0.10))
    assert (found.word, found.form) == ("supported", "holds")
    found = verdicts.verdict(**FALLS, gap_change=(-0.01, 0.06), gap=(-0.01, 0.015))
    assert (found.word, found.refuted) == ("contradicted", (verdicts.OVERCONFIDENT,))
    found = verdicts.verdict(**FALLS, gap_change=(-0.05, 0.02), gap=(0.03, 0.10))
    assert (found.word, found.open_claims) == ("not decided", (verdicts.GROWTH,))
    assert found.sentence == "not decided (open: overconfidence holds or grows)"


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"gap_change": (0.01, 0.06)}, "supported"),
        ({"accuracy": (-0.09, 0.0)}, "not decided"),
        ({"readable_accuracy": (-0.05, 0.01)}, "not decided"),
        ({"readable_accuracy": (0.0, 0.04)}, "contradicted"),
        ({"gap_change": (-0.08, -0.021)}, "contradicted"),
        ({"gap": (0.02, 0.10)}, "not decided"),
        ({"gap": NONE}, "not decided"),
        ({"accuracy": NONE}, "not decided"),
        ({"effective": 9.9}, None),
        ({"effective": math.nan}, None),
        ({"without_gap": "votes do not vary"}, None),
    ],
)
def test_each_claim_decides(changed: dict[str, object], word: str | None) -> None:
    given: dict[str, object] = {**FALLS, "gap_change": (-0.01, 0.06), "gap": (0.03, 0.10), **changed}
    assert verdicts.verdict(**given).word == word


def test_growth_has_its_word_and_none_its_reason() -> None:
    assert verdicts.verdict(**FALLS, gap_change=(0.01, 0.06), gap=(0.03, 0.1)).sentence == (
        "supported (overconfidence grows)"
    )
    none = verdicts.verdict(**FALLS, gap_change=(0.01, 0.06), gap=(0.03, 0.1), effective=5)
    assert none.sentence == "none: too few source questions"
    none = verdicts.verdict(**FALLS, gap_change=NONE, gap=NONE, without_gap="votes do not vary", effective=5)
    assert none.reason == "votes do not vary"


@pytest.mark.parametrize("seed", range(4))
def test_supported_goes_with_a_p_below_five_per_cent(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ones = np.ones((200, 40))

    def level(right: float, agree: float) -> tuple[np.ndarray, np.ndarray]:
        return rng.binomial(1, right, (200, 40)).astype(float), rng.normal(agree, 0.1, (200, 40))

    clean, degraded = level(0.8, 0.85), level(0.45, 0.75)
    found = verdicts.claims(
        (clustered_ratio(clean[0], ones), clustered_ratio(degraded[0], ones)),
        (clustered_ratio(clean[0], ones), clustered_ratio(degraded[0], ones)),
        tuple(level_gap(agree, right, ones, ones) for right, agree in (clean, degraded)),
    )
    words = np.array([one.word for one in found.verdicts()])
    assert 0 < (words == "supported").sum() < 200
    assert ((words == "supported") == (found.p < 0.05)).all()
