"""The store: one SQLite file with plans, trials and a chain of events, to which can only be added."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ..base.errors import InputError, one_line
from . import chain
from .chain import START, Event
from .plans import Plan, Trial

APPLICATION = 0x6D716470
"""Marks the file as one of ours (SQLite's application id)."""
VERSION = 1

TABLES = ("plan", "trial", "event")
_SCHEMA = """
CREATE TABLE plan (sha256 TEXT PRIMARY KEY, desk TEXT NOT NULL UNIQUE, seed INTEGER NOT NULL, set_sha256 TEXT NOT NULL,
  config TEXT NOT NULL);
CREATE TABLE trial (id INTEGER PRIMARY KEY, desk TEXT NOT NULL, reader TEXT NOT NULL, session INTEGER NOT NULL,
  position INTEGER NOT NULL, role TEXT NOT NULL, item_id TEXT NOT NULL, level TEXT NOT NULL, modality TEXT NOT NULL,
  degradation TEXT, s REAL, repeat_of INTEGER, detail TEXT NOT NULL, UNIQUE (desk, reader, session, position));
CREATE TABLE event (seq INTEGER PRIMARY KEY, at TEXT NOT NULL, reader TEXT NOT NULL, session INTEGER NOT NULL,
  desk TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL);
"""
_TRIGGER = (
    "CREATE TRIGGER {table}_{what} BEFORE {what} ON {table} BEGIN SELECT RAISE(ABORT, 'nothing is changed here'); END"
)
_TRIAL = ", ".join(field.name for field in fields(Trial))
_EVENT = ", ".join(field.name for field in fields(Event))
_READER = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,15}")


def triggers() -> dict[str, str]:
    """Return name -> SQL of the triggers that refuse changes."""
    return {
        f"{table}_{what}": _TRIGGER.format(table=table, what=what) for table in TABLES for what in ("UPDATE", "DELETE")
    }


def checked_reader(code: str) -> str:
    """Return a reader's code.

    Raises:
        InputError: it is none; a name of a person does not belong here.
    """
    if not _READER.fullmatch(code):
        raise InputError(f"--reader {code!r}: give a code such as R1 (letters, digits, - and _; at most 16), no name")
    return code


def connect(path: Path) -> sqlite3.Connection:
    """Open a store that is there, for reading; what is written through this connection is the caller's business.

    Raises:
        InputError: there is none, or the file is none.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such store")
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.Error as error:
        raise InputError(f"{path}: no store of `medqdeg people` ({one_line(error, 120)})") from None
    if application != APPLICATION:
        connection.close()
        raise InputError(f"{path}: no store of `medqdeg people`")
    if version != VERSION:
        connection.close()
        raise InputError(f"{path}: a store of version {version}; this medqdeg reads {VERSION}")
    return connection


def read_plans(connection: sqlite3.Connection) -> dict[str, tuple[Plan, str]]:
    """Return desk -> the plan and the hash that is recorded beside it."""
    rows = connection.execute("SELECT desk, seed, set_sha256, config, sha256 FROM plan ORDER BY desk").fetchall()
    return {row[0]: (Plan(row[0], row[1], row[2], json.loads(row[3])), row[4]) for row in rows}


def read_trials(connection: sqlite3.Connection, desk: str) -> dict[tuple[str, int], list[Trial]]:
    """Return (reader, session) -> the trials, in order."""
    found: dict[tuple[str, int], list[Trial]] = {}
    query = f"SELECT reader, session, {_TRIAL} FROM trial WHERE desk = ? ORDER BY reader, session, position"
    for reader, session, *values in connection.execute(query, (desk,)):
        found.setdefault((reader, session), []).append(Trial(*values))
    return found


def read_events(connection: sqlite3.Connection) -> Iterator[Event]:
    """Yield the events in order."""
    for row in connection.execute(f"SELECT {_EVENT} FROM event ORDER BY seq"):
        yield Event(*row)


class Store:
    """A store that is open for writing, by one process at a time.

    Args:
        path: of the file, made if need be.
        times: record moments rather than days.
        clock: what the time is.

    Raises:
        InputError: another process has it, the file is none, or the disk says no.
    """

    def __init__(self, path: Path, *, times: bool = False, clock: Callable[[], datetime] = datetime.now) -> None:
        self.path, self._times, self._clock = path, times, clock
        self._lock = FileLock(f"{path}.lock", timeout=0)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout:
            raise InputError(f"{path}: another desk has this store open; close it first") from None
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror or error})") from None
        try:
            if not path.exists() or path.stat().st_size == 0:
                _create(path)
            self.connection = connect(path)
            self.connection.execute("PRAGMA journal_mode = WAL")
            self.connection.execute("PRAGMA synchronous = FULL")
        except sqlite3.Error as error:
            self._lock.release()
            raise InputError(f"{path}: cannot be used ({one_line(error, 120)})") from None
        except BaseException:
            self._lock.release()
            raise

    def now(self) -> str:
        """Return the day, or the moment where moments are recorded, in ISO 8601."""
        now = self._clock()
        return now.isoformat(timespec="milliseconds") if self._times else now.date().isoformat()

    def events(self) -> list[Event]:
        """Return all events, in order."""
        return list(read_events(self.connection))

    def head(self) -> tuple[int, str]:
        """Return number and hash of the last event."""
        row = self.connection.execute("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
        return (0, START) if row is None else (row[0], row[1])

    def keep_plan(self, plan: Plan) -> None:
        """Write a desk's plan, or see that it is the one that is there.

        Raises:
            InputError: there is another one.
        """
        there = read_plans(self.connection).get(plan.desk)
        if there is None:
            values = (plan.sha256, plan.desk, plan.seed, plan.set_sha256, chain.canonical(dict(plan.config)))
            with self._transaction():
                self.connection.execute("INSERT INTO plan VALUES (?, ?, ?, ?, ?)", values)
        elif there[1] != plan.sha256:
            raise InputError(
                f"{self.path} holds another plan of the desk {plan.desk} ({_difference(there[0], plan)}): "
                "give the same options, or another --store"
            )

    def keep_trials(self, desk: str, reader: str, session: int, trials: Sequence[Trial]) -> list[Trial]:
        """Write a reader's session, or return it as it was written.

        Raises:
            InputError: what was written is another one.
        """
        there = read_trials(self.connection, desk).get((reader, session))
        if there is None:
            marks = ", ".join("?" * (3 + len(fields(Trial))))
            rows = [(desk, reader, session, *astuple(trial)) for trial in trials]
            with self._transaction():
                self.connection.executemany(
                    f"INSERT INTO trial (desk, reader, session, {_TRIAL}) VALUES ({marks})", rows
                )
            return list(trials)
        if there != list(trials):
            raise InputError(f"{self.path}: the trials of {reader}, session {session}, are not those of its plan")
        return there

    def append(
        self, desk: str, reader: str, session: int, happened: Sequence[tuple[str, Mapping[str, Any]]]
    ) -> list[Event]:
        """Add events in one transaction; when this returns they are on the disk.

        Args:
            desk: where it happened.
            reader: to whom.
            session: in which.
            happened: kind and body of each, in order.
        """
        added: list[Event] = []
        with self._transaction():
            seq, prev = self.head()
            for kind, body in happened:
                seq += 1
                event = chain.linked(seq, self.now(), reader, session, desk, kind, body, prev)
                self.connection.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", astuple(event))
                added.append(event)
                prev = event.hash
        return added

    def close(self) -> None:
        """Bring everything into the one file and let others have it."""
        with contextlib.suppress(sqlite3.Error):
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.connection.close()
        self._lock.release()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")


def _create(path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        for statement in (*_SCHEMA.split(";"), *triggers().values()):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    finally:
        connection.close()


def _difference(there: Plan, wanted: Plan) -> str:
    if there.set_sha256 != wanted.set_sha256:
        return "of another set"
    if there.seed != wanted.seed:
        return f"of seed {there.seed}"
    names = sorted({*there.config, *wanted.config})
    other = [name for name in names if there.config.get(name) != wanted.config.get(name)]
    return "; ".join(f"{name} {there.config.get(name)!r}" for name in other[:3])
