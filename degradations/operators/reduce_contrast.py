"""Loss of contrast: grey levels drawn together about the image's mean.

    y = m + factor (x - m),  m = mean over all pixels and channels

Scatter radiation, a wrong window or a flat film curve do this. 8-bit storage then merges neighbouring levels.
"""

from __future__ import annotations

import cv2
import numpy as np


def apply(image: np.ndarray, *, factor: float) -> np.ndarray:
    """Scale the distance from the mean by `factor` (1: unchanged, 0: constant).

    Args:
        image: `(H, W)` or `(H, W, 3)`, uint8 or float32, 0..255 scale.
    """
    mean = sum(cv2.sumElems(image)) / image.size
    if image.dtype == np.uint8:
        levels = mean + factor * (np.arange(256) - mean)
        return cv2.LUT(image, np.clip(levels, 0, 255).astype(np.uint8))
    out: np.ndarray = np.float32(mean) + np.float32(factor) * (image - np.float32(mean))
    return out
