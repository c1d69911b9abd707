"""The agreement gap: overconfidence that a calibrated model does not show, at any number of trials.

Among pairs of readable votes of an item, the share that agree minus the share that are right. With c_k readable votes
for option k, n = sum c_k, c_Y right ones and T answered trials,

    agree = sum_k c_k (c_k - 1) / (T (T - 1)),   right = (n - 1) c_Y / (T (T - 1)),   w = n (n - 1) / (T (T - 1)),

and the gap of a set is sum (agree - right) / sum w. The first two are unbiased for sum p_k^2 and p_Y (times what is
read). Calibrated means P(Y = k | p) = p_k, so that E p_Y = E sum p_k^2 and the gap is 0, whatever T and K. In general
it is E sum p_k (p_k - P(Y = k | p)), the overconfidence of the votes; a gap of 0 does not prove calibration, since
class-wise calibration suffices (Jiang, Nagarajan, Baek and Kolter, "Assessing generalization of SGD via disagreement",
ICLR 2022). Unread votes are in neither share: a model that only refuses more becomes neither more nor less confident.

Exact probabilities p with letter mass M have the same terms without votes: M^2 sum p^2, M^2 p_Y, M^2. A stated
confidence is itself a probability: the gap is the mean of stated minus right over the trials with a letter and a
number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

NO_TRIALS = "no answered trial"
TOO_FEW_TRIALS = "one vote per item: no pair of votes"
NO_VARIATION = "votes do not vary"
GREEDY = "greedy decoding: votes do not vary"


@dataclass(frozen=True)
class GapTerms:
    """What each item adds to a gap; NaN in all three where the item is left out.

    Attributes:
        agree: (n,) share of pairs that agree, or the stated confidence, times w.
        right: (n,) share of pairs that are right, times w.
        weight: (n,) w, in [0, 1]: the share of pairs (verbalized: the number of trials) that can be read.
        readable: (n,) the same as a share in [0, 1] in every elicitation; its mean is printed beside the gap.
    """

    agree: Array
    right: Array
    weight: Array
    readable: Array

    @property
    def difference(self) -> Array:
        """(n,) agree - right."""
        return self.agree - self.right


def vote_terms(counts: Array, unread: Array, answer: NDArray[np.int64]) -> GapTerms:
    """Return the terms of items with votes; items with fewer than two answered trials are left out.

    Args:
        counts: (n, K_max) readable votes for each option.
        unread: (n,) unread votes. Missing trials count nowhere.
        answer: (n,) place of the right option.
    """
    counts = np.asarray(counts, dtype=float)
    read = counts.sum(axis=1)
    trials = read + unread
    pairs = np.where(trials >= 2, trials * (trials - 1.0), np.nan)
    right = counts[np.arange(len(counts)), answer]
    weight = read * (read - 1.0) / pairs
    agree = (counts * (counts - 1.0)).sum(axis=1) / pairs
    return GapTerms(agree, np.maximum(read - 1.0, 0.0) * right / pairs, weight, weight)


def exact_terms(probabilities: Array, mass: Array, answer: NDArray[np.int64]) -> GapTerms:
    """Return the terms of items with the option letters' probabilities.

    Args:
        probabilities: (n, K_max) shares of the letter mass, each row summing to 1; NaN in an item without.
        mass: (n,) letter mass M in [0, 1].
        answer: (n,) place of the right option.
    """
    square = np.where(np.isfinite(probabilities[:, 0]), np.asarray(mass, dtype=float), np.nan) ** 2
    right = probabilities[np.arange(len(probabilities)), answer]
    return GapTerms(square * (probabilities**2).sum(axis=1), square * right, square, square)


def stated_terms(stated_sum: Array, right: Array, usable: Array, trials: Array) -> GapTerms:
    """Return the terms of items whose trials state a confidence; items without an answered trial are left out.

    Args:
        stated_sum: (n,) sum of the stated confidences over the usable trials, those with a letter and a number.
        right: (n,) usable trials whose letter is right.
        usable: (n,) usable trials.
        trials: (n,) answered trials.
    """
    trials = np.asarray(trials, dtype=float)
    there = np.where(trials >= 1, 0.0, np.nan)
    weight = usable + there
    return GapTerms(stated_sum + there, right + there, weight, weight / np.where(trials >= 1, trials, np.nan))


def reason_without_gap(counts: Array, unread: Array, *, greedy: bool = False) -> str | None:
    """Return, in words, why the votes of a level have no agreement gap; None if they have one.

    One vote per item makes no pair; votes that never differ within an item (greedy decoding, an integration that does
    not sample) agree by construction, and their agreement says nothing of confidence.

    Args:
        counts: (n, K_max) readable votes of the level's items.
        unread: (n,) unread votes; an unread vote differs from a letter.
        greedy: whether the run is known to have decoded greedily.
    """
    counts = np.asarray(counts, dtype=float)
    trials = counts.sum(axis=1) + unread
    if not (trials >= 2).any():
        return TOO_FEW_TRIALS if (trials > 0).any() else NO_TRIALS
    if greedy:
        return GREEDY
    kinds = (counts > 0).sum(axis=1) + (np.asarray(unread) > 0)
    return None if (kinds >= 2).any() else NO_VARIATION
