"""How far a degradation must go until a phantom no longer shows its answer.

L1 and L2 leave nearly every phantom its evidence, so whether a model notices that it is gone needs a further level. It
lies on the axis of severities, beyond the stops at which the degradations stay credible images: each type has a ladder
of severities, and an item's is the first of them from which on the observer finds nothing. Some types have none, and
say why: they move or shade the picture and keep it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...degradations import degrade_with_record, load_severities
from ...degradations.severity import Course, SeverityTable
from .judging import GONE, ItemObserver, Judgement

LADDERS: Mapping[str, tuple[float, ...]] = {
    "limited_angle": (3.0, 3.2),
    "sparse_view": (8.0, 16.0, 32.0, 49.0),
    "undersampling": (8.0, 32.0),
    "blood_cell": (16.0, 32.0),
    "dark_spots": (8.0, 16.0),
    "adjust_brightness": (4.0, 6.0, 8.0),
    "exposure": (4.0, 8.0, 16.0),
    "reduce_contrast": (4.0, 8.0, 16.0),
    "gaussian_noise": (8.0, 16.0, 32.0, 64.0, 128.0),
    "low_dose": (8.0, 32.0, 128.0),
    "low_resolution": (4.0,),
    "motion_blur": (8.0, 16.0, 32.0),
    "gaussian_blur": (4.0, 8.0, 16.0),
    "bubble": (8.0, 16.0),
}
"""Degradation -> severities at which its evidence may be gone, rising; the last is its stop."""

KEEPS_EVIDENCE: Mapping[str, str] = {
    "bias_field": "its floor leaves every place three tenths of its light",
    "ghosting": "the ghosts lie over the image, which stays",
    "object_rotation": "a turned picture shows the same",
    "object_movement": "the middle of k-space, and with it the picture, is of one position",
}
"""Degradation -> why no severity takes the evidence away."""


@functools.cache
def beyond_stops() -> SeverityTable:
    """Return the paper's severity table without the degradations' stops."""
    table = load_severities()

    def course(name: str, modality: str) -> Course:
        own = table.courses.get(name, {}).get(modality, Course())
        return Course(own.interpolate, LADDERS[name][-1])

    courses = {name: {modality: course(name, modality) for modality in table.rows[name]} for name in LADDERS}
    return SeverityTable(table.rows, {**table.courses, **courses})


def degraded_at(
    image: np.ndarray, name: str, severity: float, seed: str, modality: str
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return an image at a severity of a ladder, and its record."""
    return degrade_with_record(
        image,
        name,
        severity,
        seed=seed,
        series=True,
        modality=modality,
        severities=beyond_stops(),
        allow_unchanged=True,  # what is black stays black
    )


def first_gone(observer: ItemObserver, name: str, seed: str) -> tuple[float, Judgement] | None:
    """Return the least severity of the ladder from which on an item's evidence is gone, and the judgement there.

    Evidence is taken to fall along the ladder, so the severity is found by halving.

    Args:
        observer: of the item.
        name: of the degradation.
        seed: of its draw, the item's index.

    Returns:
        None where the ladder's end leaves evidence, or there is no ladder.
    """
    phantom = observer.phantom

    def judged(severity: float) -> Judgement:
        return observer.judge(degraded_at(phantom.image, name, severity, seed, phantom.item.modality)[1])

    ladder = LADDERS.get(name, ())
    if not ladder or (last := judged(ladder[-1])).verdict != GONE:
        return None
    found = ladder[-1], last
    low, high = 0, len(ladder) - 1
    while low < high:
        middle = (low + high) // 2
        if (at := judged(ladder[middle])).verdict == GONE:
            found, high = (ladder[middle], at), middle
        else:
            low = middle + 1
    return found
