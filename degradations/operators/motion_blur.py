"""Linear motion blur: the patient, the probe or the camera moves steadily during the exposure.

    y = x * K, K a line of the given length and angle with weights that sum to 1, borders reflected

The authors draw the line in two ways, and both are kept. ``rotated``: a horizontal line, turned by bilinear
interpolation (all modalities but one). ``stepped``: unit steps from the centre, truncated to the pixel grid (X-ray).
"""

from __future__ import annotations

import functools
import math

import cv2
import numpy as np
from scipy import ndimage


def apply(image: np.ndarray, *, length: float, angle: float, kernel: str = "rotated") -> np.ndarray:
    """Blur along a line.

    Args:
        image: ``(H, W)`` or ``(H, W, 3)``, uint8 or float32, 0..255 scale.
        length: of the line in pixels; rounded, at least 2.
        angle: in degrees; ``rotated`` turns anticlockwise, ``stepped`` clockwise, as in the authors' images.
        kernel: ``"rotated"`` or ``"stepped"``.
    """
    drawn = _kernel(max(round(length), 2), float(angle), kernel)
    size = drawn.shape[0]
    # Convolution is correlation with the kernel turned by 180 degrees; an even kernel's centre moves along.
    turned = np.ascontiguousarray(drawn[::-1, ::-1])
    anchor = (size - 1) // 2
    out = cv2.filter2D(
        image.astype(np.float64) if image.dtype == np.uint8 else image,
        cv2.CV_64F if image.dtype == np.uint8 else cv2.CV_32F,
        turned,
        anchor=(anchor, anchor),
        borderType=cv2.BORDER_REFLECT,
    )
    return np.clip(out, 0, 255).astype(np.uint8) if image.dtype == np.uint8 else out


@functools.lru_cache(maxsize=64)
def _kernel(size: int, angle: float, kind: str) -> np.ndarray:
    weights = np.zeros((size, size))
    if kind == "rotated":
        weights[size // 2] = 1 / size
        weights = ndimage.rotate(weights, angle, reshape=False, order=1)
    elif kind == "stepped":
        centre = size // 2
        for step in range(-centre, centre + 1):
            row = int(centre + step * math.sin(math.radians(angle)))
            column = int(centre + step * math.cos(math.radians(angle)))
            if 0 <= row < size and 0 <= column < size:
                weights[row, column] = 1
    else:
        raise ValueError(f"motion_blur: kernel must be rotated or stepped, not {kind!r}")
    return weights / weights.sum()
