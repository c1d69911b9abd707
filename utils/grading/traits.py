"""What a degradation leaves behind in an image, as numbers that differ little between clean images of one kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...degradations.luma import on_luma

Array = NDArray[np.float64]

_PERCENTILES = (1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98, 99, 99.8)
_BANDS = (0.015, 0.03, 0.045, 0.06, 0.08, 0.1, 0.13, 0.17, 0.22, 0.28, 0.36, 0.5)
"""Edges in cycles per pixel."""
_ROUNDING_POWER = 0.01
"""Of the order of what rounding to whole levels adds, so that nothing is made of what lies below."""
_LAPLACIANS = ((1, -2, 1), (-2, 4, -2), (1, -2, 1))


def tones(values: NDArray[np.generic]) -> Array:
    """Return 16 percentiles of the luma, in grey levels."""
    return np.percentile(_luma(values), _PERCENTILES)


def relative_noise(values: NDArray[np.generic]) -> Array:
    """Return the logarithm of the noise's standard deviation over the image's, (1,).

    The difference of two Laplacians is blind to smooth shading and to edges (J. Immerkaer, "Fast noise variance
    estimation", Computer Vision and Image Understanding 64, 1996); its median takes little notice of texture. Of the
    green channel, as each channel may have noise of its own.
    """
    channel = np.asarray(values if values.ndim == 2 else values[..., 1], dtype=np.float64)
    spread = np.median(np.abs(ndimage.convolve(channel, np.array(_LAPLACIANS)))) / 0.6745 / 6
    return np.array([np.log(spread + 0.05) - np.log(channel.std() + 1e-6)])


def spectrum(values: NDArray[np.generic]) -> Array:
    """Return the decimal logarithms of the luma's power in 11 rings of spatial frequency."""
    luma = _luma(values)
    window = np.outer(*map(np.hanning, luma.shape))
    power = np.abs(np.fft.fft2((luma - luma.mean()) * window)) ** 2 / (window**2).sum()
    radius = np.hypot(np.fft.fftfreq(luma.shape[0])[:, None], np.fft.fftfreq(luma.shape[1]))
    rings = [(radius >= low) & (radius < high) for low, high in pairwise(_BANDS)]
    return np.log10([power[ring].mean() + _ROUNDING_POWER if ring.any() else _ROUNDING_POWER for ring in rings])


def repeats(values: NDArray[np.generic]) -> Array:
    """Return how rows, then columns, differ from the one before: the share that does not, and five percentiles.

    An image shown larger than it was sampled repeats lines. Differences are taken relative to their mean, percentiles
    as logarithms, (12,).
    """
    luma = _luma(values)
    found: list[float] = []
    for axis in (0, 1):
        change = np.abs(np.diff(luma, axis=axis)).mean(axis=1 - axis)
        change = change / (change.mean() + 1e-9)
        found += [float((change < 0.02).mean()), *np.log(np.percentile(change, (5, 10, 20, 30, 50)) + 0.01)]
    return np.array(found)


@dataclass(frozen=True)
class Trait:
    """How a degradation is recognised.

    Attributes:
        measure: from an image on the 0..255 scale, (H, W) or (H, W, 3), to numbers.
        branches: overrides of the degradation that are told apart, as under- and over-exposure.
    """

    measure: Callable[[NDArray[np.generic]], Array]
    branches: tuple[Mapping[str, str], ...] = ({},)


TRAITS: Mapping[str, Trait] = {
    "adjust_brightness": Trait(tones),
    "exposure": Trait(tones, ({"direction": "under"}, {"direction": "over"})),
    "reduce_contrast": Trait(tones),
    "gaussian_noise": Trait(relative_noise),
    "low_resolution": Trait(repeats),
    "gaussian_blur": Trait(spectrum),
}
"""The degradations whose severity can be told from an image alone."""

_FOLLOWS_CONTENT = "what it adds follows what is in the image, and clean images of one kind differ more"
_NO_ESTIMATOR = "no estimator of it is built in"

UNTOLD: Mapping[str, str] = {
    "limited_angle": _FOLLOWS_CONTENT,
    "sparse_view": _FOLLOWS_CONTENT,
    "low_dose": "filtered back-projection shapes its grain like that of a clean scan",
    "bias_field": "the body's own shading cannot be told from the coil's",
    "undersampling": _NO_ESTIMATOR,
    "ghosting": _NO_ESTIMATOR,
    "blood_cell": "counting the cells takes a detector",
    "dark_spots": "a dark place may be tissue",
    "object_rotation": "nothing in an image says which way is up",
    "object_movement": _NO_ESTIMATOR,
    "motion_blur": "clean images of one kind differ more along one line than it blurs them",
    "bubble": "it blurs a part, and where that part lies is not known",
}
"""The other degradations, and why not."""


def _luma(values: NDArray[np.generic]) -> Array:
    luma = on_luma(values, lambda grey: grey)
    return np.asarray(luma if luma.ndim == 2 else luma[..., 0], dtype=np.float64)
