"""Parallel beams: projection and reconstruction as one convolution."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import cos, pi, radians, sin

import numpy as np
from scipy import fft

from .geometry import plane

_FINE = 128  # samples of a pixel in the table of the ramp kernel


def _ramp_profile(reach: float) -> np.ndarray:
    """What one point's filtered view smears across the image, at distances -reach..reach in steps of 1/_FINE.

    The band-limited ramp, interpolated linearly twice (in projecting and in back-projecting) and averaged
    over the point's position between two cells: the taps convolved with the cubic B-spline.
    """
    cells = int(np.ceil(reach)) + 3
    lag = np.arange(-cells, cells + 1)
    taps = np.where(lag % 2 == 1, -1.0 / (pi * np.where(lag == 0, 1, lag)) ** 2, 0.0)
    taps[cells] = 0.25
    position = np.arange(-int(np.ceil(reach)) * _FINE, int(np.ceil(reach)) * _FINE + 1) / _FINE
    before = np.floor(position).astype(np.int64)
    profile = np.zeros(position.size)
    for neighbour in (-1, 0, 1, 2):
        distance = np.abs(position - before - neighbour)
        spline = np.where(distance < 1, 2 / 3 - distance**2 + distance**3 / 2, np.clip(2 - distance, 0, None) ** 3 / 6)
        profile += taps[before + neighbour + cells] * spline
    return profile.astype(np.float32)


@lru_cache(maxsize=4)
def _parallel_response(height: int, width: int, angles: tuple[float, ...]) -> tuple[np.ndarray, int, int]:
    """Transfer function of "project, filter, back-project" (real, the kernel is even); transform's size."""
    rows = fft.next_fast_len(2 * height - 1)
    columns = fft.next_fast_len(2 * width - 1, real=True)
    y = np.arange(height, dtype=np.float64)
    x = np.arange(1 - width, width, dtype=np.float64)
    profile = _ramp_profile(np.hypot(height, width))
    middle = profile.size // 2
    lower = np.zeros((height, x.size), np.float32)  # the rows y >= 0; the others follow by symmetry
    for angle in angles:
        across, down = _FINE * cos(radians(angle)) * x + (middle + 0.5), _FINE * sin(radians(angle)) * y
        for first in range(0, height, 64):
            part = slice(first, first + 64)
            lower[part] += profile[np.add.outer(down[part], across).astype(np.int32)]
    lower *= np.float32(pi / len(angles))
    kernel = np.zeros((rows, columns), np.float32)
    right, left = slice(width - 1, None), slice(0, width - 1)  # x >= 0 and x < 0
    kernel[:height, :width] = lower[:, right]
    if width > 1:
        kernel[:height, 1 - width :] = lower[:, left]
    if height > 1:
        mirrored = lower[:0:-1, ::-1]
        kernel[1 - height :, :width] = mirrored[:, right]
        if width > 1:
            kernel[1 - height :, 1 - width :] = mirrored[:, left]
    response = np.ascontiguousarray(fft.rfft2(kernel).real)
    response.setflags(write=False)
    return response, rows, columns


def parallel_fbp(image: np.ndarray, angles: np.ndarray | Sequence[float]) -> np.ndarray:
    """Project in parallel beams and reconstruct in one step: a (H, W) image of any shape to (H, W) float32.

    Projecting and back-projecting along one direction is a convolution, so the sum over a set of angles is
    one convolution too, done by FFT. Unlike `project` and `fbp` it has no detector that could be
    too short, and the interpolation errors of single rays are replaced by their average. The transfer
    functions of the last four combinations of size and angles are kept (4 bytes for each of about 2 H x W
    values).
    """
    height, width = plane(image).shape
    response, rows, columns = _parallel_response(height, width, tuple(float(a) for a in angles))
    spectrum = fft.rfft(np.asarray(image, np.float32), n=columns, axis=1)
    spectrum = fft.fft(spectrum, n=rows, axis=0, overwrite_x=True)
    spectrum *= response
    spectrum = fft.ifft(spectrum, axis=0, overwrite_x=True)[:height]
    return fft.irfft(spectrum, n=columns, axis=1)[:, :width]
