"""Clean images as many devices show them: the grey levels on which the reference model must not rely.

All phantoms of one modality are exposed alike, as if one device had made them, and a model that has seen no other
device takes absolute grey levels for signs. Clean images in use differ more: among those that MedQ-Deg published, the
mean grey level of two histological sections is 91 and 168, of endoscopies 67 to 102, of X-rays 153 to 181 and of MRI
slices 32 to 66. So the lessons of the last stage are shown at a level, width and gamma drawn within the bounds below.
Each is less than half of what the mild degradation of its kind (L1) changes: 75 grey levels, a factor of 0.65, a gamma
of 1.45. Nothing else is done to them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .lessons import Lesson

LEVEL = 30.0
"""Largest shift of all grey levels."""
WIDTH = 0.15
"""Largest change of the contrast about mid-grey, as a share."""
GAMMA = 1.15
"""Largest exponent; the smallest is its inverse."""


def exposed(lesson: Lesson, rng: np.random.Generator) -> Lesson:
    """Return the lesson at an exposure drawn anew, the same for all its channels."""
    shift, width, power = rng.uniform(-1.0, 1.0, 3)
    grey = 255.0 * (np.arange(256) / 255.0) ** (GAMMA**power)
    table = 127.5 + (1.0 + WIDTH * width) * (grey - 127.5) + LEVEL * shift
    return replace(lesson, image=np.rint(np.clip(table, 0, 255)).astype(np.uint8)[lesson.image])
