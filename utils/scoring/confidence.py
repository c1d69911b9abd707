"""From votes to confidence, accuracy and Calibration Shift (MedQ-Deg, arXiv:2603.07769, section on calibration).

An item with K options is answered in T independent trials. The share of option i is p_i; with the entropy
H = -sum p_i log p_i the paper's confidence is C = 1 - H / log K: 1 when all votes agree, 0 when they spread evenly.
Calibration Shift over a set is the mean of C minus the accuracy. C is biased upwards by few trials, so shifts do not
compare across T or K.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

UNREAD: Final = "unread"
"""A reply from which no option letter can be read: a wrong answer, and a vote spread evenly over the options."""

MISSING: Final = "missing"
"""A request that failed: no trial at all."""

ABSTAINED: Final = "abstained"
"""A reply that says, in place of a letter, that the image allows none: an answered trial that casts no vote."""

NO_LETTER: Final = frozenset({UNREAD, MISSING, ABSTAINED})
"""Entries of a record's `letters` that are none."""

NO_VOTE: Final = frozenset({MISSING, ABSTAINED})
"""Those that count in no score of the votes."""


def normalised_entropy_confidence(shares: Sequence[float], k: int | None = None) -> float:
    """Return the paper's confidence C = 1 - H / log K of one item.

    Args:
        shares: the K >= 2 vote shares, each in [0, 1], summing to 1; options without votes included as 0.
        k: K, where it is not the number of shares; more shares than K leave C at 0 where H exceeds log K.

    Returns:
        C in [0, 1]: 1 where one option has every vote, 0 where all K have the same share.

    Raises:
        ValueError: if there are fewer than two options or the shares do not sum to 1.
    """
    if len(shares) < 2:
        raise ValueError(f"confidence needs at least two options, got {len(shares)}")
    total = math.fsum(shares)
    if not math.isclose(total, 1.0, abs_tol=1e-9) or min(shares) < 0:
        raise ValueError(f"vote shares must be at least 0 and sum to 1, got {list(shares)}")
    entropy = -math.fsum(share * math.log(share) for share in shares if share > 0)
    return min(1.0, max(0.0, 1.0 - entropy / math.log(k or len(shares))))


def vote_shares(votes: Sequence[str], options: Sequence[str]) -> list[float]:
    """Return the share of each option among the trials that cast a vote: neither missing nor abstained.

    Args:
        votes: one entry per trial: a letter of `options`, `UNREAD`, `MISSING` or `ABSTAINED`.
        options: the item's K option letters.

    Returns:
        K shares in the order of `options`. An unread vote adds 1/K of a vote to each option, so that a model whose
        replies cannot be read looks uncertain, never certain.

    Raises:
        ValueError: if no trial casts a vote or a vote is none of the above.
    """
    counts = Counter(votes)
    unread, trials = counts.pop(UNREAD, 0), len(votes) - counts.pop(MISSING, 0) - counts.pop(ABSTAINED, 0)
    if unknown := set(counts) - set(options):
        raise ValueError(f"votes {sorted(unknown)} are not among the options {list(options)}")
    if trials == 0:
        raise ValueError("no trial was answered: there are no vote shares")
    return [(counts[option] + unread / len(options)) / trials for option in options]


def majority_credit(votes: Sequence[str], answer: str) -> float:
    """Return 1 if the most frequent letter is the answer, 1/m if it is one of m tied letters, else 0.

    Unread, missing and abstained trials are no letters; without any letter the credit is 0.
    """
    counts = Counter(vote for vote in votes if vote not in NO_LETTER)
    if not counts:
        return 0.0
    top = max(counts.values())
    leaders = [letter for letter, count in counts.items() if count == top]
    return 1.0 / len(leaders) if answer in leaders else 0.0


@dataclass(frozen=True)
class VoteScores:
    """What the trials of one item say.

    Attributes:
        accuracy: mean over the trials of "the letter is the answer", in [0, 1]; unread counts as wrong.
        majority_vote: `majority_credit`, in [0, 1].
        confidence: the paper's C, in [0, 1]; None where the elicitation has none.
        unread_rate: share of the votes that could not be read.
    """

    accuracy: float
    majority_vote: float
    confidence: float | None
    unread_rate: float

    @property
    def calibration_shift(self) -> float | None:
        """Confidence minus accuracy; its mean over a set is the paper's Calibration Shift."""
        return None if self.confidence is None else self.confidence - self.accuracy


def score_votes(votes: Sequence[str], options: Sequence[str], answer: str) -> VoteScores | None:
    """Score the trials of one item, or return None if none casts a vote.

    Args:
        votes: one entry per trial: a letter of `options`, `UNREAD`, `MISSING` or `ABSTAINED`.
        options: the item's K >= 2 option letters.
        answer: the right letter.
    """
    trials = sum(vote not in NO_VOTE for vote in votes)
    if trials == 0:
        return None
    return VoteScores(
        accuracy=sum(vote == answer for vote in votes) / trials,
        majority_vote=majority_credit(votes, answer),
        confidence=normalised_entropy_confidence(vote_shares(votes, options)),
        unread_rate=sum(vote == UNREAD for vote in votes) / trials,
    )
