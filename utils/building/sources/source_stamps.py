"""Stamps of the files that sources name: their hashes, which of them changed, their names without folders."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ...base.file_hashes import file_sha256
from ..layout import read_json, write_json

_SETTLED_NS = 2_000_000_000
"""A file that was written less than this before it was hashed may change again within one tick of its clock."""


class FileHashes:
    """SHA-256 of files, each read once and again only if its size, times or inode are no longer the same.

    The change time cannot be set by hand, so content that is exchanged with size and modification time kept is seen.
    """

    def __init__(self, cache: Path, progress: Callable[[int], None] = lambda _: None) -> None:
        """Take what an earlier call knew from `cache`; a damaged or absent file counts as an empty one."""
        self._cache, self._progress = cache, progress
        found = read_json(cache)
        self.earlier: dict[str, str | None] = {}
        self._known: dict[str, tuple[Any, str | None]] = {}
        for name, stamp, sha256 in found if isinstance(found, list) else ():
            self.earlier[name] = sha256
            self._known[name] = stamp, sha256
        self.now: dict[str, str | None] = {}
        self._stamps: dict[str, Any] = {}

    def of(self, path: Path) -> str | None:
        """Return a file's hash in hexadecimal, or None where it cannot be opened or read."""
        name = str(path.absolute())
        if name not in self.now:
            stamp, sha256 = _stamp(path), None
            known = self._known.get(name)
            if known is not None and stamp is not None and known[0] == stamp:
                sha256 = known[1]
            else:
                try:
                    sha256 = file_sha256(path)
                except OSError:
                    stamp = None
            self.now[name], self._stamps[name] = sha256, stamp
            if len(self.now) % 100 == 0:
                self._progress(len(self.now))
        return self.now[name]

    def save(self) -> None:
        """Keep what is known for the next call."""
        settled = time.time_ns() - _SETTLED_NS
        rows = []
        for name, sha256 in sorted(self.now.items()):
            stamp = self._stamps[name]
            trusted = stamp is not None and max(stamp[1], stamp[2]) < settled
            rows.append([name, stamp if trusted else None, sha256])
        write_json(self._cache, rows)

    def changed_since_hashed(self) -> Path | None:
        """Return a file that is no longer as it was when it was hashed, or None."""
        hashed = ((Path(name), stamp) for name, stamp in self._stamps.items() if stamp is not None)
        return next((path for path, stamp in hashed if stamp != _stamp(path)), None)

    def difference(self) -> str | None:
        """Name the first file whose content is not that of the earlier call, and say how; None where none is."""
        for name in sorted({*self.earlier, *self.now}):
            before, after = self.earlier.get(name), self.now.get(name)
            if before != after:
                how = "is new" if name not in self.earlier else "is gone" if name not in self.now else "has changed"
                return f"{Path(name).name} {how}"
        return None


def _stamp(path: Path) -> list[int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]


def local_paths(text: str) -> list[Path]:
    """Return the files and folders of this machine that a source names; none where it names the Hub."""
    where = text.partition("=")[2] or text
    names = dict.fromkeys([where, *where.rsplit(":", 1)] if ":" in where else [where])
    found = []
    for name in names:
        try:
            path = Path(name).expanduser()
            if path.exists():
                found.append(path)
        except (OSError, ValueError, RuntimeError):
            continue
    return found


def contents(path: Path, hashes: FileHashes) -> dict[str, Any]:
    """Return what is in a file or folder: `sha256`, `bytes`, of a folder `files`, and `unreadable` names if any.

    The hash of a folder is taken over its files' hashes and names. A file that cannot be opened has no hash: `sha256`
    is None, and in the hash of its folder it stands with a dash.
    """
    if not path.is_dir():
        return {"sha256": hashes.of(path), "bytes": _size(path)}
    files = sorted(each for each in path.rglob("*") if each.is_file())
    lines = []
    unreadable = []
    for file in files:
        name = file.relative_to(path).as_posix()
        sha256 = hashes.of(file)
        lines.append(f"{sha256 or '-'} {name}\n")
        if sha256 is None:
            unreadable.append(name)
    found = {
        "sha256": hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest(),
        "files": len(files),
        "bytes": sum(map(_size, files)),
    }
    return {**found, "unreadable": unreadable} if unreadable else found


def content_stamps(texts: Iterable[str], hashes: FileHashes) -> dict[str, list[str | None]]:
    """Return, for each source, the hashes of what it names on this machine: what tells a changed source."""
    return {text: [contents(path, hashes)["sha256"] for path in local_paths(text)] for text in sorted(texts)}


def described(
    texts: Iterable[str], paths_of: Callable[[str], Iterable[Path]], hashes: FileHashes
) -> list[Mapping[str, Any]]:
    """Return `source`, `name` and `contents` of all that sources name, sorted.

    Args:
        texts: sources as they were given.
        paths_of: the files and folders that a source names.
        hashes: of files.
    """
    found = [
        {"source": without_folders(text), "name": path.absolute().name, **contents(path, hashes)}
        for text in texts
        for path in paths_of(text)
    ]
    return sorted(found, key=lambda entry: (entry["source"], entry["name"], entry["sha256"] or ""))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def without_folders(text: str) -> str:
    """Return a source as it was given, paths without their folders: the manifest is published, this machine is not."""
    name, mark, where = text.partition("=")
    parts = (Path(part).name if Path(part).expanduser().exists() else part for part in where.split(":"))
    return f"{name}{mark}{':'.join(parts)}"
