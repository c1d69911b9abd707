"""The store of responses: each is on disk as soon as it arrives, and is found again by what was asked.

SQLite in WAL mode: every response is a transaction of its own, a write that a kill tears is rolled back by its checksum
at the next opening, and several processes on one machine may write at the same time. Each machine has a file of its
own in the store's folder, and reads what the others' held when it began (`store_files`).
"""

from __future__ import annotations

import errno
import json
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..base.errors import InputError, one_line
from .keys import RequestKey
from .store_files import STORE_VERSION, check_version, old_file, open_copy, own_file, store_files

_LEAST_ROOM = 1 << 15
"""Bytes: SQLite enlarges the memory that its processes share by so much at a time."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (
    session INTEGER PRIMARY KEY, started REAL NOT NULL, report TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS requests (
    request TEXT PRIMARY KEY, task TEXT NOT NULL, item TEXT NOT NULL, content TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS responses (
    request TEXT NOT NULL, trial INTEGER NOT NULL, reply TEXT NOT NULL, output_tokens INTEGER,
    session INTEGER NOT NULL, arrived REAL NOT NULL, PRIMARY KEY (request, trial)
) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Response:
    """One stored reply.

    Attributes:
        reply: the text as the integration returned it.
        output_tokens: its length in tokens, None where the integration does not say.
    """

    reply: str
    output_tokens: int | None = None


class ResponseStore:
    """The responses of one folder. Safe to use from several threads and processes.

    Attributes:
        path: the file that this process writes to, or None: in memory.
        old: a file of an older version in the same folder, which is neither read nor changed, or None.

    Raises:
        InputError: on opening, if the folder cannot be written or the file is none of ours; from any method, if the
            file cannot be read or written (a full disk, a lock held for longer than a minute).
    """

    def __init__(self, folder: Path | None, session: dict[str, Any]) -> None:
        """Open or make the store.

        Args:
            folder: where the files lie; None keeps the responses in memory.
            session: JSON values that describe this run; kept beside its responses.
        """
        self.path = own_file(folder) if folder else None
        self.old = old_file(folder) if folder else None
        self._lock = threading.Lock()
        self._others: list[sqlite3.Connection] = []
        try:
            if folder:
                folder.mkdir(parents=True, exist_ok=True)
                self._read_others(folder)
            self._connection = sqlite3.connect(
                self.path or ":memory:", timeout=60, check_same_thread=False, isolation_level=None
            )
            self._prepare()
            (self.session,) = self._execute(
                "INSERT INTO sessions (started, report) VALUES (?, ?) RETURNING session",
                (time.time(), json.dumps(session, sort_keys=True)),
            )[0]
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from None

    def _prepare(self) -> None:
        check_version(self._connection, self.path)
        self._wal()
        # A killed process loses nothing; a power cut may lose the last responses, never the file.
        self._execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {STORE_VERSION}; COMMIT;")

    def _read_others(self, store: Path) -> None:
        others = [path for path in store_files(store) if path != self.path]
        if not others:
            return
        # Open files outlive their names where the system allows it; a kill then leaves no copies behind.
        with tempfile.TemporaryDirectory(prefix="medqdeg-store-", ignore_cleanup_errors=True) as folder:
            copies = (open_copy(path, Path(folder)) for path in others)
            self._others = [copy for copy in copies if copy is not None]

    def _wal(self) -> None:
        """Several ranks open a new file at once; SQLite does not wait for the lock that this takes."""
        for last in (*[False] * 200, True):
            try:
                self._execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError:
                if last:
                    raise
                time.sleep(0.05)

    def _execute(self, statement: str, values: tuple[Any, ...] = ()) -> list[Any]:
        return self._connection.execute(statement, values).fetchall()

    def _unusable(self, error: Exception) -> InputError:
        if self._is_full(error):
            return InputError(
                f"the disk under the store {self.path} is full; make room and run the same command again, "
                "the responses stored so far are kept"
            )
        return InputError(f"the store {self.path} cannot be used ({one_line(error)}); name another folder or repair it")

    def _is_full(self, error: Exception) -> bool:
        """Whether a full disk is behind an error: SQLite calls some of its consequences "disk I/O error"."""
        if "disk is full" in str(error) or getattr(error, "errno", None) == errno.ENOSPC:
            return True
        try:
            return self.path is not None and shutil.disk_usage(self.path.parent).free < _LEAST_ROOM
        except OSError:
            return False

    def responses(self, key: RequestKey) -> dict[int, Response]:
        """Return what is stored for a request: trial -> response."""
        try:
            with self._lock:
                return self._stored(key)
        except sqlite3.Error as error:
            raise self._unusable(error) from None

    def _stored(self, key: RequestKey) -> dict[int, Response]:
        """Of two machines' responses to one trial the earlier, so that every machine gives the same results."""
        found: dict[int, tuple[float, Response]] = {}
        for connection in (self._connection, *self._others):
            rows = connection.execute(
                "SELECT trial, reply, output_tokens, arrived FROM responses WHERE request = ?", (key.digest,)
            )
            for trial, reply, tokens, arrived in rows:
                if trial not in found or arrived < found[trial][0]:
                    found[trial] = arrived, Response(reply, tokens)
        return {trial: response for trial, (_, response) in found.items()}

    def add(self, key: RequestKey, trial: int, response: Response) -> Response:
        """Store a response and return what the store has now; see `add_all`."""
        return self.add_all(key, {trial: response})[trial]

    def add_all(self, key: RequestKey, responses: Mapping[int, Response]) -> dict[int, Response]:
        """Store responses to a request, by trial, in one transaction, and return what the store has now for it.

        Where another process was faster with the same trial, its response stays and is returned.
        """
        try:
            with self._lock:
                self._execute("BEGIN IMMEDIATE")
                try:
                    self._execute(
                        "INSERT OR IGNORE INTO requests VALUES (?, ?, ?, ?)",
                        (key.digest, key.task, key.item, key.content),
                    )
                    self._connection.executemany(
                        "INSERT OR IGNORE INTO responses VALUES (?, ?, ?, ?, ?, ?)",
                        [
                            (key.digest, trial, response.reply, response.output_tokens, self.session, time.time())
                            for trial, response in responses.items()
                        ],
                    )
                    stored = self._stored(key)
                    self._execute("COMMIT")
                except BaseException:
                    if self._connection.in_transaction:  # SQLite has ended it by itself if the disk is full
                        self._execute("ROLLBACK")
                    raise
        except sqlite3.Error as error:
            raise self._unusable(error) from None
        return stored

    def sessions(self) -> list[dict[str, Any]]:
        """Return the reports of all runs that wrote to this machine's file, oldest first."""
        with self._lock:
            return [json.loads(row[0]) for row in self._execute("SELECT report FROM sessions ORDER BY session")]

    def close(self) -> None:
        """Close the file; responses added before stay."""
        with self._lock:
            for connection in (*self._others, self._connection):
                connection.close()
