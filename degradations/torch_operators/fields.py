"""Operators that multiply the image with a smooth field: the bias field, dark spots."""

from __future__ import annotations

import numpy as np
import torch

from ..operators import bias_field as bias_field_in_numpy
from ..operators import dark_spots as dark_spots_in_numpy
from .batch import Arguments, Batch


def bias_field(batch: Batch, arguments: Arguments) -> torch.Tensor:
    """See `operators.bias_field`."""
    height, width = batch.values.shape[2:]
    pairs = [bias_field_in_numpy.factors((height, width), one["coefficients"]) for one in arguments]
    down = batch.upload(np.stack([each for each, _ in pairs]))
    field = (down @ batch.upload(pairs[0][1])).unsqueeze(1)
    low, high = field.amin(dim=(2, 3), keepdim=True), field.amax(dim=(2, 3), keepdim=True)
    spread = high - low
    scaled = (field - low) * torch.where(spread > 0, 1 / spread, torch.zeros_like(spread))
    normalise = batch.per_image([float(one.get("normalise", True)) for one in arguments]) > 0
    strength = batch.per_image([one["strength"] for one in arguments])
    gain = torch.where(normalise, scaled, field) * strength + (1 - strength)
    floor = batch.per_image([one.get("floor", bias_field_in_numpy.FLOOR) for one in arguments])
    return batch.values * torch.maximum(gain, floor)


def dark_spots(batch: Batch, arguments: Arguments) -> torch.Tensor:
    """See `operators.dark_spots`."""
    shape = tuple(batch.values.shape[2:])
    pairs = [dark_spots_in_numpy.profiles(shape, **one) for one in arguments]
    rows = batch.upload(np.stack([each for each, _ in pairs]))[:, None, :, None]
    columns = batch.upload(np.stack([each for _, each in pairs]))[:, None, None, :]
    depth = batch.per_image([one["depth"] for one in arguments])
    return batch.values * (1 - depth * rows * columns)
