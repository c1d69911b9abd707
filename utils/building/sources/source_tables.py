"""The tables of a published source: a file by itself, or those in a folder, a zip file, or a folder's zip files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...base.errors import InputError
from ..item import Skipped
from .places import Folder, Place, open_place, zips_in
from .tables import UNREADABLE_FILE, Table, open_table


@dataclass(frozen=True)
class SourceTable:
    """A table that was found and opened.

    Attributes:
        name: its path in its place.
        table: its header read.
        place: what holds it.
        places: where images may be: what was given, then the zip files in it if they were looked into.
    """

    name: str
    table: Table
    place: Place
    places: tuple[Place, ...]


def source_tables(
    path: Path, source: str, kind: str, names: Callable[[Place], Sequence[str]], wanted: str, *, images_in_zips: bool
) -> Iterator[SourceTable | Skipped]:
    """Yield the tables at `path`; what cannot be opened is a `Skipped`, and so is a place without any.

    Args:
        path: exists.
        source: the benchmark's name.
        kind: a value of `tables.FORMATS`; a file with this suffix is a table by itself.
        names: which files of a place are tables of the source. Zip files in a place are asked only if it has none.
        wanted: what a message says is not there.
        images_in_zips: look into a place's zip files also where it has tables.
    """
    try:
        single = path.suffix.casefold() == f".{kind}"
        place: Place = Folder(path.parent) if single else open_place(path)
        found = [(place, name) for name in ([path.name] if single else names(place))]
        boxes = zips_in(place) if images_in_zips or not found else ()
        found = found or [(box, name) for box in boxes for name in names(box)]
    except InputError as error:
        yield Skipped(source, path.name, UNREADABLE_FILE, str(error))
        return
    if not found:
        yield Skipped(source, path.name, UNREADABLE_FILE, f"no {wanted} in it")
    for holder, name in found:
        try:
            table = open_table(holder.local(name), name=name, format=kind)
        except InputError as error:
            yield Skipped(source, name, UNREADABLE_FILE, str(error))
            continue
        yield SourceTable(name, table, holder, (place, *boxes))
