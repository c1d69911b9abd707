"""The rows of the sources that gave no item, as a file, as counts and as one line."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence

from ...base.csv_cells import safe_cell
from ...base.errors import one_line
from ..item import Skipped

EMPTY_SOURCE = "a source without a single item"


def skipped_table(skipped: Iterable[Skipped]) -> bytes:
    """Return `skipped.csv`: every row of a source that gave no item, and why."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("source", "where", "reason", "detail", "harmless"))
    rows = (
        (row.source, row.where, row.reason, one_line(row.detail), "yes" if row.harmless else "no") for row in skipped
    )
    ordered = sorted(rows, key=lambda row: (row[4], row))
    writer.writerows(map(safe_cell, row) for row in ordered)
    return text.getvalue().encode("utf-8", errors="backslashreplace")


def skipped_counts(skipped: Iterable[Skipped]) -> dict[str, dict[str, int]]:
    """Return source -> reason -> rows."""
    counts: dict[str, Counter[str]] = {}
    for row in skipped:
        counts.setdefault(row.source, Counter())[row.reason] += 1
    return {source: dict(sorted(counter.items())) for source, counter in sorted(counts.items())}


def most_common_reasons(skipped: Sequence[Skipped]) -> str:
    """Return every reason, the most common one first, each with the first row that it was said of."""
    counts = Counter(row.reason for row in skipped if row.reason != EMPTY_SOURCE)
    first = {row.reason: row for row in reversed(skipped)}
    said = []
    for reason, number in counts.most_common():
        row = first[reason]
        about = row.detail if row.where in row.detail else ": ".join(filter(None, (row.where, row.detail)))
        said.append(f"{reason} ({f'{number:,} rows, such as ' if number > 1 else ''}{about})")
    return one_line(", ".join(said) or "they hold none", 2000)
