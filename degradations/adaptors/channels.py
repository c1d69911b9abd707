"""Images and volumes with their channels first, as MONAI and TorchIO hold them."""

from __future__ import annotations

import numpy as np

from ..choosing import Choice, ImageDegrader
from ..movement import Movement


def degrade_channels(degrader: ImageDegrader, values: np.ndarray, choice: Choice) -> np.ndarray:
    """Carry out a choice on (C, H, W) or (C, H, W, D), whose slices lie along the last axis.

    Three channels of one plane are the colours of an image; all other channels are images of their own (contrasts,
    time points) with the same draw.

    Raises:
        ValueError: another number of dimensions.
    """
    if values.ndim not in (3, 4):
        raise ValueError(f"shape {values.shape}: expected (C, H, W) or (C, H, W, D)")
    if values.ndim == 4 and values.shape[-1] == 1:
        return degrade_channels(degrader, values[..., 0], choice)[..., np.newaxis]
    if values.ndim == 4:
        stacks = (np.ascontiguousarray(np.moveaxis(channel, -1, 0)) for channel in values)
        return np.stack([np.moveaxis(degrader.run_on_volume(stack, choice)[0], 0, -1) for stack in stacks])
    if values.shape[0] == 3:
        return np.moveaxis(degrader.run(np.ascontiguousarray(np.moveaxis(values, 0, -1)), choice)[0], -1, 0)
    return np.stack([degrader.run(np.ascontiguousarray(channel), choice)[0] for channel in values])


def move_channels(movement: Movement, mask: np.ndarray, fill: float) -> np.ndarray:
    """Move a mask (C, H, W) or (C, H, W, D)."""
    return np.stack([movement.of_mask(channel, fill) for channel in mask])
