"""Tables as people hand them over: CSV of any common dialect and Excel, read into rows of texts.

Nothing is guessed that is known. The delimiter is the one under which the header has the columns that the caller looks
for. The encoding is UTF-8 where any line beyond ASCII is, else cp1252, which Excel writes in western Europe. (Guessing
libraries do worse on short files: charset-normalizer 3.5 takes "1;Ö" in cp1252 for UTF-16, and csv.Sniffer wants to see
more rows than a header.) What was found is returned, so that it can be told, and everything can be stated instead.
"""

from __future__ import annotations

import codecs
import csv
import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import InputError, one_line

DELIMITERS = (",", ";", "\t", "|")
EXCEL = (".xlsx", ".xlsm")

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LARGEST_CELL = 2**27


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written.

    Attributes:
        encoding: a name that Python knows.
        delimiter: one character.
    """

    encoding: str
    delimiter: str

    def __str__(self) -> str:
        """Return it as a message says it."""
        named = {"\t": "a tab", ",": "a comma", ";": "a semicolon", "|": "a bar"}
        encoding = {"utf-8-sig": "UTF-8 with a byte order mark", "utf-8": "UTF-8"}.get(self.encoding, self.encoding)
        return f"{encoding}, separated by {named.get(self.delimiter, repr(self.delimiter))}"


@dataclass(frozen=True)
class TextRow:
    """One row below the header: where it stands (line of a text file, row of a sheet), and its cells by column.

    A cell of Excel keeps its type: text, number, bool, None where it is empty. A cell of CSV is a text.
    """

    number: int
    cells: dict[str, Any]


def recognise_dialect(
    data: bytes,
    name: str,
    wanted: Callable[[Sequence[str]], int],
    encoding: str | None = None,
    delimiter: str | None = None,
) -> Dialect:
    """Return the dialect of a CSV file.

    Args:
        data: the file, or its beginning as far as the end of a line.
        name: what messages call it.
        wanted: how many of the columns that the caller looks for a header has.
        encoding: of the file, where it is known.
        delimiter: likewise.

    Raises:
        InputError: nothing of that name is an encoding.
    """
    encoding = encoding or _encoding(data)
    text = _decoded(data, encoding, name, "replace")  # whoever reads the rows says which of them is damaged
    if delimiter is None:
        headers = {each: _header(text, each) for each in DELIMITERS}
        # Of equals the one with more columns, then the order of `DELIMITERS`.
        delimiter = max(DELIMITERS, key=lambda each: (wanted(headers[each]), len(headers[each])))
    return Dialect(encoding, delimiter)


def read_delimited(path: Path, dialect: Dialect) -> tuple[list[str], list[TextRow], list[str]]:
    """Return the columns of a CSV file, its rows that are not blank, and a line for each row that cannot be used.

    Raises:
        InputError: the file cannot be read, is in another encoding, has no header, or two columns of one name.
    """
    text = _decoded(file_bytes(path), dialect.encoding, path.name)
    csv.field_size_limit(max(_LARGEST_CELL, csv.field_size_limit()))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=dialect.delimiter)
    columns: list[str] = []
    rows: list[TextRow] = []
    faults: list[str] = []
    while True:
        first = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            raise InputError(one_line(f"{path.name}, line {first}: {error}")) from None
        if not any(cell.strip() for cell in cells):
            continue
        if not columns:
            columns = _checked_columns(cells, path.name)
            continue
        while len(cells) > len(columns) and not cells[-1].strip():
            cells.pop()
        if len(cells) > len(columns):
            faults.append(f"{path.name}, line {first}: {len(cells)} cells where the header has {len(columns)}")
            continue
        filled = [*cells, *[""] * (len(columns) - len(cells))]
        rows.append(TextRow(first, dict(zip(columns, filled, strict=True))))
    if not columns:
        raise InputError(f"{path.name}: the file is empty")
    return columns, rows, faults


def read_excel(path: Path, sheet: str | None = None) -> tuple[list[str], list[TextRow]]:
    """Return the columns of a sheet of an Excel file and its rows that are not blank; formulas give their last value.

    Args:
        path: an .xlsx or .xlsm file.
        sheet: name of the sheet; None takes the first one.

    Raises:
        InputError: no such file or sheet, no header, two columns of one name, or no Excel file of these kinds.
    """
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with path.open("rb") as file:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            if sheet is not None and sheet not in book.sheetnames:
                raise InputError(f"{path.name} has no sheet {sheet!r}; found {', '.join(book.sheetnames)}")
            lines = list((book[sheet] if sheet else book.worksheets[0]).iter_rows(values_only=True))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, IndexError) as error:
        raise InputError(f"{path.name}: no Excel file that can be read ({one_line(error, 120)})") from None
    columns: list[str] = []
    rows: list[TextRow] = []
    for number, cells in enumerate(lines, 1):
        if all(cell is None or not str(cell).strip() for cell in cells):
            continue
        if not columns:
            columns = _checked_columns(["" if cell is None else str(cell) for cell in cells], path.name)
            continue
        rows.append(TextRow(number, {name: cell for name, cell in zip(columns, cells, strict=False) if name}))
    if not columns:
        raise InputError(f"{path.name}: the sheet is empty")
    return columns, rows


def cell_text(value: Any) -> str:
    """Return a cell as the text that a person sees in it: a whole number without ".0", nothing for an empty cell."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def file_bytes(path: Path) -> bytes:
    """Return a file's content. Raises `InputError` where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None


def _encoding(data: bytes) -> str:
    marked = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    if marked:
        return marked
    beyond_ascii = [line for line in data.splitlines() if not line.isascii()]
    # One line of UTF-8 beyond ASCII is no accident in cp1252: then the others are damaged, and are to be told.
    return "utf-8" if not beyond_ascii or any(map(_is_utf8, beyond_ascii)) else "cp1252"


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _decoded(data: bytes, encoding: str, name: str, errors: str = "strict") -> str:
    try:
        text = data.decode(encoding, errors)
    except LookupError:
        raise InputError(f"{name}: unknown encoding {encoding!r}") from None
    except UnicodeError as error:
        raise InputError(f"{name}: not {encoding} ({one_line(error, 120)}); state the encoding") from None
    return text.removeprefix("\ufeff")


def _header(text: str, delimiter: str) -> list[str]:
    try:
        for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if any(cell.strip() for cell in cells):
                return [cell.strip() for cell in cells]
    except csv.Error:
        pass
    return []


def _checked_columns(cells: Sequence[str], name: str) -> list[str]:
    columns = [cell.strip() for cell in cells]
    while columns and not columns[-1]:
        columns.pop()
    twice = [column for column in dict.fromkeys(columns) if column and columns.count(column) > 1]
    if twice:
        raise InputError(one_line(f"{name}: two columns are called {twice[0]!r}"))
    return columns
