"""Pairs that fail by construction, put among the real ones: who keeps them does not look."""

from __future__ import annotations

import numpy as np

UNCHANGED, DESTROYED = "unchanged", "destroyed"
KINDS = (UNCHANGED, DESTROYED)
"""Both degraded pictures are the clean one; or of both next to nothing is left."""

_BLOCKS = 4
_CONTRAST = 0.1


def spoilt(clean: np.ndarray, kind: str) -> np.ndarray:
    """Return a sentinel's degraded picture.

    Args:
        clean: uint8 of shape (H, W, 3).
        kind: `UNCHANGED` gives the picture itself; `DESTROYED` the means of 4 x 4 blocks at a tenth of the contrast,
            which no limit of the gate lets pass.

    Returns:
        An array of the same shape and dtype.
    """
    if kind == UNCHANGED:
        return np.array(clean)
    if kind != DESTROYED:
        raise ValueError(f"no kind of sentinel: {kind!r}")
    height, width = clean.shape[:2]
    rows = np.minimum(np.arange(height) * _BLOCKS // height, _BLOCKS - 1)
    columns = np.minimum(np.arange(width) * _BLOCKS // width, _BLOCKS - 1)
    place = rows[:, None] * _BLOCKS + columns[None, :]
    counts = np.bincount(place.ravel(), minlength=_BLOCKS**2)
    channels = []
    for channel in np.moveaxis(clean, -1, 0):
        means = np.bincount(place.ravel(), weights=channel.ravel(), minlength=_BLOCKS**2) / np.maximum(counts, 1)
        middle = float(channel.mean())
        channels.append(np.rint(middle + (means[place] - middle) * _CONTRAST))
    made: np.ndarray = np.stack(channels, axis=-1).astype(np.uint8)
    return made
