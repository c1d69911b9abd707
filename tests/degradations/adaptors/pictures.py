"""Images, masks and volumes that the adaptors' tests share."""

from __future__ import annotations

import numpy as np


def picture(index: int = 0, shape: tuple[int, ...] = (48, 40, 3)) -> np.ndarray:
    """Smooth, uint8; another index gives another image."""
    row, column = np.mgrid[: shape[0], : shape[1]]
    grey = 128 + 60 * np.sin(column / 5 + index) + 50 * np.cos(row / 7 - index)
    return np.ascontiguousarray(np.broadcast_to(grey[..., None] if len(shape) == 3 else grey, shape).astype(np.uint8))


def organ(shape: tuple[int, int] = (48, 40)) -> np.ndarray:
    """A mask with two labels, uint8."""
    mask = np.zeros(shape, np.uint8)
    mask[10:30, 8:25] = 1
    mask[20:30, 12:20] = 2
    return mask


def volume(shape: tuple[int, int, int] = (5, 40, 36)) -> np.ndarray:
    """(D, H, W) float32 in [0, 1]."""
    deep, row, column = np.mgrid[: shape[0], : shape[1], : shape[2]]
    return (0.5 + 0.3 * np.sin(column / 5 + deep / 3) * np.cos(row / 7)).astype(np.float32)
