"""Option letters' probabilities instead of a reply: how the exact elicitation travels through lmms-eval.

lmms-eval hands replies from the model to the task as text. Where the wrapper model reads the letters' probabilities
itself (`medqdeg.utils.sampling.exact`), it sends them on as a line that no model writes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

MARKER = "[MEDQDEG_LETTER_PROBABILITIES]"
FAILED_MARKER = "[LMMS_EVAL_REQUEST_FAILED mode=exact]"
"""A failed request for probabilities; it begins as `reading.MISSING_TRIAL_MARKERS` do, so that it is one of those."""


@dataclass(frozen=True)
class LetterProbabilities:
    """What the model's next-token distribution says about the option letters.

    Attributes:
        masses: letter -> probability that the reply begins with it, in [0, 1]; all other tokens have the rest.
        least_mass: below this sum over the letters, in [0, 1], the item is invalid.
    """

    masses: Mapping[str, float]
    least_mass: float

    @property
    def total(self) -> float:
        """The letters' total mass in [0, 1]."""
        return min(1.0, math.fsum(self.masses.values()))

    @property
    def invalid(self) -> bool:
        """Whether the letters have too little of the mass to speak for the reply."""
        return self.total < self.least_mass or self.total <= 0.0

    def renormalised(self) -> dict[str, float]:
        """Return the letters' shares of their total mass, which sum to 1; evenly spread where the total is 0."""
        total = math.fsum(self.masses.values())
        if total <= 0.0:
            return dict.fromkeys(self.masses, 1.0 / len(self.masses))
        return {letter: mass / total for letter, mass in self.masses.items()}


def write_probabilities(found: LetterProbabilities) -> str:
    """Return the line that stands for a reply; `read_probabilities` gives exactly the same numbers back."""
    return f"{MARKER} {json.dumps({'masses': dict(found.masses), 'least_mass': found.least_mass})}"


def read_probabilities(reply: str) -> LetterProbabilities | None:
    """Return what `write_probabilities` wrote, or None for any other reply.

    Raises:
        ValueError: if the line is damaged or holds something that is no probability.
    """
    text = reply.strip()
    if not text.startswith(MARKER):
        return None
    content = json.loads(text[len(MARKER) :])
    masses = {str(letter): float(mass) for letter, mass in content["masses"].items()}
    if (
        not all(math.isfinite(mass) and mass >= 0.0 for mass in masses.values())
        or math.fsum(masses.values()) > 1 + 1e-6
    ):
        raise ValueError(f"these are no probabilities of letters: {masses}")
    return LetterProbabilities(masses, float(content["least_mass"]))


def is_failed_probabilities(reply: str) -> bool:
    """Whether `reply` stands for a request for probabilities that failed."""
    return reply.lstrip().startswith(FAILED_MARKER)
