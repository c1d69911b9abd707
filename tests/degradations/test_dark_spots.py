"""Dark spot: x (1 - depth exp(-d^2 / 2 sigma^2)), pixel by pixel."""

from __future__ import annotations

import math

import numpy as np
import pytest

from medqdeg.degradations.operators.dark_spots import apply


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 3)])
def test_pixel_by_pixel(picture, shape):
    image = picture(shape).astype(np.float32)
    out = apply(image, depth=0.767, sigma=6.5, centre=[4.5, 21])
    for row in range(20):
        for column in range(30):
            light = 1 - 0.767 * math.exp(-((row - 4.5) ** 2 + (column - 21) ** 2) / (2 * 6.5**2))
            np.testing.assert_allclose(out[row, column], image[row, column] * light, rtol=1e-5)


@pytest.mark.parametrize("wrong", [{"depth": 0}, {"depth": 1.2}, {"sigma": 0}])
def test_bad_values_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        apply(np.zeros((4, 4), np.float32), **{"depth": 0.5, "sigma": 2, "centre": [1, 1], **wrong})
