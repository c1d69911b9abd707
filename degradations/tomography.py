"""Computed tomography on a pixel grid: fan- and parallel-beam projection and filtered back-projection (FBP).

Geometry
--------
Lengths are in pixels. The rotation axis is the centre of the image. At view angle `b`
the source stands at `-D e_Y` and a flat detector at `+D e_Y`, with `e_X = (cos b, sin b)` and `e_Y =
(-sin b, cos b)` in (column, row) directions; `D` is the source distance and, by symmetry, the detector
distance. Detector cell `k` of `K` is seen at the axis at `u = k - (K - 1) / 2`: one pixel apart there,
two pixels apart on the detector. A ray is the straight line from the source through `u e_X`. In the
parallel geometry (`source_distance=None`) all rays run along `e_Y`.

Projection is Joseph's method: along the axis that a ray follows more closely, one linear interpolation in
each row (or column) crossed, times the length of the ray in that row. Back-projection is pixel-driven with
linear interpolation on the detector and, in the fan, weight `D / (D + Y)`: the weight to the first power
and no cosine weight, which the benchmark's published images show (an exact fan-beam FBP squares it and
weights the data by the cosine; for a fan of half-angle 27 degrees the difference is a slow shading).

Speed
-----
The symmetries of the square carry every view angle into [0, 45] degrees, so up to eight views (rotated and
mirrored copies of the image; of one that is not square, those of the same height) share one ray table; four
of them are interpolated at once as the channels of one image. Of an image that is not square, rays are
followed only where they cross it, so that time goes with its pixels. The weighted back-projection of a view
is a homography of a two-column table (detector cell, weight), hence one `warpPerspective`. One stack of
copies is held at a time, and large images are back-projected one copy after the other, which takes less than
half the memory. Nothing is cached but the frequency response of `parallel_fbp`.

References
----------
P. M. Joseph, "An improved algorithm for reprojecting rays through pixel images", IEEE TMI 1(3), 1982.
A. C. Kak and M. Slaney, "Principles of Computerized Tomographic Imaging", IEEE Press 1988, chapter 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from math import cos, hypot, pi, radians, sin, tan

import cv2
import numpy as np
from scipy import fft

__all__ = [
    "backproject",
    "equal_angles",
    "fbp",
    "filter_ramp",
    "full_scan",
    "parallel_fbp",
    "project",
    "scan_and_reconstruct",
    "source_distance",
]

_CHANNELS = 4  # OpenCV interpolates four float channels at nearly the price of one
_CHUNK_BYTES = 1 << 19  # rows worked on together: what stays in a second-level cache
_LARGE_BYTES = 1 << 26  # of one copy; from here on four are not back-projected at once
_STEPS = 64  # most rows that rays are followed through together, in an image that is not square
_WEIGHT_ROWS = 9  # rows of the weight table; OpenCV before 4.11 rounds a fraction of a row to 1/32


def equal_angles(start: float, arc: float, views: int, *, endpoint: bool) -> np.ndarray:
    """Return `views` view angles in degrees, equally spaced over `arc` from `start`, (views,) float64."""
    if views < 1:
        raise ValueError(f"views must be at least 1, got {views}")
    return start + np.linspace(0.0, arc, int(views), endpoint=endpoint)


def _plane(image: np.ndarray) -> np.ndarray:
    if image.ndim != 2 or 0 in image.shape:
        raise ValueError(f"tomography needs a non-empty (H, W) image, got shape {image.shape}")
    return image


def full_scan(views: int, distance: int | None) -> np.ndarray:
    """Return the angles of a complete scan in degrees: a turn of a fan, half a turn of parallel beams (no distance)."""
    return equal_angles(0.0, 180.0 if distance is None else 360.0, views, endpoint=False)


def source_distance(geometry: str, shape: tuple[int, ...], distance: float, distance_per_side: float) -> int | None:
    """Return the source distance in pixels: the larger of `distance` and `distance_per_side` x max(H, W).

    None for `geometry="parallel"`.
    """
    if geometry == "parallel":
        return None
    if geometry != "fan":
        raise ValueError(f'geometry must be "fan" or "parallel", got {geometry!r}')
    return max(round(distance), round(distance_per_side * max(shape[:2])))


@dataclass(frozen=True)
class _Copy:
    """A symmetry of the square: `fliplr(rot90(image, quarter_turns))`, the flip only if `mirrored`."""

    quarter_turns: int
    mirrored: bool

    def of(self, image: np.ndarray) -> np.ndarray:
        image = np.rot90(image, self.quarter_turns)
        return image[:, ::-1] if self.mirrored else image

    def undo(self, image: np.ndarray) -> np.ndarray:
        return np.rot90(image[:, ::-1] if self.mirrored else image, -self.quarter_turns)


@dataclass(frozen=True)
class _Batch:
    """Up to four views that are the same view, at `angle` in [0, 45] degrees, of copies of the image."""

    angle: float
    copies: tuple[_Copy, ...]
    views: tuple[int, ...]


def _batches(angles: np.ndarray, square: bool) -> list[_Batch]:
    """All views, those of the same copies one after the other."""
    groups: dict[tuple[float, int], list[tuple[_Copy, int]]] = {}
    for view, angle in enumerate(np.asarray(angles, dtype=np.float64)):
        quarter_turns, rest = divmod(round(float(angle) % 360.0, 9), 90.0)
        mirrored = rest > 45.0
        if mirrored:  # 90 q + rest = 90 (q + 1) - (90 - rest), the mirror image of view 90 - rest
            quarter_turns, rest = quarter_turns + 1, 90.0 - rest
        copy = _Copy(int(quarter_turns) % 4, mirrored)
        upright = 0 if square else copy.quarter_turns % 2
        groups.setdefault((round(rest, 9), upright), []).append((copy, view))
    batches: dict[tuple[_Copy, ...], list[_Batch]] = {}
    for (angle, _), members in groups.items():
        members.sort(key=lambda member: (member[0].mirrored, member[0].quarter_turns))
        for first in range(0, len(members), _CHANNELS):
            part = members[first : first + _CHANNELS]
            batch = _Batch(angle, tuple(m[0] for m in part), tuple(m[1] for m in part))
            batches.setdefault(batch.copies, []).append(batch)
    return [batch for of_copies in batches.values() for batch in of_copies]


def _channels(count: int) -> int:
    return 1 if count == 1 else _CHANNELS


def _reach(shape: tuple[int, int]) -> float:
    """Half the diagonal."""
    return shape[0] / 2**0.5 if shape[0] == shape[1] else hypot(*shape) / 2


def _check(shape: tuple[int, int], detectors: int, source_distance: float | None) -> None:
    if detectors < 1:
        raise ValueError(f"detectors must be at least 1, got {detectors}")
    if source_distance is None:
        return
    reach = _reach(shape)
    if source_distance <= reach:
        raise ValueError(
            f"source_distance must exceed half the image's diagonal, {reach:.0f} px, got {source_distance}"
        )
    if detectors > 1.9 * source_distance:
        raise ValueError(
            f"{detectors} detectors make a fan wider than 90 degrees at source_distance {source_distance}; "
            "use fewer or a longer distance"
        )


def _rays(
    angle: float, shape: tuple[int, int], detectors: int, source_distance: float | None
) -> Iterator[tuple[slice, bool, np.ndarray, np.ndarray, np.ndarray, float]]:
    """Ray tables of one view in [0, 45] degrees.

    Yields one or two runs of neighbouring detector cells as (cells, along_rows, slope, offset, length,
    origin): in row `r` (column, if not along_rows) the ray crosses column (row) `offset + slope * (r -
    origin)`, and it is `length` pixels long between two rows.
    """
    middle_row, middle_column = ((side - 1) / 2 for side in shape)
    a = radians(angle)
    u = np.arange(detectors) - (detectors - 1) / 2
    if source_distance is None:
        slope = np.full(detectors, -tan(a))
        length = np.full(detectors, 1 / cos(a))
        yield slice(0, detectors), True, slope, middle_column + u / cos(a), length, middle_row
        return
    source_x, source_y = source_distance * sin(a), -source_distance * cos(a)
    dx = -source_distance * sin(a) + u * cos(a)
    dy = source_distance * cos(a) + u * sin(a)
    along_rows = np.abs(dy) >= np.abs(dx)
    edges = np.flatnonzero(np.diff(along_rows)) + 1
    for first, last in zip((0, *edges), (*edges, detectors), strict=True):
        cells = slice(int(first), int(last))
        if along_rows[first]:
            slope, offset, origin = dx[cells] / dy[cells], middle_column + source_x, middle_row + source_y
        else:
            slope, offset, origin = dy[cells] / dx[cells], middle_row + source_y, middle_column + source_x
        yield cells, bool(along_rows[first]), slope, np.full(slope.size, offset), np.hypot(1.0, slope), origin


def project(
    image: np.ndarray, angles: np.ndarray | Sequence[float], *, detectors: int, source_distance: float | None
) -> np.ndarray:
    """Line integrals of an image (Joseph's method).

    Args:
        image: (H, W) array; values per pixel length.
        angles: view angles in degrees.
        detectors: number of detector cells, one pixel apart at the rotation axis.
        source_distance: distance of the source from the axis in px; None for parallel beams.

    Returns:
        (views, detectors) float32 sinogram, in the image's values times pixels.
    """
    image = np.ascontiguousarray(_plane(image), dtype=np.float32)
    shape = image.shape
    _check(shape, detectors, source_distance)
    sinogram = np.empty((len(angles), detectors), np.float32)
    copies: tuple[_Copy, ...] = ()
    stack = np.empty(0, np.float32)
    for batch in _batches(np.asarray(angles), shape[0] == shape[1]):
        if batch.copies != copies:
            stack = stack[:0].copy()  # given back before the next one is made
            copies, stack = batch.copies, _stack(image, batch.copies)
        sums = _sums_along_rays(stack, batch.angle, detectors, source_distance)
        for channel, (copy, view) in enumerate(zip(batch.copies, batch.views, strict=True)):
            sinogram[view] = sums[::-1, channel] if copy.mirrored else sums[:, channel]
    return sinogram


def _stack(image: np.ndarray, copies: tuple[_Copy, ...]) -> np.ndarray:
    """Copies of an image as the channels of one, (H, W, 1 or 4)."""
    stack = np.zeros((*copies[0].of(image).shape, _channels(len(copies))), np.float32)
    for channel, copy in enumerate(copies):
        stack[..., channel] = copy.of(image)
    return stack


def _sums_along_rays(stack: np.ndarray, angle: float, detectors: int, source_distance: float | None) -> np.ndarray:
    """One view of each channel, (detectors, channels) float32."""
    height, width = stack.shape[:2]
    square = height == width
    sums = np.zeros((detectors, stack.shape[2]), np.float32)
    for cells, along_rows, slope, offset, length, origin in _rays(angle, (height, width), detectors, source_distance):
        slope32, base = slope.astype(np.float32), (offset - slope * origin).astype(np.float32)
        count, across_side = (height, width) if along_rows else (width, height)
        if square:
            chunk = max(1, min(count, _CHUNK_BYTES // (4 * _CHANNELS * detectors)))
        else:
            chunk = max(1, min(count, _STEPS, _CHUNK_BYTES // (4 * _CHANNELS * across_side)))
        for first in range(0, count, chunk):
            step = np.arange(first, min(first + chunk, count), dtype=np.float32)[:, None]
            part = slice(0, slope.size) if square else _crossing(slope32, base, step[0, 0], step[-1, 0], across_side)
            if part.start == part.stop:
                continue
            across = step * slope32[part]
            across += base[part]
            along = np.broadcast_to(step, across.shape).copy()
            maps = (across, along) if along_rows else (along, across)
            values = cv2.remap(stack, *maps, cv2.INTER_LINEAR).reshape(*across.shape, -1)
            sums[cells.start + part.start : cells.start + part.stop] += values.sum(axis=0)
        sums[cells] *= length.astype(np.float32)[:, None]
    return sums


def _crossing(slope: np.ndarray, base: np.ndarray, first: float, last: float, side: int) -> slice:
    """Which of neighbouring rays come within a pixel of an image of a side between two of its rows."""
    ends = np.stack([base + slope * first, base + slope * last])
    inside = np.flatnonzero((ends.max(axis=0) >= -1) & (ends.min(axis=0) <= side))
    return slice(int(inside[0]), int(inside[-1]) + 1) if inside.size else slice(0, 0)


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
    _check(shape, detectors, source_distance)
    weights = np.ones(1, np.float32)
    low = scale = inverse_distance = 0.0
    if source_distance is not None:
        reach = _reach(shape)
        low, high = source_distance / (source_distance + reach), source_distance / (source_distance - reach)
        weights = np.linspace(low, high, _WEIGHT_ROWS, dtype=np.float32)
        scale = (_WEIGHT_ROWS - 1) / (high - low)
        inverse_distance = 1.0 / source_distance
    middle = (detectors - 1) / 2

    def smear(batch: _Batch, channel: int | None) -> np.ndarray:
        """What a batch's views, or one of them, add to the copies: (h, w, channels)."""
        filtered = np.zeros((detectors, _channels(len(batch.copies))), np.float32)
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
    for copies, group in groupby(_batches(np.asarray(angles), shape[0] == shape[1]), key=lambda batch: batch.copies):
        batches = list(group)
        for channels in range(len(copies)) if large else (None,):
            total = smear(batches[0], channels)
            for batch in batches[1:]:
                np.add(total, smear(batch, channels), out=total)
            for number, copy in enumerate(copies):
                if not large:
                    image += copy.undo(total[..., number])
                elif number == channels:
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


def scan_and_reconstruct(
    image: np.ndarray, angles: np.ndarray | Sequence[float], *, distance: int | None
) -> np.ndarray:
    """Project a (H, W) image at some angles and reconstruct it; (H, W) float32.

    Args:
        image: any shape; around it is air.
        angles: view angles in degrees.
        distance: fan beam: source distance, detector distance and number of detector cells. None: parallel
            beam.
    """
    if distance is None:
        return parallel_fbp(image, angles)
    sinogram = project(image, angles, detectors=distance, source_distance=distance)
    return fbp(sinogram, angles, side=image.shape, source_distance=distance)


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
    height, width = _plane(image).shape
    response, rows, columns = _parallel_response(height, width, tuple(float(a) for a in angles))
    spectrum = fft.rfft(np.asarray(image, np.float32), n=columns, axis=1)
    spectrum = fft.fft(spectrum, n=rows, axis=0, overwrite_x=True)
    spectrum *= response
    spectrum = fft.ifft(spectrum, axis=0, overwrite_x=True)[:height]
    return fft.irfft(spectrum, n=columns, axis=1)[:, :width]
