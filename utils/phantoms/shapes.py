"""Soft shapes and textures from which the phantoms are drawn, on a grid of 256 x 256 pixels.

Positions and lengths are in pixels, x to the right and y downwards from the centre of the top left pixel; angles in
radians, clockwise as seen. Masks are float64 in [0, 1] with an edge about `soft` pixels wide. Only NumPy and
`scipy.ndimage` in double precision, so that the rounded image is the same on every machine.
"""

from __future__ import annotations

import itertools

import numpy as np
from scipy import ndimage

SIZE = 256
"""Side of a phantom in pixels."""

Y, X = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64)
Y.flags.writeable = X.flags.writeable = False


def edge(distance: np.ndarray, soft: float = 1.0) -> np.ndarray:
    """Return a mask that is 1 where a signed distance is well below 0, 0 well above, and linear between."""
    return np.clip(0.5 - distance / soft, 0.0, 1.0)


def rotated(cx: float, cy: float, angle: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return the coordinates of all pixels in a frame at (cx, cy) whose axes are turned by `angle`."""
    dx, dy = X - cx, Y - cy
    cosine, sine = np.cos(angle), np.sin(angle)
    return dx * cosine + dy * sine, dy * cosine - dx * sine


def ellipse(cx: float, cy: float, rx: float, ry: float, angle: float = 0.0, soft: float = 1.0) -> np.ndarray:
    """Return the mask of an ellipse with half axes rx and ry."""
    u, v = rotated(cx, cy, angle)
    return edge((np.hypot(u / rx, v / ry) - 1.0) * min(rx, ry), soft)


def capsule(x0: float, y0: float, x1: float, y1: float, radius: float, soft: float = 1.0) -> np.ndarray:
    """Return the mask of a thick line with round ends."""
    dx, dy = x1 - x0, y1 - y0
    along = np.clip(((X - x0) * dx + (Y - y0) * dy) / max(dx * dx + dy * dy, 1e-9), 0.0, 1.0)
    return edge(np.hypot(X - x0 - along * dx, Y - y0 - along * dy) - radius, soft)


def polyline(points: np.ndarray, radius: float, soft: float = 1.0) -> np.ndarray:
    """Return the mask of a thick line through points of shape (n, 2), as (x, y)."""
    pieces = (capsule(*first, *second, radius, soft) for first, second in itertools.pairwise(points))
    return np.maximum.reduce(list(pieces))


def smooth_noise(rng: np.random.Generator, scale: float, shape: tuple[int, int] = (SIZE, SIZE)) -> np.ndarray:
    """Return a random field of mean 0 and standard deviation 1 that varies over about `scale` pixels."""
    field = ndimage.gaussian_filter(rng.normal(size=shape), scale, mode="wrap")
    return (field - field.mean()) / max(field.std(), 1e-12)


def paint(canvas: np.ndarray, mask: np.ndarray, value: float | np.ndarray) -> None:
    """Lay a value (or a colour, or an image of them) over a canvas of shape (H, W) or (H, W, 3), in place."""
    weight = mask[..., None] if canvas.ndim == 3 else mask
    canvas += weight * (np.asarray(value) - canvas)


def to_uint8(canvas: np.ndarray) -> np.ndarray:
    """Return a canvas of values in [0, 1] as uint8 in 0 to 255; what lies outside is clipped."""
    return np.rint(np.clip(canvas, 0.0, 1.0) * 255.0).astype(np.uint8)


Box = tuple[slice, slice]


def box_around(x0: float, y0: float, x1: float, y1: float, margin: float = 2.0) -> Box:
    """Return the rows and columns of the image that hold a rectangle; for shapes too small to compute everywhere."""
    left, right = (int(np.clip(np.floor(v), 0, SIZE)) for v in (min(x0, x1) - margin, max(x0, x1) + margin + 1))
    top, bottom = (int(np.clip(np.floor(v), 0, SIZE)) for v in (min(y0, y1) - margin, max(y0, y1) + margin + 1))
    return slice(top, bottom), slice(left, right)


def small_ellipse(
    cx: float, cy: float, rx: float, ry: float, angle: float = 0.0, soft: float = 1.0
) -> tuple[Box, np.ndarray]:
    """Return a box and the mask of an ellipse inside it: paint(canvas[box], mask, value) is quick."""
    reach = max(rx, ry)
    box = box_around(cx - reach, cy - reach, cx + reach, cy + reach, margin=1.0 + soft)
    dx, dy = X[box] - cx, Y[box] - cy
    u, v = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
    return box, edge((np.hypot(u / rx, v / ry) - 1.0) * min(rx, ry), soft)


def small_capsule(
    x0: float, y0: float, x1: float, y1: float, radius: float, soft: float = 1.0
) -> tuple[Box, np.ndarray]:
    """Return a box and the mask of a thick line with round ends inside it."""
    box = box_around(x0, y0, x1, y1, margin=radius + soft + 1.0)
    x, y, dx, dy = X[box], Y[box], x1 - x0, y1 - y0
    along = np.clip(((x - x0) * dx + (y - y0) * dy) / max(dx * dx + dy * dy, 1e-9), 0.0, 1.0)
    return box, edge(np.hypot(x - x0 - along * dx, y - y0 - along * dy) - radius, soft)


def star_polygon(cx: float, cy: float, corners: np.ndarray, smooth: float = 5.0, soft: float = 1.0) -> np.ndarray:
    """Return the mask of a closed outline through corners of shape (n, 2), rounded, seen whole from (cx, cy)."""
    closed = np.vstack([corners, corners[:1]]).astype(np.float64)
    steps = np.linspace(0, len(corners), 40 * len(corners), endpoint=False)
    x = np.interp(steps, np.arange(len(closed)), closed[:, 0]) - cx
    y = np.interp(steps, np.arange(len(closed)), closed[:, 1]) - cy
    angles = np.arctan2(y, x)
    order = np.argsort(angles, kind="stable")
    grid = np.linspace(-np.pi, np.pi, 360, endpoint=False)
    radii = np.interp(grid, angles[order], np.hypot(x, y)[order], period=2 * np.pi)
    radii = ndimage.gaussian_filter1d(radii, smooth, mode="wrap")
    radius = np.interp(np.arctan2(Y - cy, X - cx), grid, radii, period=2 * np.pi)
    return edge(np.hypot(X - cx, Y - cy) - radius, soft)


def warped(canvas: np.ndarray, rng: np.random.Generator, reach: float = 3.0, zoom: float = 1.0) -> np.ndarray:
    """Return a canvas (H, W) zoomed about its middle and bent smoothly by `reach` pixels at most."""
    middle, shifts = SIZE / 2, []
    for _ in range(2):
        phases, waves = rng.uniform(0, 2 * np.pi, 4), rng.uniform(0.5, 1.4, 4) * 2 * np.pi / SIZE
        rows = np.sin(waves[0] * Y[:, :1] + phases[0]) + np.sin(waves[1] * Y[:, :1] + phases[1])
        columns = np.sin(waves[2] * X[:1] + phases[2]) + np.sin(waves[3] * X[:1] + phases[3])
        shifts.append(reach / 4 * (rows + columns))
    places = [middle + (Y - middle) / zoom + shifts[0], middle + (X - middle) / zoom + shifts[1]]
    return ndimage.map_coordinates(canvas, places, order=1, mode="nearest")
