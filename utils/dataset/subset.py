"""A subset of the items, asked for by an environment variable, since the harnesses have no such flag.

`MEDQDEG_SUBSET=0.167` leaves a sixth of the items, the same ids everywhere. Every item gets a `weight`: D at L1 and L2,
where D is the number of degradations of its source question in the whole set, and 1 at L0.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ..base.errors import InputError
from . import taxonomy
from .subset_plan import Chosen, Question, subset

if TYPE_CHECKING:
    import datasets

VARIABLE = "MEDQDEG_SUBSET"


def requested_share(text: str | None = None) -> float | None:
    """Return the share of the items that is asked for, or None for all of them.

    Args:
        text: "0.167" or "16.7%"; the environment variable if None.

    Raises:
        InputError: for anything that is no share above 0 and at most 1.
    """
    text = os.environ.get(VARIABLE, "") if text is None else text
    if not text.strip():
        return None
    number, percent = text.strip().removesuffix("%"), text.strip().endswith("%")
    try:
        share = float(number) / (100 if percent else 1)
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise InputError(f"{VARIABLE} is {text!r}; give a share of the items, such as 0.167 or 5%")
    return None if share == 1 else share


def questions_of(degraded: datasets.Dataset) -> list[Question]:
    """Return the source questions of a degraded level with all their degradations."""
    found: dict[str, set[str]] = defaultdict(set)
    tasks: dict[str, str] = {}
    for question, degradation, skill in _columns(degraded, "source_question_id", "degradation", "skill"):
        found[question].add(degradation)
        tasks.setdefault(question, taxonomy.task_of(skill))
    return [Question(question, tasks[question], tuple(sorted(names))) for question, names in sorted(found.items())]


def chosen_questions(degraded: datasets.Dataset, share: float) -> list[Chosen]:
    """Return the subset of about this share of the items.

    Raises:
        InputError: if the share is larger than one degradation per question allows.
    """
    try:
        return subset(questions_of(degraded), share)
    except ValueError as error:
        raise InputError(str(error)) from None


def take_subset(
    items: datasets.Dataset, level: str, share: float, load: Callable[[str], datasets.Dataset]
) -> datasets.Dataset:
    """Return the subset's items of one level, with the column `weight`.

    Args:
        items: all items of the level.
        level: "L0", "L1" or "L2".
        share: of `requested_share`.
        load: level -> all its items; the choice rests on the last level, whichever is asked for.
    """
    last = taxonomy.LEVELS[-1]
    chosen = chosen_questions(items if level == last else load(last), share)
    wanted = {(one.question_id, None if level == taxonomy.CLEAN else one.degradation): one.weight for one in chosen}
    rows, weights = [], []
    for row, key in enumerate(_columns(items, "source_question_id", "degradation")):
        if key in wanted:
            rows.append(row)
            # Once only: a source question told by its text may have several clean items.
            weight = wanted.pop(key)
            weights.append(1.0 if level == taxonomy.CLEAN else float(weight))
    if not rows:
        raise InputError(f"no item of {level} belongs to the subset; do its levels come from the same data set?")
    return items.select(rows).add_column("weight", weights)


def _columns(items: datasets.Dataset, *names: str) -> Iterable[tuple[str, ...]]:
    return zip(*(items[name][:] for name in names), strict=True)
