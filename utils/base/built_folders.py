"""Folders that a program makes once and then uses: whole or absent, known by what they are made of."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .errors import InputError


def build_folder(
    directory: str | Path, identity: Mapping[str, Any], write: Callable[[Path], None], *, marker: str, what: str
) -> Path:
    """Make a folder, or reuse the one that is there.

    The folder appears in one step, finished, and several processes may ask for the same one at the same time. A build
    of another identity, or with a file missing or altered, is replaced. A lock file, `.NAME.lock`, stays beside it.

    Args:
        directory: folder to make, with its parents.
        identity: what the content follows from, in values that JSON can hold: equal identities are interchangeable.
        write: fills an empty folder.
        marker: name of the JSON file in the folder that holds the identity and a SHA-256 for every file.
        what: what messages call it.

    Returns:
        The folder's absolute path.

    Raises:
        InputError: `directory` is a file or holds anything that no build has written.
    """
    directory = Path(directory).expanduser().resolve()
    if is_built(directory, identity, marker):
        return directory

    from filelock import FileLock

    directory.parent.mkdir(parents=True, exist_ok=True)
    building = directory.with_name(f".{directory.name}.building")
    outdated = directory.with_name(f".{directory.name}.outdated")
    with FileLock(directory.with_name(f".{directory.name}.lock")):
        if is_built(directory, identity, marker):
            return directory
        _refuse_foreign(directory, marker, what)
        for leftover in (building, outdated):
            shutil.rmtree(leftover, ignore_errors=True)
        building.mkdir()
        write(building)
        digests = {name: _digest(building / name) for name in _files(building)}
        text = json.dumps({**identity, "files": digests}, indent=2) + "\n"
        (building / marker).write_text(text, encoding="utf-8")
        if directory.exists():
            directory.rename(outdated)
        building.rename(directory)
        shutil.rmtree(outdated, ignore_errors=True)
    return directory


def is_built(directory: Path, identity: Mapping[str, Any], marker: str) -> bool:
    """Return whether a folder holds a finished build of this identity, every file as it was written."""
    try:
        found = json.loads((directory / marker).read_text(encoding="utf-8"))
        files = found.pop("files")
        return found == identity and all(_digest(directory / name) == files[name] for name in files)
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return False


def _files(directory: Path) -> list[str]:
    return sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _refuse_foreign(directory: Path, marker: str, what: str) -> None:
    """Never delete what no build has written: raise if there is anything else in the way."""
    if not directory.exists():
        return
    if not directory.is_dir():
        raise InputError(f"{what}: {directory} is a file; name a folder")
    try:
        ours = {marker, *json.loads((directory / marker).read_text(encoding="utf-8"))["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        ours = set()
    foreign = [name for name in _files(directory) if name not in ours]
    if foreign:
        raise InputError(
            f"{what}: {directory} holds files that no build wrote ({foreign[0]}, …); name a new or an empty folder"
        )
