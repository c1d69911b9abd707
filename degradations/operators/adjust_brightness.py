"""Brightness offset: a display or a digitiser whose black level is wrong.

    y = clip(x + offset, 0, 255)

Dark structures are lost to black (or bright ones to white), which no windowing brings back.
"""

from __future__ import annotations

import math

import cv2
import numpy as np


def apply(image: np.ndarray, *, offset: float) -> np.ndarray:
    """Add `offset` grey levels.

    Args:
        image: `(H, W)` or `(H, W, 3)`, uint8 or float32, 0..255 scale. Exact on uint8 for whole offsets;
            a fractional one is truncated after the sum.
    """
    if image.dtype != np.uint8:
        summed: np.ndarray = image + np.float32(offset)
        return summed
    whole = math.floor(min(max(offset, -255), 255))  # floor(x + offset) = x + floor(offset) for whole x
    if image.size > 4:  # OpenCV's sum takes an array of 4 x 1 for a scalar
        # A negative scalar would be added in 16 bits, six times as slowly.
        added: np.ndarray = cv2.add(image, (whole,) * 4) if whole >= 0 else cv2.subtract(image, (-whole,) * 4)  # type: ignore[call-overload]  # its annotations know no scalars
        return added
    return cv2.LUT(image, np.clip(np.arange(256) + whole, 0, 255).astype(np.uint8))
