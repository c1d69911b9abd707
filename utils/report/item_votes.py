"""The votes of an item as the browser shows them: letters, what goes with each, raw replies and how they were read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..analysis.runs.replies import raw_replies
from ..analysis.runs.run import Run
from ..scoring.confidence import ABSTAINED, MISSING, UNREAD

SHORT = {UNREAD: "?", MISSING: "–", ABSTAINED: "⊘"}
"""Letter that is none -> what stands for it."""

LONGEST_REPLY = 1200
"""Characters of a reply that are kept; the samples file holds the rest."""

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


def people_of(record: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Return readers, seconds and flags of an item's trials, those that there are; None for an item without any."""
    found = tuple(tuple(own) if (own := record.get(name)) else None for name in ("reader", "seconds", "not_diagnostic"))
    return found if any(part is not None for part in found) else None


def kept_replies(runs: Sequence[Run]) -> tuple[dict[tuple[str, str, str], tuple[str, ...]], bool]:
    """Return (run, level, item id) -> raw replies, as many as a page has room for, and whether some were left out.

    Replies that are all one letter say no more than the votes and are left out without a word. Where the room is short,
    items that a run gets wrong come first.
    """
    wrong: list[tuple[tuple[str, str, str], tuple[str, ...]]] = []
    others: list[tuple[tuple[str, str, str], tuple[str, ...]]] = []
    left_out = False
    for run in runs:
        credit = {(record["level"], record["item_id"]): record["majority_vote"] for record in run.records}
        for number, (key, replies) in enumerate(raw_replies(run)):
            if number * len(runs) >= _MOST_ITEMS:
                left_out = True
                break
            if key in credit and any(len(reply.strip()) > 1 for reply in replies):
                (wrong if credit[key] == 0 else others).append(((run.name, *key), replies))
    kept: dict[tuple[str, str, str], tuple[str, ...]] = {}
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
    return kept, left_out


def _cut(reply: str) -> str:
    return reply if len(reply) <= LONGEST_REPLY else f"{reply[:LONGEST_REPLY]} …"


def level_names(records: Iterable[Mapping[str, Any]], known: Sequence[str]) -> tuple[str, ...]:
    """Return the known levels, then the labels of series that occur, by severity."""
    from ..dataset.taxonomy import severity_of

    found = {str(record["level"]) for record in records} - set(known)
    return (*known, *sorted(found, key=severity_of))
