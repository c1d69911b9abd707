"""Files that are whole or absent: what a killed process leaves behind is never half a file."""

from __future__ import annotations

from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path` through a neighbour that takes its place in one step.

    The neighbour is `.NAME.part`, the same name each time, so that a run which resumes after a kill
    overwrites what the killed one left. Two processes must therefore not write the same path at once: lock
    the folder.

    Not flushed to the disk: it guards against a killed process; a power cut can leave an empty file.

    Raises:
        OSError: the folder does not exist, is full or may not be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(data)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
