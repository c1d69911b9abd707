"""Readers of the three source benchmarks and of one's own items: rows in, `SourceItem` or `Skipped` out, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from ...base.errors import InputError
from ...base.hub import hub_name
from ..item import Skipped, SourceItem
from . import gmai, hub, medxpertqa, omnimedvqa, own
from .own_map import OwnMap, load_map

__all__ = ["OwnMap", "SourceSpec", "input_paths", "load_map", "open_source", "parse_source", "source_language"]

READERS: dict[str, ModuleType] = {"gmai": gmai, "omnimedvqa": omnimedvqa, "medxpertqa": medxpertqa, "own": own}
HUB = "hub"
"""What stands for a path where the source's own repository on the Hub is meant."""

_TABLE_SUFFIXES = {"own": (".yaml", ".yml"), "medxpertqa": (".csv", ".tsv")}


@dataclass(frozen=True)
class SourceSpec:
    """A source as the command line names it.

    Attributes:
        reader: a key of `READERS`.
        path: a folder or file, or None where the Hub is meant.
        repository: of the Hub, or None.
        revision: of the repository, or None.
        table: own: the map; medxpertqa: the table of modalities, or None.
    """

    reader: str
    path: Path | None
    repository: str | None = None
    revision: str | None = None
    table: Path | None = None

    def local(self) -> Path:
        """Return the path, downloaded first where the Hub is meant. Raises `InputError` as `hub.download`."""
        if self.path is not None:
            return self.path
        assert self.repository is not None
        patterns = getattr(READERS[self.reader], "FILES", ("*",))
        return hub.download(self.repository, self.revision, patterns)


def parse_source(text: str) -> SourceSpec:
    """Return what `gmai=PATH`, `omnimedvqa=PATH`, `medxpertqa=PATH[:modalities.csv]` or `own=PATH:map.yaml` names.

    PATH is a folder, a zip file or the table itself; or `owner/name[@revision]` of the Hub; or `hub` for the
    repository in which the source is published. A path that exists goes before a name of the Hub.

    Raises:
        InputError: another form or reader, nothing at the path, no map.
    """
    reader, equals, rest = text.partition("=")
    reader = reader.strip().casefold()
    if not equals or reader not in READERS or not rest.strip():
        known = ", ".join(f"{name}=PATH" + (":map.yaml" if name == "own" else "") for name in READERS)
        raise InputError(f"--source {text!r} is not understood; known are {known}")
    where, table = rest.strip(), None
    before, colon, after = where.rpartition(":")
    if colon and before and after.casefold().endswith(_TABLE_SUFFIXES.get(reader, ())):
        where, table = before, Path(after).expanduser()
        if not table.is_file():
            raise InputError(f"--source {text}: {after}: no such file")
    if reader == "own" and table is None:
        raise InputError(f"--source {text}: which column holds what? Give a map: own=PATH:map.yaml")
    path = Path(where).expanduser()
    if path.exists():
        return SourceSpec(reader, path, table=table)
    if where == HUB and reader != "own":
        return SourceSpec(reader, None, READERS[reader].REPOSITORY, table=table)
    if name := hub_name(where):
        return SourceSpec(reader, None, *name, table)
    raise InputError(f"--source {text}: {where}: no such file or folder")


def input_paths(text: str) -> tuple[Path, ...]:
    """Return the folder or file of a source, downloaded first where the Hub is meant, and its map or table."""
    spec = parse_source(text)
    return (spec.local(),) if spec.table is None else (spec.local(), spec.table)


def source_language(text: str) -> str:
    """Return the language of a source's questions, as the Hub writes it; of one's own items the map may say it."""
    spec = parse_source(text)
    stated = load_map(spec.table).language if spec.reader == "own" and spec.table is not None else None
    return stated or "en"


def open_source(text: str) -> Iterator[SourceItem | Skipped]:
    """Return the rows of a source; see `parse_source`.

    Every row of the source comes out once, as an item or as the reason why there is none; a file that cannot be read is
    one `Skipped`. Images are not opened here beyond the question whether they are there: see
    `medqdeg.utils.building.plan.duplicates.describe`.

    Raises:
        InputError: as `parse_source`, `hub.download` and the readers, before the first row.
    """
    spec = parse_source(text)
    path = spec.local()
    if spec.reader == "own":
        assert spec.table is not None
        return own.read(path, spec.table)
    if spec.reader == "medxpertqa":
        return medxpertqa.read(path, spec.table)
    return READERS[spec.reader].read(path)
