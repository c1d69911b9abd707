"""Which replies are the same answer, by the task's own scoring.

A task's scoring says more than whether a reply is right: whatever it forgives ("X-Ray", "x ray"; "2", "two"; "12.5%",
"12.6%") makes two replies one answer. Two wrong replies are compared by asking it whether one would be right if the
other were the key. Where a task does not lend itself to that, normalised texts are compared (`votes.normalise`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Scoring = Callable[[Mapping[str, Any], str], float]
"""(item, reply) -> how right the task finds the reply, in [0, 1]."""

_KEY_COLUMNS = ("answer", "answers")


class ByTheTasksScoring:
    """Whether two replies are one answer to an item, asked of the task's own scoring.

    Args:
        doc: the item as the task's own functions get it.
        target: its right answer, as `doc_to_target` gives it.
        score: the task's scoring of one reply.
    """

    def __init__(self, doc: Mapping[str, Any], target: Any, score: Scoring) -> None:
        self._doc, self._score = doc, score
        self._columns = key_columns(doc, target)
        self._usable: dict[str, bool] = {}

    def can_tell(self, reply: str) -> bool:
        """Whether the scoring finds a reply right where that reply itself is the key; only then does its word count."""
        if reply not in self._usable:
            self._usable[reply] = bool(self._columns) and self._right_if_key_were(reply, reply)
        return self._usable[reply]

    def same(self, one: str, other: str) -> bool:
        """Whether either would be fully right if the other were the key; both must be, as scorings may be lopsided."""
        return self._right_if_key_were(one, other) and self._right_if_key_were(other, one)

    def _right_if_key_were(self, key: str, reply: str) -> bool:
        doc = own_copy(self._doc)
        for column in self._columns:
            doc[column] = _replaced(doc[column], key)
        try:
            return self._score(doc, reply) == 1.0
        except Exception:  # whatever a scoring does with a key that no item of its own has
            return False


def merged(
    replies: Sequence[str], normalise: Callable[[str], str], scoring: ByTheTasksScoring | None
) -> dict[str, str]:
    """Return reply -> the label of its answer, the normalised text of the first reply that gave it.

    Args:
        replies: the different replies, in the order of the trials.
        normalise: to a text; replies that it makes one are one answer where the scoring cannot tell. "" is no answer.
        scoring: the task's, or None.
    """
    labels: dict[str, str] = {}
    firsts: list[str] = []
    for reply in dict.fromkeys(replies):
        text = normalise(reply)
        if not text:
            labels[reply] = ""
            continue
        if scoring is not None and scoring.can_tell(reply):
            alike = (first for first in firsts if scoring.can_tell(first) and scoring.same(first, reply))
        else:
            alike = (first for first in firsts if labels[first] == text)
        if (same := next(alike, None)) is not None:
            labels[reply] = labels[same]
            continue
        # Two answers to the task may have one normal form: "-5" and "5".
        labels[reply] = text if text not in labels.values() else reply.strip()
        firsts.append(reply)
    return labels


def key_columns(doc: Mapping[str, Any], target: Any) -> list[str]:
    """Return the columns of an item that hold its right answer, by their value or by their name."""
    texts = {str(value) for value in (target if isinstance(target, list | tuple) else [target])}

    def holds(value: Any) -> bool:
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return str(value) in texts
        if isinstance(value, list | tuple) and value:
            return all(isinstance(one, str) for one in value) and bool(texts & set(value))
        return False

    return [
        name for name, value in doc.items() if holds(value) or (name.casefold() in _KEY_COLUMNS and _replaceable(value))
    ]


def own_copy(value: Any) -> Any:
    """Return an item with dictionaries and lists of its own: scorings change those; images are too large to copy."""
    if isinstance(value, Mapping):
        return {name: own_copy(one) for name, one in value.items()}
    return [own_copy(one) for one in value] if isinstance(value, list) else value


def _replaceable(value: Any) -> bool:
    if isinstance(value, str):
        return True
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, str) or (isinstance(one, dict) and isinstance(one.get("answer"), str)) for one in value)
    )


def _replaced(value: Any, key: str) -> Any:
    if isinstance(value, list | tuple):
        return [{**one, "answer": key} if isinstance(one, dict) else key for one in value]
    if isinstance(value, int | float):
        try:
            return type(value)(key)
        except ValueError:
            return key
    return key
