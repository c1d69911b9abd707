"""Dark spot: dust, a pigment grain or a drop of stain out of focus, which takes light away.

y = x (1 - depth exp(-d^2 / (2 sigma^2))),  d the distance from the spot's centre
"""

from __future__ import annotations

from typing import Any

import numpy as np


def draw(rng: np.random.Generator, shape: tuple[int, int]) -> dict[str, Any]:
    """The spot's centre."""
    return {"centre": [float(rng.uniform(0.2, 0.85) * side) for side in shape]}


def apply(image: np.ndarray, *, depth: float, sigma: float, centre: list[float]) -> np.ndarray:
    """Darken about a point.

    Args:
        image: ``(H, W)`` or ``(H, W, 3)``, float32, 0..255 scale.
        depth: share of the light taken away at the centre, in (0, 1].
        sigma: of the spot, pixels.
        centre: row and column, pixels.
    """
    row, column = centre
    rows = np.exp(-((np.arange(image.shape[0]) - row) ** 2) / (2 * sigma**2))
    columns = np.exp(-((np.arange(image.shape[1]) - column) ** 2) / (2 * sigma**2))
    field = (1 - depth * np.outer(rows, columns)).astype(np.float32)
    return image * (field if image.ndim == 2 else field[..., np.newaxis])
