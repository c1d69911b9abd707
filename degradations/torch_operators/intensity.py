"""Operators that take each pixel for itself: brightness, exposure, contrast, noise."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch

from ..operators import exposure as exposure_in_numpy
from ..operators import gaussian_noise as noise_in_numpy
from .batch import Arguments, Batch


def adjust_brightness(batch: Batch, arguments: Arguments) -> torch.Tensor:
    """See `operators.adjust_brightness`."""
    return batch.values + batch.per_image([one["offset"] for one in arguments])


def exposure(batch: Batch, arguments: Arguments) -> torch.Tensor:
    """See `operators.exposure`."""
    for one in arguments:
        exposure_in_numpy.check_gamma(one["gamma"])
    gamma = batch.per_image([one["gamma"] for one in arguments])
    out = (batch.values / 255).clamp_(0, 1).pow_(gamma).mul_(255)
    return out.add_(batch.per_image([one["offset"] for one in arguments]))


def reduce_contrast(batch: Batch, arguments: Arguments) -> torch.Tensor:
    """See `operators.reduce_contrast`."""
    mean = batch.values.mean(dim=(1, 2, 3), keepdim=True)
    return mean + batch.per_image([one["factor"] for one in arguments]) * (batch.values - mean)


def gaussian_noise(batch: Batch, arguments: Arguments) -> torch.Tensor:
    """See `operators.gaussian_noise`. The random bits are NumPy's, 16 for each sample, looked up on the device."""
    values = batch.values
    quantiles = _quantiles(values.device)
    out = torch.empty_like(values)
    for number, one in enumerate(arguments):
        noise_in_numpy.check_sigma(one["relative_sigma"])
        channels = values.shape[1] if one.get("colour", True) else 1
        bits = noise_in_numpy.random_bits(one["noise_seed"], channels * values.shape[2] * values.shape[3])
        which = torch.from_numpy(bits.astype("<u2").view(np.int16)).to(values.device)
        noise = quantiles[which.int() & 0xFFFF].view(*values.shape[2:], channels).permute(2, 0, 1)
        sigma = one["relative_sigma"] * values[number].std(correction=0)
        torch.add(values[number], noise * sigma, out=out[number])
    return out


@lru_cache(maxsize=4)
def _quantiles(device: torch.device) -> torch.Tensor:
    return torch.from_numpy(noise_in_numpy.normal_quantiles().astype(np.float32)).to(device)
