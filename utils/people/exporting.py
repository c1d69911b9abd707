"""What the stores hold, as files, whichever desk it came from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..base.errors import InputError
from .calibration_export import export_calibration
from .items import ItemSet
from .plans import CALIBRATE, REVIEW, STUDY
from .readings import read_desks
from .review_export import export_review
from .study_export import export_study


def export(paths: Sequence[Path], out: Path, items: ItemSet | None = None, seed: int = 0) -> list[str]:
    """Write what some stores hold; see the desks' own exports.

    Args:
        paths: of the stores.
        out: folder, made if need be.
        items: the set, which a reader study needs: the right answers are not in the store.
        seed: of intervals.

    Returns:
        What is to be told.

    Raises:
        InputError: nothing was answered, a store was changed, or a set is missing or another one.
    """
    found = read_desks(paths)
    if not found:
        raise InputError("the stores hold no answers")
    lines: list[str] = []
    if REVIEW in found:
        lines += export_review(paths, out, seed)
    if STUDY in found:
        lines += export_study(found[STUDY], items, out)
    if CALIBRATE in found:
        lines += export_calibration(found[CALIBRATE], out)
    return lines
