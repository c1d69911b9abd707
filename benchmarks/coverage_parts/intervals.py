"""Do the intervals of single levels and of changes cover, where they are printed?

Figures of simulated data sets exactly as the analysis computes them. A cell is a world, a level, T, a number of
questions and a figure; its truth is the figure of a far larger sample with the same versions per question.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from medqdeg.utils.analysis.statistics.calibration import brier_terms
from medqdeg.utils.analysis.statistics.calibration_error import binned_gaps, calibration_error_interval, score_bins
from medqdeg.utils.analysis.statistics.clustered import ClusteredRatio, clustered_change, standard_error
from medqdeg.utils.analysis.statistics.discrimination import auroc_interval, brier_interval, clustered_auroc
from medqdeg.utils.analysis.statistics.gap_intervals import gap_change, level_gap
from medqdeg.utils.analysis.statistics.share_intervals import differing_clusters, share_intervals

from .batches import Level, by_question, drawn_levels, ratio
from .worlds import World, draw


@dataclass(frozen=True)
class Printed:
    """What one data set prints of one figure.

    Attributes:
        low, high: ends, NaN where nothing is printed.
        bound: whether marked as a bound.
        estimate: the figure.
        differing: m.
        effective: G_eff.
    """

    low: float
    high: float
    estimate: float
    bound: bool = False
    differing: float = math.inf
    effective: float = math.inf


@dataclass
class Tally:
    """How often a cell was printed, and covered, outside bounds and as a bound."""

    runs: int = 0
    printed: int = 0
    covered: int = 0
    bounds: int = 0
    bounds_covered: int = 0
    eligible: int = 0
    eligible_printed: int = 0

    def add(self, one: Printed, truth: float) -> None:
        there = math.isfinite(one.low)
        inside = there and one.low - 1e-9 <= truth <= one.high + 1e-9
        self.runs += 1
        if one.bound:
            self.bounds += there
            self.bounds_covered += inside
        else:
            self.printed += there
            self.covered += inside
        if one.effective >= 30 and one.differing >= 10:
            self.eligible += 1
            self.eligible_printed += there


def majority(level: Level) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return credit of the majority vote, largest share (unread votes spread) and unread share, (s, n) each."""
    assert level.counts is not None
    assert level.unread is not None
    counts, k = level.counts, level.counts.shape[-1]
    top = counts.max(axis=-1)
    trials = counts.sum(axis=-1) + level.unread
    leaders = (counts == top[..., None]).sum(axis=-1)
    credit = np.where((counts[..., 0] == top) & (top > 0), 1 / leaders, 0.0)
    return credit, (top + level.unread / k) / trials, level.unread / trials


def figures(clean: Level, degraded: Level, versions: np.ndarray, trials: int) -> Iterator[tuple[str, list[Printed]]]:
    """Yield name and what each data set prints."""
    ones = np.ones_like(versions)
    majorities = [majority(level) for level in (clean, degraded)]
    for place, (level, numbers) in enumerate(((clean, ones), (degraded, versions))):
        credit, share, unread = majorities[place]
        one = np.ones_like(credit)
        name = f"L{2 * place}"
        for figure, values in (("accuracy", level.accuracy), ("majority_vote", credit), ("unread_rate", unread)):
            found = ratio(values, one, numbers, ones)
            ends = share_intervals(found)
            yield f"{figure} {name}", _rows(found, ends.low, ends.high, ends.bound, ends.differing)
        right = ratio(credit, one, numbers, ones)
        m = differing_clusters(right)
        brier = ratio(brier_terms(share, credit), one, numbers, ones)
        low, high = brier_interval(brier, m)
        yield f"brier {name}", _rows(brier, low, high, np.zeros(len(m), dtype=bool), m)
        terms = (by_question(part, numbers) for part in level.terms)
        gap = level_gap(*terms, right.items)
        yield f"gap {name}", _rows(gap.ratio, *gap.interval(), np.zeros(len(m), dtype=bool), m)
        clusters = np.repeat(np.arange(len(numbers)), numbers)
        yield (
            f"auroc {name}",
            [
                _auroc(share[row], credit[row], clusters, len(numbers), m[row], right.effective[row])
                for row in range(len(m))
            ],
        )
        yield (
            f"calibration_error {name}",
            [
                _calibration_error(share[row], credit[row], clusters, trials, m[row], right.effective[row])
                for row in range(len(m))
            ],
        )
    sides = ((clean, ones, versions), (degraded, versions, ones))
    for figure, values in (
        ("accuracy", (clean.accuracy, degraded.accuracy)),
        *(
            (name, (majorities[0][part], majorities[1][part]))
            for part, name in ((0, "majority_vote"), (2, "unread_rate"))
        ),
        ("brier", tuple(brier_terms(share, credit) for credit, share, _ in majorities)),
    ):
        pair = [
            ratio(own, np.ones_like(own), numbers, weight)
            for own, (_, numbers, weight) in zip(values, sides, strict=True)
        ]
        change = clustered_change(*pair)
        low, high = change.interval((-1.0, 1.0))
        yield (
            f"{figure} change",
            [
                Printed(low[row], high[row], change.estimate[row], False, change.differing[row], change.effective[row])
                for row in range(len(low))
            ],
        )
    gaps = [
        level_gap(*(by_question(part, numbers) * weight for part in level.terms), pair[0].items)
        for level, numbers, weight in sides
    ]
    moved = gap_change(*gaps)
    low, high = moved.interval()
    yield (
        "gap change",
        [
            Printed(
                low[row],
                high[row],
                moved.change.estimate[row],
                False,
                moved.change.differing[row],
                moved.change.effective[row],
            )
            for row in range(len(low))
        ],
    )


def _rows(found: ClusteredRatio, low: np.ndarray, high: np.ndarray, bound: np.ndarray, m: np.ndarray) -> list[Printed]:
    effective = found.effective
    return [
        Printed(low[row], high[row], found.estimate[row], bool(bound[row]), m[row], effective[row])
        for row in range(len(low))
    ]


def _auroc(
    score: np.ndarray, credit: np.ndarray, clusters: np.ndarray, size: int, m: float, effective: float
) -> Printed:
    found = clustered_auroc(np.round(score, 9), credit, clusters, size)
    error = standard_error(found.influence[None], np.array([size]))
    low, high = auroc_interval(np.array([found.value]), error, np.array([m]), np.array([found.modal]))
    return Printed(float(low[0]), float(high[0]), found.value, False, m, effective)


def _calibration_error(
    score: np.ndarray, credit: np.ndarray, clusters: np.ndarray, trials: int, m: float, effective: float
) -> Printed:
    found = binned_gaps(score, credit, score_bins(score, trials), clusters)
    assert found is not None
    low, high = calibration_error_interval(found, m) if effective >= 30 else (math.nan, math.nan)
    return Printed(low, high, found.estimate, False, m, effective)


def run_cell(
    world: World, trials: int, questions: int, data_sets: int, seed: tuple[int, ...], truth_questions: int = 40_000
) -> dict[str, Tally]:
    """Return figure -> tally of one world, T and number of questions."""
    rng = np.random.default_rng(seed)
    drawn = draw(world, data_sets, questions, rng)
    clean, degraded = drawn_levels(drawn, "votes", trials, rng)
    repeats = -(-truth_questions // questions)
    large = draw(world, repeats, questions, np.random.default_rng((*seed, 1)), drawn.versions)
    # One data set with the questions of many: the same versions, so the same truth.
    whole = type(large)(
        tuple(_joined(part) for part in large.p),
        tuple(_joined(part) for part in large.refusal),
        np.tile(drawn.versions, repeats),
    )
    truth_levels = drawn_levels(whole, "votes", trials, np.random.default_rng((*seed, 2)))
    truth = {name: rows[0].estimate for name, rows in figures(*truth_levels, whole.versions, trials)}
    tallies: dict[str, Tally] = defaultdict(Tally)
    for name, rows in figures(clean, degraded, drawn.versions, trials):
        for one in rows:
            tallies[name].add(one, truth[name])
    return dict(tallies)


def _joined(part: np.ndarray) -> np.ndarray:
    return part.reshape(1, -1, *part.shape[2:])
