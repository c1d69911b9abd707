"""Brightness offset: a display or a digitiser whose black level is wrong.

    y = clip(x + offset, 0, 255)

Dark structures are lost to black (or bright ones to white), which no windowing brings back.
"""

from __future__ import annotations

import cv2
import numpy as np


def apply(image: np.ndarray, *, offset: float) -> np.ndarray:
    """Add ``offset`` grey levels.

    Args:
        image: ``(H, W)`` or ``(H, W, 3)``, uint8 or float32, 0..255 scale. Exact on uint8 for whole offsets;
            a fractional one is truncated after the sum.
    """
    if image.dtype != np.uint8:
        return image + np.float32(offset)
    whole = int(np.floor(offset))  # floor(x + offset) = x + floor(offset) for whole x
    flat = image.reshape(image.shape[0], -1)
    return (cv2.add(flat, float(whole)) if whole >= 0 else cv2.subtract(flat, float(-whole))).reshape(image.shape)
