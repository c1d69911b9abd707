"""Silence C libraries on standard error: their lines name no file, and what matters ends as an error."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator

_lock = threading.Lock()
_users = 0
_saved = -1


@contextlib.contextmanager
def quiet_libraries() -> Iterator[None]:
    """Send the process's standard error nowhere while any thread is inside.

    It holds for all threads, so print nothing meanwhile: use it around the decoding of one image only.
    """
    global _users, _saved
    with _lock:
        if _users == 0:
            _saved = _mute()
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0 and _saved >= 0:
                _flush()
                os.dup2(_saved, 2)
                os.close(_saved)


def _mute() -> int:
    """Point descriptor 2 at nothing and return a copy of what it was; -1 where there is none."""
    _flush()
    try:
        saved = os.dup(2)
    except OSError:
        return -1
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return saved


def _flush() -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or none at all
        sys.stderr.flush()
