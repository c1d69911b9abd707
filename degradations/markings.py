"""Coloured markings on grey images: the outlines and boxes that a question refers to.

CT, MR, X-ray and ultrasound images are grey; a red outline or a green box was drawn on them later. It is not
part of the physics, and the authors paste it back unchanged for some degradations. On a colour image
(endoscopy, dermoscopy, histopathology) a box cannot be told from the picture by its colour, so nothing is
detected there.
"""

from __future__ import annotations

import cv2
import numpy as np

from .luma import GREY

COLOURED = 48
"""Largest minus smallest channel from which a pixel counts as a marking, in grey levels. The authors'
markings start at 76 (half-transparent red over black)."""

PASTED = 100
"""Saturation and value (0..255, as OpenCV's HSV has them) from which the authors paste a pixel back."""

MAXIMUM_SHARE = 0.25
"""An image with a larger share of tinted pixels is a colour image, not a grey image with markings."""

LINE_LENGTH = 8
"""Pixels from which a part of a marking that is nowhere three pixels wide counts as a line, not as a speck."""

_SQUARE = np.ones((3, 3), np.uint8)


def find_markings(values: np.ndarray, *, as_paper: bool = False) -> np.ndarray | None:
    """Return where a grey image carries coloured markings.

    Args:
        values: `(H, W)` or `(H, W, 3)`, 0..255 scale.
        as_paper: only what the authors paste back: bright and saturated pixels, closed and opened with a 3 x 3
            square. Read off their published images, where it is exact to 3 pixels: dark half-transparent parts
            are left out, and single grey pixels beside a marking are taken. Theirs would also lose lines
            thinner than three pixels; here these are kept.

    Returns:
        A boolean mask `(H, W)`, or None where there is none: a one-channel image, a colour image, or no
        marking.
    """
    if values.ndim == 2:
        return None
    red, green, blue = cv2.split(values)
    highest, lowest = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    spread = cv2.subtract(highest, lowest)
    tinted = np.count_nonzero(spread > GREY)
    if tinted == 0 or tinted > MAXIMUM_SHARE * spread.size:
        return None
    mask = _pasted_by_the_authors(highest, spread) if as_paper else spread >= COLOURED
    return mask if mask.any() else None


def _pasted_by_the_authors(highest: np.ndarray, spread: np.ndarray) -> np.ndarray:
    saturated = spread.astype(np.float32) * 255 >= np.float32(PASTED - 0.5) * highest
    closed = cv2.morphologyEx((saturated & (highest >= PASTED)).astype(np.uint8), cv2.MORPH_CLOSE, _SQUARE)
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, _SQUARE)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    survives = np.zeros(count, bool)
    survives[np.unique(labels[opened > 0])] = True
    long = np.maximum(boxes[:, cv2.CC_STAT_WIDTH], boxes[:, cv2.CC_STAT_HEIGHT]) >= LINE_LENGTH
    lines = long & ~survives
    lines[0] = False  # the background
    found: np.ndarray = (opened > 0) | lines[labels]
    return found


def paste_markings(out: np.ndarray, original: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """Return `out` with the masked pixels of `original`; `out` is changed in place where it can be."""
    if mask is None:
        return out
    out = out if out.flags.writeable else out.copy()
    out[mask] = original[mask]
    return out
