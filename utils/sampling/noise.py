"""Gumbel-max sampling with one generator per trial, so that no trial's draw depends on another's.

The token with the largest logit + Gumbel noise is a sample of the softmax (Gumbel 1954; Maddison, Tarlow and Minka, "A*
Sampling", 2014). Whoever else is in the batch takes none of the trial's numbers, and where another batch shape moves
the logits a little the same token mostly stays the largest; a draw along the cumulative sum would flip far more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


class TrialNoise:
    """Gumbel noise for the rows of one block, drawn step by step from each row's own generator."""

    def __init__(self, seeds: Sequence[int], device: torch.device) -> None:
        """Start one generator per seed, on the device where it draws (Apple's has no 64-bit numbers)."""
        import torch

        self._device = torch.device("cpu") if device.type == "mps" else device
        self._generators = [torch.Generator(self._device).manual_seed(seed) for seed in seeds]

    def draw(self, width: int, rows: Sequence[int]) -> torch.Tensor:
        """Return the next noise, (rows, width) float64, for some of the block's rows.

        With 24 bits, as float32 has, the tail of a large vocabulary would be off by some percent.
        """
        import torch

        uniform = torch.empty((len(rows), width), dtype=torch.float64, device=self._device)
        for place, row in enumerate(rows):
            uniform[place].uniform_(generator=self._generators[row])
        return uniform.log_().neg_().log_().neg_()
