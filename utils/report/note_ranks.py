"""Which notes about files and runs come first: what endangers the result, then what limits it, then the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

ENDANGERS, LIMITS, TELLS = "What endangers the result", "What limits it", "Good to know"
"""Ranks, the gravest first."""

_RANKS: tuple[tuple[str, str], ...] = (
    (ENDANGERS, r"that can be read|replies are empty|could not be scored|items are invalid|requests failed"),
    (
        ENDANGERS,
        r"levels may not compare|state scores that do not follow|records are left out|cut off after|: is empty",
    ),
    (ENDANGERS, r"asked in different ways|do not arrive as they are"),
    (LIMITS, r"--limit|items are there|what needs them is left out|not ranked|no rank|no samples file|no readable"),
    (LIMITS, r"state no confidence|different numbers of trials|subset|mixes (levels|elicitations)|is a wrapped task"),
)
_IDENTICAL = re.compile(r"replies to an item are identical on")


@dataclass(frozen=True)
class RankedNote:
    """A note with its rank.

    Attributes:
        rank: `ENDANGERS`, `LIMITS` or `TELLS`.
        text: the note, behind the name of its run.
    """

    rank: str
    text: str

    @property
    def order(self) -> int:
        """Place of the rank, 0 for the gravest."""
        return (ENDANGERS, LIMITS, TELLS).index(self.rank)


def rank_of(note: str) -> str:
    """Return the rank of a note; one that no rule knows only tells something."""
    return next((rank for rank, words in _RANKS if re.search(words, note)), TELLS)


def ranked_notes(notes: pd.DataFrame) -> list[RankedNote]:
    """Return the notes of the frame "notes", the gravest first, each once.

    What is said of replies that are all identical is left out: it belongs to the distribution of the votes
    (`identical_replies`).
    """
    texts = dict.fromkeys(
        (row.note, f"{row.model}: {row.note}" if row.model else row.note)
        for row in notes.itertuples()
        if not _IDENTICAL.search(row.note)
    )
    ranked = [RankedNote(rank_of(note), text) for note, text in texts]
    return sorted(ranked, key=lambda each: each.order)


def identical_replies(notes: pd.DataFrame) -> list[str]:
    """Return what is said of replies that are all identical, one line per run."""
    return [
        f"{row.model}: {row.note}" if row.model else row.note
        for row in notes.itertuples()
        if _IDENTICAL.search(row.note)
    ]
