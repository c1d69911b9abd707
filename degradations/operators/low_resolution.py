"""Low resolution: the image sampled on a coarser grid and shown at its old size.

Linear interpolation down, nearest neighbour up, on the align-corners grid of `scipy.ndimage.zoom`: pixel i
of N takes its value at i (n - 1) / (N - 1). There is no smoothing before sampling, so fine structure aliases,
as it does when a viewer or an archive thins an image out.
"""

from __future__ import annotations

import functools

import numpy as np

from ..truncation import truncate


def apply(image: np.ndarray, *, keep: float) -> np.ndarray:
    """Sample down to `keep` of each side, then up again.

    Args:
        image: `(H, W)` or `(H, W, 3)`, uint8 or float32, 0..255 scale. On uint8 the small image is
            truncated to whole levels, as SciPy does.
        keep: share of the side that is kept, in (0, 1]; at least one pixel remains.
    """
    small = _shrink(image, *(kept(side, keep) for side in image.shape[:2]))
    rows, columns = (nearest(small.shape[axis], image.shape[axis]) for axis in (0, 1))
    return small.take(columns, axis=1).take(rows, axis=0)


def kept(side: int, keep: float) -> int:
    """Return how many samples of a side remain.

    Raises:
        ValueError: a share that is not in (0, 1].
    """
    if not 0 < keep <= 1:
        raise ValueError(f"low_resolution: keep must be in (0, 1], not {keep}")
    return max(round(side * keep), 1)


def _shrink(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Linear interpolation at the grid points; on uint8 rounded half up, as SciPy rounds."""
    top, bottom, down = linear(image.shape[0], height)
    left, right, along = linear(image.shape[1], width)
    channels = image.shape[2] if image.ndim == 3 else 1
    flat = image.reshape(image.shape[0], -1)

    upper = flat[top].astype(np.float32)
    rows = flat[bottom] - upper
    rows *= down.astype(np.float32)[:, np.newaxis]
    rows += upper
    spread = np.arange(channels)
    first = rows.take((left[:, np.newaxis] * channels + spread).reshape(-1), axis=1)
    out: np.ndarray = rows.take((right[:, np.newaxis] * channels + spread).reshape(-1), axis=1)
    out -= first
    out *= np.repeat(along.astype(np.float32), channels)
    out += first
    if image.dtype != np.uint8:
        return out.reshape(height, width, *image.shape[2:])

    def exact(indices: np.ndarray) -> np.ndarray:
        row, rest = np.divmod(indices, width * channels)
        column, channel = np.divmod(rest, channels)
        value = np.zeros(indices.size)
        for line, weight_down in ((top, 1 - down), (bottom, down)):
            for place, weight_along in ((left, 1 - along), (right, along)):
                sample = flat[line[row], place[column] * channels + channel].astype(np.float64)
                value += sample * weight_down[row] * weight_along[column]
        return value + 0.5

    return truncate(out, exact).reshape(height, width, *image.shape[2:])


@functools.lru_cache(maxsize=64)
def linear(source: int, target: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each of `target` samples: the sample of `source` before it, the one after it, and the way
    between."""
    position = ((source - 1) / (target - 1) if target > 1 else 0.0) * np.arange(target)
    before = np.floor(position).astype(np.intp)
    return before, np.minimum(before + 1, source - 1), position - before


@functools.lru_cache(maxsize=64)
def nearest(source: int, target: int) -> np.ndarray:
    """Index into `source` samples for each of `target` samples."""
    step = (source - 1) / (target - 1) if target > 1 else 0.0
    indices: np.ndarray = np.floor(step * np.arange(target) + 0.5).astype(np.intp)
    return indices
