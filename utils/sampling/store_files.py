"""The files of a store: one per machine, named, told apart by version, and copied while others write to them.

SQLite's write-ahead log needs memory that all writers share, which processes on two machines do not have. So each
machine writes to a file of its own in the store's folder, and what the others have written is read from a copy.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import sqlite3
import time
import uuid
from pathlib import Path

from ..base.errors import InputError, one_line

STORE_VERSION = 2
OLD_FILE_NAME = "responses.sqlite"
"""What version 1 wrote."""

_PATTERN = "responses.*.sqlite"
_SAFE = re.compile(r"[^A-Za-z0-9_-]+")


def node_name() -> str:
    """Return a name of this machine that no other machine has at the same time.

    Host name and a digest of the running kernel's identity: hosts of a cluster may share a name, and containers of one
    host share a kernel and may share a file. `MEDQDEG_NODE` in the environment stands above it.
    """
    if given := _SAFE.sub("-", os.environ.get("MEDQDEG_NODE", "")):
        return given
    try:
        kernel = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        kernel = str(uuid.getnode())
    host = _SAFE.sub("-", socket.gethostname().partition(".")[0]) or "host"
    return f"{host}-{hashlib.sha256(kernel.encode()).hexdigest()[:8]}"


def own_file(folder: Path) -> Path:
    """Return the file that processes of this machine write to."""
    return folder / f"responses.{node_name()}.sqlite"


def store_files(folder: Path) -> list[Path]:
    """Return all files of a store in order of their names, those of version 1 left out."""
    return sorted(folder.glob(_PATTERN))


def old_file(folder: Path) -> Path | None:
    """Return the file that version 1 left in a folder, or None."""
    path = folder / OLD_FILE_NAME
    return path if path.is_file() else None


def check_version(connection: sqlite3.Connection, path: Path | None) -> bool:
    """Return whether a file is a store, False for an empty one.

    Raises:
        InputError: if it is of another version, or of another program.
    """
    ((version, tables),) = connection.execute(
        "SELECT (SELECT user_version FROM pragma_user_version), count(*) FROM sqlite_master"
    ).fetchall()
    if version == STORE_VERSION:
        return True
    if version or tables:
        raise InputError(
            f"the store {path} has version {version}, this package writes {STORE_VERSION}; name another folder"
        )
    return False


def open_copy(path: Path, into: Path) -> sqlite3.Connection | None:
    """Open a copy of a file that others may be writing to; None if it holds no store yet.

    The copy is taken again if the log was started anew meanwhile, so that it is the file as it was at one moment.

    Raises:
        InputError: if it cannot be read.
    """
    copied, log = into / path.name, path.with_name(f"{path.name}-wal")
    try:
        for _ in range(50):
            before = _log_start(log)
            shutil.copyfile(path, copied)
            copied_log = copied.with_name(f"{copied.name}-wal")
            copied_log.unlink(missing_ok=True)
            if before is not None:
                shutil.copyfile(log, copied_log)
            if before == _log_start(log):
                break
            time.sleep(0.1)
        else:
            raise InputError(f"the store {path} changes faster than it can be read; wait for its writers")
        connection = sqlite3.connect(copied, check_same_thread=False, isolation_level=None)
        if not check_version(connection, path):
            connection.close()
            return None
        connection.execute("PRAGMA journal_mode = DELETE").fetchall()  # no second file is needed to read it
        return connection
    except (OSError, sqlite3.Error) as error:
        raise InputError(
            f"the store {path} cannot be read ({one_line(error)}); `medqdeg store verify` says what is left of it"
        ) from None


def _log_start(log: Path) -> bytes | None:
    """The log's first bytes, with the salts that change when it is started anew."""
    try:
        with log.open("rb") as file:
            return file.read(32)
    except FileNotFoundError:
        return None
