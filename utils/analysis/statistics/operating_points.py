"""The confidence below which a person must look, and the errors that remain above it on degraded images.

An item is answered where its score reaches a threshold; the rest goes to a person. The threshold is chosen on clean
images (L0) so that the error among the answered stays at most r with confidence 1 - alpha. Choosing the best-looking
threshold would break that promise in up to half of all runs; Learn-then-Test (Angelopoulos, Bates, Candes, Jordan and
Lei, arXiv:2110.01052, fixed sequence) keeps it: candidates from the strictest down, starting where enough source
questions are answered for a pass to be possible at all (eff(answered) >= ln alpha / ln(1 - r), 45 for 5% and 90%), each
tested by

    BetaInv(1 - alpha; n e + 1, n - n e) <= r,   n = e (1 - e) / se^2 at most the items, G_eff where e = 0,

until one fails; the last that passes holds. e is the error among the answered, 1 - credit of the majority vote, and se
its clustered standard error. (Clopper and Pearson's bound for an effective number of trials.)

What is reported must not be judged on the questions that chose the threshold: five folds of source questions, each with
the threshold of the other four.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from .clustered import Array, ClusteredRatio, clustered_ratio, effective_number, sums_by_place
from .folds import FOLDS
from .share_intervals import ShareIntervals, share_intervals

RISK = 0.05
ALPHA = 0.1

PROBABILITIES: tuple[float, ...] = (
    *(0.995, 0.99, 0.98, 0.97, 0.95, 0.90, 0.85, 0.80),
    *(0.75, 0.70, 0.65, 0.60, 0.55, 0.50),
)
"""Candidates where the score is a probability, from the strictest."""

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Candidates:
    """Which items each candidate threshold answers.

    Attributes:
        thresholds: (c,) in descending order.
        answered: (c, n) whether an item's score reaches each.
    """

    thresholds: tuple[float, ...]
    answered: NDArray[np.bool_]


def vote_candidates(top: NDArray[np.int64], trials: NDArray[np.int64], requested: int) -> Candidates:
    """Return the candidates T/T, (T-1)/T, ..., 1/T of the largest vote share, compared as whole numbers.

    Args:
        top: (n,) votes of the most frequent letter; unread votes are no letter.
        trials: (n,) answered trials, unread ones included.
        requested: T.
    """
    levels = range(requested, 0, -1)
    answered = [(top * requested >= level * trials) & (top > 0) for level in levels]
    return Candidates(tuple(level / requested for level in levels), np.array(answered))


def probability_candidates(score: Array) -> Candidates:
    """Return the candidates `PROBABILITIES`; an item without a score (NaN) is never answered."""
    with np.errstate(invalid="ignore"):
        answered = [score >= threshold - _ROUNDING for threshold in PROBABILITIES]
    return Candidates(PROBABILITIES, np.array(answered))


def enough_questions(risk: float = RISK, alpha: float = ALPHA) -> int:
    """Return the effective number of answered questions without any error from which a candidate can pass."""
    return math.ceil(math.log(alpha) / math.log(1 - risk))


def error_bound(wrong: Array, answered: Array, items: float, alpha: float = ALPHA) -> float:
    """Return the upper bound, with confidence 1 - alpha, of the error among the answered.

    Args:
        wrong: (G,) sums of 1 - credit over the answered items of each source question.
        answered: (G,) answered items of each.
        items: answered items in all.
        alpha: chance that the bound is too low.

    Returns:
        The bound in [0, 1]; 1 where nothing, or nothing right, is answered.
    """
    found = clustered_ratio(wrong[None], answered[None])
    error = float(found.estimate[0])
    if not error < 1 - 1e-12:  # NaN too
        return 1.0
    if error <= 0:
        number = float(found.effective[0])
    else:
        variance = float(found.error[0]) ** 2
        number = min(items, error * (1 - error) / variance) if variance > 0 else items
    return float(special.betaincinv(number * error + 1, number * (1 - error), 1 - alpha))


@dataclass(frozen=True)
class Choice:
    """A threshold and its evidence.

    Attributes:
        place: the candidate chosen, None where none keeps the risk.
        bound: upper bound of its error; where there is none, the lowest bound of any candidate.
    """

    place: int | None
    bound: float


def choose(
    candidates: Candidates,
    wrong: Array,
    clusters: NDArray[np.int64],
    size: int,
    chosen: NDArray[np.bool_],
    *,
    risk: float = RISK,
    alpha: float = ALPHA,
) -> Choice:
    """Choose a threshold on some items.

    Args:
        candidates: of all n items.
        wrong: (n,) 1 - credit of the majority vote.
        clusters: (n,) numbers 0..size-1 of the items' source questions.
        size: number of source questions.
        chosen: (n,) the items to choose on: clean ones.
        risk: r.
        alpha: chance of an error above r.
    """
    enough = enough_questions(risk, alpha)
    passed: Choice | None = None
    bounds, small_bounds = [], []
    testing = True
    for place, answers in enumerate(candidates.answered):
        use = answers & chosen
        answered = np.bincount(clusters[use], minlength=size).astype(float)
        if not answered.any():
            continue
        errors = sums_by_place(clusters[use], wrong[use], size)
        bound = error_bound(errors, answered, float(use.sum()), alpha)
        if effective_number(answered) < enough:
            small_bounds.append(bound)
            continue
        bounds.append(bound)
        testing = testing and bound <= risk
        if testing:
            passed = Choice(place, bound)
        elif passed is not None:
            break
    return passed or Choice(None, min(bounds or small_bounds, default=1.0))


@dataclass(frozen=True)
class OperatingPoint:
    """The threshold to deploy and what it does at each level.

    Attributes:
        threshold: chosen on all clean items; None where no threshold keeps the risk on all of them and on every four
            fifths.
        bound: the upper bound of its error at L0, or the lowest that was found.
        fold_thresholds: (FOLDS,) thresholds of the other four folds; None as above.
    """

    threshold: float | None
    bound: float
    fold_thresholds: tuple[float | None, ...]


REPORTED: tuple[str, ...] = ("answered", "error_among_answered", "silent_failures")
"""What is reported of each level: share of the items that are answered; share of these that are wrong; share of all
items that are answered and wrong."""


@dataclass(frozen=True)
class LevelOutcome:
    """`REPORTED` of one level, each item judged by the threshold of the other folds; (3,) arrays inside."""

    ratio: ClusteredRatio
    intervals: ShareIntervals
    items: int


def operating_point(
    candidates: Candidates,
    wrong: Array,
    clusters: NDArray[np.int64],
    folds: NDArray[np.int64],
    clean: NDArray[np.bool_],
    *,
    risk: float = RISK,
    alpha: float = ALPHA,
) -> tuple[OperatingPoint, NDArray[np.bool_] | None]:
    """Choose the threshold to deploy, and answer each item by the threshold of the other folds.

    Args:
        candidates, wrong, clusters: as in `choose`.
        folds: (G,) fold of each source question (`folds.question_folds`).
        clean: (n,) items of L0.
        risk, alpha: as in `choose`.

    Returns:
        The operating point, and (n,) which items are answered; None where a threshold is missing.
    """
    size = len(folds)
    fold = folds[clusters]
    whole = choose(candidates, wrong, clusters, size, clean, risk=risk, alpha=alpha)
    others = [
        choose(candidates, wrong, clusters, size, clean & (fold != number), risk=risk, alpha=alpha)
        for number in range(FOLDS)
    ]

    def threshold(choice: Choice) -> float | None:
        return None if choice.place is None else candidates.thresholds[choice.place]

    kept = tuple(map(threshold, others))
    if whole.place is None or None in kept:
        bound = whole.bound if whole.place is None else min(one.bound for one in others if one.place is None)
        return OperatingPoint(None, bound, kept), None
    answered = np.zeros(len(wrong), dtype=bool)
    for number, choice in enumerate(others):
        answered |= (fold == number) & candidates.answered[choice.place]
    return OperatingPoint(threshold(whole), whole.bound, kept), answered


def level_outcome(
    answered: NDArray[np.bool_],
    wrong: Array,
    clusters: NDArray[np.int64],
    size: int,
    chosen: NDArray[np.bool_],
    weight: Array | None = None,
) -> LevelOutcome:
    """Return what the threshold does on some items.

    Args:
        answered: (n,) of `operating_point`.
        wrong, clusters, size: as in `choose`.
        chosen: (n,) the items of one level.
        weight: (n,) how many items each counts for; 1 if None.
    """
    weight = np.ones(len(wrong)) if weight is None else weight

    def by_question(values: Array) -> Array:
        return sums_by_place(clusters[chosen], (weight * values)[chosen], size)

    items = by_question(np.ones(len(wrong)))
    accepted = by_question(answered.astype(float))
    failed = by_question(np.where(answered, wrong, 0.0))
    ratio = clustered_ratio(np.array([accepted, failed, failed]), np.array([items, accepted, items]))
    return LevelOutcome(ratio, share_intervals(ratio), int(chosen.sum()))


def no_threshold_sentence(bound: float, risk: float = RISK, alpha: float = ALPHA) -> str:
    """Return the sentence for a run without an operating point."""
    return (
        f"No threshold keeps L0 error below {risk:.0%} with {1 - alpha:.0%} confidence (best upper bound {bound:.1%})"
    )


def threshold_text(threshold: float, trials: int | None) -> str:
    """Return a threshold as people read it: "at least 8 of 10 votes", or "at least 0.95"."""
    return f"at least {threshold:g}" if trials is None else f"at least {round(threshold * trials)} of {trials} votes"
