"""Contrast: mean + factor (x - mean), by NumPy in float64."""

from __future__ import annotations

import numpy as np
import pytest

from medqdeg.degradations.operators.reduce_contrast import apply


@pytest.mark.parametrize("factor", [0.0, 0.3, 0.65, 1.5])
@pytest.mark.parametrize("shape", [(33, 20), (33, 20, 3)])
def test_against_float64(picture, factor, shape):
    image = picture(shape)
    mean = image.mean()
    expected = mean + factor * (image - mean)
    np.testing.assert_array_equal(apply(image, factor=factor), np.clip(expected, 0, 255).astype(np.uint8))
    np.testing.assert_allclose(apply(image.astype(np.float32), factor=factor), expected, atol=1e-3)


def test_all_channels_share_one_mean():
    image = np.zeros((4, 4, 3), np.uint8)
    image[..., 0] = 90
    assert apply(image, factor=0)[0, 0].tolist() == [30, 30, 30]
