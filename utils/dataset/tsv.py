"""The four-file TSV layout: its columns, what a row means, and how a wrong row is reported.

Column names follow VLMEvalKit's layout as the authors' loader reads it; other spellings are taken from
`COLUMN_NAMES`, matched without regard to case, spaces, hyphens and underscores. Columns that nobody knows are kept as
`extra`.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..base.errors import InputError, one_line
from . import taxonomy
from .delimited import cells_of_line

COLUMN_NAMES: Mapping[str, tuple[str, ...]] = {
    "item_id": ("index", "id", "question_id"),
    "question": ("question",),
    "answer": ("answer",),
    "image": ("image",),
    "image_path": ("image_path", "image_paths", "images"),
    "modality": ("modality", "modality_type"),
    "degradation": ("degradation_type", "degradation"),
    "severity": ("degradation_severity", "severity", "level"),
    "source": ("source", "dataset", "source_dataset"),
    "skill": (
        "skill",
        "fine_grained_skill",
        "capability",
        "category",
        "clinical_vqa_task",
        "medical_task",
        "task",
    ),
    "question_type": ("question_type",),
    "source_question": ("source_index", "source_question_id", "clean_index", "original_index", "good_index"),
    "cluster": ("cluster_id",),
    "origin": ("degradation_origin",),
}
"""What a column holds -> its names, the preferred one first."""

REQUIRED: tuple[str, ...] = ("item_id", "question", "answer")

# What pandas, with which the authors read the files, takes for a missing value; case matters to it.
MISSING_VALUES = frozenset(
    {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA"}
    | {"NULL", "NaN", "None", "n/a", "nan", "null"}
)
_WORDS_FOR_NONE = frozenset({"None", "NA", "N/A", "n/a"})
"""Missing values that are also what somebody would write as the text of an option."""
_MISSING_LABELS = frozenset(value.casefold() for value in MISSING_VALUES)

# The csv module's own limit of 128 KiB is less than one image. A higher one than ours (about 100 MB of image) would
# let one stray quotation mark take a file of gigabytes for a single cell, at four bytes per character.
_LARGEST_CELL = 2**27
_LONGEST_HEADER = 2**20


@dataclass(frozen=True)
class Columns:
    """The columns of a file, by what they hold.

    Attributes:
        roles: key of `COLUMN_NAMES` -> column name, for those that the file has.
        options: option letter -> column name, in the order of the letters.
        extra: the columns that are neither.
    """

    roles: Mapping[str, str]
    options: Mapping[str, str]
    extra: tuple[str, ...]

    @property
    def holds_images(self) -> bool:
        """Whether images are inside the file (base64) rather than beside it (paths)."""
        return "image" in self.roles


Place = tuple[int, int]
"""Where a record begins in its file: the line, counted from 1, and the byte."""


@dataclass(frozen=True)
class Row:
    """One row with its image cell still unread."""

    place: Place
    item_id: str
    question: str
    options: Mapping[str, str]
    answer: str
    image_cell: str
    level: str
    modality: str
    degradation: str | None
    skill: str
    source: str
    source_question: str | None
    cluster: str | None
    origin: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)


def assign_columns(header: list[str], name: str, with_images: bool = True) -> Columns:
    """Find out which column holds what.

    Args:
        header: names of the columns.
        name: what messages call the file.
        with_images: whether there must be a column of images; a file of answers has none.

    Raises:
        InputError: if a required column is missing (the message lists those found) or a name occurs twice.
    """
    by_key: dict[str, str] = {}
    seen: set[str] = set()
    for column in header:
        key = _column_key(column)
        if column in seen or (key in by_key and (key in _KNOWN_KEYS or len(key) == 1)):
            raise InputError(one_line(f"{name} has two columns for the same, {by_key[key]!r} and {column!r}"))
        seen.add(column)
        by_key.setdefault(key, column)
    roles = {
        role: by_key[found]
        for role, names in COLUMN_NAMES.items()
        if (found := next((key for key in map(_column_key, names) if key in by_key), None))
    }
    options = {column.upper(): column for column in header if re.fullmatch(r"[A-Za-z]", column)}
    options = dict(sorted(options.items()))
    missing = [COLUMN_NAMES[role][0] for role in REQUIRED if role not in roles]
    missing += [letter for letter in "AB" if letter not in options]
    if with_images and "image" not in roles and "image_path" not in roles:
        missing.append("image or image_path")
    if missing:
        columns = ", ".join(filter(None, header)) or "none"
        raise InputError(one_line(f"{name} lacks the column {', '.join(missing)}; found {columns}"))
    if "image" in roles and "image_path" in roles:
        del roles["image_path"]
    known = {*roles.values(), *options.values()}
    return Columns(roles, options, tuple(column for column in header if column not in known))


def parse_header(line: bytes, name: str) -> Columns:
    """Return the columns that a file's first line names."""
    return assign_columns(_header(line, name), name)


def first_line(path: Path) -> bytes:
    """Return a file's first line, the header. Raises `InputError` if the file cannot be read."""
    try:
        with path.open("rb") as file:
            return file.readline(_LONGEST_HEADER)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror})") from None


class TsvFile:
    """A TSV file read row by row, never as a whole: with images inside, it has several gigabytes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns = parse_header(first_line(path), path.name)

    def rows(self) -> Iterator[Row]:
        """Yield the rows in order. Raises `InputError`, naming file and line, at the first that cannot be used."""
        return (self._row(line, offset, cells) for line, offset, cells in self._records())

    def image_cell(self, place: Place) -> str:
        """Return the image cell of the record that begins at `place`."""
        _, _, cells = next(self._records(place))
        return cells[self.columns.roles["image"]].strip()

    def _records(self, start: Place | None = None) -> Iterator[tuple[int, int, dict[str, str]]]:
        """Yield (line, byte offset, cells) of each record, from `start` or else from the first on."""
        name = self.path.name
        with self.path.open("rb") as file:
            header = _header(file.readline(_LONGEST_HEADER), name)
            line, offset = start or (2, file.tell())
            file.seek(offset)
            lines = _CountedLines(file, name, line)
            reader = _reader(lines)
            while True:
                record_offset, record_line = offset + lines.bytes_read, lines.next_line
                try:
                    cells = next(reader, None)
                except csv.Error as error:
                    cells = cells_of_line(lines.last, "\t") if lines.next_line == record_line + 1 else None
                    if cells is None:
                        raise InputError(f"{name}, line {record_line}: {error}") from None
                if cells is None:
                    return
                if not cells:
                    continue
                if len(cells) != len(header):
                    raise InputError(
                        f"{name}, line {record_line}: {len(cells)} cells where the header has {len(header)}; is the "
                        "file cut off or not separated by tabs?"
                    )
                yield record_line, record_offset, dict(zip(header, cells, strict=True))

    def _row(self, line: int, offset: int, cells: Mapping[str, str]) -> Row:
        return row_of_cells(cells, self.columns, self.path.name, (line, offset))


def row_of_cells(cells: Mapping[str, str], columns: Columns, name: str, place: Place) -> Row:
    """Return the item that a row's cells describe. Raises `InputError`, naming file and line, where they do not."""

    def cell(role: str) -> str | None:
        column = columns.roles.get(role)
        text = "" if column is None else cells[column].strip()
        return None if text.casefold() in _MISSING_LABELS else text

    try:
        item_id = cell("item_id")
        if item_id is None:
            raise InputError("the item has no index")
        question = cell("question")
        if question is None:
            raise InputError("the item has no question")
        answer = (cell("answer") or "").upper()
        options = _options(cells, columns, answer)
        level = taxonomy.severity_label(cell("severity") or taxonomy.CLEAN)
        degradation = None if level == taxonomy.CLEAN else cell("degradation")
        origin = cell("origin")
        if level != taxonomy.CLEAN and degradation is None and origin is None:
            raise InputError(f"the item is degraded ({level}) but names no degradation")
        modality = cell("modality")
        source = cell("source")
        source_question, cluster = cell("source_question"), cell("cluster")
        return Row(
            place=place,
            item_id=identifier(item_id),
            question=question,
            options=options,
            answer=answer,
            image_cell=cell("image") or cell("image_path") or "",
            level=level,
            modality=taxonomy.modality(modality) if modality else taxonomy.UNLABELLED,
            degradation=taxonomy.degradation(degradation) if degradation else None,
            skill=_skill(source or "", cell("skill"), cell("question_type")),
            source=taxonomy.source(source) if source else taxonomy.UNLABELLED,
            source_question=identifier(source_question) if source_question else None,
            cluster=identifier(cluster) if cluster else None,
            origin=origin,
            extra={column: cells[column] for column in columns.extra if cells[column] != ""},
        )
    except InputError as error:
        raise at_line(name, place[0], cells[columns.roles["item_id"]], error) from None


class ImageCells:
    """Image cells by item id, for rows whose cell names another row's image instead of repeating it.

    VLMEvalKit writes the index of the first row with the same image where it would repeat the base64 text.
    """

    LONGEST_REFERENCE = 64

    def __init__(self, file: TsvFile, places: Mapping[str, Place]) -> None:
        self._file = file
        self._places = places

    def follow(self, cell: str) -> str:
        """Return the cell itself, or, where it is short and names an item, that item's cell.

        Raises:
            InputError: if the references lead round in a circle.
        """
        seen = set()
        while len(cell) <= self.LONGEST_REFERENCE and (name := identifier(cell)) in self._places:
            if name in seen:
                raise InputError(f"the image cell {name!r} names a row, and that row's cell leads back to it")
            seen.add(name)
            cell = self._file.image_cell(self._places[name])
        return cell


class _CountedLines:
    """Decoded lines of a binary file, with the bytes and lines handed out so far."""

    def __init__(self, file, name: str, next_line: int) -> None:  # type: ignore[no-untyped-def]
        self._file, self._name = file, name
        self.bytes_read, self.next_line = 0, next_line
        self.last = ""

    def __iter__(self) -> _CountedLines:
        return self

    def __next__(self) -> str:
        line = self._file.readline(_LARGEST_CELL + 1)
        if not line:
            raise StopIteration
        if len(line) > _LARGEST_CELL:
            raise InputError(f"{self._name}, line {self.next_line}: longer than {_LARGEST_CELL} bytes")
        self.last = text = _decode(line, self._name, self.next_line)
        self.bytes_read += len(line)
        self.next_line += 1
        return text


def at_line(name: str, line: int, item: str, error: Exception) -> InputError:
    """Return the error of one row with the file, the line and the item that it is about put before it."""
    return InputError(one_line(f"{name}, line {line} (index {one_line(item.strip(), 60)!r}): {error}"))


def identifier(text: str) -> str:
    """Return an index as text; "12.0", as pandas writes whole numbers of a column with gaps, is "12"."""
    stripped = text.strip()
    return re.sub(r"\.0+$", "", stripped) if re.fullmatch(r"\d+\.0+", stripped) else stripped


def question_key(row: Row) -> str:
    """Return a key of the source question by what it says: source, question and options, hashed.

    It serves where no column names the clean item behind a degraded one. Questions that read the same about
    different images share the key, so clusters made of it are never too small.
    """
    parts = [row.source, row.question, *(f"{letter}\x1e{text}" for letter, text in row.options.items())]
    return "text:" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def extra_as_json(row: Row) -> str:
    """Return the columns that the package does not know as one JSON object."""
    return json.dumps(row.extra, ensure_ascii=False, sort_keys=True)


def _options(cells: Mapping[str, str], columns: Columns, answer: str) -> dict[str, str]:
    # pandas, and so the authors' loader, takes an option that reads "None" for missing. Shown only where it is the
    # answer it would give the answer away, so what the answer is plays no part: a word is an option as it stands,
    # unless the row has it in two places, where it marks what is missing.
    texts = {letter: cells[column].strip() for letter, column in columns.options.items()}
    words = [text for text in texts.values() if text in _WORDS_FOR_NONE]
    missing = MISSING_VALUES if len(words) > 1 else MISSING_VALUES - _WORDS_FOR_NONE
    options = {letter: text for letter, text in texts.items() if text not in missing}
    if len(options) < 2:
        raise InputError(f"the item has {len(options)} option{'s' if len(options) != 1 else ''}, not at least 2")
    if answer not in options:
        raise InputError(f"the answer {answer!r} is not among the options {', '.join(options)}")
    return options


def _skill(source: str, label: str | None, question_type: str | None) -> str:
    if label is None:
        label, question_type = question_type, None
    if label is None:
        return taxonomy.UNLABELLED
    combined = taxonomy.skill_from_label(source, f"{label} / {question_type}") if question_type else None
    if combined not in (None, taxonomy.UNLABELLED):
        return combined
    return taxonomy.skill_from_label(source, label)


def _column_key(column: str) -> str:
    return re.sub(r"[\s_-]", "", column.casefold())


def _reader(lines: Iterable[str]) -> Iterator[list[str]]:
    csv.field_size_limit(max(_LARGEST_CELL, csv.field_size_limit()))
    return csv.reader(lines, delimiter="\t", strict=True)


_KNOWN_KEYS = frozenset(_column_key(name) for names in COLUMN_NAMES.values() for name in names)


def _header(line: bytes, name: str) -> list[str]:
    if len(line) >= _LONGEST_HEADER:
        raise InputError(f"{name}, line 1: longer than {_LONGEST_HEADER} bytes; is it a TSV file?")
    try:
        return [column.strip() for column in next(_reader([_decode(line, name, 1)]), [])]
    except csv.Error as error:
        raise InputError(f"{name}, line 1: {error}") from None


def _decode(line: bytes, name: str, number: int) -> str:
    if b"\0" in line:
        raise InputError(f"{name}, line {number}: holds a NUL byte; is it UTF-16, or no text file?")
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{name}, line {number}: not UTF-8 ({error.reason} at byte {error.start})") from None
