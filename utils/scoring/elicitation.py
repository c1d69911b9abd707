"""The three ways of asking how sure a model is, and what accuracy and confidence mean in each.

*votes* (the paper's): T sampled letters; `confidence.score_votes`. *verbalized*: each of T replies states a letter and
a probability. *exact*: the option letters' probabilities from one forward pass, which the votes estimate. All three
give the same numbers under the same names, so that every table works for each; they are different quantities, and
only votes and exact are on one scale:

- votes and exact: confidence is 1 - H/log K, which is no probability; a calibrated model's shift is not 0.
- verbalized: confidence is a probability of being right, and its shift asks the trials that state one; a calibrated
  model's shift is 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .confidence import MISSING, VoteScores, majority_credit, normalised_entropy_confidence

VOTES: Final = "votes"
VERBALIZED: Final = "verbalized"
EXACT: Final = "exact"

FLAG: Final = "flag"
"""Votes whose replies also say whether the image suffices."""

ABSTAIN: Final = "abstain"
"""Votes whose replies may say, in place of a letter, that the image allows no answer."""


@dataclass(frozen=True)
class StatedScores(VoteScores):
    """What trials that state a confidence say.

    `confidence` is the mean stated probability over the usable trials, those with a readable letter and a number in
    [0, 1]; None where there is none.

    Attributes:
        usable_accuracy: share right among the usable trials; None where there is none.
        confidence_unstated_as_guess: mean over all answered trials, an unusable one counting as 1/K, the confidence of
            a guess. A calibrated model that falls silent looks more and more overconfident by it, since the silent
            trials are wrong and count as 1/K sure.
    """

    usable_accuracy: float | None
    confidence_unstated_as_guess: float

    @property
    def calibration_shift(self) -> float | None:
        """Confidence minus the share right among the same trials; its mean is 0 for a calibrated model that refuses."""
        if self.confidence is None or self.usable_accuracy is None:
            return None
        return self.confidence - self.usable_accuracy

    @property
    def shift_unstated_as_guess(self) -> float:
        """`confidence_unstated_as_guess` minus accuracy."""
        return self.confidence_unstated_as_guess - self.accuracy


def score_stated(
    letters: Sequence[str], stated: Sequence[float | None], options: Sequence[str], answer: str
) -> StatedScores | None:
    """Score the trials of one item in which the model stated how sure it is; None if every trial is missing.

    Accuracy, majority vote and unread rate are those of votes.

    Args:
        letters: one entry per trial: a letter of `options`, `UNREAD` or `MISSING`.
        stated: one entry per trial: a confidence in [0, 1], or None.
        options: the item's K >= 2 option letters.
        answer: the right letter.

    Raises:
        ValueError: if there are fewer than two options, the lengths differ or a number is outside [0, 1].
    """
    if len(options) < 2:
        raise ValueError(f"confidence needs at least two options, got {len(options)}")
    pairs = [pair for pair in zip(letters, stated, strict=True) if pair[0] != MISSING]
    if not pairs:
        return None
    if outside := [number for _, number in pairs if number is not None and not 0.0 <= number <= 1.0]:
        raise ValueError(f"stated confidences must be in [0, 1], got {outside}")
    usable = [(letter, number) for letter, number in pairs if number is not None and letter in options]
    said = math.fsum(number for _, number in usable)
    return StatedScores(
        accuracy=sum(letter == answer for letter, _ in pairs) / len(pairs),
        majority_vote=majority_credit(letters, answer),
        confidence=said / len(usable) if usable else None,
        unread_rate=sum(letter not in options for letter, _ in pairs) / len(pairs),
        usable_accuracy=sum(letter == answer for letter, _ in usable) / len(usable) if usable else None,
        confidence_unstated_as_guess=(said + (len(pairs) - len(usable)) / len(options)) / len(pairs),
    )


def score_probabilities(
    probabilities: Sequence[float], letter_mass: float, options: Sequence[str], answer: str
) -> VoteScores:
    """Score one item from the option letters' probabilities.

    Accuracy is the probability of the right letter, which is what the accuracy of votes estimates. Confidence is
    1 - H/log K of the renormalised letters, the limit of the votes' for T to infinity. The majority vote is the credit
    of the most probable letter (ties share it), the unread rate the mass that is on no letter.

    Args:
        probabilities: K shares of `letter_mass` in the order of `options`, each in [0, 1], summing to 1.
        letter_mass: probability in [0, 1] that the reply begins with any of the letters.
        options: the item's K >= 2 option letters.
        answer: the right letter.

    Raises:
        ValueError: if the shares do not sum to 1, or there are fewer than two.
    """
    confidence = normalised_entropy_confidence(probabilities)
    by_letter = dict(zip(options, probabilities, strict=True))
    top = max(probabilities)
    leaders = [letter for letter, share in by_letter.items() if share == top]
    return VoteScores(
        accuracy=by_letter[answer] * letter_mass,
        majority_vote=1.0 / len(leaders) if answer in leaders else 0.0,
        confidence=confidence,
        unread_rate=1.0 - letter_mass,
    )
