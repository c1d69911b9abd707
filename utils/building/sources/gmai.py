"""GMAI-MMBench: TSV files with the image as base64 in each row.

Columns as published (`OpenGVLab/GMAI-MMBench`), matched without regard to case, spaces and punctuation, since
VLMEvalKit lower-cases them: index, image, question, A to E (E may be empty or "None"), answer (a letter), category (the
text of the right label), clinical VQA task, department, perceptual granularity, modality, original task. The file VAL
has answers; TEST has none, so that its rows are all skipped. As in VLMEvalKit, a short image cell that is the index of
an earlier row stands for that row's image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ...base.errors import InputError, one_line
from ..item import ImageSource, Skipped, SourceItem
from . import checks
from .checks import RowError, label, text
from .places import Place, Places
from .skills import skill_of
from .source_tables import source_tables
from .tables import UNREADABLE_FILE, SourceRow, Table

SOURCE = "GMAI-MMBench"
REPOSITORY = "OpenGVLab/GMAI-MMBench"
FILES = ("*.tsv", "*.zip")
LICENCE = "Apache-2.0"

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("index", "id"),
    "image": ("image",),
    "image_path": ("image_path",),
    "question": ("question",),
    "answer": ("answer",),
    "category": ("category",),
    "skill": ("clinical VQA task",),
    "department": ("department",),
    "granularity": ("perceptual granularity",),
    "modality": ("modality",),
    "original_task": ("original task",),
    **{letter: (letter,) for letter in "ABCDE"},
}
_NEEDED = ("question", "A", "B")
_LONGEST_REFERENCE = 64


def read(path: Path) -> Iterator[SourceItem | Skipped]:
    """Yield the items of a TSV file, or of the TSV files in a folder or zip file.

    Raises:
        InputError: there is nothing at `path`. What is wrong with a file in it is a `Skipped`.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    return _read(path)


def _read(path: Path) -> Iterator[SourceItem | Skipped]:
    ids = checks.Ids()
    for found in source_tables(path, SOURCE, "tsv", _tsv_files, "TSV file", images_in_zips=False):
        if isinstance(found, Skipped):
            yield found
        else:
            yield from _rows(found.table, found.name, Places((found.place,)), ids)


def _tsv_files(place: Place) -> list[str]:
    return [name for name in place.names() if name.casefold().endswith(".tsv")]


def _rows(table: Table, name: str, places: Places, ids: checks.Ids) -> Iterator[SourceItem | Skipped]:
    columns = checks.find_columns(table.columns, _COLUMNS)
    missing = [role for role in _NEEDED if role not in columns]
    if "image" not in columns and "image_path" not in columns:
        missing.append("image")
    if missing:
        found = ", ".join(table.columns)
        yield Skipped(SOURCE, name, UNREADABLE_FILE, one_line(f"no column {', '.join(missing)}; found {found}"))
        return
    # Index -> the row's own reading function: what a later row's image cell may name.
    earlier: dict[str, Callable[[], Mapping[str, Any]]] = {}
    folder = name.rpartition("/")[0]
    for row in table.rows(SOURCE):
        if isinstance(row, Skipped):
            yield row
            continue
        try:
            yield ids.add(_item(row, columns, places, f"{folder}/" if folder else "", earlier), row.where)
        except RowError as error:
            yield error.skipped(SOURCE, row.where)


def _item(
    row: SourceRow,
    columns: Mapping[str, str],
    places: Places,
    folder: str,
    earlier: dict[str, Callable[[], Mapping[str, Any]]],
) -> SourceItem:
    def cell(role: str) -> str:
        return label(row.cells[columns[role]]) if role in columns else ""

    source_id = cell("id") or row.where
    if len(row.cells.get(columns.get("image", ""), "")) > _LONGEST_REFERENCE:
        earlier.setdefault(source_id, row.again)
    # First of all: a row that does not belong to the benchmark may be wrong in every other way.
    cells = {letter: row.cells[columns[letter]] for letter in "ABCDE" if letter in columns}
    question = checks.stem(text(row.cells[columns["question"]]))
    modality = checks.modality(cell("modality"), question, cell("original_task"), cell("category"), *cells.values())
    # The published file has "None" where an item has no fifth option.
    options = checks.lettered_options({letter: label(option) for letter, option in cells.items()})
    checks.check_options(options)
    chosen = cell("answer")
    if chosen.strip("().: ").upper() in cells.keys() - options.keys():
        raise RowError(
            checks.NOT_AN_OPTION, f'{chosen!r} is empty or reads "None", as an option that is not there does'
        )
    answer = checks.answer_index(chosen, options, "letter")
    right = list(options.values())[answer]
    return checks.make_item(
        source=SOURCE,
        source_id=source_id,
        question=question,
        options=options,
        answer=answer,
        modality=modality,
        skill=skill_of(SOURCE, cell("skill"), answer=right),
        images=_images(row, columns, places, folder, earlier),
        licence=LICENCE,
        extra={
            "clinical_vqa_task": cell("skill"),
            "category": cell("category"),
            "department": cell("department"),
            "perceptual_granularity": cell("granularity"),
            "original_task": cell("original_task"),
        },
    )


def _images(
    row: SourceRow,
    columns: Mapping[str, str],
    places: Places,
    folder: str,
    earlier: Mapping[str, Callable[[], Mapping[str, Any]]],
) -> tuple[ImageSource, ...]:
    if "image" not in columns:
        return (checks.image_at(places, row.cells[columns["image_path"]], (folder,)),)
    column = columns["image"]
    content = row.cells[column].strip()
    if len(content) > _LONGEST_REFERENCE or not label(content):
        return checks.base64_images(content, row.again, column, row.where)
    if content not in earlier:
        raise RowError(checks.MISSING_IMAGE, f"the image cell {content!r} is no index of an earlier row")
    return (ImageSource(f"{row.where} (image of {content})", checks.Base64Image(earlier[content], column)),)
