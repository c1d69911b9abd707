"""The four-file TSV layout: which columns there are, what a row means, what is wrong with it.

Column names follow VLMEvalKit's layout as the authors' loader reads it; other spellings are taken from
`COLUMN_NAMES`, matched without regard to case, spaces and underscores. Columns that nobody knows are kept as `extra`.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .. import taxonomy
from ..errors import InputError

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
}
"""What a column holds -> its names, the preferred one first."""

REQUIRED: tuple[str, ...] = ("item_id", "question", "answer")

# What pandas, with which the authors read the files, takes for a missing value.
_MISSING_VALUES = frozenset(
    {"", "nan", "none", "null", "na", "n/a", "<na>", "#n/a", "#na", "-nan", "1.#ind", "1.#qnan", "-1.#ind"}
)
_LARGEST_CELL = 2**31 - 1  # the csv module's own limit of 128 KiB is less than one image


@dataclass(frozen=True)
class Columns:
    """Which column of a file holds what.

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


@dataclass(frozen=True)
class Row:
    """One row with its image cell still unread."""

    line: int
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
    extra: Mapping[str, str] = field(default_factory=dict)


def assign_columns(header: list[str], name: str) -> Columns:
    """Find out which column holds what.

    Raises:
        InputError: if a required column is missing (the message lists those found) or a name occurs twice.
    """
    if len(set(header)) != len(header):
        twice = sorted({column for column in header if header.count(column) > 1})
        raise InputError(f"{name} has the column {', '.join(map(repr, twice))} twice")
    by_key = {_column_key(column): column for column in header}
    roles = {
        role: by_key[key]
        for role, names in COLUMN_NAMES.items()
        if (key := next((k for k in map(_column_key, names) if k in by_key), None))
    }
    options = {column.upper(): column for column in header if re.fullmatch(r"[A-Za-z]", column)}
    options = dict(sorted(options.items()))
    missing = [COLUMN_NAMES[role][0] for role in REQUIRED if role not in roles]
    missing += [letter for letter in "AB" if letter not in options]
    if "image" not in roles and "image_path" not in roles:
        missing.append("image or image_path")
    if missing:
        raise InputError(f"{name} lacks the column {', '.join(missing)}; found {', '.join(header) or 'none'}")
    if "image" in roles and "image_path" in roles:
        del roles["image_path"]
    known = {*roles.values(), *options.values()}
    return Columns(roles, options, tuple(column for column in header if column not in known))


def parse_header(line: bytes, name: str) -> Columns:
    """Return the columns that a file's first line names."""
    return assign_columns(next(csv.reader([_decode(line, name, 1)], delimiter="\t"), []), name)


class TsvFile:
    """A TSV file read row by row, never as a whole: with images inside, it has several gigabytes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            self.columns = parse_header(file.readline(), path.name)

    def rows(self) -> Iterator[Row]:
        """Yield the rows in order. Raises `InputError`, naming file and line, at the first that cannot be used."""
        return (self._row(line, cells) for line, _, cells in self._records(0, 1))

    def image_cells(self) -> ImageCells:
        """Return access to image cells by item id (see `ImageCells`)."""
        return ImageCells(self)

    def _records(self, offset: int, line: int) -> Iterator[tuple[int, int, dict[str, str]]]:
        """Yield (line, byte offset, cells) of each record; `offset` and `line` say where to begin."""
        csv.field_size_limit(_LARGEST_CELL)
        with self.path.open("rb") as file:
            header = next(csv.reader([_decode(file.readline(), self.path.name, 1)], delimiter="\t"))
            if offset:
                file.seek(offset)
            else:
                offset, line = file.tell(), 2
            lines = _CountedLines(file, self.path.name, line)
            reader = csv.reader(lines, delimiter="\t", strict=True)
            while True:
                record_offset, record_line = offset + lines.bytes_read, lines.next_line
                try:
                    cells = next(reader, None)
                except csv.Error as error:
                    raise InputError(f"{self.path.name}, line {record_line}: {error}") from None
                if cells is None:
                    return
                if not cells:
                    continue
                if len(cells) != len(header):
                    raise InputError(
                        f"{self.path.name}, line {record_line}: {len(cells)} cells where the header has "
                        f"{len(header)}; is the file cut off or not separated by tabs?"
                    )
                yield record_line, record_offset, dict(zip(header, cells, strict=True))

    def _row(self, line: int, cells: Mapping[str, str]) -> Row:
        def cell(role: str) -> str | None:
            column = self.columns.roles.get(role)
            return None if column is None or is_missing(cells[column]) else cells[column].strip()

        try:
            item_id = cell("item_id")
            if item_id is None:
                raise InputError("the item has no index")
            question = cell("question")
            if question is None:
                raise InputError("the item has no question")
            answer = (cell("answer") or "").upper()
            options = _options(cells, self.columns, answer)
            level = taxonomy.level(cell("severity") or taxonomy.CLEAN)
            degradation = cell("degradation")
            if level != taxonomy.CLEAN and degradation is None:
                raise InputError(f"the item is degraded ({level}) but names no degradation")
            modality = cell("modality")
            source = cell("source")
            source_question = cell("source_question")
            return Row(
                line=line,
                item_id=identifier(item_id),
                question=question,
                options=options,
                answer=answer,
                image_cell=cell("image") or cell("image_path") or "",
                level=level,
                modality=taxonomy.modality(modality) if modality else taxonomy.UNLABELLED,
                degradation=None if level == taxonomy.CLEAN else taxonomy.degradation(degradation),
                skill=_skill(source or "", cell("skill"), cell("question_type")),
                source=taxonomy.source(source) if source else taxonomy.UNLABELLED,
                source_question=identifier(source_question) if source_question else None,
                extra={column: cells[column] for column in self.columns.extra if cells[column] != ""},
            )
        except InputError as error:
            column = self.columns.roles["item_id"]
            raise InputError(f"{self.path.name}, line {line} ({column} {cells[column]!r}): {error}") from None


class ImageCells:
    """Image cells by item id, for rows whose cell names another row's image instead of repeating it.

    VLMEvalKit writes the index of the first row with the same image where it would repeat the base64 text.
    """

    LONGEST_REFERENCE = 64

    def __init__(self, file: TsvFile) -> None:
        self._file = file
        self._places = {
            identifier(cells[file.columns.roles["item_id"]]): (offset, line)
            for line, offset, cells in file._records(0, 1)
        }

    def follow(self, cell: str) -> str:
        """Return the cell itself, or, where it is short and names an item, that item's cell."""
        if len(cell) > self.LONGEST_REFERENCE or (place := self._places.get(identifier(cell))) is None:
            return cell
        _, _, cells = next(self._file._records(*place))
        return cells[self._file.columns.roles["image"]].strip()


class _CountedLines:
    """Decoded lines of a binary file, with the bytes and lines handed out so far."""

    def __init__(self, file, name: str, next_line: int) -> None:  # type: ignore[no-untyped-def]
        self._file, self._name = file, name
        self.bytes_read, self.next_line = 0, next_line

    def __iter__(self) -> _CountedLines:
        return self

    def __next__(self) -> str:
        line = self._file.readline()
        if not line:
            raise StopIteration
        text = _decode(line, self._name, self.next_line)
        self.bytes_read += len(line)
        self.next_line += 1
        return text


def is_missing(cell: str | None) -> bool:
    """Whether a cell stands for no value: empty, or what pandas reads as one (NaN, None, NA, ...)."""
    return cell is None or cell.strip().casefold() in _MISSING_VALUES


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
    # An option that reads "None" is missing to pandas and so to the authors' loader, but not if it is the answer.
    options = {
        letter: cells[column].strip()
        for letter, column in columns.options.items()
        if not is_missing(cells[column]) or (letter == answer and cells[column].strip())
    }
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
    return column.strip().casefold().replace(" ", "_")


def _decode(line: bytes, name: str, number: int) -> str:
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{name}, line {number}: not UTF-8 ({error.reason} at byte {error.start})") from None
