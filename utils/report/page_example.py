"""The example of the page: one item at every level, its picture inside the page, its votes marked."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .example import Example
from .figure_style import spoken
from .item_votes import SHORT

RIGHT, WRONG, UNKNOWN = "right", "wrong", "unread"


_MEANINGS = {RIGHT: "right (line below)", WRONG: "wrong (boxed)", UNKNOWN: "unread"}


@dataclass(frozen=True)
class Vote:
    """One reply: the letter as shown, and `RIGHT`, `WRONG` or `UNKNOWN`."""

    letter: str
    kind: str

    @property
    def meaning(self) -> str:
        """How it is drawn, in words."""
        return _MEANINGS[self.kind]


@dataclass(frozen=True)
class LevelShown:
    """The item at one level.

    Attributes:
        level: of the item.
        picture: as a data address.
        alternative: what it shows, in words.
        votes: in the order of the trials.
        says: how many votes the most frequent letter has, and the confidence.
    """

    level: str
    picture: str
    alternative: str
    votes: tuple[Vote, ...]
    says: str


@dataclass(frozen=True)
class PageExample:
    """An item that the model answers right when clean and wrong at the severest level, confidently both times.

    Attributes:
        question: in full.
        options: (letter, text, whether it is the answer, levels at which it has most votes); the text is empty where
            the data set is not at hand.
        levels: one a level.
        says: how it was chosen, in a sentence.
    """

    question: str
    options: tuple[tuple[str, str, bool, str], ...]
    levels: tuple[LevelShown, ...]
    says: str

    @property
    def key(self) -> tuple[Vote, ...]:
        """One vote of each kind that the item has, for the key: right, wrong, unread."""
        first = {vote.kind: vote for level in reversed(self.levels) for vote in level.votes}
        return tuple(first[kind] for kind in _MEANINGS if kind in first)


def page_example(example: Example | None) -> PageExample | None:
    """Return an example for the page, or None where there is none."""
    if example is None:
        return None
    last = example.records[-1]
    says = (
        f"One item ({last['modality']}, {spoken(last['degradation'])}), {example.rank} among {example.items} at "
        f"{last['level']} {example.found_by}"
    )
    shown = []
    for record, path in zip(example.records, example.pictures, strict=True):
        data = base64.b64encode(path.read_bytes()).decode()
        what = f"{record['modality']}, {record['degradation'].replace('_', ' ') if record['degradation'] else 'clean'}"
        shown.append(LevelShown(record["level"], f"data:image/webp;base64,{data}", what, _votes(record), _told(record)))
    texts = dict(zip(map(str, last["options"]), example.options, strict=False))
    most = {record["level"]: _most_frequent(record)[0] for record in example.records}
    options = tuple(
        (
            *(letter, texts.get(letter, ""), letter == last["answer"]),
            ", ".join(level for level, chosen in most.items() if chosen == letter),
        )
        for letter in map(str, last["options"])
    )
    return PageExample(example.question, options, tuple(shown), says)


def _votes(record: Mapping[str, Any]) -> tuple[Vote, ...]:
    def kind(letter: str) -> str:
        if letter in SHORT:
            return UNKNOWN
        return RIGHT if letter == record["answer"] else WRONG

    return tuple(Vote(SHORT.get(letter, str(letter)), kind(letter)) for letter in record["letters"])


def _most_frequent(record: Mapping[str, Any]) -> tuple[str, int]:
    """Return the letter with most votes and how many it has; nothing and 0 where no vote is a letter."""
    counts = Counter(str(letter) for letter in record["letters"] if letter not in SHORT)
    return counts.most_common(1)[0] if counts else ("", 0)


def _told(record: Mapping[str, Any]) -> str:
    letter, count = _most_frequent(record)
    votes = f"{count} of {len(record['letters'])} votes for {letter}" if letter else "no readable vote"
    confidence = record["confidence"]
    return votes if confidence is None else f"{votes}, confidence {100 * confidence:.0f}%"
