"""The plan of a subset of the benchmark: which source questions, in which degradation, and with which weights.

Source questions are sorted by task, number of degradations and a hash of their id, and a systematic sample is taken, so
that every task and every number of degradations keeps its share. Of each chosen question the clean item and one of its
D degradations (by another hash) are kept, at L1 and at L2. In the whole set such a question counts D times at L1 and
L2; its degraded items therefore weigh D, which multiplies X_g and N_g in the analysis. The same data give the same ids
everywhere.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ITEMS_PER_QUESTION = 3
"""L0, L1 and L2 of one degradation."""

_VARIANCES: Mapping[str, tuple[float, float, float]] = {
    "L0": (0.101, 0.0, 0.126),
    "L2": (0.105, 0.017, 0.156),
    "change": (0.042, 0.017, 0.296),
}
"""Of accuracy, per source question: between questions, between a question's degradations, of one vote. From 200,000
questions of the analysis' signal world (accuracy 0.65 and 0.50, gap 0.03 and 0.10, rho 0.8, K 2 to 5, degradations
as in MedQ-Deg)."""


def hashed(text: str, salt: str = "") -> int:
    """Return a number in [0, 2^64) from a text (the first eight bytes of its SHA-256), the same on every machine."""
    return int.from_bytes(hashlib.sha256(f"{salt}{text}".encode()).digest()[:8], "big")


@dataclass(frozen=True)
class Question:
    """A source question of the whole set.

    Attributes:
        question_id: as in the items.
        task: its task in the taxonomy.
        degradations: those that it has at L1 and L2.
    """

    question_id: str
    task: str
    degradations: tuple[str, ...]


@dataclass(frozen=True)
class Chosen:
    """A source question of a subset.

    Attributes:
        question_id: as in the items.
        degradation: the one kept.
        weight: D, the number that it has in the whole set.
    """

    question_id: str
    degradation: str
    weight: int


def published_error(chosen: int, questions: int, trials: int) -> dict[str, float]:
    """Return L0, L2, change -> the size within which 95% of a subset's errors of accuracy lie.

    1.96 sqrt(((1 - q) between + within + votes / T) / n) for n of the whole set's questions, a share q: the part of the
    questions that is asked has no sampling error. Measured against whole subsets in `benchmarks/coverage.py`.

    Args:
        chosen: n, source questions of the subset.
        questions: of the whole set.
        trials: T.
    """
    left = 1 - chosen / questions
    return {
        name: 1.96 * math.sqrt((left * between + within + vote / trials) / chosen)
        for name, (between, within, vote) in _VARIANCES.items()
    }


def whole_size(questions: Sequence[Question]) -> int:
    """Return the items of the whole set: one clean and two per degradation of each question."""
    return sum(1 + 2 * len(question.degradations) for question in questions)


def largest_share(questions: Sequence[Question]) -> float:
    """Return the share of the items that the largest subset has: every degraded question once."""
    return ITEMS_PER_QUESTION * sum(bool(question.degradations) for question in questions) / whole_size(questions)


def subset(questions: Sequence[Question], share: float) -> list[Chosen]:
    """Choose a subset with about this share of the items.

    Args:
        questions: of the whole set; those without degradations are never chosen.
        share: of the items, above 0 and at most `largest_share`.

    Returns:
        The chosen questions, sorted by id.

    Raises:
        ValueError: if the share is out of range.
    """
    usable = [question for question in questions if question.degradations]
    if not usable:
        raise ValueError("no question has a degraded item")
    largest = largest_share(questions)
    if not 0 < share <= largest + 1e-3:  # as printed below, rounded
        raise ValueError(f"a subset has a share between 0 and {largest:.3f} of the items, got {share:g}")
    number = min(len(usable), max(1, round(share * whole_size(questions) / ITEMS_PER_QUESTION)))
    ordered = sorted(
        usable,
        key=lambda question: (
            question.task,
            len(question.degradations),
            hashed(question.question_id),
            question.question_id,
        ),
    )
    places = [(2 * place + 1) * len(ordered) // (2 * number) for place in range(number)]
    return sorted((_chosen(ordered[place]) for place in places), key=lambda one: one.question_id)


def _chosen(question: Question) -> Chosen:
    names = sorted(question.degradations)
    return Chosen(question.question_id, names[hashed(question.question_id, "degradation ") % len(names)], len(names))
