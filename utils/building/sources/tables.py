"""Rows of a CSV, TSV, JSONL, parquet or Excel file, one at a time; a bad row is named and the next one read.

A row remembers its place in the file, so that a large cell (an image) is read again when it is wanted instead of being
held. Parquet gives a row again by reading its row group: groups of a few hundred rows keep that cheap.
"""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from ...base.errors import InputError, one_line
from ...base.table_files import cell_text, read_excel
from ...dataset.delimited import cells_of_line
from ..item import Skipped

FORMATS: Mapping[str, str] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".xlsx": "excel",
    ".xlsm": "excel",
}
"""Suffix -> format."""

UNREADABLE_FILE = "file cannot be read"
UNREADABLE_ROW = "row cannot be read"

# One line of 128 MiB is about 100 MB of image; without a limit one stray quotation mark takes a file of gigabytes
# for a single cell.
_LONGEST_LINE = 2**27
_LONGEST_HEADER = 2**20


@dataclass(frozen=True)
class SourceRow:
    """One row of a table.

    Attributes:
        where: file and line (parquet, Excel: row), for messages.
        cells: column -> value; text in CSV, TSV and Excel.
        again: reads the row's cells once more; may be sent to another process.
    """

    where: str
    cells: Mapping[str, Any]
    again: Callable[[], Mapping[str, Any]]


class Table(Protocol):
    """A table that is read from front to back."""

    columns: tuple[str, ...]

    def rows(self, source: str) -> Iterator[SourceRow | Skipped]:
        """Yield the rows in order; a row that cannot be read comes as the `Skipped` that reports it under `source`."""
        ...


def open_table(
    path: Path, *, name: str, format: str | None = None, encoding: str = "utf-8", delimiter: str | None = None
) -> Table:
    """Return a table, its header read.

    Args:
        path: the file.
        name: what messages call it.
        format: a value of `FORMATS`; None takes it from the suffix.
        encoding: of CSV, TSV and JSONL; one in which ASCII bytes stand for themselves, so not UTF-16.
        delimiter: of CSV; None is a comma (TSV: a tab).

    Raises:
        InputError: empty, of another encoding, no table, an unknown format; the message says which.
    """
    kind = format or FORMATS.get(path.suffix.lower())
    if kind not in FORMATS.values():
        raise InputError(f"{name}: not a table that is read here; known are {', '.join(FORMATS)}")
    try:
        if path.stat().st_size == 0:
            raise InputError(f"{name}: the file is empty")
        encoding = checked_encoding(encoding, name)
        if kind == "excel":
            return _Excel(path, name)
        if kind == "parquet":
            return _Parquet(path, name)
        if kind == "jsonl":
            return _JsonLines(path, name, encoding)
        return _Delimited(path, name, encoding, delimiter or ("\t" if kind == "tsv" else ","))
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror or error})") from None


def checked_encoding(encoding: str, name: str) -> str:
    """Return an encoding that tables are read in. Raises `InputError` for one that is not known or not read here."""
    if encoding.casefold().replace("_", "-") == "utf-8-sig":
        return "utf-8"  # the mark at the beginning is always taken off
    try:
        if "a\n".encode(encoding) == b"a\n":
            return encoding
    except LookupError:
        raise InputError(f"{name}: unknown encoding {encoding!r}") from None
    raise InputError(f"{name}: encoding {encoding} is not read; convert the file to UTF-8")


class _BadLineError(Exception):
    """A line that cannot be decoded; the next one may be fine."""


class _Lines:
    """Decoded lines of a binary file, with the bytes and lines handed out so far; goes on after a bad one."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._file, self._encoding = file, encoding
        self.offset, self.line = file.tell(), 0
        self.last = ""

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._file.readline(_LONGEST_LINE + 1)
        if not line:
            raise StopIteration
        self.line += 1
        self.offset += len(line)
        if len(line) > _LONGEST_LINE:
            while line and not line.endswith(b"\n"):
                line = self._file.readline(2**24)
                self.offset += len(line)
            raise _BadLineError(f"longer than {_LONGEST_LINE} bytes")
        self.last = _decode(line, self._encoding, first=self.line == 1 and self.offset == len(line))
        return self.last


class _Delimited:
    def __init__(self, path: Path, name: str, encoding: str, delimiter: str) -> None:
        self._path, self._name, self._encoding, self._delimiter = path, name, encoding, delimiter
        with path.open("rb") as file:
            line = file.readline(_LONGEST_HEADER)
        if len(line) == _LONGEST_HEADER:
            raise InputError(f"{name}: the first line is longer than {_LONGEST_HEADER} bytes; is it a table?")
        try:
            header = next(_csv([_decode(line, encoding, first=True)], delimiter), [])
        except (_BadLineError, csv.Error) as error:
            raise InputError(f"{name}, line 1: {error}") from None
        self.columns = tuple(column.strip() for column in header)
        twice = [column for column in dict.fromkeys(self.columns) if self.columns.count(column) > 1]
        if twice:
            raise InputError(one_line(f"{name}: two columns are called {twice[0]!r}"))

    def rows(self, source: str) -> Iterator[SourceRow | Skipped]:
        with self._path.open("rb") as file:
            lines = _Lines(file, self._encoding)
            next(lines)
            reader = _csv(lines, self._delimiter)
            while True:
                offset, first = lines.offset, lines.line + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except (_BadLineError, csv.Error) as error:
                    again = isinstance(error, csv.Error) and lines.line == first
                    cells = cells_of_line(lines.last, self._delimiter) if again else None
                    if cells is None:
                        where = self._where(first, lines.line)
                        yield Skipped(source, where, UNREADABLE_ROW, one_line(error, 200))
                        continue
                if not cells:
                    continue
                if len(cells) != len(self.columns):
                    detail = f"{len(cells)} cells where the header has {len(self.columns)}"
                    yield Skipped(source, self._where(first, lines.line), UNREADABLE_ROW, detail)
                    continue
                row = _DelimitedRow(self._path, offset, self.columns, self._encoding, self._delimiter)
                yield SourceRow(self._where(first, first), dict(zip(self.columns, cells, strict=True)), row)

    def _where(self, first: int, last: int) -> str:
        return f"{self._name}, line {first}" if last <= first else f"{self._name}, lines {first} to {last}"


@dataclass(frozen=True)
class _DelimitedRow:
    path: Path
    offset: int
    columns: tuple[str, ...]
    encoding: str
    delimiter: str

    def __call__(self) -> Mapping[str, Any]:
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                lines = _Lines(file, self.encoding)
                try:
                    cells = next(_csv(lines, self.delimiter), [])
                except csv.Error:
                    cells = cells_of_line(lines.last, self.delimiter) or []
        except (OSError, _BadLineError, csv.Error) as error:
            raise InputError(f"{self.path.name}: cannot be read again ({one_line(error, 120)})") from None
        if len(cells) != len(self.columns):
            raise InputError(f"{self.path.name}: changed while it was read")
        return dict(zip(self.columns, cells, strict=True))


class _JsonLines:
    def __init__(self, path: Path, name: str, encoding: str) -> None:
        self._path, self._name, self._encoding = path, name, encoding
        self.columns = ()
        for row in self.rows(""):
            if isinstance(row, SourceRow):
                self.columns = tuple(row.cells)
                break

    def rows(self, source: str) -> Iterator[SourceRow | Skipped]:
        with self._path.open("rb") as file:
            lines = _Lines(file, self._encoding)
            while True:
                offset = lines.offset
                try:
                    line = next(lines)
                    cells = _json_object(line) if line.strip() else None
                except StopIteration:
                    return
                except _BadLineError as error:
                    yield Skipped(source, f"{self._name}, line {lines.line}", UNREADABLE_ROW, one_line(error, 200))
                    continue
                if cells is not None:
                    again = _JsonRow(self._path, offset, self._encoding)
                    yield SourceRow(f"{self._name}, line {lines.line}", cells, again)


@dataclass(frozen=True)
class _JsonRow:
    path: Path
    offset: int
    encoding: str

    def __call__(self) -> Mapping[str, Any]:
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                return _json_object(next(_Lines(file, self.encoding), ""))
        except (OSError, _BadLineError) as error:
            raise InputError(f"{self.path.name}: cannot be read again ({one_line(error, 120)})") from None


class _Parquet:
    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        try:
            self.columns = tuple(_parquet(path).schema_arrow.names)
        except _arrow_errors() as error:
            raise InputError(f"{name}: not a whole parquet file ({one_line(error, 120)})") from None

    def rows(self, source: str) -> Iterator[SourceRow | Skipped]:
        file, number = _parquet(self._path), 0
        for group in range(file.num_row_groups):
            first, place = number, 0
            number += file.metadata.row_group(group).num_rows
            try:
                for batch in file.iter_batches(batch_size=32, row_groups=[group]):
                    for cells in batch.to_pylist():
                        where = f"{self._name}, row {first + place + 1}"
                        yield SourceRow(where, cells, _ParquetRow(self._path, group, place))
                        place += 1
            except _arrow_errors() as error:
                where = f"{self._name}, rows {first + place + 1} to {number}"
                yield Skipped(source, where, UNREADABLE_ROW, one_line(error, 200))


@dataclass(frozen=True)
class _ParquetRow:
    path: Path
    group: int
    place: int

    def __call__(self) -> Mapping[str, Any]:
        try:
            return _row_group(self.path, self.group).slice(self.place, 1).to_pylist()[0]
        except _arrow_errors() as error:
            raise InputError(f"{self.path.name}: cannot be read again ({one_line(error, 120)})") from None


class _Excel:
    """The first sheet; every cell as the text that a person sees."""

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        self.columns = _excel(path)[0]

    def rows(self, source: str) -> Iterator[SourceRow | Skipped]:
        for place, (number, cells) in enumerate(_excel(self._path)[1]):
            yield SourceRow(f"{self._name}, row {number}", dict(cells), _ExcelRow(self._path, place))


@dataclass(frozen=True)
class _ExcelRow:
    path: Path
    place: int

    def __call__(self) -> Mapping[str, Any]:
        rows = _excel(self.path)[1]
        if self.place >= len(rows):
            raise InputError(f"{self.path.name}: changed while it was read")
        return dict(rows[self.place][1])


def _excel(path: Path) -> tuple[tuple[str, ...], list[tuple[int, dict[str, str]]]]:
    stat = path.stat()
    return _excel_as_of(path, stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=2)
def _excel_as_of(path: Path, size: int, changed: int) -> tuple[tuple[str, ...], list[tuple[int, dict[str, str]]]]:
    columns, rows = read_excel(path)
    named = [name for name in columns if name]
    cells = [(row.number, {name: cell_text(row.cells.get(name)) for name in named}) for row in rows]
    return tuple(named), cells


def _parquet(path: Path):  # type: ignore[no-untyped-def]
    from pyarrow.parquet import ParquetFile

    return ParquetFile(path)


@functools.lru_cache(maxsize=2)
def _row_group(path: Path, group: int):  # type: ignore[no-untyped-def]
    return _parquet(path).read_row_group(group)


def _arrow_errors() -> tuple[type[Exception], ...]:
    from pyarrow import ArrowException

    return (ArrowException, OSError, ValueError, IndexError)


def _csv(lines: Any, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(max(_LONGEST_LINE, csv.field_size_limit()))
    return csv.reader(lines, delimiter=delimiter, strict=True)


def _decode(line: bytes, encoding: str, *, first: bool) -> str:
    if b"\0" in line:
        raise _BadLineError("holds a NUL byte; is it UTF-16, or no text file?")
    try:
        text = line.decode(encoding)
    except UnicodeDecodeError as error:
        raise _BadLineError(f"not {encoding} ({error.reason} at byte {error.start})") from None
    return text.removeprefix("\ufeff") if first else text


def _json_object(line: str) -> Mapping[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _BadLineError(f"not JSON ({one_line(error, 120)})") from None
    if not isinstance(value, dict):
        raise _BadLineError("not a JSON object")
    return value
