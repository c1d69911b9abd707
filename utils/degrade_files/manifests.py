"""The manifest of an output folder: one line per output, by which an interrupted run is resumed."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..base.atomic_files import write_atomically
from ..images import read_bytes

MANIFEST = "manifest.jsonl"


def read_manifest(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a manifest; none where it does not exist.

    A line that is not whole (the last one of a killed run) is left out: its output will be made again.

    Raises:
        InputError: the file cannot be read.
    """
    if not path.exists():
        return []
    lines = []
    for raw in read_bytes(path).split(b"\n"):
        with contextlib.suppress(ValueError):  # also stands for bytes that are no UTF-8
            line = json.loads(raw)
            if isinstance(line, dict) and isinstance(line.get("output"), str):
                lines.append(line)
    return lines


def write_manifest(path: Path, lines: Mapping[str, dict[str, Any]]) -> None:
    """Write lines in the order of their outputs, whatever the order in which they were made."""
    write_atomically(path, "".join(json_line(lines[output]) for output in sorted(lines)).encode())


def json_line(line: Mapping[str, Any]) -> str:
    """Return a manifest's line, with its end."""
    text = json.dumps(line, ensure_ascii=False, allow_nan=False)
    if not text.isprintable():  # a file name that is no UTF-8, or has a line separator in it
        text = json.dumps(line, allow_nan=False)
    return text + "\n"


def still_holds(line: Mapping[str, Any], sha256: str, wanted: Mapping[str, Any], files: Sequence[Path]) -> bool:
    """Whether an output need not be made again.

    Args:
        line: the manifest's, of an earlier run.
        sha256: of the input.
        wanted: the request that decides the output's bytes.
        files: the output, which has the line's hash if their bytes do, one after the other.
    """
    if line.get("input_sha256") != sha256 or line.get("request") != wanted:
        return False
    try:
        digest = hashlib.sha256()
        for path in files:
            digest.update(path.read_bytes())
    except OSError:
        return False
    return digest.hexdigest() == line.get("output_sha256")
