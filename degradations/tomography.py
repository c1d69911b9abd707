"""Computed tomography on a pixel grid: fan- and parallel-beam projection and filtered back-projection (FBP).

Geometry
--------
Lengths are in pixels. The rotation axis is the centre of a square image of side `n`. At view angle `b`
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
mirrored copies of the image) share one ray table; four of them are interpolated at once as the channels of
one image. The weighted back-projection of a view is a homography of a two-column table (detector cell,
weight), hence one `warpPerspective`. Nothing is cached but the frequency response of `parallel_fbp`.

References
----------
P. M. Joseph, "An improved algorithm for reprojecting rays through pixel images", IEEE TMI 1(3), 1982.
A. C. Kak and M. Slaney, "Principles of Computerized Tomographic Imaging", IEEE Press 1988, chapter 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import cos, pi, radians, sin, tan

import cv2
import numpy as np
from scipy import fft

__all__ = [
    "backproject",
    "equal_angles",
    "fbp",
    "filter_ramp",
    "full_scan",
    "on_square",
    "parallel_fbp",
    "project",
    "scan_and_reconstruct",
    "source_distance",
]

_CHANNELS = 4  # OpenCV interpolates four float channels at nearly the price of one
_CHUNK_BYTES = 1 << 19  # rows worked on together: what stays in a second-level cache
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


def on_square(image: np.ndarray) -> tuple[np.ndarray, tuple[slice, slice]]:
    """Centre a (H, W) image on a square of side max(H, W), zero outside: air.

    Returns the (n, n) float32 square and the two slices that cut the image out of it again.
    """
    height, width = _plane(image).shape
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    window = (slice(top, top + height), slice(left, left + width))
    if height == width:
        return np.ascontiguousarray(image, dtype=np.float32), window
    square = np.zeros((side, side), np.float32)
    square[window] = image
    return square, window


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


def _batches(angles: np.ndarray) -> list[_Batch]:
    groups: dict[float, list[tuple[_Copy, int]]] = {}
    for view, angle in enumerate(np.asarray(angles, dtype=np.float64)):
        quarter_turns, rest = divmod(round(float(angle) % 360.0, 9), 90.0)
        mirrored = rest > 45.0
        if mirrored:  # 90 q + rest = 90 (q + 1) - (90 - rest), the mirror image of view 90 - rest
            quarter_turns, rest = quarter_turns + 1, 90.0 - rest
        copy = _Copy(int(quarter_turns) % 4, mirrored)
        groups.setdefault(round(rest, 9), []).append((copy, view))
    batches = []
    for angle, members in groups.items():
        members.sort(key=lambda member: (member[0].mirrored, member[0].quarter_turns))
        for first in range(0, len(members), _CHANNELS):
            part = members[first : first + _CHANNELS]
            batches.append(_Batch(angle, tuple(m[0] for m in part), tuple(m[1] for m in part)))
    return batches


def _channels(count: int) -> int:
    return 1 if count == 1 else _CHANNELS


def _check(side: int, detectors: int, source_distance: float | None) -> None:
    if detectors < 1:
        raise ValueError(f"detectors must be at least 1, got {detectors}")
    if source_distance is None:
        return
    if source_distance <= side / 2**0.5:
        raise ValueError(
            f"source_distance must exceed half the image's diagonal, {side / 2**0.5:.0f} px, got {source_distance}"
        )
    if detectors > 1.9 * source_distance:
        raise ValueError(
            f"{detectors} detectors make a fan wider than 90 degrees at source_distance {source_distance}; "
            "use fewer or a longer distance"
        )


def _rays(
    angle: float, side: int, detectors: int, source_distance: float | None
) -> Iterator[tuple[slice, bool, np.ndarray, np.ndarray, np.ndarray, float]]:
    """Ray tables of one view in [0, 45] degrees.

    Yields one or two runs of neighbouring detector cells as (cells, along_rows, slope, offset, length,
    origin): in row `r` (column, if not along_rows) the ray crosses column (row) `offset + slope * (r -
    origin)`, and it is `length` pixels long between two rows.
    """
    centre = (side - 1) / 2
    a = radians(angle)
    u = np.arange(detectors) - (detectors - 1) / 2
    if source_distance is None:
        slope = np.full(detectors, -tan(a))
        length = np.full(detectors, 1 / cos(a))
        yield slice(0, detectors), True, slope, centre + u / cos(a), length, centre
        return
    source_x, source_y = source_distance * sin(a), -source_distance * cos(a)
    dx = -source_distance * sin(a) + u * cos(a)
    dy = source_distance * cos(a) + u * sin(a)
    along_rows = np.abs(dy) >= np.abs(dx)
    edges = np.flatnonzero(np.diff(along_rows)) + 1
    for first, last in zip((0, *edges), (*edges, detectors), strict=True):
        cells = slice(int(first), int(last))
        if along_rows[first]:
            slope, offset, origin = dx[cells] / dy[cells], centre + source_x, centre + source_y
        else:
            slope, offset, origin = dy[cells] / dx[cells], centre + source_y, centre + source_x
        yield cells, bool(along_rows[first]), slope, np.full(slope.size, offset), np.hypot(1.0, slope), origin


def project(
    image: np.ndarray, angles: np.ndarray | Sequence[float], *, detectors: int, source_distance: float | None
) -> np.ndarray:
    """Return line integrals of a square image (Joseph's method).

    Args:
        image: (n, n) array; values per pixel length.
        angles: view angles in degrees.
        detectors: number of detector cells, one pixel apart at the rotation axis.
        source_distance: distance of the source from the axis in px; None for parallel beams.

    Returns:
        (views, detectors) float32 sinogram, in the image's values times pixels.
    """
    image = np.ascontiguousarray(image, dtype=np.float32)
    side = image.shape[0]
    if image.shape != (side, side):
        raise ValueError(f"project needs a square image, got shape {image.shape}; see on_square")
    _check(side, detectors, source_distance)
    sinogram = np.empty((len(angles), detectors), np.float32)
    stacks: dict[tuple[_Copy, ...], np.ndarray] = {}
    chunk = max(1, min(side, _CHUNK_BYTES // (4 * _CHANNELS * detectors)))
    moving, fixed = np.empty((2, chunk * detectors), np.float32)
    steps = np.arange(side, dtype=np.float32)
    for batch in _batches(np.asarray(angles)):
        if batch.copies not in stacks:
            stack = np.zeros((side, side, _channels(len(batch.copies))), np.float32)
            for channel, copy in enumerate(batch.copies):
                stack[..., channel] = copy.of(image)
            stacks[batch.copies] = stack
        stack = stacks[batch.copies]
        sums = np.zeros((detectors, stack.shape[2]), np.float32)
        for cells, along_rows, slope, offset, length, origin in _rays(batch.angle, side, detectors, source_distance):
            slope32, base = slope.astype(np.float32), (offset - slope * origin).astype(np.float32)
            for first in range(0, side, chunk):
                step = steps[first : first + chunk, None]
                shape = (step.size, slope.size)
                across = moving[: step.size * slope.size].reshape(shape)
                along = fixed[: step.size * slope.size].reshape(shape)
                np.multiply(step, slope32, out=across)
                across += base
                along[:] = step
                maps = (across, along) if along_rows else (along, across)
                sums[cells] += cv2.remap(stack, *maps, cv2.INTER_LINEAR).reshape(*shape, -1).sum(axis=0)
            sums[cells] *= length.astype(np.float32)[:, None]
        for channel, (copy, view) in enumerate(zip(batch.copies, batch.views, strict=True)):
            sinogram[view] = sums[::-1, channel] if copy.mirrored else sums[:, channel]
    return sinogram


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
    sinogram: np.ndarray, angles: np.ndarray | Sequence[float], *, side: int, source_distance: float | None
) -> np.ndarray:
    """Sum over views of the detector values that each pixel projects to, (side, side) float32.

    Linear interpolation between cells, falling to zero within one cell outside the detector; fan beams carry
    the weight D / (D + Y).
    """
    views, detectors = sinogram.shape
    if views != len(angles):
        raise ValueError(f"the sinogram has {views} views but there are {len(angles)} angles")
    _check(side, detectors, source_distance)
    centre = (side - 1) / 2
    middle = (detectors - 1) / 2
    if source_distance is None:
        weights = np.ones(1, np.float32)
        low = scale = 0.0
        inverse_distance = 0.0
    else:
        reach = side / 2**0.5
        low, high = source_distance / (source_distance + reach), source_distance / (source_distance - reach)
        weights = np.linspace(low, high, _WEIGHT_ROWS, dtype=np.float32)
        scale = (_WEIGHT_ROWS - 1) / (high - low)
        inverse_distance = 1.0 / source_distance
    sums: dict[tuple[_Copy, ...], np.ndarray] = {}
    to_centre = np.array([[1.0, 0.0, -centre], [0.0, 1.0, -centre], [0.0, 0.0, 1.0]])
    for batch in _batches(np.asarray(angles)):
        channels = _channels(len(batch.copies))
        filtered = np.zeros((detectors, channels), np.float32)
        for channel, (copy, view) in enumerate(zip(batch.copies, batch.views, strict=True)):
            filtered[:, channel] = sinogram[view, ::-1] if copy.mirrored else sinogram[view]
        table = weights[:, None, None] * filtered
        a = radians(batch.angle)
        across = np.array([cos(a), sin(a), 0.0])
        depth = np.array([-sin(a) * inverse_distance, cos(a) * inverse_distance, 1.0])  # (D + Y) / D
        homography = np.stack([across + middle * depth, scale * (np.array([0, 0, 1.0]) - low * depth), depth])
        if batch.copies not in sums:
            sums[batch.copies] = np.zeros((side, side, channels), np.float32)
        smeared = cv2.warpPerspective(
            table, homography @ to_centre, (side, side), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        ).reshape(side, side, channels)
        total = sums[batch.copies]
        np.add(total, smeared, out=total)
    image = np.zeros((side, side), np.float32)
    for copies, total in sums.items():
        for channel, copy in enumerate(copies):
            image += copy.undo(total[..., channel])
    return image


def fbp(
    sinogram: np.ndarray, angles: np.ndarray | Sequence[float], *, side: int, source_distance: float | None
) -> np.ndarray:
    """Return the filtered back-projection, (side, side) float32, scaled by pi / views whatever the arc covered."""
    image = backproject(filter_ramp(sinogram), angles, side=side, source_distance=source_distance)
    image *= np.float32(pi / len(angles))
    return image


def scan_and_reconstruct(
    image: np.ndarray, angles: np.ndarray | Sequence[float], *, distance: int | None
) -> np.ndarray:
    """Project a (H, W) image at some angles and reconstruct it; (H, W) float32.

    Args:
        image: any shape; the fan-beam scan puts it on a square of air.
        angles: view angles in degrees.
        distance: fan beam: source distance, detector distance and number of detector cells. None: parallel
            beam.
    """
    if distance is None:
        return parallel_fbp(image, angles)
    square, window = on_square(image)
    sinogram = project(square, angles, detectors=distance, source_distance=distance)
    return fbp(sinogram, angles, side=square.shape[0], source_distance=distance)[window]


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
