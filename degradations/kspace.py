"""Magnetic resonance k-space of a real image: which lines were kept, and when each was read.

k-space is the discrete Fourier transform of the image. Lines are numbered from the centre, `k = -(n // 2) ..
(n - 1) // 2` (the order of `fftshift`); whole lines across one axis need a transform along that axis only.
All artefacts here end with the real part of the inverse transform, and for a real image the real part of a
masked transform is the transform masked with `(M(k) + M(-k)) / 2`. So a mask becomes a weight of 0, 1/2 or
1 on each line k >= 0 of the transform of real numbers, and no complex image is ever made.

Spectra are held "packed": `Re 0, Re 1, Im 1, Re 2, Im 2, ...` along the last axis, as many numbers as
pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from scipy import fft, fftpack


def line_numbers(n: int) -> np.ndarray:
    """Return the line numbers of an axis of n pixels in the order of `fftshift`, (n,) int64."""
    return np.arange(n) - n // 2


def line_weights(lines: Sequence[int] | np.ndarray, n: int) -> np.ndarray:
    """Return what a set of kept lines multiplies a packed spectrum of n numbers by: (n,) float64 of 0, 1/2 and 1.

    Raises:
        ValueError: a line that an axis of n pixels does not have.
    """
    numbers = np.asarray(lines, dtype=np.int64)
    if numbers.size and (numbers.min() < -(n // 2) or numbers.max() > (n - 1) // 2):
        raise ValueError(f"k-space lines must lie in {-(n // 2)}..{(n - 1) // 2} for {n} pixels")
    kept = np.zeros(n)
    kept[numbers % n] = 1.0
    real_part = (kept + kept[-np.arange(n) % n]) / 2
    return real_part[(np.arange(n) + 1) // 2]


def band_lines(n: int, bands: int) -> list[np.ndarray]:
    """Return the line numbers of `bands` neighbouring bands of n // bands lines each; the last one takes the
    remainder.

    Raises:
        ValueError: fewer lines than bands.
    """
    if not 1 <= bands <= n:
        raise ValueError(f"cannot split {n} k-space lines into {bands} bands: the image is too small")
    return np.split(line_numbers(n), [n // bands * band for band in range(1, bands)])


def transform_rows(image: np.ndarray) -> np.ndarray:
    """Return the packed spectrum of each row of a (H, W) float32 or float64 array; same shape and dtype."""
    if _opencv_is_fast(image.shape[1]):
        return cv2.dft(image, flags=cv2.DFT_ROWS).reshape(image.shape)
    return fftpack.rfft(image, axis=1)


def rows_from_spectrum(spectrum: np.ndarray) -> np.ndarray:
    """Return the rows of a packed spectrum: the inverse of `transform_rows`."""
    if _opencv_is_fast(spectrum.shape[1]):
        flags = cv2.DFT_ROWS | cv2.DFT_SCALE | cv2.DFT_REAL_OUTPUT
        return cv2.idft(spectrum, flags=flags).reshape(spectrum.shape)
    return fftpack.irfft(spectrum, axis=1)


def _opencv_is_fast(n: int) -> bool:
    """OpenCV's transform is the fastest for factors 2, 3 and 5, but quadratic in a large prime factor."""
    return fft.next_fast_len(n, real=True) == n
