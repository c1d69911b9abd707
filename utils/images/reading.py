"""Reading a file that a user named: regular files only, up to a limit."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ..base.errors import InputError

MAX_BYTES = 2**32
"""Larger files are refused: they are read whole, and no image within `MAX_PIXELS` has as many bytes. (A multi-frame
DICOM file may.)"""


def read_bytes(path: str | Path) -> bytes:
    """Return the bytes of a file.

    Raises:
        InputError: the file is absent, a folder, a pipe or a device, has more than `MAX_BYTES`, or may not be read.
    """
    return _read(path, None)


def read_start(path: str | Path, count: int) -> bytes:
    """Return at most the first `count` bytes of a file; errors as `read_bytes`, but of any size."""
    return _read(path, count)


def _read(path: str | Path, count: int | None) -> bytes:
    try:
        # Without O_NONBLOCK, opening a pipe waits for somebody to write to it.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if stat.S_ISDIR(status.st_mode):
                raise InputError(f"{path}: cannot be read (Is a directory)")
            if not stat.S_ISREG(status.st_mode):
                raise InputError(f"{path}: not a regular file (a pipe or a device)")
            if count is None and status.st_size > MAX_BYTES:
                raise InputError(f"{path}: {status.st_size:,} bytes are over the limit of {MAX_BYTES:,}")
            return file.read() if count is None else file.read(min(count, status.st_size))
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the name
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
