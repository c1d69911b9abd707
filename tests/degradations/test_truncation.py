"""Float32 filters, truncated as float64 would: against SciPy, byte for byte."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import ndimage

from medqdeg.degradations.operators import gaussian_blur
from medqdeg.degradations.truncation import DOUBT, Neighbourhoods, truncate

RNG = np.random.default_rng(3)
IMAGES = {
    "noise": RNG.integers(0, 256, (97, 81), dtype=np.uint8),
    "flat patches": np.kron(RNG.integers(0, 256, (4, 5)), np.ones((40, 40))).astype(np.uint8),
    "constant": np.full((60, 70), 177, np.uint8),
    "white": np.full((60, 70), 255, np.uint8),
    "colour": RNG.integers(0, 256, (50, 60, 3), dtype=np.uint8),
}


@pytest.mark.parametrize("case", IMAGES)
@pytest.mark.parametrize("sigma", [1.6, 3, 7])
def test_blur_is_scipys_in_float64(case, sigma):
    image = IMAGES[case]
    planes = image[..., np.newaxis] if image.ndim == 2 else image
    expected = [ndimage.gaussian_filter(planes[..., c].astype(np.float64), sigma) for c in range(planes.shape[2])]
    expected = np.stack(expected, axis=-1).reshape(image.shape).astype(np.uint8)
    np.testing.assert_array_equal(gaussian_blur.apply(image, sigma=sigma), expected)


def test_only_doubtful_pixels_are_computed_again():
    """Around each whole level, on both sides; nowhere else."""
    shifted = np.array([[9.5, 9.5 + 2 * DOUBT, 9.5 - DOUBT / 2, 9.7, 10.49, -0.5 + 2 * DOUBT]], np.float32)
    asked = []

    def exact(indices):
        asked.extend(indices.tolist())
        return np.full(indices.size, 10.0 - 1e-13)

    assert truncate(shifted, exact).tolist() == [[9, 10, 9, 10, 10, 0]]
    assert asked == [0, 2]


@pytest.mark.parametrize("sigma", [3.0, 7.0])
def test_the_doubt_covers_the_float32_error(sigma):
    kernel = gaussian_blur._kernel(sigma)
    for image in (IMAGES["noise"], IMAGES["flat patches"], IMAGES["white"]):
        fast = cv2.sepFilter2D(image, cv2.CV_32F, kernel, kernel, borderType=cv2.BORDER_REFLECT)
        assert np.abs(fast - ndimage.gaussian_filter(image.astype(np.float64), sigma)).max() < DOUBT


def test_neighbourhood_sum_matches_correlation():
    image = IMAGES["colour"]
    weights = RNG.random((3, 4))
    taps = [(r, c, weights[r, c]) for r in range(3) for c in range(4)]
    where = np.arange(image.size)[::7]
    ours = Neighbourhoods(image, (1, 2), (1, 1)).weighted_sum(where, taps)
    expected = np.stack([ndimage.correlate(image[..., c].astype(float), weights) for c in range(3)], axis=-1).reshape(
        -1
    )[where]
    np.testing.assert_allclose(ours, expected, rtol=1e-12)
