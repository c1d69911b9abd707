"""Which image files a list of files and folders names, and what each is called among the outputs."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from ..base.errors import InputError
from .decoding import SUFFIXES
from .reading import read_bytes, read_start
from .recognition import HEAD_BYTES, is_dicom


@dataclass(frozen=True)
class Source:
    """One input file.

    Attributes:
        path: where it is.
        item: unique in a run: its path below its folder, posix, without suffix; or, if neutral, of its content alone.
        neutral: no output may hold its name or its folders' names.
    """

    path: Path
    item: str
    neutral: bool = False

    @property
    def written_name(self) -> str:
        """What outputs call the file: its path, or, if neutral, its item."""
        return self.item if self.neutral else self.path.as_posix()


@dataclass(frozen=True)
class Search:
    """What a search of folders found: images, files passed over, and folders or files that cannot be read."""

    sources: tuple[Source, ...]
    passed_over: int
    errors: tuple[str, ...]


def find_sources(
    inputs: Sequence[Path], *, excluding: Path | None = None, follow_links: bool = False, neutral_names: bool = False
) -> Search:
    """List the image files that `inputs` name, folders searched to the bottom, in the order of their paths.

    A file named directly is always taken. In a folder, image suffixes count, and files of any other name that begin as
    DICOM files do; hidden files, `DICOMDIR`, pipes and devices do not. Symbolic links to folders are not followed, and
    links to image files only within the folder.

    Where two files would have the same item (`a.png` and `a.jpg`, or `a.png` in two folders), both items get
    `~` and eight digits of their content's hash; copies of one file are one item.

    Args:
        inputs: files and folders.
        excluding: the output folder.
        follow_links: take files outside a folder, too, to which links in it lead.
        neutral_names: let items be 16 hexadecimal digits of the SHA-256 of the file's content, since names of files and
            folders may name a patient.

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
            leaving: list[Path] = []
            for path in _walk(given, errors):
                if not _counts_as_image(path, errors):
                    passed_over += 1
                elif not follow_links and _leaves(path, given):
                    leaving.append(path)
                else:
                    found.append((path, PurePosixPath(path.relative_to(given).as_posix())))
            if leaving:
                errors.append(
                    f"{given}: links to {len(leaving)} image files outside the folder are not read (the first: "
                    f"{leaving[0]}); --follow-links reads them"
                )
        else:
            found.append((given, PurePosixPath(given.name)))
    sources = _with_neutral_items(found) if neutral_names else _with_items(found)
    return Search(tuple(sources), passed_over, tuple(errors))


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
    if path.name.upper() == "DICOMDIR":
        return False
    named = path.suffix.lower() in SUFFIXES
    try:
        status = path.stat()
    except OSError as error:
        if named:
            errors.append(f"{path}: cannot be read ({error.strerror})")
        return False
    if not stat.S_ISREG(status.st_mode):
        if named:
            errors.append(f"{path}: not a regular file (a pipe or a device)")
        return False
    if named:
        return True
    # Scanners and archives give DICOM files any ending: numbers, the parts of a UID, `.IMA`.
    try:
        return is_dicom(read_start(path, HEAD_BYTES))
    except InputError as error:
        errors.append(str(error))
        return False


def _leaves(path: Path, folder: Path) -> bool:
    """Whether a link in a folder leads out of it."""
    return path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _with_neutral_items(found: Iterable[tuple[Path, PurePosixPath]]) -> list[Source]:
    """Make the hash of each file's content its item; of copies, one counts."""
    sources: dict[str, Source] = {}
    for path, _ in sorted(found, key=lambda pair: str(pair[0])):
        try:
            item = hashlib.sha256(read_bytes(path)).hexdigest()[:16]
        except InputError:
            item = f"unreadable {len(sources)}"  # fails again, and is reported, when its turn comes
        sources.setdefault(item, Source(path, item, neutral=True))
    return sorted(sources.values(), key=lambda source: source.item)


def _with_items(found: Iterable[tuple[Path, PurePosixPath]]) -> list[Source]:
    """Give each file its item; see `find_sources`."""
    groups: dict[str, dict[Path, Source]] = defaultdict(dict)
    # Sorted, so that of several copies the same one counts in whatever order the folders were named.
    for path, relative in sorted(found, key=lambda pair: (str(pair[1]), str(pair[0]))):
        # A DICOM name such as 1.2.840.113 has no suffix to take off.
        item = str(relative.with_suffix("") if relative.suffix.lower() in SUFFIXES else relative)
        # Case is folded: Windows and macOS hold `A.png` and `a.png` for one file.
        groups[item.casefold()].setdefault(Path(os.path.realpath(path)), Source(path, item))
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
