"""The votes of an item as the browser shows them: letters, what goes with each, raw replies and how they were read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..analysis.runs.replies import raw_replies
from ..analysis.runs.run import Run
from ..scoring.confidence import ABSTAINED, MISSING, NO_LETTER, UNREAD

SHORT = {UNREAD: "?", MISSING: "–", ABSTAINED: "⊘"}
"""Letter that is none -> what stands for it."""

LONGEST_REPLY = 1200
"""Characters of a reply that are kept; the samples file holds the rest."""

Key = tuple[str, str, str]
"""Run, level and item id."""

_MOST_TEXT = 6_000_000
_MOST_ITEMS = 60_000


def votes_of(record: Mapping[str, Any]) -> str | tuple[tuple[str, str], ...]:
    """Return the votes: one character each, or pairs of a letter and what goes with it where they need more room."""
    if record["probabilities"]:
        shares = zip(record["options"], record["probabilities"], strict=True)
        return tuple((str(letter), f"{100 * share:.1f}%") for letter, share in shares)
    letters = [SHORT.get(letter, str(letter)) for letter in record["letters"]]
    if record["stated"]:
        stated = ("" if value is None else f"{100 * value:.1f}%" for value in record["stated"])
        return tuple(zip(letters, stated, strict=True))
    if any(len(letter) != 1 for letter in letters):
        return tuple((letter, "") for letter in letters)
    return "".join(letters)


def chosen_of(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the letter that the model settles for: several where they tie, none where no letter was read."""
    if record["probabilities"]:
        weights = dict(zip(map(str, record["options"]), record["probabilities"], strict=True))
    else:
        weights = Counter(str(letter) for letter in record["letters"] if letter not in NO_LETTER)
    highest = max(weights.values(), default=0)
    return tuple(sorted(letter for letter, weight in weights.items() if weight == highest))


@dataclass(frozen=True)
class Replies:
    """Raw replies that the browser shows.

    Attributes:
        kept: item -> its replies, cut to `LONGEST_REPLY` characters.
        bare: items of which each reply is one character or none, which the votes show as well.
        left_out: whether there are others, for which the page has no room.
    """

    kept: Mapping[Key, tuple[str, ...]]
    bare: frozenset[Key]
    left_out: bool


def people_of(record: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Return readers, seconds and flags of an item's trials, those that there are; None for an item without any."""
    found = tuple(tuple(own) if (own := record.get(name)) else None for name in ("reader", "seconds", "not_diagnostic"))
    return found if any(part is not None for part in found) else None


def kept_replies(runs: Sequence[Run]) -> Replies:
    """Return the raw replies that a page has room for; where it is short, items that a run gets wrong go first."""
    wrong: list[tuple[Key, tuple[str, ...]]] = []
    others: list[tuple[Key, tuple[str, ...]]] = []
    bare: set[Key] = set()
    left_out = False
    for run in runs:
        credit = {(record["level"], record["item_id"]): record["majority_vote"] for record in run.records}
        for number, (key, replies) in enumerate(raw_replies(run)):
            if number * len(runs) >= _MOST_ITEMS:
                left_out = True
                break
            if key not in credit:
                continue
            if any(len(reply.strip()) > 1 for reply in replies):
                (wrong if credit[key] == 0 else others).append(((run.name, *key), replies))
            else:
                bare.add((run.name, *key))
    kept: dict[Key, tuple[str, ...]] = {}
    room = _MOST_TEXT
    texts: set[str] = set()
    for key, replies in (*wrong, *others):
        own = tuple(_cut(reply) for reply in replies)
        room -= sum(len(text) for text in set(own) - texts)
        if room < 0:
            left_out = True
            break
        texts.update(own)
        kept[key] = own
    return Replies(kept, frozenset(bare), left_out)


def _cut(reply: str) -> str:
    return reply if len(reply) <= LONGEST_REPLY else f"{reply[:LONGEST_REPLY]} …"


def level_names(records: Iterable[Mapping[str, Any]], known: Sequence[str]) -> tuple[str, ...]:
    """Return the known levels, then the labels of series that occur, by severity."""
    from ..dataset.taxonomy import severity_of

    found = {str(record["level"]) for record in records} - set(known)
    return (*known, *sorted(found, key=severity_of))
