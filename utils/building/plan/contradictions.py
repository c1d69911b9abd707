"""Items whose keys contradict each other, and how they are settled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..item import Skipped, SourceItem

CONTRADICTION = "another answer to the same question about the same image"
"""Why both of two items are left out: nobody can say which of the two keys is right."""


def conflicts_in(duplicates: Mapping[str, Any]) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """Return the names of the items of each conflict that a report on duplicates holds."""
    return [(tuple(each["first"]), tuple(each["second"])) for each in duplicates["conflicts"]]


def without_contradictions(
    items: Sequence[SourceItem], duplicates: Mapping[str, Any], *, keep: bool
) -> tuple[list[SourceItem], list[Skipped]]:
    """Leave out both items of every conflict: one of their keys is wrong, and nothing shows which."""
    others: dict[tuple[str, str], tuple[str, str]] = {}
    for first, second in () if keep else conflicts_in(duplicates):
        others.setdefault(first, second)
        others.setdefault(second, first)
    kept = [item for item in items if (item.source, item.source_id) not in others]
    skipped = [
        Skipped(*name, CONTRADICTION, f"{': '.join(other)} says otherwise", harmless=True)
        for name, other in sorted(others.items())
    ]
    return kept, skipped
