"""The operating point of a run: the confidence below which a person must look, and the errors that remain above it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..dataset.taxonomy import CLEAN
from ..scoring.elicitation import EXACT, VOTES
from .cell_ratios import Estimates, estimates
from .item_answers import ItemAnswers
from .statistics import operating_points as points
from .statistics.folds import question_folds

Array = NDArray[np.float64]

NO_CLEAN_ITEMS = "no items of L0, on which a threshold is chosen"


@dataclass(frozen=True)
class RunOperatingPoint:
    """What a threshold chosen on clean images does.

    Attributes:
        risk: r, the largest error allowed among the answered items at L0.
        alpha: the chance that it is not.
        threshold: share of the votes (or probability) from which an item is answered; None where none keeps the risk.
        bound: upper bound of its error at L0, with confidence 1 - alpha; else the lowest of any threshold.
        fold_thresholds: of the five folds.
        text: the threshold, or the sentence that there is none.
        levels: level -> the three of `REPORTED`, in rows; empty without a threshold.
    """

    risk: float
    alpha: float
    threshold: float | None
    bound: float
    fold_thresholds: tuple[float | None, ...]
    text: str
    levels: Mapping[str, Estimates]


def operating_point(
    answers: ItemAnswers,
    credit: Array,
    levels: NDArray[np.object_],
    clusters: NDArray[np.int64],
    question_ids: Sequence[str],
    weight: Array,
    risk: float = points.RISK,
) -> RunOperatingPoint:
    """Choose the threshold on L0 and return what it does at each level.

    Args:
        answers: of the run.
        credit: (n,) of the majority vote, NaN in an item without an answered trial, which counts nowhere.
        levels: (n,) level of each item.
        clusters: (n,) numbers of the items' source questions.
        question_ids: by number.
        weight: (n,) how many items of the whole set each stands for.
        risk: r.
    """
    known = np.isfinite(credit)
    wrong = np.where(known, 1.0 - credit, 0.0)
    if not (known & (levels == CLEAN)).any():
        return RunOperatingPoint(risk, points.ALPHA, None, float("nan"), (), NO_CLEAN_ITEMS, {})
    folds = question_folds(question_ids)
    found, answered = answered_alone(answers, credit, levels, clusters, question_ids, risk)
    if found.threshold is None or answered is None:
        sentence = points.no_threshold_sentence(found.bound, risk)
        return RunOperatingPoint(risk, points.ALPHA, None, found.bound, found.fold_thresholds, sentence, {})
    outcomes = {}
    for level in sorted(set(levels[known])):
        chosen = known & (levels == level)
        outcome = points.level_outcome(answered, wrong, clusters, len(folds), chosen, weight)
        numbers = chosen.sum(), (answered & chosen).sum(), chosen.sum()
        ends = outcome.intervals.low, outcome.intervals.high
        outcomes[level] = estimates(outcome.ratio, ends, n=np.array(numbers), bound=outcome.intervals.bound)
    trials = answers.requested if answers.elicitation == VOTES else None
    text = points.threshold_text(found.threshold, trials)
    return RunOperatingPoint(risk, points.ALPHA, found.threshold, found.bound, found.fold_thresholds, text, outcomes)


def answered_alone(
    answers: ItemAnswers,
    credit: Array,
    levels: NDArray[np.object_],
    clusters: NDArray[np.int64],
    question_ids: Sequence[str],
    risk: float = points.RISK,
) -> tuple[points.OperatingPoint, NDArray[np.bool_] | None]:
    """Return the operating point and (n,) which items it answers, each by the other folds' threshold; None without.

    Args: as in `operating_point`.
    """
    known = np.isfinite(credit)
    wrong = np.where(known, 1.0 - credit, 0.0)
    clean = known & (levels == CLEAN)
    candidates, folds = _candidates(answers, known), question_folds(question_ids)
    return points.operating_point(candidates, wrong, clusters, folds, clean, risk=risk)


def _candidates(answers: ItemAnswers, known: NDArray[np.bool_]) -> points.Candidates:
    if answers.elicitation == VOTES:
        top = np.where(known, answers.counts.max(axis=1), 0).astype(np.int64)
        return points.vote_candidates(top, answers.trials.astype(np.int64), answers.requested)
    if answers.elicitation == EXACT:
        return points.probability_candidates(answers.probabilities.max(axis=1) * answers.mass)
    number = np.bincount(answers.stated.item, minlength=len(known))
    total = np.bincount(answers.stated.item, weights=answers.stated.stated, minlength=len(known))
    return points.probability_candidates(np.divide(total, number, out=np.full(len(known), np.nan), where=number > 0))
