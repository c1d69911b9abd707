"""Dark spot: dust, a pigment grain or a drop of stain out of focus, which takes light away.

y = x (1 - depth exp(-d^2 / (2 sigma^2))),  d the distance from the spot's centre
"""

from __future__ import annotations

from typing import Any

import numpy as np


def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> dict[str, Any]:
    """Draw the spot's centre, uniform in the middle 70% of each side."""
    return {"centre": [round(float(rng.uniform(0.15, 0.85) * side), 1) for side in shape[:2]]}


def apply(image: np.ndarray, *, depth: float, sigma: float, centre: list[float]) -> np.ndarray:
    """Darken about a point.

    Args:
        image: `(H, W)` or `(H, W, 3)`, float32, 0..255 scale.
        depth: share of the light taken away at the centre, in (0, 1].
        sigma: of the spot, pixels.
        centre: row and column, pixels.
    """
    rows, columns = profiles(image.shape, depth=depth, sigma=sigma, centre=centre)
    channels = image.shape[2] if image.ndim == 3 else 1
    field = np.outer(np.float32(-depth) * rows, np.repeat(columns, channels))
    field += np.float32(1)
    field *= image.reshape(image.shape[0], -1)
    return field.reshape(image.shape)


def profiles(
    shape: tuple[int, ...], *, depth: float, sigma: float, centre: list[float]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the Gaussian along the rows, (H,), and along the columns, (W,), float32; the spot is their product.

    Raises:
        ValueError: a depth, a sigma or a centre that cannot be.
    """
    if not 0 < depth <= 1:
        raise ValueError(f"dark_spots: depth must be in (0, 1], not {depth}")
    if len(centre) != 2:
        raise ValueError(f"dark_spots: centre must be a row and a column, not {centre}")
    if not sigma * sigma > 0:  # so small a one has a square of 0
        raise ValueError(f"dark_spots: sigma must be positive, not {sigma}")
    with np.errstate(over="ignore"):
        rows, columns = (
            np.exp(-((np.arange(side) - middle) ** 2) / (2 * sigma**2)).astype(np.float32)
            for side, middle in zip(shape, centre, strict=False)
        )
    return rows, columns
