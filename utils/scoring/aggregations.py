"""What a harness calls to make one value of a whole task, or of a group of tasks, for its results and its table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..dataset.taxonomy import LEVELS


def mean_score(values: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the mean over the items that have a score; exact, so the order of the items does not matter."""
    scores = [value["score"] for value in values if "score" in value]
    return math.fsum(scores) / len(scores) if scores else None


def across_levels(values: Sequence[float | None], sizes: Sequence[int], weight_by_size: bool) -> str:
    """Return a line with a score at the three levels (in the order of the group's tasks) and its change from L0."""
    present = [value for value in values if value is not None]
    if len(present) != len(LEVELS):
        return "a level has no scores"
    (first, clean), *degraded = zip(LEVELS, present, strict=True)
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
