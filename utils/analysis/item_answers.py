"""What was answered to each item of a run, as arrays: votes, probabilities, stated confidences, and their gap terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..scoring.confidence import UNREAD
from ..scoring.elicitation import EXACT, VERBALIZED, VOTES
from .statistics.agreement_gap import GapTerms, exact_terms, stated_terms, vote_terms
from .statistics.clustered import sums_by_place

Array = NDArray[np.float64]


@dataclass(frozen=True)
class StatedTrials:
    """The trials with a letter and a number, of all items in a row.

    Attributes:
        item: (m,) place of each trial's item.
        stated: (m,) stated confidence in [0, 1].
        right: (m,) whether the letter is right, as 0 and 1.
    """

    item: NDArray[np.int64]
    stated: Array
    right: Array


@dataclass(frozen=True)
class ItemAnswers:
    """The answers of a run.

    Attributes:
        elicitation: "votes", "verbalized" or "exact".
        requested: T of most items.
        counts: (n, K_max) readable votes for each option.
        unread: (n,) unread votes.
        answer: (n,) place of the right option.
        k: (n,) numbers of options.
        probabilities: (n, K_max) of the options, summing to 1; NaN in an item without (votes: in all).
        mass: (n,) letter mass; NaN likewise.
        stated: trials with a stated confidence (verbalized; else none).
        gap: terms of the agreement gap.
    """

    elicitation: str
    requested: int
    counts: Array
    unread: Array
    answer: NDArray[np.int64]
    k: NDArray[np.int64]
    probabilities: Array
    mass: Array
    stated: StatedTrials
    gap: GapTerms

    @property
    def trials(self) -> Array:
        """(n,) answered trials with a vote, unread ones included."""
        number: Array = self.counts.sum(axis=1) + self.unread
        return number


def item_answers(records: Sequence[Mapping[str, Any]], elicitation: str, requested: int) -> ItemAnswers:
    """Return the answers of records that were elicited alike."""
    counts, unread = vote_counts(records)
    answer = np.array([record["options"].index(record["answer"]) for record in records])
    k = np.array([record["k"] for record in records])
    probabilities, mass = np.full(counts.shape, np.nan), np.full(len(records), np.nan)
    if elicitation == EXACT:
        for row, record in enumerate(records):
            if record.get("probabilities") and record["confidence"] is not None:
                probabilities[row] = 0.0
                probabilities[row, : record["k"]] = record["probabilities"]
                mass[row] = record["letter_mass"]
    stated = _stated_trials(records) if elicitation == VERBALIZED else _NO_TRIALS
    if elicitation == VERBALIZED:
        said, right, number = (
            sums_by_place(stated.item, part, len(records))
            for part in (stated.stated, stated.right, np.ones(len(stated.item)))
        )
        gap = stated_terms(said, right, number, counts.sum(axis=1) + unread)
    elif elicitation == EXACT:
        gap = exact_terms(probabilities, mass, answer)
    else:
        gap = vote_terms(counts, unread, answer)
    return ItemAnswers(elicitation, requested, counts, unread, answer, k, probabilities, mass, stated, gap)


def answers_of_votes(counts: Array, unread: Array, k: NDArray[np.int64], requested: int) -> ItemAnswers:
    """Return the answers of items with votes whose right option is the first."""
    answer = np.zeros(len(counts), dtype=np.int64)
    nothing = np.full(counts.shape, np.nan)
    return ItemAnswers(
        *(VOTES, requested, counts, unread, answer, k, nothing, nothing[:, 0], _NO_TRIALS),
        gap=vote_terms(counts, unread, answer),
    )


def vote_counts(records: Sequence[Mapping[str, Any]]) -> tuple[Array, Array]:
    """Return (n, K_max) votes for each option and (n,) unread votes; other trials count nowhere."""
    counts = np.zeros((len(records), max(record["k"] for record in records)))
    unread = np.zeros(len(records))
    for row, record in enumerate(records):
        count = record["letters"].count
        counts[row, : record["k"]] = [count(letter) for letter in record["options"]]
        unread[row] = count(UNREAD)
    return counts, unread


def _stated_trials(records: Sequence[Mapping[str, Any]]) -> StatedTrials:
    found = [
        (row, number, float(letter == record["answer"]))
        for row, record in enumerate(records)
        for letter, number in zip(record["letters"], record["stated"] or (), strict=False)
        if number is not None and letter in record["options"]
    ]
    item, stated, right = (np.array(column) for column in zip(*found, strict=True)) if found else ([], [], [])
    return StatedTrials(
        np.asarray(item, dtype=np.int64), np.asarray(stated, dtype=float), np.asarray(right, dtype=float)
    )


_NO_TRIALS = StatedTrials(np.array([], dtype=np.int64), np.array([]), np.array([]))
