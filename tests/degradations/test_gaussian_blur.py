"""Gaussian blur of real values, and what its kernel is; bytes are compared in test_truncation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from medqdeg.degradations.operators.gaussian_blur import apply


@pytest.mark.parametrize("sigma", [0.5, 1.6, 3, 7, 25])
@pytest.mark.parametrize("shape", [(50, 60), (50, 60, 3), (1, 20), (20, 1), (5, 5)])
def test_against_scipy(sigma, shape):
    image = np.random.default_rng(4).integers(0, 256, shape, dtype=np.uint8)
    expected = ndimage.gaussian_filter(image.astype(float), (sigma, sigma) + (0,) * (len(shape) - 2))
    np.testing.assert_allclose(apply(image.astype(np.float32), sigma=sigma), expected, atol=2e-3)
    difference = expected - apply(image, sigma=sigma)
    assert difference.min() > -1e-9
    assert difference.max() < 1 + 1e-9


def test_sigma_is_the_standard_deviation():
    image = np.zeros((101, 101), np.float32)
    image[50, 50] = 1
    out = apply(image, sigma=4)
    variance = (out.sum(axis=0) * (np.arange(101) - 50) ** 2).sum()
    assert variance == pytest.approx(16, rel=0.01)


def test_sigma_must_be_positive():
    with pytest.raises(ValueError, match="sigma"):
        apply(np.zeros((4, 4), np.uint8), sigma=0)
