"""Merging, describing and checking stores, for runs over several machines and for their archives."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..base.errors import InputError, one_line
from .store import SCHEMA
from .store_files import STORE_VERSION, old_file, open_copy, store_files

MERGED_FILE_NAME = "responses.merged.sqlite"


@dataclass(frozen=True)
class StoreInfo:
    """The content of one file.

    Attributes:
        path: the file.
        responses, requests, sessions: numbers of each.
        tasks: name -> responses.
        first, last: Unix time of the first and the last response in seconds, None without any.
    """

    path: Path
    responses: int
    requests: int
    sessions: int
    tasks: dict[str, int]
    first: float | None
    last: float | None


@dataclass(frozen=True)
class Merged:
    """The outcome of a merge.

    Attributes:
        path: the file that holds everything now.
        responses: in it.
        added: of them, new by this merge.
        conflicts: trials for which two files held different replies; the earlier stayed.
    """

    path: Path
    responses: int
    added: int
    conflicts: int


def files_of(places: Iterable[Path]) -> list[Path]:
    """Return the store files that paths of folders and files stand for.

    Raises:
        InputError: if a path is neither, or a folder holds no store of this version.
    """
    found: list[Path] = []
    for place in places:
        if place.is_file():
            found.append(place)
        elif not place.is_dir():
            raise InputError(f"{place} is neither a folder nor a file")
        elif inside := store_files(place):
            found += inside
        elif old := old_file(place):
            raise InputError(f"{old} is a store of version 1, whose replies this version does not use")
        else:
            raise InputError(f"{place} holds no store (no file responses.NAME.sqlite)")
    return list(dict.fromkeys(path.resolve() for path in found))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with tempfile.TemporaryDirectory(prefix="medqdeg-store-") as folder:
        connection = open_copy(path, Path(folder))
        if connection is None:
            connection = sqlite3.connect(":memory:", isolation_level=None)
            connection.executescript(SCHEMA)
        try:
            yield connection
        except sqlite3.Error as error:
            raise InputError(f"the store {path} is damaged ({one_line(error)})") from None
        finally:
            connection.close()


def describe(path: Path) -> StoreInfo:
    """Return what a file holds.

    Raises:
        InputError: if it cannot be read or is of another version.
    """
    with _opened(path) as store:
        count, first, last = store.execute("SELECT count(*), min(arrived), max(arrived) FROM responses").fetchone()
        tasks = store.execute("SELECT task, count(*) FROM responses JOIN requests USING (request) GROUP BY task")
        return StoreInfo(
            path,
            count,
            store.execute("SELECT count(*) FROM requests").fetchone()[0],
            store.execute("SELECT count(*) FROM sessions").fetchone()[0],
            dict(sorted(tasks.fetchall())),
            first,
            last,
        )


def faults(path: Path) -> list[str]:
    """Return what is wrong with a file, one sentence each; empty if all of it can be used.

    Checked are SQLite's own structure, that every request's digest is that of its content, and that no response stands
    without its request.
    """
    try:
        with _opened(path) as store:
            found = [one_line(line) for (line,) in store.execute("PRAGMA integrity_check(20)") if line != "ok"]
            for digest, content in store.execute("SELECT request, content FROM requests"):
                if hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest() != digest:
                    found.append(f"request {digest[:12]} does not match its content")
            ((orphans,),) = store.execute(
                "SELECT count(*) FROM responses WHERE request NOT IN (SELECT request FROM requests)"
            )
            return [*found, *([f"{orphans} responses stand without their request"] if orphans else [])]
    except InputError as error:
        return [str(error)]


def merge(places: Sequence[Path], into: Path) -> Merged:
    """Put the responses of several stores into one file, `responses.merged.sqlite`, that a run reads beside its own.

    What the file held before stays in it. The sources are read and left as they are. The file appears whole or not at
    all.

    Args:
        places: folders or files.
        into: folder; made if it is not there.

    Raises:
        InputError: if a source cannot be read or has a fault, or the file cannot be written.
    """
    target = into / MERGED_FILE_NAME
    sources = [path for path in files_of(places) if path != target.resolve()]
    for path in sources:
        if wrong := faults(path):
            raise InputError(f"{path} is not merged: {wrong[0]}")
    part = into / f".{MERGED_FILE_NAME}.{os.getpid()}.part"
    try:
        into.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(part, isolation_level=None)) as merged:
            merged.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {STORE_VERSION}; COMMIT;")
            before = _add(merged, target)[0] if target.exists() else 0
            conflicts = sum(_add(merged, path)[1] for path in sources)
            ((responses,),) = merged.execute("SELECT count(*) FROM responses").fetchall()
        part.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise InputError(f"{target} cannot be written ({one_line(error)})") from None
    finally:
        part.unlink(missing_ok=True)
    return Merged(target, responses, responses - before, conflicts)


def _add(merged: sqlite3.Connection, path: Path) -> tuple[int, int]:
    """Add a file's content; return the number of its responses and of those that contradict what was there."""
    with _opened(path) as source:
        merged.execute("BEGIN")
        merged.executemany(
            "INSERT OR IGNORE INTO requests VALUES (?, ?, ?, ?)", source.execute("SELECT * FROM requests")
        )
        ((shift,),) = merged.execute("SELECT coalesce(max(session), 0) FROM sessions").fetchall()
        merged.executemany(
            "INSERT INTO sessions VALUES (? + ?, ?, ?)",
            ((shift, *row) for row in source.execute("SELECT session, started, report FROM sessions")),
        )
        count = conflicts = 0
        for request, trial, reply, tokens, session, arrived in source.execute("SELECT * FROM responses"):
            count += 1
            there = merged.execute(
                "SELECT reply, arrived FROM responses WHERE request = ? AND trial = ?", (request, trial)
            ).fetchone()
            conflicts += there is not None and there[0] != reply
            if there is None or arrived < there[1]:
                merged.execute(
                    "INSERT OR REPLACE INTO responses VALUES (?, ?, ?, ?, ?, ?)",
                    (request, trial, reply, tokens, session + shift, arrived),
                )
        merged.execute("COMMIT")
    return count, conflicts


__all__ = ["MERGED_FILE_NAME", "Merged", "StoreInfo", "describe", "faults", "files_of", "merge"]
