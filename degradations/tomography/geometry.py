"""View angles, the source's distance, and which beams can pass an image."""

from __future__ import annotations

from math import hypot

import numpy as np


def equal_angles(start: float, arc: float, views: int, *, endpoint: bool) -> np.ndarray:
    """Return `views` view angles in degrees, equally spaced over `arc` from `start`, (views,) float64."""
    if views < 1:
        raise ValueError(f"views must be at least 1, got {views}")
    return start + np.linspace(0.0, arc, int(views), endpoint=endpoint)


def plane(image: np.ndarray) -> np.ndarray:
    """Return the image if it is a non-empty (H, W) array.

    Raises:
        ValueError: it is not.
    """
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


def half_diagonal(shape: tuple[int, int]) -> float:
    """Return half the diagonal of a (H, W) image in pixels."""
    return shape[0] / 2**0.5 if shape[0] == shape[1] else hypot(*shape) / 2


def check_beam(shape: tuple[int, int], detectors: int, source_distance: float | None) -> None:
    """Check that the source is outside a (H, W) image and the fan at most 90 degrees wide.

    Raises:
        ValueError: it is not, or there is no detector.
    """
    if detectors < 1:
        raise ValueError(f"detectors must be at least 1, got {detectors}")
    if source_distance is None:
        return
    reach = half_diagonal(shape)
    if source_distance <= reach:
        raise ValueError(
            f"source_distance must exceed half the image's diagonal, {reach:.0f} px, got {source_distance}"
        )
    if detectors > 1.9 * source_distance:
        raise ValueError(
            f"{detectors} detectors make a fan wider than 90 degrees at source_distance {source_distance}; "
            "use fewer or a longer distance"
        )
