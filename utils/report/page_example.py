"""The example of the page: one item at every level, its picture inside the page, its votes marked."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .example import Example
from .figure_style import spoken
from .item_votes import SHORT

RIGHT, WRONG, UNKNOWN = "right", "wrong", "unread"


@dataclass(frozen=True)
class Vote:
    """One reply: the letter as shown, and `RIGHT`, `WRONG` or `UNKNOWN`."""

    letter: str
    kind: str


@dataclass(frozen=True)
class LevelShown:
    """The item at one level: its level, its picture as a data address, what it shows in words, and its votes."""

    level: str
    picture: str
    alternative: str
    votes: tuple[Vote, ...]


@dataclass(frozen=True)
class PageExample:
    """An item that the model answers right when clean and wrong at the severest level, confidently both times.

    Attributes:
        question: in full.
        options: (letter, text, whether it is the answer); the text is empty where the data set is not at hand.
        levels: one a level.
        says: how it was chosen, in a sentence.
    """

    question: str
    options: tuple[tuple[str, str, bool], ...]
    levels: tuple[LevelShown, ...]
    says: str


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
        shown.append(LevelShown(record["level"], f"data:image/webp;base64,{data}", what, _votes(record)))
    texts = dict(zip(map(str, last["options"]), example.options, strict=False))
    options = tuple((letter, texts.get(letter, ""), letter == last["answer"]) for letter in map(str, last["options"]))
    return PageExample(example.question, options, tuple(shown), says)


def _votes(record: Mapping[str, Any]) -> tuple[Vote, ...]:
    def kind(letter: str) -> str:
        if letter in SHORT:
            return UNKNOWN
        return RIGHT if letter == record["answer"] else WRONG

    return tuple(Vote(SHORT.get(letter, str(letter)), kind(letter)) for letter in record["letters"])
