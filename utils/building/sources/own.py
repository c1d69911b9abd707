"""One's own items: a CSV, TSV, JSONL, parquet or Excel table and a map that says which column holds what.

Images are files beside the table (PNG, JPEG, TIFF, WebP, BMP, DICOM), base64 text, or bytes (the `datasets` Image
feature in parquet). Everything is read where it lies; nothing is changed.
"""

from __future__ import annotations

import json
import logging
import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from ...base.errors import InputError, one_line
from ...base.suggestions import did_you_mean
from ...base.table_files import recognise_dialect
from ...dataset import taxonomy
from ...dataset.image_cells import relative_path
from ...images import decode_image, encode_image
from ..item import BAD, ImageSource, Skipped, SourceItem
from . import checks
from .checks import RowError, label, text
from .own_map import OwnMap, Part, load_map
from .places import Folder, Place, Places, open_place, zips_in
from .skills import skill_of
from .tables import FORMATS, UNREADABLE_FILE, SourceRow, Table, checked_encoding, open_table

_LOOKED_AT = 2**22
"""Bytes of a table that its dialect is recognised by."""

_log = logging.getLogger("medqdeg")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

UNKNOWN_LEVEL, UNKNOWN_DEGRADATION = "unknown level", "unknown degradation"
"""Reasons why a row gives no item, of images that are already bad."""


def read(path: Path, map: Path | OwnMap) -> Iterator[SourceItem | Skipped]:
    """Yield the items of a table.

    Args:
        path: the table, or a folder or zip file that holds it (the map's `table` says under which name).
        map: a map or the YAML file of one.

    Raises:
        InputError: there is nothing at `path`, the map cannot be used, it names a column that the table does not have,
            or leaves open which table is meant. A damaged zip file or table is a `Skipped`.
    """
    chosen = load_map(map) if isinstance(map, Path) else map
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    is_table = path.suffix.lower() in FORMATS and path.is_file()
    try:
        links = chosen.follow_links
        place: Place = Folder(path.parent, follow_links=links) if is_table else open_place(path, follow_links=links)
        boxes = zips_in(place) if chosen.images_as == "path" and isinstance(place, Folder) else ()
    except InputError as error:
        return iter([Skipped(chosen.source, path.name, UNREADABLE_FILE, str(error))])
    name = path.name if is_table else _table_name(place, chosen)
    if chosen.encoding is not None:
        checked_encoding(chosen.encoding, name)
    try:
        local = place.local(name)
        encoding, delimiter = _dialect(local, name, chosen)
        table = open_table(local, name=name, encoding=encoding, delimiter=delimiter)
    except InputError as error:
        return iter([Skipped(chosen.source, name, UNREADABLE_FILE, str(error))])
    missing = [column for column in chosen.columns() if column not in table.columns]
    # JSONL has no header: a column that the first line lacks may come later, and each row says what it lacks.
    if missing and FORMATS[PurePosixPath(name).suffix.lower()] != "jsonl":
        found, hint = ", ".join(table.columns), did_you_mean(missing[0], table.columns)
        lacks = f"{name} has no column {', '.join(missing)}, which the map names"
        raise InputError(one_line(f"{lacks}; {hint}found {found}"))
    try:
        folder = relative_path(posixpath.join(posixpath.dirname(name), chosen.image_folder, "x")).removesuffix("x")
    except InputError:
        raise InputError(f"image_folder {chosen.image_folder!r} leaves the folder of the table") from None
    return _rows(table, Places((place, *boxes)), folder, chosen)


def _dialect(path: Path, name: str, chosen: OwnMap) -> tuple[str, str | None]:
    """Return encoding and delimiter, those that the map leaves open recognised by the columns that it names."""
    kind = FORMATS[PurePosixPath(name).suffix.lower()]
    if kind not in ("csv", "tsv", "jsonl"):
        return "utf-8", None
    with path.open("rb") as file:
        data = file.read(_LOOKED_AT)
    whole_lines = data if len(data) < _LOOKED_AT else data[: data.rfind(b"\n") + 1]
    if kind == "jsonl":
        return chosen.encoding or "utf-8", None
    wanted = set(chosen.columns())
    stated = chosen.delimiter or ("\t" if kind == "tsv" else None)
    found = recognise_dialect(whole_lines, name, lambda header: len(wanted & set(header)), chosen.encoding, stated)
    if (found.encoding, found.delimiter) not in (("utf-8", stated or ","), ("utf-8-sig", stated or ",")):
        _log.warning("medqdeg: %s: read as %s; state encoding and delimiter in the map to change that", name, found)
    return found.encoding, found.delimiter


def _table_name(place: Place, chosen: OwnMap) -> str:
    tables = [name for name in place.names() if PurePosixPath(name).suffix.lower() in FORMATS]
    if chosen.table is not None:
        if chosen.table in tables:
            return chosen.table
        raise InputError(f"{place.shown} has no table {chosen.table}; found {', '.join(tables[:10]) or 'none'}")
    if len(tables) == 1:
        return tables[0]
    found = ", ".join(tables[:10]) or "none"
    raise InputError(f"{place.shown} holds {len(tables)} tables ({found}); name one with `table:` in the map")


def _rows(table: Table, places: Places, folder: str, chosen: OwnMap) -> Iterator[SourceItem | Skipped]:
    ids = checks.Ids()
    for row in table.rows(chosen.source):
        if isinstance(row, Skipped):
            yield row
            continue
        try:
            yield ids.add(_item(row, chosen, places, folder), row.where)
        except RowError as error:
            yield error.skipped(chosen.source, row.where)


def _item(row: SourceRow, chosen: OwnMap, places: Places, folder: str) -> SourceItem:
    cells = row.cells
    question = checks.stem(text(chosen.question.of(cells)))
    modality = checks.modality(chosen.modality.of(cells), question)
    answer = text(chosen.answer.of(cells))
    options = _options(cells, chosen)
    checks.check_options(options)
    images = [
        _as_the_map_says(image, chosen)
        for column in chosen.images
        for image in _images(cells.get(column), row, column, chosen, places, folder)
    ]
    place = _answer(answer, options, chosen.answer_as)
    made = checks.make_item(
        source=chosen.source,
        source_id=label(chosen.id.of(cells)) or row.where,
        question=question,
        options=options,
        answer=place,
        modality=modality,
        skill=_skill(chosen.skill, cells, list(options.values())[place]),
        images=images,
        licence=label(chosen.licence.of(cells)) or None,
        extra={column: cells.get(column) for column in chosen.extra},
    )
    level = _level(label(chosen.level.of(cells)))
    if level is None:
        return made
    degradation, partner = label(chosen.degradation.of(cells)), label(chosen.clean.of(cells))
    return replace(
        made, level=level, degradation=_degradation(degradation) if degradation else None, clean_of=partner or None
    )


def _level(text: str) -> str | None:
    """Return how bad an image already is: "L1", "L2", `BAD`, or None for a clean one."""
    if not text:
        return None
    if text.casefold() == BAD:
        return BAD
    try:
        level = taxonomy.level(text)
    except InputError:
        raise RowError(UNKNOWN_LEVEL, f"{text!r}; known are L0, L1, L2, {BAD}") from None
    return None if level == taxonomy.CLEAN else level


def _degradation(text: str) -> str:
    try:
        return taxonomy.degradation(text)
    except InputError as error:
        raise RowError(UNKNOWN_DEGRADATION, error) from None


def _skill(part: Part, cells: Mapping[str, Any], answer: str) -> str:
    found = label(part.of(cells))
    return skill_of("", found, answer=answer) if found else taxonomy.UNLABELLED


def _options(cells: Mapping[str, Any], chosen: OwnMap) -> dict[str, str]:
    if chosen.options_list is None:
        values = [cells.get(column) for column in chosen.options]
    else:
        value = cells.get(chosen.options_list)
        values = _list(value, chosen.separator)
    if len(values) > len(_LETTERS):
        raise RowError(checks.MANY_OPTIONS, len(values))
    return checks.lettered_options(dict(zip(_LETTERS, values, strict=False)))


def _list(value: Any, separator: str | None) -> list[Any]:
    if isinstance(value, str) and separator is not None:
        return value.split(separator)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise RowError(checks.FEW_OPTIONS, f"not a JSON list: {value[:60]!r}") from None
    if isinstance(value, dict):
        return [value[key] for key in sorted(value)]
    if isinstance(value, list):
        return value
    raise RowError(checks.FEW_OPTIONS, "no list of options")


def _answer(answer: str, options: Mapping[str, str], given_as: str) -> int:
    if given_as not in ("number", "number from 0"):
        return checks.answer_index(answer, options, given_as)
    if not answer:
        raise RowError(checks.NO_ANSWER)
    place = int(answer) - (given_as == "number") if answer.isascii() and answer.isdigit() else -1
    letter = _LETTERS[place] if 0 <= place < len(_LETTERS) else ""
    if letter not in options:
        raise RowError(checks.NOT_AN_OPTION, f"{answer!r} of {len(options)}")
    return list(options).index(letter)


def _images(
    cell: Any, row: SourceRow, column: str, chosen: OwnMap, places: Places, folder: str
) -> Iterator[ImageSource]:
    entries = cell if isinstance(cell, list) else _split(cell, chosen)
    for place, entry in enumerate(entries):
        where = f"{row.where}, {column}" + (f" {place + 1}" if len(entries) > 1 else "")
        data = entry.get("bytes") if isinstance(entry, dict) else entry
        if isinstance(data, bytes):
            if not data:
                raise RowError(checks.EMPTY_IMAGE, where)
            yield ImageSource(where, CellBytes(row.again, column, place))
        elif isinstance(entry, dict):
            yield checks.image_at(places, entry.get("path"), (folder,))
        elif chosen.images_as == "path":
            yield checks.image_at(places, entry, (folder,))
        elif isinstance(cell, list):
            yield ImageSource(where, CellBytes(row.again, column, place))
        else:
            yield ImageSource(where, checks.Base64Image(row.again, column, place))


def _split(cell: Any, chosen: OwnMap) -> list[Any]:
    """A cell of text may hold a JSON list of paths; an absent one holds no image."""
    if isinstance(cell, str):
        if not label(cell):
            return []
        if cell.lstrip().startswith("["):
            try:
                return checks.split_cell(cell)
            except InputError as error:
                raise RowError(checks.BAD_IMAGE, error) from None
        return [cell]
    return [] if cell is None or cell != cell else [cell]


def _as_the_map_says(image: ImageSource, chosen: OwnMap) -> ImageSource:
    if chosen.frame is None and chosen.window is None:
        return image
    return ImageSource(image.name, Rendered(image, chosen.frame, chosen.window))


@dataclass(frozen=True)
class CellBytes:
    """Reads an image that is bytes (or base64 text) in a cell or in a cell's list. May be sent to another process."""

    row: Callable[[], Mapping[str, Any]]
    column: str
    place: int

    def __call__(self) -> bytes:
        cell = self.row()[self.column]
        entry = cell[self.place] if isinstance(cell, list) else cell
        data = entry.get("bytes") if isinstance(entry, dict) else entry
        return data if isinstance(data, bytes) else checks.decode_base64(str(data))


@dataclass(frozen=True)
class Rendered:
    """Reads one frame of an image, through the window that the map gives, as PNG. May be sent to another process."""

    image: ImageSource
    frame: int | None
    window: tuple[float, float] | str | None

    def __call__(self) -> bytes:
        decoded = decode_image(self.image.read(), name=self.image.name, frame=self.frame, window=self.window)
        return encode_image(decoded.image)
