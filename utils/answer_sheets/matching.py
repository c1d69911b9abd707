"""Answers to items: what belongs where, what lacks, what is there twice, what belongs nowhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..scoring.elicitation import VERBALIZED, VOTES
from ..scoring.records import ItemRecord, score_item
from .answers import GivenAnswer, Sheet, numbers
from .key import Key

MISSING_REPLY = "[LMMS_EVAL_REQUEST_FAILED] no answer in the sheet"
"""Stands for a trial without an answer, in the words that the harness has for a request that failed."""


@dataclass
class Matched:
    """The answers by item.

    Attributes:
        replies: code -> T replies, `MISSING_REPLY` where there is none.
        stated: code -> T confidences in [0, 1] or None; None where no row states any.
        out_of_range: code -> how many of its confidences are no probability.
        faults: rows that belong to no item, or contradict another row: one line each.
        notes: what lacks, and how confidences were read: one line each.
    """

    replies: dict[str, list[str]] = field(default_factory=dict)
    stated: dict[str, list[float | None]] | None = None
    out_of_range: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def match(sheets: Sequence[Sheet], key: Key, confidence_scale: str | None = None) -> Matched:
    """Put every row to its item and trial.

    T is the key's, or more where rows name later trials. Without a column of trials each file is one trial, in the
    order given.

    Args:
        sheets: the files of one model.
        key: of the export.
        confidence_scale: "percent" or "share"; None recognises it.
    """
    matched = Matched()
    placed: dict[tuple[str, int], GivenAnswer] = {}
    dropped: set[tuple[str, int]] = set()
    for number, sheet in enumerate(sheets, 1):
        matched.faults += sheet.faults
        matched.notes += sheet.notes
        for answer in sheet.answers:
            if answer.item not in key.items:
                named = f"the item {answer.item[:60]!r} is none of the key's" if answer.item else "no item"
                matched.faults.append(f"{answer.where}: {named}")
                continue
            place = answer.item, answer.trial or number
            first = placed.setdefault(place, answer)
            if first is answer:
                continue
            same = (first.reply, first.confidence) == (answer.reply, answer.confidence)
            line = f"{answer.where}: {answer.item}, trial {place[1]} is there already ({first.where})"
            if same:
                matched.notes.append(f"{line}, alike; counted once")
            else:
                matched.faults.append(f"{line} with another answer")
                dropped.add(place)
    trials = max([key.trials, *(trial for _, trial in placed)])
    kept = {place: answer for place, answer in placed.items() if place not in dropped}
    lacking = []
    for code in key.items:
        own = [kept.get((code, trial)) for trial in range(1, trials + 1)]
        matched.replies[code] = [MISSING_REPLY if one is None or one.reply is None else one.reply for one in own]
        for trial, one in enumerate(own, 1):
            if one is None or one.reply is None:
                lacking.append(f"{code}, trial {trial}" + (f" ({one.where})" if one else ""))
    if lacking:
        total = trials * len(key.items)
        matched.notes.append(f"{len(lacking)} of {total} answers lack and count as missing: {_some(lacking)}")
    _read_confidences(matched, key, kept, trials, confidence_scale)
    return matched


def _read_confidences(
    matched: Matched, key: Key, kept: Mapping[tuple[str, int], GivenAnswer], trials: int, scale: str | None
) -> None:
    places = [place for place, answer in kept.items() if answer.confidence]
    if not places:
        return
    values, found = numbers([kept[place].confidence for place in places], scale)
    read = dict(zip(places, values, strict=True))
    matched.stated = {code: [read.get((code, trial)) for trial in range(1, trials + 1)] for code in key.items}
    bad = [place for place in places if read[place] is None]
    for code, _ in bad:
        matched.out_of_range[code] = matched.out_of_range.get(code, 0) + 1
    matched.notes.append(f"confidences read as {'percentages' if found == 'percent' else 'shares from 0 to 1'}")
    if bad:
        named = [f"{kept[place].where}: {kept[place].confidence[:40]!r}" for place in bad]
        matched.notes.append(f"{len(bad)} confidences are no probability and count as not stated: {_some(named)}")


def score(matched: Matched, key: Key) -> list[ItemRecord]:
    """Return one record per item of the key, scored as the tasks score replies."""
    records = []
    for code, item in key.items.items():
        doc: Mapping[str, Any] = item
        if matched.stated is None:
            records.append(score_item(doc, matched.replies[code], key.elicitation))
        else:
            stated = matched.stated[code]
            records.append(
                score_item(doc, matched.replies[code], VERBALIZED, stated, matched.out_of_range.get(code, 0))
            )
    return records


def elicitation_of(matched: Matched, key: Key) -> str:
    """Return how the confidence was asked for: stated in a column, stated in the replies, or by votes."""
    return VERBALIZED if matched.stated is not None or key.elicitation == VERBALIZED else VOTES


def _some(lines: Sequence[str], most: int = 20) -> str:
    rest = f"; and {len(lines) - most} more" if len(lines) > most else ""
    return "; ".join(lines[:most]) + rest
