"""Red blood cells over the tissue: blood spilt on the slide, seen through.

Each cell is a biconcave disc, paler in the middle where it is thin, deeper towards its rim. It is blended
over the image with one opacity. The cells are drawn from their outline; no picture is pasted.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_COLOUR = np.array([172.0, 54.0, 83.0], np.float32)  # mean of the authors' cells
_PALLOR = np.array([45.0, 50.0, 40.0], np.float32)
_RIM = np.array([12.0, 16.0, 14.0], np.float32)
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def draw(rng: np.random.Generator, shape: tuple[int, ...], *, count: float, diameter: float) -> dict[str, Any]:
    """Draw for each cell: row, column, diameter (pixels), aspect (narrow over wide), angle (degrees), tone.

    The centres are uniform over the places where the whole cell fits. `tone` multiplies the colour. Of a count that
    is not whole, the last cell has a seventh number, its share of the opacity.
    """
    cells = []
    for _ in range(math.ceil(count)):
        size = float(diameter * rng.uniform(0.9, 1.1))
        row, column = (rng.uniform(min(size / 2, side / 2), max(side - size / 2, side / 2)) for side in shape[:2])
        cell = (row, column, size, rng.uniform(0.82, 1.0), rng.uniform(0, 180), rng.uniform(0.88, 1.12))
        cells.append([round(float(value), 3) for value in cell])
    if count % 1:
        cells[-1].append(round(count % 1, 6))
    return {"cells": cells}


def apply(image: np.ndarray, *, cells: list[list[float]], opacity: float) -> np.ndarray:
    """Blend cells over the image, one after the other.

    Args:
        image: `(H, W)` or `(H, W, 3)`, float32, 0..255 scale. On a one-channel image the luma of the
            colour is used.
        cells: row, column, diameter, aspect, angle and tone of each, and a share of the opacity where it is not 1, as
            from `draw`.
        opacity: share of the cell's colour in the blend, in (0, 1].
    """
    if not 0 < opacity <= 1:
        raise ValueError(f"blood_cell: opacity must be in (0, 1], not {opacity}")
    if not all(cell[2] > 0 for cell in cells):
        raise ValueError("blood_cell: the diameter of a cell must be positive (at least 0.001 pixels)")
    out: np.ndarray = image.copy()
    channels = image.shape[2] if image.ndim == 3 else 1
    for row, column, diameter, aspect, angle, tone, *share in cells:
        reach = diameter / 2 / math.sqrt(aspect) + 1
        box = tuple(
            slice(max(math.floor(middle - reach), 0), min(math.ceil(middle + reach) + 1, side))
            for middle, side in zip((row, column), image.shape, strict=False)
        )
        if any(part.start >= part.stop for part in box):
            continue
        place = _squared_radius(box, row, column, diameter, aspect, angle)
        place *= np.float32(_STEPS)
        place = np.minimum(place, np.float32(_LAST), out=place).astype(np.intp)
        keep, add = _profile(diameter, opacity * (share[0] if share else 1), tone, channels)
        out[box] = out[box] * keep.take(place, axis=0) + add.take(place, axis=0)
    return out


def _squared_radius(
    box: tuple[slice, ...], row: float, column: float, diameter: float, aspect: float, angle: float
) -> np.ndarray:
    """Squared distance from a cell's centre in units of its rim, `(h, w)` float32, for the pixels of a
    box."""
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    unit = (2 / diameter) ** 2
    down = (np.arange(box[0].start, box[0].stop) - row)[:, np.newaxis]
    along = np.arange(box[1].start, box[1].stop) - column
    # The long axis lies at the angle; the axes are diameter / sqrt(aspect) and diameter * sqrt(aspect).
    long, short = unit * aspect, unit / aspect
    squares = (cosine**2 * long + sine**2 * short) * along**2
    result = ((2 * cosine * sine * (long - short)) * down).astype(np.float32) * along.astype(np.float32)
    result += squares.astype(np.float32)
    result += ((sine**2 * long + cosine**2 * short) * down**2).astype(np.float32)
    return result


_STEPS = 2048  # entries of the profile for each unit of the squared radius
_LAST = int(1.4 * _STEPS)


def _profile(diameter: float, opacity: float, tone: float, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """By squared radius: what to multiply the image with, and what to add, `(n, 3)` or `(n,)`."""
    radius = np.sqrt(np.arange(_LAST + 1, dtype=np.float32) / _STEPS)[:, np.newaxis]
    softness = max(1.5 / diameter, 0.04)
    cover = np.clip((1 + softness - radius) / (2 * softness), 0, 1)
    cover[-1] = 0
    # A biconcave disc: thin in the middle, thickest towards the rim.
    pallor = np.exp(-((radius / 0.45) ** 2))
    rim = np.clip((radius - 0.55) / 0.45, 0, 1)
    colour = tone * (_COLOUR + pallor * _PALLOR - rim * _RIM)
    if channels == 1:
        colour = colour @ _LUMA[:, np.newaxis]
    alpha = np.repeat(opacity * cover, colour.shape[1], axis=1)
    keep, add = (1 - alpha).astype(np.float32), (alpha * colour).astype(np.float32)
    return (keep[:, 0], add[:, 0]) if channels == 1 else (keep, add)
