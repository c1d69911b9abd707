"""Grey levels of more than 8 bits: which of them is black, which is white, and what 8 bits keep.

16 bits hold what a scanner or a camera gave, and that is often 10 or 12 bits: taken as 0..65535, such an image is
black. No common format states the range, so one rule decides:

* A range that the file states (this package writes one, see `RANGE_KEY`) or that the caller gives counts.
* Otherwise levels that span at least half of the 16 bits are taken as they are, 0..65535.
* All others are stretched: the least level becomes black and the greatest white.

An image of one level is left as it is. What was decided is recorded. The 8-bit image is the upper eight bits of the
stretched one, for every consumer: the file reader, a data set's cells, the build and its gate, contact sheets.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from PIL import Image

WHITE = 65535

RANGE_KEY = "Grey range"
"""Under this keyword a PNG text (and at the start of a TIFF's ImageDescription) states black and white, "0 65535".

Without it a 16-bit output that a degradation made darker or flatter would be stretched back when it is read."""

_STATED = re.compile(rf"(?:{RANGE_KEY}:? )?(\d{{1,5}}) (\d{{1,5}})")


def stated_range(text: object) -> tuple[int, int] | None:
    """Return the range that a file's text states, or None."""
    match = _STATED.fullmatch(text.strip("\0 ")) if isinstance(text, str) else None
    if match is None:
        return None
    low, high = int(match[1]), int(match[2])
    return (low, high) if low < high <= WHITE else None


def to_full_scale(
    values: np.ndarray,
    *,
    stated: tuple[int, int] | None = None,
    window: tuple[float, float] | str | None = None,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Spread stored grey levels over the whole of 16 bits by the rule above.

    Args:
        values: whole numbers of any integer dtype, of any shape that is not empty.
        stated: black and white as the file states them.
        window: of the caller, before all else: `(centre, width)` as DICOM's linear function has it, so that
            (2048, 4096) takes 0..4095 for the range; `"full"` the range in use, even where it is a large one.

    Returns:
        uint16 of the same shape, 0 black, and what was decided: `source` ("given", "stated", "whole" or "used"), and
        `low` and `high`, the stored levels that became black and white.
    """
    least, greatest = int(values.min()), int(values.max())
    low, high = float(least), float(greatest)
    if isinstance(window, tuple):
        centre, width = window
        # Below 1 by the formula of LINEAR_EXACT, as for DICOM.
        middle, half = (centre - 0.5, (width - 1) / 2) if width >= 1 else (centre, width / 2)
        source, low, high = "given", middle - half, middle + half
    elif window is None and stated is not None:
        source, low, high = "stated", *map(float, stated)
    elif least == greatest or (window is None and least >= 0 and 2 * (greatest - least) > WHITE):
        source, low, high = "whole", 0.0, float(WHITE)
    else:
        source = "used"
    decided = {"source": source, "low": _plain(low), "high": _plain(high)}
    if (low, high) == (0.0, float(WHITE)):
        return values.clip(0, WHITE).astype(np.uint16), decided
    if low == high:  # a window of one level: a threshold
        return np.where(values > low, WHITE, 0).astype(np.uint16), decided
    scaled = (values.astype(np.float64) - low) * (WHITE / (high - low))
    return np.rint(scaled.clip(0, WHITE)).astype(np.uint16), decided


def to_8_bits(image: Image.Image) -> Image.Image:
    """Return an image as a model gets it: 16-bit grey (mode `I;16`, full scale) by its upper eight bits, as mode `L`.

    An image of any other mode is returned itself.
    """
    if not image.mode.startswith("I;16"):
        return image
    shallow = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    shallow.info = dict(image.info)
    return shallow


def _plain(level: float) -> int | float:
    return int(level) if level.is_integer() else level
