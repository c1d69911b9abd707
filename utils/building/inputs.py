"""What the files look like that sources name: whether they changed, their hashes, their names without folders."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from .layout import file_sha256


def stamp(text: str) -> list[Any]:
    """Say what the files that a source's text names look like; [] where it names none."""
    where = text.partition("=")[2] or text
    names = [where, *where.rsplit(":", 1)] if ":" in where else [where]
    stamps: list[Any] = []
    for name in names:
        try:
            path = Path(name).expanduser()
            if path.is_file():
                stamps.append([path.stat().st_size, path.stat().st_mtime_ns])
            elif path.is_dir():
                found = [entry.stat() for entry in path.rglob("*") if entry.is_file()]
                newest = max((stat.st_mtime_ns for stat in found), default=0)
                stamps.append([len(found), sum(stat.st_size for stat in found), newest])
        except (OSError, ValueError):
            continue
    return stamps


def hashed(
    texts: Iterable[str], paths_of: Callable[[str], Iterable[Path]], progress: Callable[[int], None]
) -> list[dict[str, Any]]:
    """Return `source`, `name`, `bytes` and `sha256` of all that sources name, sorted.

    The hash of a folder, which has `files`, too, is taken over its files' hashes and names. A file that cannot be read
    counts as one without content here; the readers name it.

    Args:
        texts: sources as they were given.
        paths_of: the files and folders that a source names.
        progress: called with the number of files hashed.
    """
    found = []
    done = 0
    for text in texts:
        for path in paths_of(text):
            entry: dict[str, Any] = {"source": without_folders(text), "name": path.absolute().name}
            files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
            hashes = []
            for file in files:
                hashes.append(_sha256(file))
                done += 1
                if done % 100 == 0:
                    progress(done)
            if path.is_file():
                entry["sha256"] = hashes[0]
            else:
                lines = (
                    f"{sha256} {file.relative_to(path).as_posix()}\n"
                    for sha256, file in zip(hashes, files, strict=True)
                )
                entry["sha256"] = hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()
                entry["files"] = len(files)
            entry["bytes"] = sum(file.stat().st_size for file in files)
            found.append(entry)
    return sorted(found, key=lambda entry: (entry["source"], entry["name"], entry["sha256"]))


def _sha256(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError:
        return hashlib.sha256().hexdigest()


def without_folders(text: str) -> str:
    """Return a source as it was given, paths without their folders: the manifest is published, this machine is not."""
    name, mark, where = text.partition("=")
    parts = (Path(part).name if Path(part).expanduser().exists() else part for part in where.split(":"))
    return f"{name}{mark}{':'.join(parts)}"
