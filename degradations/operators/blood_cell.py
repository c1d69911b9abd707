"""Red blood cells over the tissue: blood spilt on the slide, seen through.

Each cell is a thin biconcave disc: pale in the middle, darker towards the rim. It is blended over the image with a
constant opacity. Cells are drawn here from their outline; no picture is pasted.
"""

from __future__ import annotations

from typing import Any

import numpy as np

COLOUR = (172.0, 54.0, 83.0)


def draw(rng: np.random.Generator, shape: tuple[int, int], *, count: int, diameter: float) -> dict[str, Any]:
    """For each cell: row, column, diameter (pixels)."""
    return {
        "cells": [
            [
                round(float(rng.uniform(0, shape[0])), 2),
                round(float(rng.uniform(0, shape[1])), 2),
                round(float(diameter * rng.uniform(0.85, 1.15)), 2),
            ]
            for _ in range(round(count))
        ]
    }


def apply(image: np.ndarray, *, cells: list[list[float]], opacity: float) -> np.ndarray:
    """Blend cells over the image.

    Args:
        image: ``(H, W)`` or ``(H, W, 3)``, float32, 0..255 scale. On a one-channel image the colour's luma is used.
        cells: row, column and diameter of each, pixels.
        opacity: share of the cell's colour in the blend.
    """
    out = image.copy()
    rows = np.arange(image.shape[0], dtype=np.float32)[:, np.newaxis]
    columns = np.arange(image.shape[1], dtype=np.float32)
    colour = np.float32(COLOUR) if image.ndim == 3 else np.float32(np.dot(COLOUR, (0.299, 0.587, 0.114)))
    for row, column, diameter in cells:
        inside = (rows - row) ** 2 + (columns - column) ** 2 < (diameter / 2) ** 2
        out[inside] += np.float32(opacity) * (colour - out[inside])
    return out
