"""Small shapes laid on a canvas within a window, for phantoms that hold hundreds of them.

The conventions are those of `shapes`; a mask of the whole picture for each nucleus or dot would take a hundred times
as long.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy import ndimage

from .shapes import SIZE, smooth_noise

_LINE = np.arange(SIZE, dtype=np.float64)


def window(cx: float, cy: float, reach: float) -> tuple[tuple[slice, slice], np.ndarray, np.ndarray]:
    """Return the part of the picture within `reach` of a point, and its pixels' coordinates from that point.

    Returns:
        The index (rows, columns), dx of shape (1, columns) and dy of shape (rows, 1). Empty outside the picture.
    """
    left, right = (min(max(int(end), 0), SIZE) for end in (cx - reach, cx + reach + 2))
    top, bottom = (min(max(int(end), 0), SIZE) for end in (cy - reach, cy + reach + 2))
    dx, dy = _LINE[None, left:right] - cx, _LINE[top:bottom, None] - cy
    return (slice(top, bottom), slice(left, right)), dx, dy


def oval(dx: np.ndarray, dy: np.ndarray, rx: float, ry: float, angle: float = 0.0, soft: float = 1.0) -> np.ndarray:
    """Return the mask of an ellipse about the origin of a window's coordinates."""
    cosine, sine = math.cos(angle), math.sin(angle)
    radius = np.hypot((dx * cosine + dy * sine) / rx, (dy * cosine - dx * sine) / ry)
    return np.minimum(np.maximum(0.5 - (radius - 1.0) * (min(rx, ry) / soft), 0.0), 1.0)


def rod(
    x0: float, y0: float, x1: float, y1: float, radius: float, soft: float = 1.0
) -> tuple[tuple[slice, slice], np.ndarray]:
    """Return the window of a thick line with round ends, and its mask there."""
    half = 0.5 * max(abs(x1 - x0), abs(y1 - y0)) + radius + soft
    where, dx, dy = window(0.5 * (x0 + x1), 0.5 * (y0 + y1), half)
    length = math.hypot(x1 - x0, y1 - y0)
    cosine, sine = (x1 - x0) / max(length, 1e-9), (y1 - y0) / max(length, 1e-9)
    beyond = np.maximum(np.abs(dx * cosine + dy * sine) - 0.5 * length, 0.0)
    distance = np.hypot(beyond, dy * cosine - dx * sine) - radius
    return where, np.minimum(np.maximum(0.5 - distance / soft, 0.0), 1.0)


def lay(canvas: np.ndarray, where: tuple[slice, slice], mask: np.ndarray, value: float | np.ndarray) -> None:
    """Lay a value, or a colour, over a window of a canvas, in place."""
    part = canvas[where]
    part += (mask[..., None] if canvas.ndim == 3 else mask) * (value - part)


def spot(
    canvas: np.ndarray,
    cx: float,
    cy: float,
    rx: float,
    ry: float,
    value: float | np.ndarray,
    angle: float = 0.0,
    soft: float = 1.0,
    strength: float = 1.0,
) -> None:
    """Lay a filled ellipse over a canvas, in place."""
    where, dx, dy = window(cx, cy, max(rx, ry) + soft)
    lay(canvas, where, strength * oval(dx, dy, rx, ry, angle, soft), value)


@lru_cache(maxsize=512)
def _sprite(half_widths: tuple[float, float], turn: int) -> np.ndarray:
    reach = int(np.ceil(max(half_widths))) + 1
    line = np.arange(-reach, reach + 1, dtype=np.float64)
    mask = oval(line[None, :], line[:, None], *half_widths, angle=turn * np.pi / 12)
    mask.flags.writeable = False
    return mask


def speck(field: np.ndarray, cx: float, cy: float, rx: float, ry: float, value: float, angle: float = 0.0) -> None:
    """Raise a field to an elliptic speck of a value, in place, at the nearest pixel; sizes and angles are rounded."""
    mask = _sprite((round(2 * rx) / 2, round(2 * ry) / 2), round(12 * angle / np.pi) % 12)
    reach = mask.shape[0] // 2
    column, row = round(cx) - reach, round(cy) - reach
    top, left, bottom, right = max(row, 0), max(column, 0), row + mask.shape[0], column + mask.shape[1]
    if bottom <= 0 or right <= 0 or top >= SIZE or left >= SIZE:
        return
    part = field[top:bottom, left:right]
    np.maximum(part, value * mask[top - row :, left - column :][: part.shape[0], : part.shape[1]], out=part)


def broad_noise(rng: np.random.Generator, scale: float) -> np.ndarray:
    """Return what `smooth_noise` does from a coarse grid, which is faster; for scales of 8 pixels or more."""
    coarse = smooth_noise(rng, scale / 4, (SIZE // 4, SIZE // 4))
    return ndimage.zoom(coarse, 4, order=1, mode="grid-wrap", grid_mode=True)
