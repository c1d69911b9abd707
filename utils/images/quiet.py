"""Silence C libraries on standard error: their lines name no file, and what matters ends as an error."""

from __future__ import annotations

import contextlib
import os
import sys
from contextlib import AbstractContextManager

from .process_wide import WhileAnyThreadIsInside


def quiet_libraries() -> AbstractContextManager[None]:
    """Send the process's standard error nowhere while any thread is inside.

    It holds for all threads, so print nothing meanwhile: use it around the decoding of one image only.
    """
    return _quiet()


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


def _unmute(saved: int) -> None:
    if saved >= 0:
        _flush()
        os.dup2(saved, 2)
        os.close(saved)


_quiet = WhileAnyThreadIsInside(_mute, _unmute)
