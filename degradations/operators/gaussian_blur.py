"""Gaussian blur: an isotropic point spread function, as of a defocused lens or a thick focal spot.

y = x * G(sigma), cut at 4 sigma, borders reflected
"""

from __future__ import annotations

import functools

import cv2
import numpy as np

from ..truncation import Neighbourhoods, truncate

_TRUNCATE = 4.0
_LARGEST_FAST = 81  # beyond, the exact neighbourhoods cost more than float64 throughout


def apply(image: np.ndarray, *, sigma: float) -> np.ndarray:
    """Blur with a Gaussian.

    Args:
        image: `(H, W)` or `(H, W, 3)`, uint8 or float32, 0..255 scale.
        sigma: standard deviation in pixels, positive.
    """
    kernel = weights(sigma)
    if image.dtype != np.uint8:
        return cv2.sepFilter2D(image, cv2.CV_32F, kernel, kernel, borderType=cv2.BORDER_REFLECT)
    if kernel.size > _LARGEST_FAST:
        out = cv2.sepFilter2D(image.astype(np.float64), cv2.CV_64F, kernel, kernel, borderType=cv2.BORDER_REFLECT)
        return np.clip(out, 0, 255).astype(np.uint8)
    shifted = cv2.sepFilter2D(image, cv2.CV_32F, kernel, kernel, delta=-0.5, borderType=cv2.BORDER_REFLECT)

    def exact(indices: np.ndarray) -> np.ndarray:
        reach = (kernel.size // 2,) * 2
        return Neighbourhoods(image, reach, reach).separable(indices, kernel)

    return truncate(shifted, exact)


def weights(sigma: float) -> np.ndarray:
    """Return the kernel along one axis, (2 radius + 1,) float64.

    Raises:
        ValueError: a sigma that is not positive.
    """
    if not sigma > 0:
        raise ValueError(f"gaussian_blur: sigma must be positive, not {sigma}")
    return _kernel(float(sigma))


def radius(sigma: float) -> int:
    """Return how far the kernel reaches, in pixels."""
    return int(_TRUNCATE * sigma + 0.5)


@functools.lru_cache(maxsize=64)
def _kernel(sigma: float) -> np.ndarray:
    reach = radius(sigma)
    if reach == 0:
        return np.ones(1)
    heights = np.exp(-0.5 / (sigma * sigma) * np.arange(-reach, reach + 1) ** 2)
    normalised: np.ndarray = heights / heights.sum()
    return normalised
