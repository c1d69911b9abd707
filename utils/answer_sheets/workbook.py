"""The sheet as an Excel file, for people: one row per item and trial, empty cells to fill in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..base.errors import InputError

MOST_ROWS = 1_048_575
"""Below the header, in one sheet of Excel."""

_LONGEST_CELL = 32_767
_WIDTHS = {"item": 12, "trial": 6, "image": 24, "question": 50, "answer": 14, "confidence": 12, "prompt": 40}


def write_workbook(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the rows; every text stays a text, also one that begins like a formula.

    Raises:
        InputError: more rows than a sheet holds.
    """
    import openpyxl
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    if len(rows) > MOST_ROWS:
        raise InputError(f"{len(rows):,} rows are more than the {MOST_ROWS:,} of an Excel sheet; fewer --trials")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("answers")
    sheet.freeze_panes = "A2"
    for place, name in enumerate(columns, 1):
        sheet.column_dimensions[get_column_letter(place)].width = _WIDTHS.get(name, 16)
    bold, top = Font(bold=True), Alignment(wrap_text=True, vertical="top")

    def cell(value: Any, heading: bool = False) -> Any:
        made = WriteOnlyCell(sheet, value=_printable(value) if isinstance(value, str) else value)
        if isinstance(value, str):
            made.data_type = "s"
        if heading:
            made.font = bold
        else:
            made.alignment = top
        return made

    sheet.append([cell(name, heading=True) for name in columns])
    for row in _cells(columns, rows):
        sheet.append([None if value == "" else cell(value) for value in row])
    book.save(path)


def _cells(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterable[list[Any]]:
    return ([row[name] for name in columns] for row in rows)


def _printable(text: str) -> str:
    """Return a text without the characters that Excel files cannot hold, cut to what a cell holds."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    return ILLEGAL_CHARACTERS_RE.sub("", text)[:_LONGEST_CELL]
