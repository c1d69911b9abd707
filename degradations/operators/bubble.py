"""Air bubble under the cover slip: a disc of tissue out of focus, with a hard edge.

    y = x * G(sigma) inside the disc, x outside

The blur is that of gaussian_blur; the disc is the set of pixels nearer to the centre than the radius.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from . import gaussian_blur


def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> dict[str, Any]:
    """Draw the bubble's centre, uniform in the middle 40% of each side; the authors' lie there."""
    return {"centre": [round(float(rng.uniform(0.3, 0.7) * side), 1) for side in shape[:2]]}


def apply(image: np.ndarray, *, radius: float, sigma: float, centre: list[float]) -> np.ndarray:
    """Blur inside a disc.

    Args:
        image: `(H, W)` or `(H, W, 3)`, uint8 or float32, 0..255 scale.
        radius: of the disc, pixels.
        sigma: of the blur, pixels.
        centre: row and column, pixels.
    """
    check_centre(centre)
    out: np.ndarray = image.copy()
    # Only the disc's box is blurred, with as much around it as the kernel reaches.
    reach = gaussian_blur.radius(sigma)
    box, wide = [], []
    for middle, side in zip(centre, image.shape, strict=False):
        low, high = max(math.ceil(middle - radius), 0), min(math.floor(middle + radius) + 1, side)
        if low >= high:
            return out  # the disc lies outside
        box.append(slice(low, high))
        wide.append(slice(max(low - reach, 0), min(high + reach, side)))
    blurred = gaussian_blur.apply(np.ascontiguousarray(image[tuple(wide)]), sigma=sigma)
    blurred = blurred[tuple(slice(b.start - w.start, b.stop - w.start) for b, w in zip(box, wide, strict=True))]

    inside = _disc(range(box[0].start, box[0].stop), range(box[1].start, box[1].stop), radius, centre)
    target = np.ascontiguousarray(out[tuple(box)])
    cv2.copyTo(np.ascontiguousarray(blurred), inside.view(np.uint8), target)
    out[tuple(box)] = target
    return out


def check_centre(centre: list[float]) -> None:
    """Raise a ValueError where it is no row and column."""
    if len(centre) != 2:
        raise ValueError(f"bubble: centre must be a row and a column, not {centre}")


def disc(shape: tuple[int, int], *, radius: float, centre: list[float]) -> np.ndarray:
    """Which pixels lie in the bubble, (H, W) bool."""
    check_centre(centre)
    return _disc(range(shape[0]), range(shape[1]), radius, centre)


def _disc(rows: range, columns: range, radius: float, centre: list[float]) -> np.ndarray:
    down, along = (np.asarray(rows) - centre[0]) ** 2, (np.asarray(columns) - centre[1]) ** 2
    inside: np.ndarray = np.add.outer(down, along) < radius**2
    return inside
