"""The SHA-256 of a file, read in blocks: what manifests and model cards say of the files that they speak of."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _digest(file)


def _digest(file: Any) -> str:
    state = hashlib.sha256()
    while block := file.read(2**20):
        state.update(block)
    return state.hexdigest()
