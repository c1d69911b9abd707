"""Which image files a list of files and folders names, and what each is called among the outputs."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from ..errors import InputError
from .decoding import SUFFIXES, is_dicom, read_bytes


@dataclass(frozen=True)
class Source:
    """One input file. `item` is its path below its folder, posix, without suffix, and unique in a run."""

    path: Path
    item: str


@dataclass(frozen=True)
class Search:
    """What a search of folders found: images, files passed over, and folders or files that cannot be read."""

    sources: tuple[Source, ...]
    passed_over: int
    errors: tuple[str, ...]


def find_sources(inputs: Sequence[Path], *, excluding: Path | None = None) -> Search:
    """List the image files that `inputs` name, folders searched to the bottom, in the order of their paths.

    A file named directly is always taken. In a folder, image suffixes count, and files without suffix that
    begin as DICOM files do; hidden files and `DICOMDIR` do not. Symbolic links to folders are not followed.

    Where two files would have the same item (`a.png` and `a.jpg`, or `a.png` in two folders), both items get
    `~` and eight digits of their content's hash; copies of one file are one item.

    Raises:
        InputError: an input does not exist or may not be read, or `excluding` (the output folder) lies in an
            input folder.
    """
    found: list[tuple[Path, PurePosixPath]] = []
    errors: list[str] = []
    passed_over = 0
    for given in inputs:
        if _is_folder(given):
            if excluding is not None and excluding.resolve().is_relative_to(given.resolve()):
                raise InputError(
                    f"--out {excluding} lies in the input folder {given}, whose next search would find the "
                    "outputs; choose a folder beside it"
                )
            for path in _walk(given, errors):
                if _counts_as_image(path, errors):
                    found.append((path, PurePosixPath(path.relative_to(given).as_posix())))
                else:
                    passed_over += 1
        else:
            found.append((given, PurePosixPath(given.name)))
    return Search(tuple(_with_items(found)), passed_over, tuple(errors))


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file or folder") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None


def _walk(folder: Path, errors: list[str]) -> Iterator[Path]:
    def note(error: OSError) -> None:
        errors.append(f"{error.filename}: cannot be read ({error.strerror})")

    for parent, folders, names in os.walk(folder, onerror=note):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(parent, name)


def _counts_as_image(path: Path, errors: list[str]) -> bool:
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return True
    # Scanners and archives name DICOM files by number or UID, whose last part looks like a suffix.
    if path.name.upper() == "DICOMDIR" or not (suffix == "" or suffix[1:].isdigit()):
        return False
    try:
        with path.open("rb") as file:
            return is_dicom(file.read(132))
    except OSError as error:
        errors.append(f"{path}: cannot be read ({error.strerror})")
        return False


def _with_items(found: Iterable[tuple[Path, PurePosixPath]]) -> list[Source]:
    """Give each file its item; see `find_sources`."""
    groups: dict[str, dict[Path, Source]] = defaultdict(dict)
    # Sorted, so that of several copies the same one counts in whatever order the folders were named.
    for path, relative in sorted(found, key=lambda pair: (str(pair[1]), str(pair[0]))):
        # A DICOM name such as 1.2.840.113 has no suffix to take off.
        item = str(relative.with_suffix("") if relative.suffix.lower() in SUFFIXES else relative)
        # Case is folded: Windows and macOS hold `A.png` and `a.png` for one file.
        groups[item.casefold()].setdefault(path.resolve(), Source(path, item))
    sources: list[Source] = []
    for group in groups.values():
        members = list(group.values())
        if len(members) == 1:
            sources += members
            continue
        by_content: dict[str, Source] = {}
        for source in members:
            try:
                tag = hashlib.sha256(read_bytes(source.path)).hexdigest()[:8]
            except InputError:
                tag = "unreadable"  # fails again, and is reported, when its turn comes
            by_content.setdefault(tag, replace(source, item=f"{source.item}~{tag}"))
        sources += by_content.values()
    return sorted(sources, key=lambda source: (source.item, str(source.path)))
