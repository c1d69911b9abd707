"""Filtered back-projection (FBP) of a sinogram, pixel by pixel."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from math import cos, pi, radians, sin

import cv2
import numpy as np
from scipy import fft

from .geometry import check_beam, half_diagonal
from .symmetries import Batch, batches, channels

_LARGE_BYTES = 1 << 26  # of one copy; from here on four are not back-projected at once
_WEIGHT_ROWS = 9  # rows of the weight table; OpenCV before 4.11 rounds a fraction of a row to 1/32


@lru_cache(maxsize=16)
def _ramp_response(length: int) -> np.ndarray:
    """Frequency response of the band-limited ramp |f| at unit spacing (Kak and Slaney, eq. 3.61)."""
    lag = np.minimum(np.arange(length), length - np.arange(length))
    taps = np.zeros(length)
    taps[0] = 0.25
    odd = lag % 2 == 1
    taps[odd] = -1.0 / (pi * lag[odd]) ** 2
    response = fft.rfft(taps).real.astype(np.float32)
    response.setflags(write=False)
    return response


def filter_ramp(sinogram: np.ndarray) -> np.ndarray:
    """Ramp-filter each view, zero-padded so that nothing wraps round; (views, detectors) float32."""
    detectors = sinogram.shape[1]
    length = fft.next_fast_len(2 * detectors, real=True)
    spectrum = fft.rfft(np.asarray(sinogram, np.float32), n=length, axis=1)
    spectrum *= _ramp_response(length)
    return fft.irfft(spectrum, n=length, axis=1)[:, :detectors]


def backproject(
    sinogram: np.ndarray,
    angles: np.ndarray | Sequence[float],
    *,
    side: int | tuple[int, int],
    source_distance: float | None,
) -> np.ndarray:
    """Sum over views of the detector values that each pixel projects to, (H, W) float32.

    Linear interpolation between cells, falling to zero within one cell outside the detector; fan beams carry
    the weight D / (D + Y). `side` is that of a square image, or (H, W).
    """
    shape = (side, side) if isinstance(side, int) else side
    views, detectors = sinogram.shape
    if views != len(angles):
        raise ValueError(f"the sinogram has {views} views but there are {len(angles)} angles")
    check_beam(shape, detectors, source_distance)
    weights = np.ones(1, np.float32)
    low = scale = inverse_distance = 0.0
    if source_distance is not None:
        reach = half_diagonal(shape)
        low, high = source_distance / (source_distance + reach), source_distance / (source_distance - reach)
        weights = np.linspace(low, high, _WEIGHT_ROWS, dtype=np.float32)
        scale = (_WEIGHT_ROWS - 1) / (high - low)
        inverse_distance = 1.0 / source_distance
    middle = (detectors - 1) / 2

    def smear(batch: Batch, channel: int | None) -> np.ndarray:
        """What a batch's views, or one of them, add to the copies: (h, w, channels)."""
        filtered = np.zeros((detectors, channels(len(batch.copies))), np.float32)
        for number, (copy, view) in enumerate(zip(batch.copies, batch.views, strict=True)):
            filtered[:, number] = sinogram[view, ::-1] if copy.mirrored else sinogram[view]
        if channel is not None:
            filtered = np.ascontiguousarray(filtered[:, channel, None])
        a = radians(batch.angle)
        across = np.array([cos(a), sin(a), 0.0])
        depth = np.array([-sin(a) * inverse_distance, cos(a) * inverse_distance, 1.0])  # (D + Y) / D
        homography = np.stack([across + middle * depth, scale * (np.array([0, 0, 1.0]) - low * depth), depth])
        height, width = shape[::-1] if batch.copies[0].quarter_turns % 2 else shape
        to_centre = np.array([[1.0, 0.0, -(width - 1) / 2], [0.0, 1.0, -(height - 1) / 2], [0.0, 0.0, 1.0]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        smeared = cv2.warpPerspective(
            weights[:, None, None] * filtered, homography @ to_centre, (width, height), flags=flags
        )
        return smeared.reshape(height, width, -1)

    image = np.zeros(shape, np.float32)
    large = image.nbytes >= _LARGE_BYTES
    for copies, group in groupby(batches(np.asarray(angles), shape[0] == shape[1]), key=lambda batch: batch.copies):
        of_copies = list(group)
        for channel in range(len(copies)) if large else (None,):
            total = smear(of_copies[0], channel)
            for batch in of_copies[1:]:
                np.add(total, smear(batch, channel), out=total)
            for number, copy in enumerate(copies):
                if not large:
                    image += copy.undo(total[..., number])
                elif number == channel:
                    image += copy.undo(total[..., 0])
    return image


def fbp(
    sinogram: np.ndarray,
    angles: np.ndarray | Sequence[float],
    *,
    side: int | tuple[int, int],
    source_distance: float | None,
) -> np.ndarray:
    """Return the filtered back-projection, (H, W) float32, scaled by pi / views whatever the arc covered."""
    image = backproject(filter_ramp(sinogram), angles, side=side, source_distance=source_distance)
    image *= np.float32(pi / len(angles))
    return image
