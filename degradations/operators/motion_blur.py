"""Linear motion blur: the patient, the probe or the camera moves steadily during the exposure.

    y = x * K, K a line of the given length and angle with weights that sum to 1, borders reflected

The authors draw the line in two ways, and both are kept. `rotated`: a horizontal line, turned by bilinear
interpolation (all modalities but one). `stepped`: unit steps from the centre, truncated to the pixel grid
(X-ray).
"""

from __future__ import annotations

import functools
import math
from fractions import Fraction

import cv2
import numpy as np
from scipy import special

from ..truncation import DOUBT, Neighbourhoods, settle

# Above 130 taps OpenCV goes through a Fourier transform, whose float32 error is too large.
_LARGEST_DIRECT = 121


def apply(image: np.ndarray, *, length: float, angle: float, kernel: str = "rotated") -> np.ndarray:
    """Blur along a line.

    Args:
        image: `(H, W)` or `(H, W, 3)`, uint8 or float32, 0..255 scale.
        length: of the line in pixels; rounded, at least 2.
        angle: in degrees; `rotated` turns anticlockwise, `stepped` clockwise, as in the authors' images.
        kernel: `"rotated"` or `"stepped"`.
    """
    weights, taps, reach = line(length, angle, kernel)
    if np.ptp([weight for _, _, weight in taps]) == 0:
        return _mean_along(image, taps, reach)
    return _weighted(image, weights, taps, reach)


def line(length: float, angle: float, kernel: str) -> tuple[np.ndarray, Taps, Reach]:
    """Return the line as a correlation kernel, its weights that are not 0, and how far it reaches from a pixel."""
    weights, top, left = _kernel(max(round(length), 2), float(angle), kernel)
    reach = _reach(max(round(length), 2), weights.shape, top, left)
    taps = [(int(r), int(c), float(weights[r, c])) for r, c in zip(*np.nonzero(weights), strict=True)]
    return weights, taps, reach


_ROWS = 64  # summed together: what stays in the cache

Reach = tuple[tuple[int, int], tuple[int, int]]  # up and left, down and right, in pixels
Taps = list[tuple[int, int, float]]  # row and column from the kernel's upper left, weight


def _reach(size: int, shape: tuple[int, ...], top: int, left: int) -> Reach:
    centre = (size - 1) // 2
    up, along = centre - top, centre - left
    return (up, along), (shape[0] - 1 - up, shape[1] - 1 - along)


def _mean_along(image: np.ndarray, taps: Taps, reach: Reach) -> np.ndarray:
    """Equal weights: add the shifted images. On uint8 the sum is a whole number, so the mean is exact but for
    the rounding of SciPy's float64 sum where it is whole, too."""
    (up, left), (down, right) = reach
    # A side of one pixel has no other to reflect: OpenCV then repeats it.
    border = cv2.copyMakeBorder(image, up, down, left, right, cv2.BORDER_REFLECT)
    whole = image.dtype == np.uint8
    padded: np.ndarray = border.astype((np.uint16 if len(taps) <= 257 else np.uint32) if whole else np.float32)
    if not whole:
        total = np.zeros(image.shape, np.float32)
        for row, column, _ in taps:
            total += padded[row : row + image.shape[0], column : column + image.shape[1]]
        average: np.ndarray = total / np.float32(len(taps))
        return average
    runs, total = _runs(taps), np.empty(image.shape, padded.dtype)
    for first in range(0, len(image), _ROWS):
        rows = total[first : first + _ROWS]
        _sum_of_runs(padded[first : first + len(rows) + len(padded) - len(image)], runs, out=rows)
    mean = (total // len(taps)).astype(np.uint8)
    doubtful = np.flatnonzero((mean * total.dtype.type(len(taps)) == total) & (total > 0))
    if doubtful.size:
        exact = Neighbourhoods(image, *reach).weighted_sum(doubtful, taps)
        mean.reshape(-1)[doubtful] = exact.astype(np.uint8)
    return mean


def _runs(taps: Taps) -> list[tuple[int, int, int]]:
    """Neighbouring taps of a row as (row, first column, number)."""
    runs: list[tuple[int, int, int]] = []
    for row, column, _ in sorted(taps):
        last = runs[-1] if runs else None
        if last is not None and (row, column) == (last[0], last[1] + last[2]):
            runs[-1] = (row, last[1], last[2] + 1)
        else:
            runs.append((row, column, 1))
    return runs


def _sum_of_runs(padded: np.ndarray, runs: list[tuple[int, int, int]], *, out: np.ndarray) -> None:
    """Add up the pixels under all taps: whole numbers, so that the order does not matter.

    The sum of a run is made once for all runs of its length, from sums of powers of two.
    """
    sums = {1: padded}  # at each pixel, the sum of as many from there to the right
    for length in sorted({number for _, _, number in runs}):
        power = 1
        while 2 * power <= length:
            if 2 * power not in sums:
                sums[2 * power] = sums[power][:, :-power] + sums[power][:, power:]
            power *= 2
        if length not in sums:
            width = padded.shape[1] - length + 1
            sums[length] = sums[power][:, :width] + _sum_to_the_right(sums, power, length - power, width)
    out[...] = 0
    for row, column, number in runs:
        out += sums[number][row : row + out.shape[0], column : column + out.shape[1]]


def _sum_to_the_right(sums: dict[int, np.ndarray], start: int, number: int, width: int) -> np.ndarray:
    """Of ``number`` pixels (at least one) from ``start`` to the right of each, from sums of powers of two."""
    parts = []
    for power in (1 << bit for bit in range(number.bit_length()) if number >> bit & 1):
        parts.append(sums[power][:, start : start + width])
        start += power
    return functools.reduce(np.add, parts)


def _weighted(image: np.ndarray, weights: np.ndarray, taps: Taps, reach: Reach) -> np.ndarray:
    def filtered(source: np.ndarray, depth: int, delta: float = 0) -> np.ndarray:
        anchor = (reach[0][1], reach[0][0])
        return cv2.filter2D(source, depth, weights, anchor=anchor, delta=delta, borderType=cv2.BORDER_REFLECT)

    if image.dtype != np.uint8:
        return filtered(image, cv2.CV_32F)
    if weights.size > _LARGEST_DIRECT:
        out = filtered(image.astype(np.float64), cv2.CV_64F)
        lower, upper = (np.clip(out + doubt, 0, 255).astype(np.uint8) for doubt in (-1e-6, 1e-6))
    else:
        lower, upper = (filtered(image, cv2.CV_8U, doubt - 0.5) for doubt in (-DOUBT, DOUBT))
    return settle(lower, upper, lambda indices: Neighbourhoods(image, *reach).weighted_sum(indices, taps))


def _turned(weights: np.ndarray, angle: float) -> np.ndarray:
    """A square turned anticlockwise about its centre, bilinear, as `scipy.ndimage.rotate(..., order=1)` has it.

    The last bit of a weight decides about a grey level in constant areas, and SciPy's depends on its version (from 1.17
    on it adds a coordinate's shift first) and on how the processor's BLAS multiplies. This is SciPy 1.17's on a
    processor with fused multiplication, in operations that are the same everywhere.
    """
    last, middle = len(weights) - 1, (len(weights) - 1) / 2
    cosine, sine = float(special.cosdg(angle)), float(special.sindg(angle))
    down, along = np.arange(last + 1.0)[:, np.newaxis], np.arange(last + 1.0)
    inside, corners = np.ones(weights.shape, bool), []
    for of_row, of_column in ((cosine, sine), (-sine, cosine)):
        # Rounded once: the product of floats is exact in fractions.
        shift = middle - float(Fraction(of_row) * Fraction(middle) + Fraction(of_column * middle))
        place = (shift + down * of_row) + along * of_column
        inside &= (place >= 0) & (place <= last)
        before = np.floor(place)
        share = 1 - (place - before)
        first = np.clip(before.astype(np.intp), 0, last)
        corners.append(((first, share), (np.minimum(first + 1, last), 1 - share)))
    total = np.zeros(weights.shape)
    for row, share_of_row in corners[0]:
        for column, share_of_column in corners[1]:
            total += weights[row, column] * share_of_row * share_of_column
    total[~inside] = 0
    return total


_LEAST_SUM = 1e-3
"""A line of an even number of pixels does not pass through the centre, and turned by some angles (2 pixels by 45
degrees) it leaves the grid. Such a kernel, whose weights sum to 0 or to rounding errors, would give a black image."""


def _drawn_through_the_centre(size: int, angle: float) -> np.ndarray:
    """The line through the grid's centre: points one pixel apart, each shared between its four neighbours."""
    weights = np.zeros((size + 2, size + 2))
    along = np.arange(size) - (size - 1) / 2
    # Rows run downwards, so an anticlockwise turn has a negative sine.
    rows = (size + 1) / 2 - along * math.sin(math.radians(angle))
    columns = (size + 1) / 2 + along * math.cos(math.radians(angle))
    for row, column in zip(rows, columns, strict=True):
        top, left = math.floor(row), math.floor(column)
        down, right = row - top, column - left
        weights[top, left] += (1 - down) * (1 - right) / size
        weights[top, left + 1] += (1 - down) * right / size
        weights[top + 1, left] += down * (1 - right) / size
        weights[top + 1, left + 1] += down * right / size
    return weights[1:-1, 1:-1]


@functools.lru_cache(maxsize=64)
def _kernel(size: int, angle: float, kind: str) -> tuple[np.ndarray, int, int]:
    """The line as a correlation kernel without its empty margins, and the size of the margins above and to the left."""
    weights = np.zeros((size, size))
    if kind == "rotated":
        weights[size // 2] = 1 / size
        weights = _turned(weights, angle)
        if weights.sum() < _LEAST_SUM:
            weights = _drawn_through_the_centre(size, angle)
    elif kind == "stepped":
        centre = size // 2
        for step in range(-centre, centre + 1):
            row = int(centre + step * math.sin(math.radians(angle)))
            column = int(centre + step * math.cos(math.radians(angle)))
            if 0 <= row < size and 0 <= column < size:
                weights[row, column] = 1
    else:
        raise ValueError(f"motion_blur: kernel must be rotated or stepped, not {kind!r}")
    # Convolution is correlation with the kernel turned about.
    weights = weights[::-1, ::-1] / weights.sum()
    # The pixel itself stays in: a line of an even length, turned by 180 or 270 degrees, lies beside it.
    box = []
    for used in (weights.any(axis=1), weights.any(axis=0)):
        places = [*np.flatnonzero(used).tolist(), (size - 1) // 2]
        box.append(slice(min(places), max(places) + 1))
    return np.ascontiguousarray(weights[tuple(box)]), box[0].start, box[1].start
