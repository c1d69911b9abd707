"""What a harness calls to make one value of a whole task, or of a group of tasks, for its results and its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..dataset.taxonomy import GONE, LEVELS
from .agreement import ItemGap, agreement_gap
from .level_summary import mean


def mean_score(values: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the mean over the items that have a score, weighted in a subset; exact, so their order does not matter."""
    return mean([value.get("score") for value in values], [value.get("weight", 1.0) for value in values])


def gap_score(values: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the agreement gap of a level, or None where its votes have none; weighted and exact like `mean_score`."""
    return agreement_gap((ItemGap(**value["gap"]), value.get("weight", 1.0)) for value in values if "gap" in value)


def across_levels(values: Sequence[float | None], sizes: Sequence[int], weight_by_size: bool) -> str:
    """Return a line with a score at the levels (in the order of the group's tasks) and its change from L0.

    A fourth task is that of the level "gone".
    """
    names = LEVELS if len(values) <= len(LEVELS) else (*LEVELS, GONE)
    present = [value for value in values if value is not None]
    if len(present) != len(names):
        return "a level has no scores"
    (first, clean), *degraded = zip(names, present, strict=True)
    changes = (f"{level} {value:.4f} ({value - clean:+.4f})" for level, value in degraded)
    return ", ".join([f"{first} {clean:.4f}", *changes])


class NotInTable(dict[str, Any]):
    """A dictionary that lmms-eval writes to its results file whole and leaves out of its table.

    The table leaves out values of length 0 and would print any other dictionary as one cell of many thousand
    characters; `json` asks for the truth value and the items.
    """

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return True
