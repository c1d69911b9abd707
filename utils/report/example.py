"""An item on which confidence and accuracy part: right when clean, wrong when degraded, confident both times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..analysis.runs.run import Run
from ..dataset.taxonomy import LEVELS
from .frame_kinds import CONFIDENT
from .pictures import Key, Shown


@dataclass(frozen=True)
class Example:
    """An item that a run answers right when clean and wrong at the severest level, confidently both times.

    Attributes:
        records: one a level.
        pictures: path of one picture per level.
        question: what was asked.
        options: their texts, in the order of the letters; empty where they are not known.
        alike: how many items of the severest level are like it.
        items: how many there are at that level.
    """

    records: Sequence[Mapping[str, Any]]
    pictures: Sequence[Path]
    question: str
    options: Sequence[str]
    alike: int
    items: int

    @property
    def rank(self) -> str:
        """Which of those like it this one is: "the first of 11"."""
        return f"the first of {self.alike}" if self.alike > 1 else "the only one"

    @property
    def found_by(self) -> str:
        """What it was looked for by, as the end of a sentence."""
        level = self.records[-1]["level"]
        return (
            f"that the model answers right when clean and wrong at {level}, with a confidence of at least "
            f"{100 * CONFIDENT:.0f}% both times."
        )


def find_example(run: Run, shown: Mapping[Key, Shown], folder: Path) -> Example | None:
    """Return the first such item, in the order of the run's records, that has one picture at each level.

    Args:
        run: to look in.
        shown: of `pictures.write_pictures`.
        folder: that the pictures' paths are relative to.
    """
    places = {
        (record["level"], record["source_question_id"], record["degradation"] or ""): record for record in run.records
    }
    severest = [record for record in run.records if record["level"] == LEVELS[-1]]
    found = []
    for record in severest:
        question = record["source_question_id"]
        keys = [(level, question, record["degradation"] if level != LEVELS[0] else "") for level in LEVELS]
        records = [places[key] for key in keys if key in places]
        if len(records) == len(LEVELS) and _sure(records[0], right=True) and _sure(record, right=False):
            found.append(records)
    for records in found:
        own = [shown.get((run.family, record["level"], record["item_id"]), Shown("")) for record in records]
        if all(len(each.images) == 1 for each in own):
            pictures = [folder / each.images[0] for each in own]
            return Example(records, pictures, own[0].question, own[0].options, len(found), len(severest))
    return None


def _sure(record: Mapping[str, Any], *, right: bool) -> bool:
    confidence = record["confidence"]
    return confidence is not None and confidence >= CONFIDENT and record["majority_vote"] == (1.0 if right else 0.0)
