"""A severity calibration as files: every rating, what is known of each reader, and the table of severities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..base.atomic_files import write_atomically
from ..base.errors import InputError
from .desks import ANSWER, RATINGS
from .plans import CATCH, MAIN
from .reader_checks import Share, share
from .readings import Reading, one_plan
from .review_export import table
from .severity_table import severity_table
from .thresholds import Calibration, Rating, calibrate

TABLE, SUMMARY, SEVERITIES = "ratings.csv", "calibration.txt", "severities.yaml"
_COLUMNS = ("reader", "role", "item_id", "modality", "degradation", "s", "rating", "seconds")


def export_calibration(readings: Sequence[Reading], out: Path) -> list[str]:
    """Write `ratings.csv`, `calibration.txt` and, where the ratings fix any thresholds, `severities.yaml`.

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
    found, reasons = _thresholds(rows)
    for (degradation, modality), one in found.items():
        lines += [f"{degradation}, {modality}: {line}" for line in one.lines()]
    lines += reasons
    try:
        out.mkdir(parents=True, exist_ok=True)
        if found:
            strengths = severity_table(found, dict.fromkeys(one.head for one in readings))
            write_atomically(out / SEVERITIES, strengths.encode())
        write_atomically(out / TABLE, table(_COLUMNS, rows))
        write_atomically(out / SUMMARY, "".join(f"{line}\n" for line in lines).encode())
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror or error})") from None
    return lines


def _thresholds(rows: Sequence[Mapping[str, Any]]) -> tuple[dict[tuple[str, str], Calibration], list[str]]:
    """Return (degradation, modality) -> thresholds, and one line for each pair that has none."""
    cells: dict[tuple[str, str], list[Rating]] = {}
    for row in rows:
        own = cells.setdefault((row["degradation"], row["modality"]), [])
        own.append(Rating(row["reader"], row["item_id"], row["s"], row["rating"]))
    found, reasons = {}, []
    for (degradation, modality), ratings in cells.items():
        try:
            one = calibrate(ratings, max(rating.s for rating in ratings))
            severity_table({(degradation, modality): one}, [])
        except InputError as error:
            reasons.append(f"{degradation}, {modality}: no severities: {error}")
        else:
            found[degradation, modality] = one
    return found, reasons


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
