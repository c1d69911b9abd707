"""Bubble: a blur of the whole image, shown through a disc."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from medqdeg.degradations.operators.bubble import apply, draw


@pytest.mark.parametrize("centre", [(30, 40), (0, 0), (63, 79), (30.4, 70.9), (-5, 20), (-50, 20)])
@pytest.mark.parametrize("shape", [(64, 80), (64, 80, 3)])
def test_against_whole_image_blur(picture, shape, centre):
    image = picture(shape)
    blurred = ndimage.gaussian_filter(image.astype(float), (3.2, 3.2, 0)[: len(shape)]).astype(np.uint8)
    row, column = np.mgrid[0:64, 0:80]
    inside = np.hypot(row - centre[0], column - centre[1]) < 20
    expected = np.where(inside if len(shape) == 2 else inside[..., np.newaxis], blurred, image)
    np.testing.assert_array_equal(apply(image, radius=20, sigma=3.2, centre=list(centre)), expected)
    real = apply(image.astype(np.float32), radius=20, sigma=3.2, centre=list(centre))
    assert np.abs(real - expected).max() < 1.001


def test_centres_lie_in_the_middle():
    centres = np.array([draw(np.random.default_rng(seed), (100, 200))["centre"] for seed in range(300)])
    assert (centres >= [30, 60]).all()
    assert (centres <= [70, 140]).all()
    assert np.ptp(centres, axis=0) == pytest.approx([40, 80], rel=0.05)
