"""How certain a model is of an item, estimated from few votes; and what a guesser would score by the same estimator.

With true option probabilities p_1..p_K the paper's confidence is C = 1 - H(p) / log K. Put the vote shares of T trials
in place of p (the plug-in) and C comes out too high, the more so the smaller T and the larger K. Beside it stand:

- James-Stein: the shares shrunk towards 1/K before the entropy is taken (Hausser and Strimmer, "Entropy inference and
  the James-Stein estimator", JMLR 10, 2009, equations 4 and 5); a smaller bias, not none;
- agreement: the share of pairs of trials that agree, rescaled so that chance is 0 and certainty 1. It estimates
  (sum p_i^2 - 1/K) / (1 - 1/K) without bias for every T >= 2, and so compares across T; it is not C.

An unread vote is spread evenly over the options, in all three. Everything is vectorised over items: `shares` has shape
(n, K_max), with zeros behind an item's K options.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

Array = NDArray[np.float64]
Numbers = NDArray[np.float64] | NDArray[np.int64]


def plug_in_confidence(shares: Array, k: Numbers) -> Array:
    """Return C = 1 - H / log K of each item.

    Args:
        shares: (n, K_max) shares or probabilities, each row summing to 1.
        k: (n,) numbers of options, at least 2.

    Returns:
        (n,) values in [0, 1].
    """
    confidence: Array = np.clip(1.0 + xlogy(shares, shares).sum(axis=1) / np.log(k), 0.0, 1.0)
    return confidence


def shrunken_shares(shares: Array, k: Numbers, trials: Numbers) -> Array:
    """Return the shares shrunk towards 1/K: lambda / K + (1 - lambda) share.

    lambda = (1 - sum share^2) / ((T - 1) sum (1/K - share)^2), clipped to [0, 1]; 1 where T = 1 or where the shares
    are even already.

    Args:
        shares: (n, K_max) vote shares.
        k: (n,) numbers of options.
        trials: (n,) numbers of trials T behind the shares; infinity for probabilities, which stay as they are.

    Returns:
        (n, K_max) shares, zeros behind an item's K options.
    """
    inside = np.arange(shares.shape[1]) < np.asarray(k)[:, None]
    even = np.where(inside, 1.0 / np.asarray(k)[:, None], 0.0)
    distance = ((shares - even) ** 2).sum(axis=1)
    spread = 1.0 - (shares**2).sum(axis=1)
    scale = np.where(distance > 0, np.asarray(trials, dtype=float) - 1.0, 0.0)
    scale[distance > 0] *= distance[distance > 0]  # infinitely many trials of even shares would give NaN
    amount = np.divide(spread, scale, out=np.ones_like(spread), where=scale > 0)
    amount = np.clip(amount, 0.0, 1.0)[:, None]
    shrunken: Array = amount * even + (1.0 - amount) * shares
    return shrunken


def james_stein_confidence(shares: Array, k: Numbers, trials: Numbers) -> Array:
    """Return C of the shrunken shares, (n,) values in [0, 1]; arguments as in `shrunken_shares`."""
    return plug_in_confidence(shrunken_shares(shares, k, trials), k)


def agreement(counts: Array, unread: Array, k: Numbers) -> Array:
    """Return the chance-corrected share of pairs of trials that agree.

    Each unread vote is taken as one even draw from the options: a pair with an unread vote in it agrees with
    probability 1/K.

    Args:
        counts: (n, K_max) votes for each option.
        unread: (n,) unread votes.
        k: (n,) numbers of options.

    Returns:
        (n,) values in [-1 / (K - 1), 1]; the mean for a guesser is 0 at every T. NaN where there are fewer than two
        trials.
    """
    read = counts.sum(axis=1)
    trials = read + unread
    agreeing = (counts * (counts - 1.0)).sum(axis=1) + (2.0 * unread * read + unread * (unread - 1.0)) / k
    pairs = np.where(trials >= 2, trials * (trials - 1.0), np.nan)
    return _above_chance(agreeing / pairs, k)


def agreement_of_probabilities(probabilities: Array, k: Numbers) -> Array:
    """Return what `agreement` estimates: (sum p_i^2 - 1/K) / (1 - 1/K), (n,) values in [0, 1]."""
    return _above_chance((probabilities**2).sum(axis=1), k)


def _above_chance(probability: Array, k: Numbers) -> Array:
    return (probability - 1.0 / k) / (1.0 - 1.0 / k)


def partitions(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    """Yield the ways to write `total` as a sum of exactly `parts` numbers >= 0 in descending order."""

    def extend(rest: int, places: int, largest: int) -> Iterator[tuple[int, ...]]:
        if places == 1:
            if rest <= largest:
                yield (rest,)
            return
        for first in range(min(rest, largest), math.ceil(rest / places) - 1, -1):
            for tail in extend(rest - first, places - 1, first):
                yield (first, *tail)

    yield from extend(total, parts, total)


@functools.cache
def guesser_outcomes(k: int, trials: int) -> tuple[NDArray[np.int64], Array]:
    """Return every outcome, up to the order of the options, of T uniform votes among K options.

    Returns:
        (m, K) counts in descending order and their (m,) probabilities, which sum to 1: exact up to rounding, by the
        multinomial distribution times the number of distinct orders of the counts.
    """
    rows = list(partitions(trials, k))
    log_scale = math.lgamma(trials + 1) - trials * math.log(k) + math.lgamma(k + 1)
    weights = []
    for row in rows:
        repeats = [row.count(value) for value in set(row)]
        divisor = sum(math.lgamma(count + 1) for count in (*row, *repeats))
        weights.append(math.exp(log_scale - divisor))
    return np.array(rows), np.array(weights)


@functools.cache
def guesser_expectation(estimator: str, k: int, trials: int) -> float:
    """Return the exact mean of an estimator over a guesser's votes: uniform over K options, T trials, all readable.

    Args:
        estimator: "plug_in", "james_stein", "agreement" (0 for every T >= 2) or "top_share" (largest vote share).
        k: number of options, at least 2.
        trials: number of trials, at least 1.

    Raises:
        KeyError: for another name.
    """
    counts, weights = guesser_outcomes(k, trials)
    return float(weights @ _ESTIMATORS[estimator](counts.astype(float), np.full(len(counts), float(k))))


_ESTIMATORS: dict[str, Callable[[Array, Array], Array]] = {
    "plug_in": lambda counts, k: plug_in_confidence(counts / counts.sum(axis=1, keepdims=True), k),
    "james_stein": lambda counts, k: james_stein_confidence(
        counts / counts.sum(axis=1, keepdims=True), k, counts.sum(axis=1)
    ),
    "agreement": lambda counts, k: agreement(counts, np.zeros(len(counts)), k),
    "top_share": lambda counts, k: counts.max(axis=1) / counts.sum(axis=1),
}


def guesser_expectations(estimator: str, k: NDArray[np.int64], trials: NDArray[np.int64]) -> Array:
    """Return `guesser_expectation` for each item of a mix of K and T; NaN where an item has no trial.

    The guesser's Calibration Shift for the mix is the mean of these minus the mean of 1/K.
    """
    base = int(trials.max(initial=0)) + 1
    pairs, inverse = np.unique(k * base + trials, return_inverse=True)
    means = [
        guesser_expectation(estimator, int(pair // base), int(pair % base)) if pair % base > 0 else math.nan
        for pair in pairs
    ]
    return np.array(means)[inverse]
