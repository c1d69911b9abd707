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


def blob(
    cx: float,
    cy: float,
    rx: float,
    ry: float,
    rng: np.random.Generator,
    roughness: float = 0.1,
    harmonics: tuple[int, int] = (2, 6),
    angle: float = 0.0,
    soft: float = 1.0,
) -> np.ndarray:
    """Return the mask of an ellipse whose outline waves: by about `roughness` of its radius, in the given harmonics."""
    u, v = rotated(cx, cy, angle)
    theta = np.arctan2(v / ry, u / rx)
    orders = np.arange(harmonics[0], harmonics[1] + 1)
    amplitudes = roughness * rng.normal(size=orders.size) / np.sqrt(orders.size)
    phases = rng.uniform(0, 2 * np.pi, orders.size)
    radius = 1.0 + sum(a * np.cos(n * theta + p) for n, a, p in zip(orders, amplitudes, phases, strict=True))
    return edge((np.hypot(u / rx, v / ry) - radius) * min(rx, ry), soft)


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
