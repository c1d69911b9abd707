"""Operators of magnetic resonance imaging: movement and missing lines in k-space, ghosts."""

from __future__ import annotations

import numpy as np
import torch

from ..kspace import band_lines, line_weights
from ..luma import GREY
from ..operators import ghosting as ghosting_in_numpy
from ..operators import object_movement as object_movement_in_numpy
from ..operators import undersampling as undersampling_in_numpy
from .batch import Arguments, Batch, in_groups
from .movements import warped


def ghosting(batch: Batch, arguments: Arguments) -> torch.Tensor:
    """See `operators.ghosting`."""

    def added(some: Batch, own: Arguments) -> torch.Tensor:
        values, height = some.values, some.values.shape[2]
        count = len(own[0]["weights"])
        spacing = ghosting_in_numpy.rows_between(count, height)
        out = values.clone()
        for number in range(1, count + 1):
            down = number * spacing
            weight = some.per_image([one["weights"][number - 1] for one in own])
            out[:, :, down:] += weight * values[:, :, : height - down]
        return out

    return in_groups(batch, arguments, lambda one: len(one["weights"]), added)


def undersampling(batch: Batch, arguments: Arguments) -> torch.Tensor:
    """See `operators.undersampling`."""
    channels, _, width = batch.values.shape[1:]
    weights = np.empty((len(arguments), channels, 1, width // 2 + 1))
    for number, one in enumerate(arguments):
        undersampling_in_numpy.check_lines(one["lines"], width)
        for channel in range(channels):
            weights[number, channel, 0] = _of_real(one["lines"][channel % len(one["lines"])], width)
    spectrum = torch.fft.rfft(batch.values, dim=-1) * batch.upload(weights)
    out: torch.Tensor = torch.fft.irfft(spectrum, n=width, dim=-1)
    return out


def _of_real(lines: list[int] | np.ndarray, n: int) -> np.ndarray:
    """What kept lines multiply the spectrum of n real numbers by: (n // 2 + 1,) of 0, 1/2 and 1."""
    packed: np.ndarray = line_weights(lines, n)
    return packed[np.r_[0, 1:n:2]]


def object_movement(batch: Batch, arguments: Arguments) -> torch.Tensor:
    """See `operators.object_movement`. Which images are grey decides what is computed, and is read from the device."""
    values = batch.values
    spread = values.amax(dim=1) - values.amin(dim=1)
    grey = (spread.amax(dim=(1, 2)) <= GREY).tolist()
    told = [
        {**one, "on_luma": own or not one.get("per_channel", True)} for one, own in zip(arguments, grey, strict=True)
    ]

    def composed(some: Batch, own: Arguments) -> torch.Tensor:
        planes = some.values
        if own[0]["on_luma"] and planes.shape[1] == 3:
            red, green, blue = planes[:, 0:1], planes[:, 1:2], planes[:, 2:3]
            planes = green + 0.299 * (red - green) + 0.114 * (blue - green)
        return _composed(planes, own).expand_as(some.values)

    return in_groups(batch, told, lambda one: (len(one["movements"]), one["on_luma"]), composed)


def _composed(planes: torch.Tensor, arguments: Arguments) -> torch.Tensor:
    height, width = planes.shape[2:]
    spectrum = torch.zeros(0)
    for band, lines in enumerate(band_lines(height, len(arguments[0]["movements"]))):
        sources = [object_movement_in_numpy.band_source((height, width), *one["movements"][band]) for one in arguments]
        weights = torch.from_numpy(_of_real(lines, height).astype(np.float32)).to(planes.device)[:, None]
        moved = torch.fft.rfft(warped(planes, sources, outside="reflection"), dim=-2) * weights
        spectrum = moved if band == 0 else spectrum + moved
    out: torch.Tensor = torch.fft.irfft(spectrum, n=height, dim=-2)
    return out
