"""Additive white Gaussian noise: electronic noise of the receiver.

    y = x + n,  n ~ N(0, (relative_sigma * std(x))^2), independent for each pixel and channel

The noise is made by looking 16 random bits up in the inverse of the normal distribution. That is several
times faster than drawing normals, and the same on every platform. The 65,536 values are the quantiles at (k +
1/2) / 65536: the largest is 4.3 sigma, and each whole grey level of the noise has its true probability to
within 2^-16.
"""

from __future__ import annotations

import functools
from typing import Any

import cv2
import numpy as np
from scipy.special import ndtri

_CHUNK = 1 << 16  # samples made together: what stays in the cache


def draw(rng: np.random.Generator, shape: tuple[int, int]) -> dict[str, Any]:
    """Draw the seed of the noise field, so that a record need not hold the field."""
    return {"noise_seed": int(rng.integers(2**63))}


def apply(image: np.ndarray, *, relative_sigma: float, noise_seed: int, colour: bool = True) -> np.ndarray:
    """Add noise.

    Args:
        image: `(H, W)` or `(H, W, 3)`, uint8 or float32, 0..255 scale.
        relative_sigma: the noise's standard deviation, in units of the image's (over all pixels and
            channels).
        noise_seed: non-negative integer.
        colour: each channel its own noise, as in the paper, which leaves colour speckle on grey images;
            False: the same noise in all channels, as the noise of a scanner with one detector is.
    """
    check_sigma(relative_sigma)
    sigma = relative_sigma * _standard_deviation(image)
    shape = image.shape if colour else image.shape[:2]
    count = int(np.prod(shape))
    bits = random_bits(noise_seed, count)
    quantiles = sigma * normal_quantiles()
    whole = image.dtype == np.uint8
    # floor(x + n) = x + floor(n) for whole x
    table = np.floor(quantiles).clip(-255, 255).astype(np.int16) if whole else quantiles.astype(np.float32)

    out = np.empty_like(image)
    width = count // shape[0]
    step = max(_CHUNK // width, 1)
    for row in range(0, shape[0], step):
        part = slice(row, min(row + step, shape[0]))
        noise: np.ndarray = table.take(bits[part.start * width : part.stop * width], mode="wrap")
        noise = noise.reshape(-1, *shape[1:])
        if noise.ndim < image.ndim:
            noise = cv2.merge([noise] * image.shape[2])
        if whole:
            out[part] = cv2.add(image[part], noise, dtype=cv2.CV_8U).reshape(noise.shape)
        else:
            np.add(image[part], noise, out=out[part])
    return out


def check_sigma(relative_sigma: float) -> None:
    """Raise a ValueError for a negative standard deviation."""
    if relative_sigma < 0:
        raise ValueError(f"gaussian_noise: relative_sigma must not be negative, not {relative_sigma}")


def random_bits(noise_seed: int, count: int) -> np.ndarray:
    """Return which quantile each sample of a noise field is, (count,) uint16."""
    return np.random.PCG64(noise_seed).random_raw(-(-count // 4)).astype("<u8", copy=False).view("<u2")[:count]


def _standard_deviation(image: np.ndarray) -> float:
    if image.dtype != np.uint8:
        return float(image.std(dtype=np.float64))
    total = sum(cv2.sumElems(image))
    squares = cv2.norm(image, cv2.NORM_L2SQR)
    return float(max(squares / image.size - (total / image.size) ** 2, 0) ** 0.5)


@functools.lru_cache(maxsize=1)
def normal_quantiles() -> np.ndarray:
    """Return 65,536 quantiles of the normal distribution, float64."""
    return ndtri((np.arange(65536) + 0.5) / 65536)
