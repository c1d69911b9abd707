"""Coloured markings on grey images: the outlines and boxes that a question refers to.

CT, MR, X-ray and ultrasound images are grey; a red outline or a green box was drawn on them later. It is not
part of the physics, and the authors paste it back unchanged for some degradations. On a colour image
(endoscopy, dermoscopy, histopathology) a box cannot be told from the picture by its colour, so nothing is
detected there.
"""

from __future__ import annotations

import cv2
import numpy as np

COLOURED = 48
"""Largest minus smallest channel from which a pixel counts as a marking, in grey levels. The authors'
markings start at 76 (half-transparent red over black)."""

TINTED = 8
"""Spread above which a pixel is not grey any more; JPEG chroma noise on a grey image stays below."""

MAXIMUM_SHARE = 0.25
"""An image with a larger share of tinted pixels is a colour image, not a grey image with markings."""


def find_markings(values: np.ndarray) -> np.ndarray | None:
    """Where a grey image carries coloured markings.

    Args:
        values: ``(H, W)`` or ``(H, W, 3)``, 0..255 scale.

    Returns:
        A boolean mask ``(H, W)``, or None where there is none: a one-channel image, a colour image, or no
        marking.
    """
    if values.ndim == 2:
        return None
    red, green, blue = cv2.split(values)
    highest, lowest = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    spread = cv2.subtract(highest, lowest)
    if np.count_nonzero(spread > TINTED) > MAXIMUM_SHARE * spread.size:
        return None
    coloured = spread >= COLOURED
    return coloured if coloured.any() else None


def paste_markings(out: np.ndarray, original: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """``out`` with the masked pixels of ``original``; ``out`` is changed in place where it can be."""
    if mask is None:
        return out
    out[mask] = original[mask]
    return out
