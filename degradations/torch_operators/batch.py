"""A batch of images on a device, and what the operators need to work on all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

Arguments = Sequence[Mapping[str, Any]]
"""One dictionary per image: the arguments of the NumPy operator of the same name."""


@dataclass(frozen=True)
class Batch:
    """Images of one size.

    Attributes:
        values: (B, C, H, W) float32 on the 0..255 scale, C = 1 or 3. It may share memory with the caller's: read only.
        whole: whether the values are 8-bit levels, and an operator that rounds between its steps does so.
    """

    values: torch.Tensor
    whole: bool

    def of(self, indices: list[int]) -> Batch:
        """Some of the images."""
        return Batch(self.values[indices], self.whole)

    def per_image(self, numbers: Sequence[float]) -> torch.Tensor:
        """One number per image, to be broadcast over it: (B, 1, 1, 1) float32."""
        return torch.tensor(numbers, dtype=torch.float32, device=self.values.device).view(-1, 1, 1, 1)

    def upload(self, array: np.ndarray) -> torch.Tensor:
        """An array on the images' device, floating point as float32."""
        plain = array.astype(np.float32, copy=False) if array.dtype.kind == "f" else array
        return torch.from_numpy(np.ascontiguousarray(plain)).to(self.values.device)


def in_groups(
    batch: Batch,
    arguments: Arguments,
    key: Callable[[Mapping[str, Any]], Hashable],
    function: Callable[[Batch, Arguments], torch.Tensor],
) -> torch.Tensor:
    """Apply a function to the images with equal keys together."""
    members: dict[Hashable, list[int]] = {}
    for index, one in enumerate(arguments):
        members.setdefault(key(one), []).append(index)
    if len(members) == 1:
        return function(batch, arguments)
    out = torch.empty_like(batch.values)
    for indices in members.values():
        out[indices] = function(batch.of(indices), [arguments[index] for index in indices])
    return out


def mirrored(before: int, after: int, side: int, device: torch.device) -> torch.Tensor:
    """Indices of an axis continued by its mirror image, the border pixel twice, by so many pixels on both sides."""
    places = np.arange(-before, side + after) % (2 * side)
    return torch.from_numpy(np.minimum(places, 2 * side - 1 - places)).to(device)
