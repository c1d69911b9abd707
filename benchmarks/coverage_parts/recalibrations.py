"""Is a change of the calibration from L0 to L2 found, and only where there is one?

Votes: the calibration slope's change. Exact probabilities: the gap that is left at L2 after L0's temperature. Both as
the analysis computes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from medqdeg.utils.analysis.item_answers import ItemAnswers, StatedTrials, answers_of_votes
from medqdeg.utils.analysis.recalibrated import Interval, recalibration
from medqdeg.utils.analysis.statistics.agreement_gap import exact_terms
from medqdeg.utils.scoring.elicitation import EXACT

from .batches import drawn_levels
from .worlds import Drawn, World, draw

UNCHANGED: Mapping[str, World] = {
    "laplace": World("laplace", (2.6, 1.7)),
    "beta, refusing": World("beta", (0.7, 0.4), refusal=(0.02, 0.2)),
    "sure or guessing": World("sure", (0.6, 0.3)),
}
"""Calibrated at both levels: slope 1, temperature 1."""

CHANGED: Mapping[str, World] = {
    "laplace": World("laplace", (2.6, 1.7), (1.0, 2.5)),
    "beta": World("beta", (0.7, 0.4), (1.0, 2.5)),
}
"""Calibrated at L0, overconfident at L2."""


@dataclass
class Rates:
    """Of the data sets with a fit.

    Attributes:
        fitted: share of the data sets.
        found: share of those whose 95% interval excludes 0.
    """

    fitted: float
    found: float


def true_slopes(world: World, seed: tuple[int, ...], questions: int = 40_000) -> tuple[float, float]:
    """Return the calibration slopes at L0 and L2."""
    drawn = draw(world, 1, questions, np.random.default_rng(seed))
    slopes = []
    for p in drawn.p:
        agree, right = (p**2).sum(axis=-1), p[..., 0]
        slopes.append(float((right - 1 / world.k).sum() / (agree - 1 / world.k).sum()))
    return slopes[0], slopes[1]


def rates(world: World, trials: int, questions: int, data_sets: int, seed: tuple[int, ...]) -> Rates:
    """Return how often a change is found with T trials, or with exact probabilities (`trials` 0)."""
    rng = np.random.default_rng(seed)
    drawn = draw(world, data_sets, questions, rng)
    each = _exact(drawn) if trials == 0 else _votes(drawn, trials, rng)
    clusters = np.concatenate([np.arange(questions), np.repeat(np.arange(questions), drawn.versions)])
    levels = np.repeat(np.array(["L0", "L2"], dtype=object), [questions, len(clusters) - questions])
    ids = [f"{seed}-{place}" for place in range(questions)]
    intervals: list[Interval] = []
    for answers in each:
        credit = _credit(answers.counts if trials else answers.probabilities)
        found = recalibration(answers, credit, levels, clusters, ids, np.ones(len(levels)), {})
        if found.reason is None:
            degraded = found.levels["L2"]
            intervals.append(degraded.slope_change if trials else degraded.gap_after)
    excluding = [low > 0 or high < 0 for _, low, high in intervals]
    return Rates(len(intervals) / data_sets, float(np.mean(excluding)) if excluding else float("nan"))


def _votes(drawn: Drawn, trials: int, rng: np.random.Generator) -> list[ItemAnswers]:
    levels = drawn_levels(drawn, "votes", trials, rng)
    counts = np.concatenate([level.counts for level in levels if level.counts is not None], axis=1)
    unread = np.concatenate([level.unread for level in levels if level.unread is not None], axis=1)
    k = np.full(counts.shape[1], counts.shape[2])
    return [answers_of_votes(*own, k, trials) for own in zip(counts, unread, strict=True)]


def _exact(drawn: Drawn) -> list[ItemAnswers]:
    p, refusal = np.concatenate(drawn.p, axis=1), np.concatenate(drawn.refusal, axis=1)
    answer = np.zeros(p.shape[1], dtype=np.int64)
    k = np.full(p.shape[1], p.shape[2])
    none = np.zeros(0)
    return [
        ItemAnswers(
            *(EXACT, 1, np.zeros_like(own), np.zeros(len(own)), answer, k, own, mass),
            StatedTrials(none.astype(np.int64), none, none),
            exact_terms(own, mass, answer),
        )
        for own, mass in zip(p, 1 - refusal, strict=True)
    ]


def _credit(shares: np.ndarray) -> np.ndarray:
    """Return the majority's credit of the first option, (n,); ties share."""
    top = shares.max(axis=1)
    leaders = (shares == top[:, None]).sum(axis=1)
    return np.where((shares[:, 0] == top) & (top > 0), 1 / leaders, 0.0)
