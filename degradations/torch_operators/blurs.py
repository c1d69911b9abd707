"""Operators that mix a pixel with its neighbours: blurs and low resolution."""

from __future__ import annotations

import numpy as np
import torch

from ..operators import bubble as bubble_in_numpy
from ..operators import gaussian_blur as gaussian_blur_in_numpy
from ..operators import low_resolution as low_resolution_in_numpy
from ..operators import motion_blur as motion_blur_in_numpy
from .batch import Arguments, Batch, in_groups, mirrored

_TILE = 64  # pixels of a row that one product of matrices makes


def gaussian_blur(batch: Batch, arguments: Arguments) -> torch.Tensor:
    """See `operators.gaussian_blur`."""

    def blurred(some: Batch, own: Arguments) -> torch.Tensor:
        kernel = gaussian_blur_in_numpy.weights(own[0]["sigma"])
        across = _along_rows(some.values, kernel)
        return _along_rows(across.transpose(-1, -2), kernel).transpose(-1, -2)

    return in_groups(batch, arguments, lambda one: one["sigma"], blurred)


def _along_rows(values: torch.Tensor, kernel: np.ndarray) -> torch.Tensor:
    """Filter the last axis, borders reflected. As a product of matrices, which every device does fast and in float32
    (its convolutions may take fewer bits)."""
    side, reach = values.shape[-1], kernel.size // 2
    tiles = -(-side // _TILE)
    padded = values.index_select(-1, mirrored(reach, reach + tiles * _TILE - side, side, values.device))
    band = np.zeros((_TILE + 2 * reach, _TILE), np.float32)
    for column in range(_TILE):
        band[column : column + kernel.size, column] = kernel
    windows = padded.unfold(-1, _TILE + 2 * reach, _TILE)
    out = windows @ torch.from_numpy(band).to(values.device)
    return out.reshape(*values.shape[:-1], tiles * _TILE)[..., :side]


def bubble(batch: Batch, arguments: Arguments) -> torch.Tensor:
    """See `operators.bubble`."""
    height, width = batch.values.shape[2:]
    discs = [bubble_in_numpy.disc((height, width), radius=one["radius"], centre=one["centre"]) for one in arguments]
    return torch.where(batch.upload(np.stack(discs)[:, None]), gaussian_blur(batch, arguments), batch.values)


def motion_blur(batch: Batch, arguments: Arguments) -> torch.Tensor:
    """See `operators.motion_blur`."""

    def blurred(some: Batch, own: Arguments) -> torch.Tensor:
        values, one = some.values, own[0]
        _, taps, ((up, left), (down, right)) = motion_blur_in_numpy.line(
            one["length"], one["angle"], one.get("kernel", "rotated")
        )
        height, width = values.shape[2:]
        padded = values.index_select(2, mirrored(up, down, height, values.device))
        padded = padded.index_select(3, mirrored(left, right, width, values.device))
        total = torch.zeros_like(values)
        for row, column, weight in taps:
            total.add_(padded[:, :, row : row + height, column : column + width], alpha=weight)
        return total

    return in_groups(batch, arguments, lambda one: (one["length"], one["angle"], one.get("kernel")), blurred)


def low_resolution(batch: Batch, arguments: Arguments) -> torch.Tensor:
    """See `operators.low_resolution`."""

    def sampled(some: Batch, own: Arguments) -> torch.Tensor:
        small = some.values
        keep, sides = own[0]["keep"], some.values.shape[2:]
        for axis in (2, 3):
            side = small.shape[axis]
            before, after, way = low_resolution_in_numpy.linear(side, low_resolution_in_numpy.kept(side, keep))
            first = small.index_select(axis, some.upload(before))
            last = small.index_select(axis, some.upload(after))
            small = torch.lerp(first, last, some.upload(way).view((-1, 1) if axis == 2 else (1, -1)))
        if some.whole:
            small = (small + 0.5).floor_()
        for axis in (2, 3):
            places = low_resolution_in_numpy.nearest(small.shape[axis], sides[axis - 2])
            small = small.index_select(axis, some.upload(places))
        return small

    return in_groups(batch, arguments, lambda one: one["keep"], sampled)
