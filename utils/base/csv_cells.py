"""CSV cells that no spreadsheet takes for a formula."""

from __future__ import annotations

from typing import Any

import pandas as pd

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\n")


def safe_cell(value: Any) -> Any:
    """Return a cell of a CSV file: a text that a spreadsheet would run as a formula gets an apostrophe in front.

    Those are texts that begin with =, +, -, @, a tab or a line break. Numbers and everything else that is no text stay
    as they are. A carriage return becomes a line feed: writers of CSV do not quote it everywhere, and what follows it
    would be a row of its own.
    """
    if not isinstance(value, str):
        return value
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def cell_as_given(text: str) -> str:
    """Return the text that `safe_cell` made a cell of, but for carriage returns."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA_STARTS) else text


def safe_csv(frame: pd.DataFrame) -> str:
    """Return a table as CSV without its index, every text in it (heads too) made safe."""
    safe = frame.copy()
    for place, kind in enumerate(frame.dtypes):
        if not pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind):
            safe.isetitem(place, [safe_cell(value) for value in frame.iloc[:, place]])
    text: str = safe.set_axis([safe_cell(name) for name in frame.columns], axis="columns").to_csv(index=False)
    return text
