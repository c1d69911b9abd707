"""Is the error of a deployed threshold above the risk in at most one run in ten, and do its intervals cover?"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from medqdeg.utils.analysis.statistics import operating_points as points
from medqdeg.utils.analysis.statistics.folds import FOLDS, question_folds

from .batches import Level, drawn_levels
from .intervals import majority
from .worlds import Drawn, World, draw


@dataclass
class OperatingTally:
    """What happened in the runs of one setting.

    Attributes:
        runs: data sets.
        found: those with a threshold.
        above: those whose threshold has a true error above the risk at L0.
        naive_above: the same of the laxest threshold whose estimated error is at most the risk.
        intervals: (level, what) -> covered of printed.
    """

    runs: int = 0
    found: int = 0
    above: int = 0
    naive_above: int = 0
    intervals: dict[tuple[str, str], list[int]] = field(default_factory=dict)


def _scores(level: Level, p: np.ndarray, refusal: np.ndarray, trials: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (c, s, n) answered by each candidate and (s, n) wrong; exact where trials is 0."""
    if trials:
        credit, _, _ = majority(level)
        assert level.counts is not None
        assert level.unread is not None
        top, answered = level.counts.max(axis=-1), level.counts.sum(axis=-1) + level.unread
        candidates = points.vote_candidates(top.ravel(), answered.ravel(), trials)
    else:
        top = p.max(axis=-1)
        leaders = np.isclose(p, top[..., None]).sum(axis=-1)
        credit = np.where(np.isclose(p[..., 0], top), 1 / leaders, 0.0)
        candidates = points.probability_candidates(top.ravel())
    return candidates.answered.reshape(-1, *credit.shape), 1 - credit


def run_setting(world: World, trials: int, questions: int, data_sets: int, seed: tuple[int, ...]) -> OperatingTally:
    """Choose thresholds in every data set and hold them against a far larger sample; `trials` 0 is exact."""
    rng = np.random.default_rng(seed)
    how = ("votes", trials) if trials else ("exact", 0)
    drawn = draw(world, data_sets, questions, rng)
    levels = drawn_levels(drawn, *how, rng)
    answered, wrong = zip(*(_of(drawn, levels, place, trials) for place in (0, 1)), strict=True)

    many = 40_000 // questions
    large = draw(world, many, questions, np.random.default_rng((*seed, 1)), drawn.versions)
    large_levels = drawn_levels(large, *how, np.random.default_rng((*seed, 2)))
    truth = []
    for place in (0, 1):
        accepted, failed = _of(large, large_levels, place, trials)
        truth.append((accepted.mean(axis=(1, 2)), (accepted * failed).mean(axis=(1, 2))))
    thresholds = points.PROBABILITIES if not trials else tuple(level / trials for level in range(trials, 0, -1))
    folds = question_folds([str(number) for number in range(questions)])
    clusters = np.concatenate([np.arange(questions), np.repeat(np.arange(questions), drawn.versions)])
    clean = np.arange(len(clusters)) < questions
    tally = OperatingTally()
    with np.errstate(invalid="ignore", divide="ignore"):
        errors = truth[0][1] / truth[0][0]
    for row in range(data_sets):
        whole = points.Candidates(thresholds, np.concatenate([part[:, row] for part in answered], axis=1))
        failed = np.concatenate([part[row] for part in wrong])
        tally.runs += 1
        estimated = (whole.answered & clean) @ failed / np.maximum((whole.answered & clean).sum(axis=1), 1)
        lax = np.flatnonzero((estimated <= points.RISK) & (whole.answered & clean).any(axis=1))
        tally.naive_above += bool(len(lax) and errors[lax[-1]] > points.RISK)
        found, chosen = points.operating_point(whole, failed, clusters, folds, clean)
        if found.threshold is None or chosen is None:
            continue
        tally.found += 1
        tally.above += bool(errors[thresholds.index(found.threshold)] > points.RISK)
        for place, name in ((0, "L0"), (1, "L2")):
            outcome = points.level_outcome(chosen, failed, clusters, questions, clean == (place == 0))
            part = clean == (place == 0)
            share = [np.mean(folds[clusters[part]] == fold) for fold in range(FOLDS)]
            of = [thresholds.index(one) for one in found.fold_thresholds]
            accepts = float(np.dot(share, truth[place][0][of]))
            fails = float(np.dot(share, truth[place][1][of]))
            for number, (what, true) in enumerate(
                zip(points.REPORTED, (accepts, fails / accepts if accepts else np.nan, fails), strict=True)
            ):
                low, high = outcome.intervals.low[number], outcome.intervals.high[number]
                counts = tally.intervals.setdefault((name, what), [0, 0])
                if np.isfinite(low):
                    counts[0] += bool(low - 1e-9 <= true <= high + 1e-9)
                    counts[1] += 1
    return tally


def _of(drawn: Drawn, levels: tuple[Level, Level], place: int, trials: int) -> tuple[np.ndarray, np.ndarray]:
    return _scores(levels[place], drawn.p[place], drawn.refusal[place], trials)
