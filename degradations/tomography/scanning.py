"""A whole scan: an image projected and reconstructed, in a fan or in parallel beams."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .back_projection import fbp
from .parallel_beams import parallel_fbp
from .projection import project


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
