"""Brightness offset: a display or a digitiser whose black level is wrong.

    y = clip(x + offset, 0, 255)

Dark structures are lost to black (or bright ones to white), which no windowing brings back.
"""

from __future__ import annotations

import cv2
import numpy as np


def apply(image: np.ndarray, *, offset: float) -> np.ndarray:
    """Add `offset` grey levels.

    Args:
        image: `(H, W)` or `(H, W, 3)`, uint8 or float32, 0..255 scale. Exact on uint8 for whole offsets;
            a fractional one is truncated after the sum.
    """
    if image.dtype != np.uint8:
        shifted: np.ndarray = image + np.float32(offset)
        return shifted
    whole = int(np.floor(min(max(offset, -255), 255)))  # floor(x + offset) = x + floor(offset) for whole x
    if image.size > 4:  # in one row; OpenCV's sum takes an array of 4 x 1 for a scalar
        row = np.ascontiguousarray(image).reshape(1, -1)
        scalar = (float(whole), 0.0, 0.0, 0.0)
        added: np.ndarray = cv2.add(row, scalar)  # type: ignore[call-overload]  # its annotations know no scalars
        return added.reshape(image.shape)
    return cv2.LUT(image, np.clip(np.arange(256) + whole, 0, 255).astype(np.uint8))
