"""Where a source's files lie: a folder, a zip file, a zip file inside either; each file is opened only when asked for.

Nothing is unpacked by the names that an archive gives. A table inside a zip file is copied to a scratch folder of this
process under a name of our own, because images inside the table are looked up by their place in the file; the folder
goes when the process ends.
"""

from __future__ import annotations

import functools
import itertools
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ...base.errors import InputError, one_line
from ...images.reading import read_start
from ..item import ImageSource

MAX_IMAGE_BYTES = 2**28
"""No encoded image is larger (256 MiB); it also bounds what a crafted archive member can inflate to."""

_MAX_TABLE_BYTES = 2**30
_MAX_TABLE_RATIO = 100
"""A table over 1 GiB that was packed more than a hundredfold is no table: base64 packs to 3/4, JSON to about 1/20."""


class MissingImageError(InputError):
    """There is no such image file."""


class EmptyImageError(InputError):
    """The image file has 0 bytes."""


@dataclass(frozen=True)
class FileImage:
    """Reads an image file. May be sent to another process."""

    path: Path
    name: str

    def __call__(self) -> bytes:
        try:
            data = read_start(self.path, MAX_IMAGE_BYTES + 1)
        except InputError as error:
            # Without the path on this machine: what is skipped is published.
            raise InputError(one_line(str(error).replace(str(self.path), self.name, 1))) from None
        if len(data) > MAX_IMAGE_BYTES:
            raise InputError(one_line(f"{self.name}: larger than {MAX_IMAGE_BYTES} bytes"))
        return data


@dataclass(frozen=True)
class ZippedImage:
    """Reads an image out of a zip file. May be sent to another process."""

    archive: Path
    member: str
    name: str

    def __call__(self) -> bytes:
        try:
            opened = _archive(self.archive, os.getpid())
            info = opened.getinfo(self.member)
            if info.file_size > MAX_IMAGE_BYTES:
                raise InputError(
                    one_line(f"{self.name}: unpacks to {info.file_size} bytes, more than {MAX_IMAGE_BYTES}")
                )
            with opened.open(info) as file:
                return file.read(MAX_IMAGE_BYTES + 1)
        except InputError:
            raise
        except _ZIP_ERRORS as error:
            raise InputError(one_line(f"{self.name}: damaged or not readable ({one_line(error, 120)})")) from None


class Place(Protocol):
    """Something that holds files under relative names with slashes."""

    @property
    def shown(self) -> str:
        """What messages call the folder or zip file: its name, and that of the one around it, but no path of the
        machine: what is skipped is published."""
        ...

    def names(self) -> tuple[str, ...]:
        """All files, sorted; hidden ones and those of macOS's resource forks left out."""
        ...

    def local(self, name: str) -> Path:
        """Return a path at which one of `names()` can be read. Raises `InputError`."""
        ...

    def image(self, name: str) -> ImageSource:
        """Return an image. `name` is a plain relative path (see `medqdeg.utils.dataset.image_cells.relative_path`).

        Raises:
            MissingImageError: there is no such file.
            EmptyImageError: it has 0 bytes.
            InputError: it is larger than any image.
        """
        ...


class Folder:
    """A folder on disk.

    Links are followed, since the Hub's cache is made of them; those to files outside the folder only where
    `follow_links` says so.
    """

    def __init__(self, path: Path, *, follow_links: bool = True) -> None:
        self.path, self.shown, self._follow_links = path, path.absolute().name, follow_links

    @functools.cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(sorted(self._walk()))

    def names(self) -> tuple[str, ...]:
        """Return all files below the folder, sorted; read once."""
        return self._names

    def _walk(self) -> Iterator[str]:
        for parent, folders, files in os.walk(self.path):
            folders[:] = [name for name in folders if _counts(name)]
            base = Path(parent).relative_to(self.path).as_posix()
            for name in files:
                if _counts(name):
                    yield name if base == "." else f"{base}/{name}"

    def local(self, name: str) -> Path:
        """Return the path on disk; nothing is copied."""
        return self.path / name

    def image(self, name: str) -> ImageSource:
        """Return an image, which is read when it is called for.

        Raises:
            MissingImageError: there is no such file.
            EmptyImageError: it has 0 bytes.
            InputError: it is larger than any image, or a link out of the folder that may not be followed.
        """
        path = self.path / name
        try:
            size = path.stat().st_size if path.is_file() else None
        except (OSError, ValueError):  # a name that no file can have
            size = None
        if size is None:
            raise MissingImageError(one_line(f"{self.shown}/{name}: no such file"))
        full = f"{self.shown}/{name}"
        if not self._follow_links and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.path)):
            raise InputError(
                one_line(f"{full}: a link that leaves the folder; the map's `follow_links: true` reads it")
            )
        _check_size(size, full)
        return ImageSource(full, FileImage(path, full))


class Zip:
    """A zip file; `shown` as in `Place`, the file's name unless it lies in another place.

    Raises:
        InputError: it cannot be opened, or is cut short: a zip file's list of contents stands at its end.
    """

    def __init__(self, path: Path, shown: str | None = None) -> None:
        self.path, self.shown = path, shown or path.name
        try:
            opened = _archive(path, os.getpid())
        except _ZIP_ERRORS as error:
            cause = "it is empty" if _is_empty(path) else one_line(error, 120)
            raise InputError(f"{self.shown}: not a whole zip file ({cause}); copy or download it again") from None
        self._members = {
            info.filename.replace("\\", "/"): info
            for info in opened.infolist()
            if not info.is_dir() and all(_counts(part) for part in info.filename.split("/"))
        }

    def names(self) -> tuple[str, ...]:
        """Return all members that are files, sorted."""
        return tuple(sorted(self._members))

    def local(self, name: str) -> Path:
        """Unpack a member into a temporary folder and return its path there.

        Raises:
            InputError: it is damaged, or would unpack to far more than its packed size.
        """
        info = self._members[name]
        if info.file_size > _MAX_TABLE_BYTES and info.file_size > _MAX_TABLE_RATIO * max(info.compress_size, 1):
            raise InputError(
                one_line(
                    f"{self.shown}/{name}: {info.compress_size} bytes would unpack to {info.file_size}; not unpacked"
                )
            )
        target = _scratch() / f"{next(_NUMBERS)}{Path(name).suffix}"
        try:
            with _archive(self.path, os.getpid()).open(info) as packed, target.open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked, 2**20)
        except _ZIP_ERRORS as error:
            target.unlink(missing_ok=True)
            raise InputError(
                one_line(f"{self.shown}/{name}: damaged or not readable ({one_line(error, 120)})")
            ) from None
        return target

    def image(self, name: str) -> ImageSource:
        """Return an image, which is unpacked when it is called for.

        Raises:
            MissingImageError: there is no such member.
            EmptyImageError: it has 0 bytes.
            InputError: it is larger than any image.
        """
        full = f"{self.shown}/{name}"
        if name not in self._members:
            raise MissingImageError(one_line(f"{full}: no such file"))
        info = self._members[name]
        _check_size(info.file_size, full)
        return ImageSource(full, ZippedImage(self.path, info.filename, full))


class Places:
    """Several places looked through in order: a folder and the zip files that lie in it, unopened until needed."""

    def __init__(self, places: tuple[Place, ...]) -> None:
        self._places = places

    def image(self, names: tuple[str, ...]) -> ImageSource:
        """Return the first image that is there, under any of several names. Raises as `Place.image`."""
        for place in self._places:
            for name in names:
                try:
                    return place.image(name)
                except MissingImageError:
                    continue
        raise MissingImageError(one_line(f"{self._places[0].shown}/{names[0]}: no such file"))


def open_place(path: Path, *, follow_links: bool = True) -> Place:
    """Return the folder or zip file at a path; `follow_links` as in `Folder`.

    Raises:
        InputError: there is neither, or the zip file is damaged.
    """
    if path.is_dir():
        return Folder(path, follow_links=follow_links)
    if not path.is_file():
        raise InputError(f"{path}: no such file or folder")
    return Zip(path)


def zips_in(place: Place) -> tuple[Place, ...]:
    """Return the zip files that a place holds. Raises `InputError` where one is damaged."""
    return tuple(
        Zip(place.local(name), f"{place.shown}/{name}") for name in place.names() if name.casefold().endswith(".zip")
    )


def _check_size(size: int, name: str) -> None:
    if size == 0:
        raise EmptyImageError(one_line(f"{name}: the file is empty"))
    if size > MAX_IMAGE_BYTES:
        raise InputError(one_line(f"{name}: {size} bytes, more than {MAX_IMAGE_BYTES}"))


def _counts(name: str) -> bool:
    return not name.startswith(".") and name != "__MACOSX"


def _is_empty(path: Path) -> bool:
    try:
        return path.stat().st_size == 0
    except OSError:
        return False


_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    KeyError,
    ValueError,
)
_NUMBERS = itertools.count()


@functools.lru_cache(maxsize=8)
def _archive(path: Path, process: int) -> zipfile.ZipFile:
    """Open a zip file, once a process: a forked one must not share its parent's place in the file."""
    return zipfile.ZipFile(path)


def _scratch() -> Path:
    return Path(_scratch_folder(os.getpid()).name)


@functools.lru_cache(maxsize=1)
def _scratch_folder(process: int) -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="medqdeg-")
