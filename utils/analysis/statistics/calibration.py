"""Calibration metrics over groups of tied scores, for many weightings at once.

An item has a score (the largest vote share, or any other confidence) and a credit: the probability, in [0, 1], that its
answer is right (1/m where the right letter is one of m tied leaders). Items of equal score form a tie group, so all
functions take sums over groups and no result depends on the order of tied items:

- `count`: number of items, `credit`: sum of credits, `score`: the group's score or the sum of its items' scores.

The first axis holds the groups, in ascending order of score; further axes hold weightings of the items, for instance
the replicates of a bootstrap. Groups without items are allowed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def expected_calibration_error(count: Array, credit: Array, score: Array) -> Array:
    """Return sum over groups of (count / n) |mean credit - mean score|.

    With the vote levels 0/T..T/T as groups this is the ECE over what the score can really say; fifteen bins of equal
    width would lump or split them at will. It is biased upwards where groups hold few items.

    Args:
        count: (groups, ...) items.
        credit: (groups, ...) sums of credits.
        score: (groups, ...) sums of scores.

    Returns:
        (...) values in [0, 1]; NaN without items.
    """
    return _ratio(np.abs(credit - score).sum(axis=0), count.sum(axis=0))


def brier_terms(score: Array, credit: Array) -> Array:
    """Return each item's expected squared error, credit (1 - score)^2 + (1 - credit) score^2; the Brier score is their
    mean."""
    return credit * (1.0 - score) ** 2 + (1.0 - credit) * score**2


def auroc(count: Array, credit: Array) -> Array:
    """Return the probability that a right answer has a higher score than a wrong one, ties counted half.

    An item of credit c counts as c of a right answer and 1 - c of a wrong one.

    Returns:
        (...) values in [0, 1]; NaN where all answers are right or all are wrong.
    """
    wrong = count - credit
    below = np.cumsum(wrong, axis=0) - wrong
    favourable = (credit * (below + 0.5 * wrong)).sum(axis=0)
    return _ratio(favourable, credit.sum(axis=0) * wrong.sum(axis=0))


def area_under_risk_coverage(count: Array, credit: Array) -> Array:
    """Return the mean, over k = 1..n, of the error rate among the k items of highest score (AURC).

    Tied items come in random order, of which the expectation is taken, in closed form: a group of m items with error
    rate r behind N items with E errors adds r m + (E - r N) (H(N + m) - H(N)), with the harmonic numbers H.

    Args:
        count: (groups, ...) items: whole numbers (an item may count several times).
        credit: (groups, ...) sums of credits.

    Returns:
        (...) values in [0, 1], lower is better; NaN without items.
    """
    count, errors = count[::-1], (count - credit)[::-1]
    ends = np.cumsum(count, axis=0)
    starts = ends - count
    errors_before = np.cumsum(errors, axis=0) - errors
    rate = np.divide(errors, count, out=np.zeros_like(errors), where=count > 0)
    total = ends[-1] if len(ends) else np.zeros(count.shape[1:])
    harmonic = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, int(np.max(total, initial=0)) + 1))])
    steps = harmonic[np.rint(ends).astype(np.intp)] - harmonic[np.rint(starts).astype(np.intp)]
    return _ratio((errors + (errors_before - rate * starts) * steps).sum(axis=0), total)


def risk_at_coverage(count: Array, credit: Array, coverage: Array) -> Array:
    """Return the error rate among the items of highest score that make up a share of all, tied items in even parts.

    Args:
        count: (groups, weightings) items.
        credit: (groups, weightings) sums of credits.
        coverage: (c,) shares in (0, 1].

    Returns:
        (c, weightings) error rates in [0, 1]; NaN without items.
    """
    count, errors = count[::-1], (count - credit)[::-1]
    ends = np.cumsum(count, axis=0)
    errors_before = np.cumsum(errors, axis=0) - errors
    rate = np.divide(errors, count, out=np.zeros_like(errors), where=count > 0)
    starts, columns = ends - count, np.arange(count.shape[1])
    risks = np.empty((len(coverage), count.shape[1]))
    for place, share in enumerate(coverage):
        wanted = share * ends[-1]
        group = np.minimum((ends < wanted - 1e-9).sum(axis=0), len(ends) - 1)
        beyond = wanted - starts[group, columns]
        inside = errors_before[group, columns] + rate[group, columns] * beyond
        risks[place] = _ratio(inside, wanted)
    return risks


def vote_levels(score: Array, trials: int) -> NDArray[np.int64]:
    """Return each score's nearest level among 0/T, 1/T, ... T/T, as the number of votes.

    Unread votes, spread over the options, put a share between two levels; a group's mean score says where it lies.
    """
    return np.floor(score * trials + 0.5 + 1e-9).astype(np.int64)


def _ratio(numerator: Array, denominator: Array) -> Array:
    out = np.full(np.broadcast_shapes(np.shape(numerator), np.shape(denominator)), np.nan)
    ratio: Array = np.divide(numerator, denominator, out=out, where=np.asarray(denominator) > 0)
    return ratio
