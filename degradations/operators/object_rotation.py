"""Rotated object: the patient, the cassette or the slide lies at an angle.

Rigid rotation about the image's centre, bilinear, same size: corners are cut off and black wedges come in. As
in `scipy.ndimage.rotate`, a pixel whose source lies outside the grid of pixel centres is black, without a
soft edge.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np


def draw(rng: np.random.Generator, shape: tuple[int, ...], *, magnitude: tuple[float, float]) -> dict[str, Any]:
    """Draw an angle from the range `magnitude` (degrees), of either sign."""
    low, high = magnitude if isinstance(magnitude, tuple | list) else (magnitude, magnitude)
    return {"angle": round(float(rng.uniform(low, high) * rng.choice([-1, 1])), 3)}


def source_matrix(shape: tuple[int, ...], *, angle: float) -> np.ndarray:
    """Where in the input an output pixel lies: (2, 3), to be multiplied with (row, column, 1)."""
    height, width = shape[:2]
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    middle_row, middle_column = (height - 1) / 2, (width - 1) / 2
    down = middle_row - cosine * middle_row - sine * middle_column
    along = middle_column + sine * middle_row - cosine * middle_column
    return np.array([[cosine, sine, down], [-sine, cosine, along]])


def apply(image: np.ndarray, *, angle: float) -> np.ndarray:
    """Rotate.

    Args:
        image: `(H, W)` or `(H, W, 3)`, uint8 (rounded to the nearest) or float32, 0..255 scale.
        angle: in degrees, anticlockwise as seen on a screen.
    """
    height, width = image.shape[:2]
    (cosine, sine, down), (_, _, along) = source_matrix(image.shape, angle=angle).tolist()
    out = cv2.warpAffine(
        image,
        np.array([[cosine, -sine, along], [sine, cosine, down]]),
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
    ).reshape(image.shape)
    # OpenCV fades to black over the pixel next to the border; SciPy does not.
    rows = np.arange(height)
    starts, stops = columns_inside(image.shape, angle=angle)
    fade_starts, fade_stops = columns_inside(image.shape, angle=angle, slack=1.1)
    starts, stops = np.where(starts < stops, (starts, stops), fade_stops)  # no pixel inside: all of the fade
    for first, last in ((fade_starts, starts), (stops, fade_stops)):
        count = np.maximum(last - first, 0)
        row = np.repeat(rows, count)
        column = np.arange(row.size) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
        out[row, column] = 0
    return out


def columns_inside(shape: tuple[int, ...], *, angle: float, slack: float = 1e-9) -> tuple[np.ndarray, np.ndarray]:
    """For each row of the output, the first column whose source lies in the image and the one after the last."""
    (cosine, sine, down), (_, _, along) = source_matrix(shape, angle=angle).tolist()
    rows = np.arange(shape[0])
    return _columns_within(slack, sine, cosine, cosine * rows + down, along - sine * rows, shape)


def _columns_within(
    slack: float,
    sine: float,
    cosine: float,
    row_offset: np.ndarray,
    column_offset: np.ndarray,
    shape: tuple[int, ...],
) -> tuple[np.ndarray, np.ndarray]:
    """For each row, the columns whose source lies in the image or not farther than `slack` outside."""
    first, last = _solve(slack, sine, row_offset, shape[0])
    first_too, last_too = _solve(slack, cosine, column_offset, shape[1])
    starts = np.clip(np.maximum(first, first_too), 0, shape[1])
    return starts, np.clip(np.minimum(last, last_too) + 1, starts, shape[1])


def _solve(slack: float, slope: float, offset: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """First and last column with `slope * column + offset` in [-slack, side - 1 + slack], for each
    offset."""
    if abs(slope) < 1e-12:
        inside = (offset >= -slack) & (offset <= side - 1 + slack)
        return np.where(inside, 0, 1), np.where(inside, np.iinfo(np.int32).max, 0)
    ends = np.sort([(-slack - offset) / slope, (side - 1 + slack - offset) / slope], axis=0)
    ends = np.clip(ends, -1e9, 1e9)
    return np.ceil(ends[0]).astype(np.int64), np.floor(ends[1]).astype(np.int64)
