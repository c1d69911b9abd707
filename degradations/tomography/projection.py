"""Projection: line integrals along rays, by Joseph's method."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import cos, radians, sin, tan

import cv2
import numpy as np

from .geometry import check_beam, plane
from .symmetries import CHANNELS, Copy, batches, channels

_CHUNK_BYTES = 1 << 19  # rows worked on together: what stays in a second-level cache
_STEPS = 64  # most rows that rays are followed through together, in an image that is not square


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
    image = np.ascontiguousarray(plane(image), dtype=np.float32)
    shape = image.shape
    check_beam(shape, detectors, source_distance)
    sinogram = np.empty((len(angles), detectors), np.float32)
    copies: tuple[Copy, ...] = ()
    stack = np.empty(0, np.float32)
    most = max(_CHUNK_BYTES // (4 * CHANNELS), detectors * (1 if shape[0] == shape[1] else _STEPS))
    scratch = np.empty((2, most), np.float32)
    for batch in batches(np.asarray(angles), shape[0] == shape[1]):
        if batch.copies != copies:
            stack = stack[:0].copy()  # given back before the next one is made
            copies, stack = batch.copies, _stack(image, batch.copies)
        sums = _sums_along_rays(stack, batch.angle, detectors, source_distance, scratch)
        for channel, (copy, view) in enumerate(zip(batch.copies, batch.views, strict=True)):
            sinogram[view] = sums[::-1, channel] if copy.mirrored else sums[:, channel]
    return sinogram


def _stack(image: np.ndarray, copies: tuple[Copy, ...]) -> np.ndarray:
    """Copies of an image as the channels of one, (H, W, 1 or 4)."""
    stack = np.zeros((*copies[0].of(image).shape, channels(len(copies))), np.float32)
    for channel, copy in enumerate(copies):
        stack[..., channel] = copy.of(image)
    return stack


def _sums_along_rays(
    stack: np.ndarray, angle: float, detectors: int, source_distance: float | None, scratch: np.ndarray
) -> np.ndarray:
    """One view of each channel, (detectors, channels) float32."""
    height, width = stack.shape[:2]
    square = height == width
    sums = np.zeros((detectors, stack.shape[2]), np.float32)
    for cells, along_rows, slope, offset, length, origin in _rays(angle, (height, width), detectors, source_distance):
        slope32, base = slope.astype(np.float32), (offset - slope * origin).astype(np.float32)
        count, across_side = (height, width) if along_rows else (width, height)
        if square:
            chunk = max(1, min(count, _CHUNK_BYTES // (4 * CHANNELS * detectors)))
        else:
            chunk = max(1, min(count, _STEPS, _CHUNK_BYTES // (4 * CHANNELS * across_side)))
        for first in range(0, count, chunk):
            step = np.arange(first, min(first + chunk, count), dtype=np.float32)[:, None]
            part = slice(0, slope.size) if square else _crossing(slope32, base, step[0, 0], step[-1, 0], across_side)
            if part.start == part.stop:
                continue
            places = (step.size, part.stop - part.start)
            across, along = (buffer[: places[0] * places[1]].reshape(places) for buffer in scratch)
            np.multiply(step, slope32[part], out=across)
            across += base[part]
            along[:] = step
            columns, rows = (across, along) if along_rows else (along, across)
            values = cv2.remap(stack, columns, rows, cv2.INTER_LINEAR).reshape(*places, -1)
            sums[cells.start + part.start : cells.start + part.stop] += values.sum(axis=0)
        sums[cells] *= length.astype(np.float32)[:, None]
    return sums


def _crossing(slope: np.ndarray, base: np.ndarray, first: float, last: float, side: int) -> slice:
    """Which of neighbouring rays come within a pixel of an image of a side between two of its rows."""
    ends = np.stack([base + slope * first, base + slope * last])
    inside = np.flatnonzero((ends.max(axis=0) >= -1) & (ends.min(axis=0) <= side))
    return slice(int(inside[0]), int(inside[-1]) + 1) if inside.size else slice(0, 0)
