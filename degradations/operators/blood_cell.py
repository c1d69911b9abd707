"""Red blood cells over the tissue: blood spilt on the slide, seen through.

Each cell is a biconcave disc, paler in the middle where it is thin, deeper towards its rim. It is blended
over the image with one opacity. The cells are drawn from their outline; no picture is pasted.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

_COLOUR = np.array([172.0, 54.0, 83.0], np.float32)  # mean of the authors' cells
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def draw(rng: np.random.Generator, shape: tuple[int, ...], *, count: int, diameter: float) -> dict[str, Any]:
    """For each cell: row, column, diameter (pixels), aspect (narrow over wide), angle (degrees), tone.

    The centres are uniform over the places where the whole cell fits. ``tone`` multiplies the colour.
    """
    cells = []
    for _ in range(int(count)):
        size = float(diameter * rng.uniform(0.9, 1.1))
        row, column = (
            rng.uniform(min(size / 2, side / 2), max(side - size / 2, side / 2)) for side in shape[:2]
        )
        cell = (row, column, size, rng.uniform(0.82, 1.0), rng.uniform(0, 180), rng.uniform(0.88, 1.12))
        cells.append([round(float(value), 3) for value in cell])
    return {"cells": cells}


def apply(image: np.ndarray, *, cells: list[list[float]], opacity: float) -> np.ndarray:
    """Blend cells over the image, one after the other.

    Args:
        image: ``(H, W)`` or ``(H, W, 3)``, float32, 0..255 scale. On a one-channel image the luma of the
            colour is used.
        cells: row, column, diameter, aspect, angle and tone of each, as from :func:`draw`.
        opacity: share of the cell's colour in the blend, in (0, 1].
    """
    if not 0 < opacity <= 1:
        raise ValueError(f"blood_cell: opacity must be in (0, 1], not {opacity}")
    out = image.copy()
    for row, column, diameter, aspect, angle, tone in cells:
        reach = diameter / 2 / math.sqrt(aspect) + 1
        box = tuple(
            slice(max(math.floor(middle - reach), 0), min(math.ceil(middle + reach) + 1, side))
            for middle, side in zip((row, column), image.shape, strict=False)
        )
        if any(part.start >= part.stop for part in box):
            continue
        colour, cover = _cell(box, row, column, diameter, aspect, angle)
        colour *= np.float32(tone)
        if image.ndim == 2:
            colour = colour @ _LUMA
        else:
            cover = cover[..., np.newaxis]
        out[box] += np.float32(opacity) * cover * (colour - out[box])
    return out


def _cell(
    box: tuple[slice, ...], row: float, column: float, diameter: float, aspect: float, angle: float
) -> tuple[np.ndarray, np.ndarray]:
    """A cell's colour ``(h, w, 3)`` and cover ``(h, w)`` (1 inside, 0 outside, soft over about a pixel) in a
    box."""
    turn = math.radians(angle)
    down = np.arange(box[0].start, box[0].stop, dtype=np.float32)[:, np.newaxis] - np.float32(row)
    along = np.arange(box[1].start, box[1].stop, dtype=np.float32) - np.float32(column)
    wide = (math.cos(turn) * along + math.sin(turn) * down) * np.float32(math.sqrt(aspect))
    narrow = (math.cos(turn) * down - math.sin(turn) * along) / np.float32(math.sqrt(aspect))
    radius = cv2.magnitude(wide.astype(np.float32), narrow.astype(np.float32)) / np.float32(diameter / 2)
    softness = np.float32(max(1.5 / diameter, 0.04))
    cover = np.clip((1 + softness - radius) / (2 * softness), 0, 1)
    # Thickness of a biconcave disc (Evans and Fung 1972, shape in kind): thin at 0, thickest near 0.7.
    pallor = np.exp(-((radius / np.float32(0.45)) ** 2))
    colour = _COLOUR + pallor[..., np.newaxis] * np.array([45, 50, 40], np.float32)
    rim = np.clip((radius - np.float32(0.55)) / np.float32(0.45), 0, 1)
    colour -= rim[..., np.newaxis] * np.array([12, 16, 14], np.float32)
    return colour, cover
