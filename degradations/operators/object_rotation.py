"""Rotated object: the patient, the cassette or the slide lies at an angle.

Rigid rotation about the image's centre, bilinear, same size: corners are cut off and black wedges come in. As
in ``scipy.ndimage.rotate``, a pixel whose source lies outside the grid of pixel centres is black, without a
soft edge.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np


def draw(
    rng: np.random.Generator, shape: tuple[int, ...], *, magnitude: tuple[float, float]
) -> dict[str, Any]:
    """An angle from the range ``magnitude`` (degrees), of either sign."""
    low, high = magnitude if isinstance(magnitude, tuple | list) else (magnitude, magnitude)
    return {"angle": round(float(rng.uniform(low, high) * rng.choice([-1, 1])), 3)}


def apply(image: np.ndarray, *, angle: float) -> np.ndarray:
    """Rotate.

    Args:
        image: ``(H, W)`` or ``(H, W, 3)``, uint8 (rounded to the nearest) or float32, 0..255 scale.
        angle: in degrees, anticlockwise as seen on a screen.
    """
    height, width = image.shape[:2]
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    middle_row, middle_column = (height - 1) / 2, (width - 1) / 2
    # The source of (row, column) is (c row + s column + down, -s row + c column + along).
    down = middle_row - cosine * middle_row - sine * middle_column
    along = middle_column + sine * middle_row - cosine * middle_column
    out = cv2.warpAffine(
        image,
        np.array([[cosine, -sine, along], [sine, cosine, down]]),
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    rows = np.arange(height)
    first, last = _columns_inside(sine, cosine * rows + down, height)
    first_too, last_too = _columns_inside(cosine, -sine * rows + along, width)
    columns = np.arange(width)
    inside = columns >= np.maximum(first, first_too)[:, np.newaxis]
    inside &= columns <= np.minimum(last, last_too)[:, np.newaxis]
    return cv2.bitwise_and(out, out, mask=inside.view(np.uint8)).reshape(image.shape)


def _columns_inside(slope: float, offset: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """First and last column whose ``slope * column + offset`` lies in [0, side - 1], for each row's
    offset."""
    slack = 1e-9  # a quarter turn lands on the border but for rounding
    if abs(slope) < 1e-12:
        inside = (offset >= -slack) & (offset <= side - 1 + slack)
        return np.where(inside, 0, 1), np.where(inside, np.iinfo(np.int32).max, 0)
    ends = np.sort([(-slack - offset) / slope, (side - 1 + slack - offset) / slope], axis=0)
    return np.ceil(ends[0]).astype(np.int64), np.floor(ends[1]).astype(np.int64)
