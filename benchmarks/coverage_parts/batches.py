"""Sums over the questions of many simulated data sets at once, as the verdict and the intervals want them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medqdeg.utils.analysis.statistics import agreement_gap
from medqdeg.utils.analysis.statistics.clustered import (
    ClusteredChange,
    ClusteredRatio,
    clustered_change,
    clustered_ratio,
)
from medqdeg.utils.analysis.statistics.gap_intervals import GapChange, LevelGap, gap_change, level_gap
from medqdeg.utils.analysis.statistics.verdict import Claims, claims

from .worlds import Drawn, votes


@dataclass(frozen=True)
class Level:
    """One level of s data sets: (s, n) items, sorted by question.

    Attributes:
        accuracy: share of the votes that are right.
        terms: agree, right, weight of the agreement gap.
        counts, unread: (s, n, K) and (s, n) votes; None for exact probabilities.
    """

    accuracy: np.ndarray
    terms: tuple[np.ndarray, np.ndarray, np.ndarray]
    counts: np.ndarray | None = None
    unread: np.ndarray | None = None


def vote_level(p: np.ndarray, refusal: np.ndarray, trials: int, rng: np.random.Generator) -> Level:
    """Vote; the right option is the first."""
    counts, unread = votes(p, refusal, trials, rng)
    shape = unread.shape
    flat = agreement_gap.vote_terms(
        counts.reshape(-1, counts.shape[-1]), unread.ravel(), np.zeros(unread.size, dtype=int)
    )
    terms = tuple(part.reshape(shape) for part in (flat.agree, flat.right, flat.weight))
    return Level(counts[..., 0] / trials, terms, counts, unread)


def exact_level(p: np.ndarray, refusal: np.ndarray) -> Level:
    """Read the probabilities; what is refused is no letter's."""
    shape = refusal.shape
    flat = agreement_gap.exact_terms(
        p.reshape(-1, p.shape[-1]), (1 - refusal).ravel(), np.zeros(refusal.size, dtype=int)
    )
    terms = tuple(part.reshape(shape) for part in (flat.agree, flat.right, flat.weight))
    return Level(p[..., 0] * (1 - refusal), terms)


def stated_level(p: np.ndarray, refusal: np.ndarray, trials: int, rng: np.random.Generator) -> Level:
    """Each trial draws a letter from p, states its probability and is refused now and then."""
    counts, unread = votes(p, refusal, trials, rng)
    usable = trials - unread
    return Level(counts[..., 0] / trials, ((counts * p).sum(axis=-1), counts[..., 0], usable), counts, unread)


def by_question(values: np.ndarray, versions: np.ndarray) -> np.ndarray:
    """Return (s, G) sums over each question's items."""
    return np.add.reduceat(values, np.cumsum(versions) - versions, axis=1)


def ratio(sums: np.ndarray, sizes: np.ndarray, versions: np.ndarray, weight: np.ndarray) -> ClusteredRatio:
    """Return the clustered ratio of each data set; `weight` multiplies the items of a question."""
    numbers = np.broadcast_to(versions * weight, (len(sums), len(versions)))
    return clustered_ratio(
        by_question(sums, versions) * weight, by_question(sizes, versions) * weight, numbers.astype(float)
    )


def matched_sides(
    clean: Level, degraded: Level, versions: np.ndarray
) -> dict[str, tuple[ClusteredRatio, ClusteredRatio] | tuple[LevelGap, LevelGap]]:
    """Return "accuracy", "readable" and "gap" at both levels; a clean item weighs as much as its degraded versions."""
    ones = np.ones_like(versions)
    found: dict[str, list] = {"accuracy": [], "readable": [], "gap": []}
    for level, numbers, weight in ((clean, ones, versions), (degraded, versions, ones)):
        _, right, readable = level.terms
        found["accuracy"].append(ratio(level.accuracy, np.ones_like(level.accuracy), numbers, weight))
        found["readable"].append(ratio(right, readable, numbers, weight))
        sums = (by_question(part, numbers) * weight for part in level.terms)
        found["gap"].append(level_gap(*sums, _items(level, numbers * weight)))
    return {name: tuple(pair) for name, pair in found.items()}


def matched_claims(clean: Level, degraded: Level, versions: np.ndarray) -> Claims:
    """Return what the verdict looks at."""
    sides = matched_sides(clean, degraded, versions)
    return claims(sides["accuracy"], sides["readable"], sides["gap"])


def matched_pairs(clean: Level, degraded: Level, versions: np.ndarray) -> tuple[ClusteredChange, GapChange]:
    """Return the changes of the accuracy and of the gap."""
    sides = matched_sides(clean, degraded, versions)
    return clustered_change(*sides["accuracy"]), gap_change(*sides["gap"])


def _items(level: Level, numbers: np.ndarray) -> np.ndarray:
    return np.broadcast_to(numbers, (len(level.accuracy), len(numbers))).astype(float)


def drawn_levels(drawn: Drawn, elicitation: str, trials: int, rng: np.random.Generator) -> tuple[Level, Level]:
    """Ask the simulated model at both levels: "votes", "exact" or "verbalized"."""
    found = []
    for p, refusal in zip(drawn.p, drawn.refusal, strict=True):
        if elicitation == "exact":
            found.append(exact_level(p, refusal))
        elif elicitation == "verbalized":
            found.append(stated_level(p, refusal, trials, rng))
        else:
            found.append(vote_level(p, refusal, trials, rng))
    return found[0], found[1]
