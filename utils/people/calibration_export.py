"""A severity calibration as files: every rating, and what is known of each reader."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..base.atomic_files import write_atomically
from ..base.errors import InputError
from .desks import ANSWER, RATINGS
from .plans import CATCH, MAIN
from .reader_checks import Share, share
from .readings import Reading, one_plan
from .review_export import table

TABLE, SUMMARY = "ratings.csv", "calibration.txt"
_COLUMNS = ("reader", "role", "item_id", "modality", "degradation", "s", "rating", "seconds")


def export_calibration(readings: Sequence[Reading], out: Path) -> list[str]:
    """Write `ratings.csv` and `calibration.txt`.

    Args:
        readings: of the desk.
        out: folder, made if need be.

    Returns:
        What is to be told.

    Raises:
        InputError: different plans, no answer, or the disk says no.
    """
    one_plan(readings)
    rows = list(_rows(readings))
    if not rows:
        raise InputError("nothing was answered yet")
    lines = [f"{len(readings)} readers, {len(rows)} ratings", *map(_of_reader, readings)]
    lines += [f"{name}: head {head}" for name, head in dict.fromkeys((one.path.name, one.head) for one in readings)]
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_atomically(out / TABLE, table(_COLUMNS, rows))
        write_atomically(out / SUMMARY, "".join(f"{line}\n" for line in lines).encode())
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror or error})") from None
    return lines


def catch_errors(reading: Reading) -> Share:
    """Return how often a reader misjudged a catch trial: saw a change in the clean picture, or none at the largest."""
    wrong = of = 0
    for trial, body in reading.answered(ANSWER, CATCH):
        of += 1
        wrong += (body["rating"] > 0) if trial.s == 0 else (body["rating"] == 0)
    return share(wrong, of)


def _rows(readings: Sequence[Reading]) -> Iterable[dict[str, Any]]:
    for reading in readings:
        for trial, body in reading.answered(ANSWER, MAIN, CATCH):
            yield {
                **{"reader": reading.reader, "role": trial.role, "item_id": trial.item_id},
                **{"modality": trial.modality, "degradation": trial.degradation, "s": trial.s},
                **{"rating": body["rating"], "seconds": body["seconds"]},
            }


def _of_reader(reading: Reading) -> str:
    answered = sum(1 for _ in reading.answered(ANSWER, MAIN))
    of = sum(trial.role == MAIN for trial in reading.trials)
    counts = [0] * len(RATINGS)
    for _, body in reading.answered(ANSWER, MAIN):
        counts[body["rating"]] += 1
    said = ", ".join(f"{text} {count}" for text, count in zip(RATINGS, counts, strict=True))
    failed = "; a display check failed" if reading.display is False else ""
    return f"{reading.reader}: {answered} of {of} rated ({said}); catch trials missed {catch_errors(reading)}{failed}"
