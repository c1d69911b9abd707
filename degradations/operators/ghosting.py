"""Ghosting in MRI: displaced copies of the image along the phase-encoding axis.

Periodic movement (breath, pulse, flow) modulates the signal from one phase-encoding line to the next, which
in the image becomes copies shifted along that axis. The authors add `ghosts` copies, i times H // (ghosts +
2) rows further down, with weights w_i of their own, and let nothing wrap round:

    y = x + sum_i w_i shift_down(x, i (H // (ghosts + 2)))

Not renormalised, so the image gets brighter and saturates, as theirs does. (In a scanner the copies take
their signal from the image and wrap round the field of view: M. L. Wood and R. M. Henkelman, "MR image
artifacts from periodic motion", Med Phys 12, 1985.) Each channel alike.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np


def draw(
    rng: np.random.Generator, shape: tuple[int, ...], *, ghosts: int, weight: tuple[float, float]
) -> dict[str, Any]:
    """Draw the weight of each ghost, uniformly from the range `weight`: `{"weights": [w_1, ...]}`."""
    return {"weights": rng.uniform(*weight, int(ghosts)).tolist()}


def apply(image: np.ndarray, *, weights: list[float]) -> np.ndarray:
    """Add shifted copies of the image below one another.

    Args:
        image: float32 (H, W) or (H, W, 3), 0..255.
        weights: weight of each ghost, from the nearest one.

    Raises:
        ValueError: too few rows for ghosts to be apart.
    """
    height = image.shape[0]
    spacing = rows_between(len(weights), height)
    image = np.ascontiguousarray(image, dtype=np.float32)
    out: np.ndarray = image.copy()
    for number, weight in enumerate(weights, 1):
        down = number * spacing
        below = out[down:].reshape(height - down, -1)
        cv2.scaleAdd(image[: height - down].reshape(height - down, -1), float(weight), below, dst=below)
    return out


def rows_between(ghosts: int, height: int) -> int:
    """Return how many rows further down each ghost lies than the one before.

    Raises:
        ValueError: too few rows for ghosts to be apart.
    """
    spacing = height // (ghosts + 2)
    if spacing < 1:
        raise ValueError(f"ghosting: {ghosts} ghosts need at least {ghosts + 2} rows, got {height}")
    return spacing
