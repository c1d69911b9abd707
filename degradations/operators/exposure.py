"""Wrong exposure: a power law (gamma) with an offset.

    y = 255 (x / 255)^gamma + offset

gamma > 1 with a negative offset is under-exposure (too few photons at the detector, or at the film); gamma <
1 with a positive one is over-exposure. The seed decides which.
"""

from __future__ import annotations

import functools
from typing import Any

import cv2
import numpy as np


def draw(
    rng: np.random.Generator,
    shape: tuple[int, ...],
    *,
    under_gamma: float,
    under_offset: float,
    over_gamma: float,
    over_offset: float,
    direction: str = "either",
) -> dict[str, Any]:
    """Draw under- or over-exposure, with equal chances unless `direction` is `"under"` or `"over"`."""
    if direction not in ("either", "under", "over"):
        raise ValueError(f"exposure: direction must be either, under or over, not {direction!r}")
    under = direction == "under" or (direction == "either" and rng.random() < 0.5)
    return {"gamma": under_gamma, "offset": under_offset} if under else {"gamma": over_gamma, "offset": over_offset}


def apply(image: np.ndarray, *, gamma: float, offset: float) -> np.ndarray:
    """Apply the power law.

    Args:
        image: `(H, W)` or `(H, W, 3)`, uint8 or float32, 0..255 scale.
        gamma: exponent, positive.
        offset: grey levels added afterwards.
    """
    check_gamma(gamma)
    if image.dtype == np.uint8:
        return cv2.LUT(image, _levels(gamma, offset))
    out: np.ndarray = 255 * np.clip(image / np.float32(255), 0, 1) ** np.float32(gamma) + np.float32(offset)
    return out


def check_gamma(gamma: float) -> None:
    """Raise a ValueError for an exponent that is not positive."""
    if not gamma > 0:
        raise ValueError(f"exposure: gamma must be positive, not {gamma}")


@functools.lru_cache(maxsize=64)
def _levels(gamma: float, offset: float) -> np.ndarray:
    return np.clip(255 * (np.arange(256) / 255) ** gamma + offset, 0, 255).astype(np.uint8)
