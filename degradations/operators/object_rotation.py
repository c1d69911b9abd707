"""Rotated object: the patient, the cassette or the slide lies at an angle.

Rigid rotation about the image's centre, bilinear, same size: corners are cut off and black wedges come in.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import ndimage


def draw(
    rng: np.random.Generator, shape: tuple[int, int], *, magnitude: tuple[float, float]
) -> dict[str, Any]:
    """An angle from the range ``magnitude``, of either sign."""
    low, high = magnitude if isinstance(magnitude, tuple | list) else (magnitude, magnitude)
    return {"angle": float(rng.uniform(low, high) * rng.choice([-1, 1]))}


def apply(image: np.ndarray, *, angle: float) -> np.ndarray:
    """Rotate.

    Args:
        image: ``(H, W)`` or ``(H, W, 3)``, float32, 0..255 scale.
        angle: in degrees, anticlockwise as seen on a screen.
    """
    return ndimage.rotate(image, angle, reshape=False, order=1)
