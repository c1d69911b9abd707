"""Two runs on the same items: paired differences of every figure of every cell, or the reason why there are none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from ..scoring.elicitation import EXACT
from ..scoring.records import PERSON
from .item_table import elicitation_of
from .runs.conditions import Differences, differences
from .runs.run import Run


@dataclass(frozen=True)
class Asked:
    """What a run was asked.

    Attributes:
        run: its name.
        items: identity of each item -> number of requested trials.
        elicitations: sorted.
        conditions: of the run.
        people: whether people answered.
    """

    run: str
    items: Mapping[tuple[object, ...], int]
    elicitations: tuple[str, ...]
    conditions: Mapping[str, Any]
    people: bool = False

    @classmethod
    def of(cls, run: Run) -> Asked:
        """Return what a run was asked."""
        items = {item_identity(record): len(record["letters"]) for record in run.records}
        elicitations = tuple(sorted({elicitation_of(record) for record in run.records}))
        people = any(record.get("respondent") == PERSON for record in run.records)
        return cls(run.name, items, elicitations, run.conditions, people)


def reason_against_pairing(first: Asked, second: Asked) -> str | None:
    """Return, in one phrase, why two runs cannot be compared item by item; None if they can.

    They do where both hold the same items (identity, level, options, answer, source question), asked and sampled alike
    (`runs.conditions.differences`). Where confidence was elicited otherwise or in another number of trials, or where
    people answered, `accuracy_alone` says so.
    """
    if first.items.keys() != second.items.keys():
        only = len(first.items.keys() - second.items.keys()), len(second.items.keys() - first.items.keys())
        return f"different items: {only[0]} only in {first.run}, {only[1]} only in {second.run}"
    return "; ".join(_differences(first, second).refusals) or None


def accuracy_alone(first: Asked, second: Asked) -> str | None:
    """Return, in one phrase, why only the accuracy of two runs compares; None where confidence does too.

    The share of right trials has the same expectation at every T and whatever is asked for beside the letter.
    Confidence from votes moves with T, and that from votes, from probabilities and from a statement are three things.
    """
    if first.elicitations != second.elicitations:
        kinds = f"{', '.join(first.elicitations)} against {', '.join(second.elicitations)}"
        return f"accuracy alone compares, confidence does not: different elicitations: {kinds}"
    if first.items != second.items:
        trials = [dict(sorted(Counter(asked.items.values()).items())) for asked in (first, second)]
        different = f"different numbers of trials T (T -> items): {trials[0]} against {trials[1]}"
        return f"accuracy alone compares, confidence does not: {different}"
    return None


def notes_on_pairing(first: Asked, second: Asked) -> tuple[str, ...]:
    """Return what may have moved the difference of two comparable runs, one phrase each."""
    alone = accuracy_alone(first, second)
    return (*([] if alone is None else [alone]), *_differences(first, second).notes)


def _differences(first: Asked, second: Asked) -> Differences:
    """Return what differs in how two runs were asked.

    No prompt and no sampling is comparable with a person's screen, and another elicitation needs another prompt.
    """
    if first.people or second.people:
        return Differences((), ("people answered on a screen: prompt and sampling do not compare",))
    kinds = {*first.elicitations, *second.elicitations}
    elicitation = EXACT if EXACT in kinds else first.elicitations[0]
    one, other = dict(first.conditions), dict(second.conditions)
    if len(kinds) == 1:
        return differences(one, other, elicitation)
    prompts = one.pop("prompt", None), other.pop("prompt", None)
    found = differences(one, other, elicitation)
    asked = ["asked by different prompts, as the elicitations need"] if prompts[0] != prompts[1] else []
    return Differences(found.refusals, (*asked, *found.notes))


def item_identity(record: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what makes an item the same in two runs: id, level, answer, source question, degradation, options."""
    return (*_identified_by(record), *record["options"])


_identified_by = itemgetter("item_id", "level", "answer", "source_question_id", "degradation")
