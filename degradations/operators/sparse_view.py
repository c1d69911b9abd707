"""Sparse-view CT: too few views in a turn, to save dose or time.

Between neighbouring views the outer parts of the image are not sampled, so each sharp edge throws a fan of
straight streaks (angular aliasing). The image is scanned in a fan beam at `views` equally spaced angles of
a full turn and reconstructed by filtered back-projection (`tomography`). After A. C. Kak and M.
Slaney, "Principles of Computerized Tomographic Imaging", IEEE Press 1988, chapters 3 and 5 (aliasing
artefacts).

The detector is as wide as the source is far, so the field of view is a circle of radius 0.447 x distance, and
its edge is visible, as in the authors' images. Colour: X-ray attenuation is one number, so the luma is
scanned and returned in every channel. Images that are not square lie in air.
"""

from __future__ import annotations

import numpy as np

from ..luma import on_luma
from ..tomography.geometry import full_scan, source_distance
from ..tomography.scanning import scan_and_reconstruct


def apply(
    image: np.ndarray,
    *,
    views: int,
    distance: float = 672,
    distance_per_side: float = 1.034,
    geometry: str = "fan",
) -> np.ndarray:
    """Scan a turn with few views and reconstruct.

    Args:
        image: float32 (H, W) or (H, W, 3), 0..255.
        views: number of views; over 360 degrees in the fan, over 180 degrees, all that is needed, in parallel
            beams.
        distance: source distance, detector distance and number of detector cells, in pixels.
        distance_per_side: the same as a multiple of the longer side; the larger one counts.
        geometry: `"fan"`, or `"parallel"`, which is faster and has no edge of the field.

    Raises:
        ValueError: a source inside the image, no views, an unknown geometry.
    """
    source = source_distance(geometry, image.shape, distance, distance_per_side)
    angles = full_scan(views, source)
    return on_luma(image, lambda luma: scan_and_reconstruct(luma, angles, distance=source))
