"""What lies where in the folder of a build, and how small JSON files there are written."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..atomic_files import write_atomically
from ..dataset.built import DATA
from ..dataset.location import SPLITS

__all__ = ["DATA", "SPLITS"]

MANIFEST, IMAGES, CARD, REVIEW, SKIPPED, PICTURES = (
    "manifest.json",
    "images.jsonl",
    "README.md",
    "review.csv",
    "skipped.csv",
    "pictures",
)
"""What a finished build holds beside its data."""

WORK = ".work"
"""What resuming and reviewing need: the plan, the chosen clean images, one report a part. Never published."""


class WorkFolder:
    """Paths in the work folder of a build."""

    def __init__(self, out: Path) -> None:
        self.root = out / WORK
        self.plan = self.root / "plan.json"
        self.lock = self.root / "lock"
        self.schema = self.root / "schema"
        self.review = self.root / "review.json"
        self.skipped = self.root / SKIPPED

    def clean(self, part: str) -> Path:
        """Return where the clean items of a part wait."""
        return self.root / "clean" / f"{part}.parquet"

    def report(self, part: str) -> Path:
        """Return where the report of a finished part is; it is written last."""
        return self.root / "done" / f"{part}.json"

    def images(self, part: str) -> Path:
        """Return where the manifest lines of a finished part are."""
        return self.root / "done" / f"{part}.jsonl"


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, whole or not at all; the same value gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode())


def read_json(path: Path) -> Any:
    """Return what a JSON file holds, or None where it is absent or not whole."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def digest(value: Any) -> str:
    """Return the SHA-256, in hexadecimal, of a value that JSON can hold."""
    return hashlib.sha256(json.dumps(value, ensure_ascii=True, sort_keys=True).encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _digest(file)


def _digest(file: Any) -> str:
    state = hashlib.sha256()
    while block := file.read(2**20):
        state.update(block)
    return state.hexdigest()


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a neighbour to write to, which takes the place of `path` at the end if nothing was raised.

    The neighbour's name is the process's own: two processes that make the same file disturb each other in nothing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.uname().nodename if hasattr(os, 'uname') else ''}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def remove_leftovers(out: Path) -> None:
    """Remove what killed processes left half written."""
    for part in out.rglob(".*.part"):
        part.unlink(missing_ok=True)
