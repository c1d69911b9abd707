"""The one quantity that a scanner measures, from an RGB file.

CT and MR images are grey; RGB files of them carry three equal channels, and coloured markings. Operators that
simulate the scanner work on the luma (ITU-R BT.601, as PIL's mode L has it) and return it in every channel,
as the authors' do.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

GREY = 8
"""Spread of a pixel's channels, in grey levels, up to which it counts as grey: the chroma noise of a grey JPEG."""


def is_grey(image: np.ndarray) -> bool:
    """Return whether a (H, W) or (H, W, 3) image on the 0..255 scale has no coloured pixel."""
    if image.ndim == 2:
        return True
    red, green, blue = cv2.split(image)
    highest, lowest = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    return bool(cv2.subtract(highest, lowest).max() <= GREY)


_ROWS = 128  # converted together: what stays in the cache


def on_luma(image: np.ndarray, operation: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Apply an operation to the luma of a (H, W) or (H, W, 3) image, uint8 or float32; same shape, float32.

    The channels of the result are one plane in memory, and read-only.
    """
    if image.ndim == 2:
        return operation(image.astype(np.float32, copy=False))
    luma = np.empty(image.shape[:2], np.float32)
    for first in range(0, len(image), _ROWS):
        rows = slice(first, first + _ROWS)
        red, green, blue = np.moveaxis(image[rows].astype(np.float32, copy=False), 2, 0)
        # Differences, so that equal channels give exactly their value.
        luma[rows] = green + np.float32(0.299) * (red - green) + np.float32(0.114) * (blue - green)
    return np.broadcast_to(operation(luma)[..., None], image.shape)
