"""Rotation: against scipy.ndimage.rotate, within a level."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from medqdeg.degradations.operators.object_rotation import apply, draw


@pytest.mark.parametrize("angle", [18.0625, -153.1025, 90, -90, 180, 45, 0.3])
@pytest.mark.parametrize("shape", [(64, 64), (64, 90, 3), (31, 40)])
def test_against_scipy(picture, angle, shape):
    image = picture(shape)
    image = image // 2 + 100  # the black wedges stand out
    expected = ndimage.rotate(image.astype(float), angle, reshape=False, order=1)
    real = apply(image.astype(np.float32), angle=angle)
    # OpenCV before 5 interpolates on a grid of 1/32 pixel.
    assert np.abs(real - expected).mean() < 1
    if angle % 90:  # else the border falls on pixel centres, and rounding decides
        np.testing.assert_array_equal(real == 0, expected == 0)
    whole = apply(image, angle=angle)
    assert np.abs(whole.astype(float) - np.rint(real)).max() <= 1


@pytest.mark.parametrize(("angle", "turns"), [(90, 1), (180, 2), (-90, 3)])
def test_quarter_turns_lose_nothing(picture, angle, turns):
    image = picture((51, 51, 3))
    np.testing.assert_array_equal(apply(image, angle=angle), np.rot90(image, turns))


def test_angles():
    angles = np.array([draw(np.random.default_rng(s), (9, 9), magnitude=(10, 20))["angle"] for s in range(300)])
    assert (np.abs(angles) >= 10).all()
    assert (np.abs(angles) <= 20).all()
    assert 100 < (angles > 0).sum() < 200
    assert abs(draw(np.random.default_rng(0), (9, 9), magnitude=12)["angle"]) == 12
