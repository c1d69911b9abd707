"""Limited-angle CT: the tube covers only part of a turn, as in tomosynthesis, a C-arm or a blocked gantry.

Every edge is seen only by rays that touch it, so edges along the missing directions blur away and streaks
leave the ends of the arc; the missing part of the sinogram is taken as zero. The image is scanned in a fan
beam and reconstructed by filtered back-projection with the scale of a full turn (`tomography`). After
A. C. Kak and M. Slaney, "Principles of Computerized Tomographic Imaging", IEEE Press 1988, chapter 3; E. T.
Quinto, "Singularities of the X-ray transform and limited data tomography", SIAM J Math Anal 24, 1993.

The detector is as wide as the source is far, so the field of view is a circle of radius 0.447 x distance;
what lies outside is reconstructed from the views that see it, with a ring at the edge, as in the authors'
images. Colour: X-ray attenuation is one number, so the luma is scanned and returned in every channel. Images
that are not square lie in air.
"""

from __future__ import annotations

import numpy as np

from ..luma import on_luma
from ..tomography.geometry import equal_angles, source_distance
from ..tomography.scanning import scan_and_reconstruct


def apply(
    image: np.ndarray,
    *,
    start: float,
    arc: float,
    step: float = 0.5,
    distance: float = 672,
    distance_per_side: float = 1.034,
    geometry: str = "fan",
) -> np.ndarray:
    """Scan part of a turn and reconstruct.

    Args:
        image: float32 (H, W) or (H, W, 3), 0..255.
        start: first view angle in degrees.
        arc: angle covered, in degrees; both ends are measured.
        step: angle between views, in degrees.
        distance: source distance, detector distance and number of detector cells, in pixels.
        distance_per_side: the same as a multiple of the longer side; the larger one counts.
        geometry: `"fan"`, or `"parallel"`, which is faster and has no edge of the field; there, an arc of
            180 degrees is complete.

    Raises:
        ValueError: a source inside the image, an arc without views, an unknown geometry.
    """
    if not (arc > 0 and step > 0):
        raise ValueError(f"limited_angle: arc and step must be positive, got {arc} and {step}")
    angles = equal_angles(start, arc, round(arc / step) + 1, endpoint=True)
    source = source_distance(geometry, image.shape, distance, distance_per_side)
    return on_luma(image, lambda luma: scan_and_reconstruct(luma, angles, distance=source))
