"""The raw replies of a run, as the samples files keep them: read again where somebody wants to see them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

from .files import RECORD, rows_of, samples_name
from .run import Run

ItemKey = tuple[str, str]
"""Level and item id."""


def raw_replies(run: Run) -> Iterator[tuple[ItemKey, tuple[str, ...]]]:
    """Yield the replies to each item whose samples file keeps them, one text per trial, in the order of the letters.

    What cannot be read is passed over: reading the run has said so.
    """
    for path in run.paths:
        if samples_name(path) is None:
            continue
        try:
            for _, row in rows_of(path):
                if isinstance(row, str) or not isinstance(record := row.get(RECORD), dict):
                    continue
                if replies := _texts(row):
                    yield (str(record.get("level")), str(record.get("item_id"))), replies
        except (OSError, EOFError, zlib.error):
            continue


def _texts(row: dict[str, Any]) -> tuple[str, ...]:
    """Return the replies of a line of lmms-eval ("filtered_resps": T texts) or of lm-eval ("resps": T texts in one)."""
    for name in ("filtered_resps", "resps"):
        found = row.get(name)
        while isinstance(found, list) and len(found) == 1 and isinstance(found[0], list):
            found = found[0]
        if isinstance(found, list) and found and all(isinstance(text, str) for text in found):
            return tuple(found)
    return ()
