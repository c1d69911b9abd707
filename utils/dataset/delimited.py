"""Delimited text beyond Python's csv module: how the published TSV layout is written, and what pandas reads too."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any


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


def write_tsv_rows(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a header and rows as UTF-8 with tabs, quoted where need be, each line ended by one line feed.

    Args:
        path: where to.
        columns: names, in order.
        rows: column -> cell; a column that a row lacks stays empty.

    Raises:
        ValueError: a row has a cell of another column.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, delimiter="\t", lineterminator="\n", restval="")
        writer.writeheader()
        writer.writerows(rows)
