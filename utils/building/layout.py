"""The layout of the folder of a build, and how small JSON files in it are written."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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

_A_DAY = 24 * 60 * 60

WORK = ".work"
"""What resuming and reviewing need: the plan, the chosen clean images, one report per part. Never published."""


class WorkFolder:
    """Paths in the work folder of a build."""

    def __init__(self, out: Path) -> None:
        self.root = out / WORK
        self.plan = self.root / "plan.json"
        self.lock = self.root / "lock"
        self.schema = self.root / "schema"
        self.hashes = self.root / "hashes.json"
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
    write_whole(path, (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode())


def read_json(path: Path) -> Any:
    """Return what a JSON file holds, or None where it is absent or not whole."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def digest(value: Any) -> str:
    """Return the SHA-256, in hexadecimal, of a value that JSON can hold."""
    return hashlib.sha256(json.dumps(value, ensure_ascii=True, sort_keys=True).encode()).hexdigest()


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a neighbouring path to write to, which replaces `path` at the end if nothing was raised.

    The neighbour's name says which process of which machine writes it and occurs once: two processes or threads that
    make the same file disturb each other in nothing, and the last one's file stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{_machine()}.{os.getpid()}.{secrets.token_hex(4)}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all, whoever else writes it at the same time."""
    with replacing(path) as part:
        part.write_bytes(data)


def remove_leftovers(out: Path) -> None:
    """Remove what killed processes left half written, and nothing that a living one is writing.

    Of another machine, what nobody has written to for a day counts as left.
    """
    for part in out.rglob(".*.part"):
        with contextlib.suppress(OSError):
            if _is_left(part):
                part.unlink(missing_ok=True)


def _is_left(part: Path) -> bool:
    *_, machine, process, _, _ = ("", "", *part.name.split("."))
    if machine == _machine() and process.isdecimal() and os.name == "posix":
        return not _is_alive(int(process))
    return time.time() - part.stat().st_mtime > _A_DAY


def _machine() -> str:
    return platform.node().replace(".", "-")


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:  # a killed process that its parent has not asked after writes nothing any more
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return True
