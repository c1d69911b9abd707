"""Air bubble under the cover slip: a disc of tissue out of focus, with a hard edge.

y = x * G(sigma) inside the disc, x outside
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import gaussian_blur


def draw(rng: np.random.Generator, shape: tuple[int, int], *, radius: float) -> dict[str, Any]:
    """The bubble's centre, uniform in the middle of the image."""
    return {"centre": [float(rng.uniform(0.3, 0.7) * side) for side in shape]}


def apply(image: np.ndarray, *, radius: float, sigma: float, centre: list[float]) -> np.ndarray:
    """Blur inside a disc.

    Args:
        image: ``(H, W)`` or ``(H, W, 3)``, uint8 or float32, 0..255 scale.
        radius: of the disc, pixels.
        sigma: of the blur, pixels.
        centre: row and column, pixels.
    """
    row, column = centre
    rows = np.arange(image.shape[0])[:, np.newaxis] - row
    columns = np.arange(image.shape[1]) - column
    inside = rows**2 + columns**2 < radius**2
    out = image.copy()
    out[inside] = gaussian_blur.apply(image, sigma=sigma)[inside]
    return out
