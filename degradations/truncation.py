"""Filter in float32, truncate as float64 would.

The authors filter in float64 and truncate to uint8. Float32 is four times as fast, but a value that float64
puts at 99.999999 or at 100.000001 it may put on the other side, and constant areas sit exactly on that edge.
So the float32 result is truncated twice, a little up and a little down; where the two agree the answer is
certain, and the few pixels where they differ are computed again, one by one, with SciPy's sums in SciPy's
order. The bytes then do not depend on how a build of OpenCV orders its float32 sums.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

DOUBT = 2e-4
"""Half-width of the band around whole levels in which a float32 result is not trusted. The largest error seen
with the paper's kernels is 1.1e-4 (tests/degradations/test_truncation.py)."""

_CHUNK = 1 << 20  # neighbourhood samples held at once


def truncate(shifted: np.ndarray, exact: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Truncate a float32 filter result to uint8.

    Args:
        shifted: the result minus 0.5 (OpenCV's filters take a `delta`), float32: OpenCV's rounding then
            truncates.
        exact: from flat indices to the float64 result there.
    """
    # In one row: OpenCV takes an array of 4 x 1 for a scalar, and before version 5 a number for the first channel only.
    # (OpenCV's types do not know that it takes a number.)
    lower = cv2.add(shifted.reshape(1, -1), -DOUBT, dtype=cv2.CV_8U).reshape(shifted.shape)  # type: ignore[call-overload]
    return settle(lower, cv2.convertScaleAbs(shifted, beta=DOUBT), exact)


def settle(lower: np.ndarray, upper: np.ndarray, exact: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return `upper` with the pixels where it is not `lower` computed exactly; `upper` is changed in place."""
    doubtful = np.flatnonzero(lower != upper)
    if doubtful.size:
        upper.reshape(-1)[doubtful] = np.clip(exact(doubtful), 0, 255).astype(np.uint8)
    return upper


class Neighbourhoods:
    """Exact values of a filter at single pixels of a uint8 image with reflected borders."""

    def __init__(self, image: np.ndarray, before: tuple[int, int], after: tuple[int, int]) -> None:
        """Pad the image by the filter's reach.

        Args:
            image: (H, W) or (H, W, C) uint8.
            before: how far the filter reaches up and left, in pixels.
            after: how far it reaches down and right.
        """
        self._shape = image.shape
        self._padded = cv2.copyMakeBorder(
            image, before[0], after[0], before[1], after[1], borderType=cv2.BORDER_REFLECT
        )
        channels = image.shape[2] if image.ndim == 3 else 1
        self._down, self._along = self._padded.shape[1] * channels, channels

    def _corners(self, indices: np.ndarray) -> np.ndarray:
        """Flat index into the padded image of the upper left end of each pixel's neighbourhood."""
        row, rest = np.divmod(indices, self._shape[1] * self._along)
        corners: np.ndarray = row * self._down + rest
        return corners

    def weighted_sum(self, indices: np.ndarray, taps: list[tuple[int, int, float]]) -> np.ndarray:
        """Return the sum of `weight * sample` over `(row, column, weight)` taps, added one after the other."""
        flat, corners = self._padded.reshape(-1), self._corners(indices)
        total = np.zeros(indices.size)
        for row, column, weight in taps:
            total += weight * flat.take(corners + (row * self._down + column * self._along))
        return total

    def separable(self, indices: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Apply a symmetric separable filter, down the columns first, each sum from the ends to the middle."""
        size = weights.size
        row, rest = np.divmod(indices, self._shape[1] * self._along)
        column, channel = np.divmod(rest, self._along)
        padded = self._padded.reshape(*self._padded.shape[:2], self._along)
        windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(0, 1))
        total = np.empty(indices.size)
        product = np.outer(weights, weights).reshape(-1)
        step = max(_CHUNK // size**2, 1)
        for start in range(0, indices.size, step):
            some = slice(start, start + step)
            samples = windows[row[some], column[some], channel[some]].astype(np.float64)
            value = np.einsum("ij,j->i", samples.reshape(-1, size**2), product)
            # The order of the sum matters only where the value is a whole number but for float64's own
            # rounding.
            whole = np.flatnonzero(np.abs(value - np.rint(value)) < 1e-9)
            value[whole] = _symmetric_sum(_symmetric_sum(samples[whole], weights), weights)
            total[some] = value
        return total


def _symmetric_sum(samples: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Along the second axis, in the order of `scipy.ndimage.correlate1d` for symmetric weights."""
    middle = weights.size // 2
    total: np.ndarray = samples[:, middle] * weights[middle]
    for index in range(middle):
        total += (samples[:, index] + samples[:, -1 - index]) * weights[index]
    return total
