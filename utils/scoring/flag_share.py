"""How often the trials of an item say that its image does not allow an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .confidence import MISSING


def flag_share(record: Mapping[str, Any]) -> float | None:
    """Return the share of a record's answered trials that flag the image; None where none could.

    A trial that says neither does not flag: silence on a bad image is no warning.
    """
    flags = _of_answered(record)
    return sum(flag is True for flag in flags) / len(flags) if flags else None


def silent_share(record: Mapping[str, Any]) -> float | None:
    """Return the share of a record's answered trials that say neither; None where none could flag."""
    flags = _of_answered(record)
    return sum(flag is None for flag in flags) / len(flags) if flags else None


def _of_answered(record: Mapping[str, Any]) -> Sequence[bool | None]:
    pairs = zip(record["letters"], record.get("not_diagnostic") or (), strict=False)
    return [flag for letter, flag in pairs if letter != MISSING]
