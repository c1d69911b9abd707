"""Delimited text as pandas reads it where Python's csv module differs: text after a quotation in a cell."""

from __future__ import annotations

import csv
from collections.abc import Iterator


def cells_of_line(line: str, delimiter: str) -> list[str] | None:
    r"""Return the cells of a record on one line that the strict reader refuses, or None where it is right to.

    `"5 mm" nodule` begins with a quotation and goes on after it; pandas reads `5 mm nodule`, and so does csv unless it
    is strict. But only a strict reader finds the stray quotation mark that joins two rows at the next stray one. So
    records are read strictly, and those of one line once more in this way.
    """
    asked_for_more = False

    def lines() -> Iterator[str]:
        nonlocal asked_for_more
        yield line
        asked_for_more = True

    try:
        cells = next(csv.reader(lines(), delimiter=delimiter), None)
    except csv.Error:
        return None
    return None if asked_for_more else cells
