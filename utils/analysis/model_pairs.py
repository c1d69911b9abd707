"""Two runs on the same items: paired differences of every figure of every cell, or the reason why there are none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .item_table import elicitation_of
from .runs.conditions import differences
from .runs.run import Run


@dataclass(frozen=True)
class Asked:
    """What a run was asked.

    Attributes:
        run: its name.
        items: identity of each item -> number of requested trials.
        elicitations: sorted.
        conditions: of the run.
    """

    run: str
    items: Mapping[tuple[object, ...], int]
    elicitations: tuple[str, ...]
    conditions: Mapping[str, Any]

    @classmethod
    def of(cls, run: Run) -> Asked:
        """Return what a run was asked."""
        items = {item_identity(record): len(record["letters"]) for record in run.records}
        elicitations = tuple(sorted({elicitation_of(record) for record in run.records}))
        return cls(run.name, items, elicitations, run.conditions)


def reason_against_pairing(first: Asked, second: Asked) -> str | None:
    """Return, in one phrase, why two runs cannot be compared item by item; None if they can.

    They do where both hold the same items (identity, level, options, answer, source question), elicited alike, with the
    same number of requested trials each, asked and sampled alike (`runs.conditions.differences`).
    """
    if first.items.keys() != second.items.keys():
        only = len(first.items.keys() - second.items.keys()), len(second.items.keys() - first.items.keys())
        return f"different items: {only[0]} only in {first.run}, {only[1]} only in {second.run}"
    if first.elicitations != second.elicitations:
        return f"different elicitations: {', '.join(first.elicitations)} against {', '.join(second.elicitations)}"
    if first.items != second.items:
        trials = [dict(sorted(Counter(asked.items.values()).items())) for asked in (first, second)]
        return f"different numbers of trials T (T -> items): {trials[0]} against {trials[1]}"
    found = differences(first.conditions, second.conditions, first.elicitations[0])
    return "; ".join(found.refusals) or None


def notes_on_pairing(first: Asked, second: Asked) -> tuple[str, ...]:
    """Return what may have moved the difference of two comparable runs, one phrase each."""
    return differences(first.conditions, second.conditions, first.elicitations[0]).notes


def item_identity(record: Mapping[str, object]) -> tuple[object, ...]:
    """Return what makes an item the same in two runs: id, level, answer, source question, degradation, options."""
    options = record["options"]
    assert isinstance(options, list)
    keys = ("item_id", "level", "answer", "source_question_id", "degradation")
    return (*(record[key] for key in keys), *options)
