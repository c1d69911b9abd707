"""Low-dose CT: few X-ray photons.

The grey levels, as attenuation of `attenuation` per pixel at white, give line integrals p; of `photons`
photons sent along each ray, a Poisson-distributed number with mean `photons exp(-p)` arrives. The logarithm
of few counts is noisy, most of all behind bone, and the ramp filter amplifies it: fine grain with streaks
along the dense directions. After D. Zeng et al., "A simple low-dose X-ray CT simulation from high-dose scan",
IEEE Trans Nucl Sci 62, 2015. No electronic noise, as in the authors' images.

The counts are quantiles of the Poisson distribution at uniform numbers made from `noise_seed`, one for each
ray, so that a last-digit difference in p on another machine changes single counts by one and not the whole
stream. Colour: attenuation is one number, so the luma is scanned and returned in every channel. Images that
are not square lie in air.
"""

from __future__ import annotations

from math import ceil, hypot
from typing import Any

import numpy as np
from scipy.special import ndtri

from ..luma import on_luma
from ..tomography.back_projection import fbp
from ..tomography.geometry import full_scan, source_distance
from ..tomography.projection import project

_FEW = 16  # mean counts below which the distribution is summed up


def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> dict[str, Any]:
    """Draw the seed of the photon counts: `{"noise_seed": int}`."""
    return {"noise_seed": int(rng.integers(2**63))}


def apply(
    image: np.ndarray,
    *,
    photons: float | None,
    noise_seed: int,
    attenuation: float = 0.03,
    highest: float | None = None,
    views: int = 720,
    distance: float = 672,
    distance_per_side: float = 1.5,
    geometry: str = "fan",
) -> np.ndarray:
    """Scan with few photons and reconstruct.

    Args:
        image: float32 (H, W) or (H, W, 3), 0..255.
        photons: photons sent along each ray; None: so many that there is no noise.
        noise_seed: seed of the counts, a non-negative integer.
        attenuation: of white (255), per pixel.
        highest: largest line integral that the detector reports, where few photons would give more; None:
            none but that a ray without a photon counts one.
        views: number of views; over 360 degrees in the fan, over 180 degrees in parallel beams.
        distance: source distance, detector distance and number of detector cells, in pixels.
        distance_per_side: the same as a multiple of the longer side; the larger one counts.
        geometry: `"fan"` or `"parallel"`.

    Raises:
        ValueError: photons or attenuation not positive, a source inside the image, no views, an unknown
            geometry.
    """
    if not ((photons is None or photons > 0) and attenuation > 0):
        raise ValueError(f"low_dose: photons and attenuation must be positive, got {photons} and {attenuation}")
    if np.float32(attenuation / 255) == 0 or (highest is not None and not highest > 0):
        raise ValueError(f"low_dose: attenuation {attenuation} or highest {highest} is too small for any contrast")
    source = source_distance(geometry, image.shape, distance, distance_per_side)
    angles = full_scan(views, source)
    scale = attenuation / 255

    def scan(luma: np.ndarray) -> np.ndarray:
        detectors = source or ceil(hypot(*luma.shape)) + 1
        integrals = project(luma, angles, detectors=detectors, source_distance=source)
        if photons is None:
            return fbp(integrals, angles, side=luma.shape, source_distance=source)
        noisy = _measure(integrals * np.float32(scale), photons, noise_seed, highest)
        noisy /= np.float32(scale)
        return fbp(noisy, angles, side=luma.shape, source_distance=source)

    return on_luma(image, scan)


def _measure(integrals: np.ndarray, photons: float, noise_seed: int, highest: float | None) -> np.ndarray:
    """Line integrals as read off noisy counts, float32."""
    words = np.random.PCG64(noise_seed).random_raw(-(-integrals.size // 2))
    bits = words.astype("<u8", copy=False).view("<u4")[: integrals.size].reshape(integrals.shape)
    measured = np.empty_like(integrals)
    for rows in range(0, len(integrals), 64):  # what fits into the cache
        part = slice(rows, rows + 64)
        counts = poisson_quantile(photons * np.exp(-integrals[part].astype(np.float64)), (bits[part] + 0.5) / 2**32)
        measured[part] = -np.log(np.maximum(counts, 1.0) / photons)
    return measured if highest is None else np.minimum(measured, np.float32(highest), out=measured)


def poisson_quantile(mean: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Return quantiles of Poisson distributions, float64 whole numbers.

    Summed up to the quantile for means below 16; above, the expansion of M. B. Giles, "Algorithm 955:
    approximation of the inverse Poisson cumulative distribution function", ACM TOMS 42(1), 2016, eq. for
    Q_N2, which misses the exact count by one in fewer than 2 of 1,000 cases.
    """
    w = ndtri(probability)
    root = np.sqrt(mean)
    square = w * w
    count: np.ndarray = np.floor(
        mean
        + root * w
        + (1 / 3 + square / 6)
        - w * (1 / 36 + square / 72) / np.maximum(root, 1)
        + (-8 / 405 + square * (7 / 810 + square / 270)) / np.maximum(mean, 1)
    )
    few = mean < _FEW
    if few.any():
        count[few] = _poisson_quantile_by_sum(mean[few], probability[few])
    return count


def _poisson_quantile_by_sum(mean: np.ndarray, probability: np.ndarray) -> np.ndarray:
    count = np.zeros_like(mean)
    term = np.exp(-mean)
    total = term.copy()
    for number in range(1, 100):
        below = total < probability
        if not below.any():
            break
        count[below] = number
        term *= mean / number
        total += term
    return count
