from __future__ import annotations

import numpy as np
import pytest

from medqdeg.degradations.operators import bias_field

POWERS = [(i, j) for i in range(4) for j in range(4 - i)]


def test_polynomial_term_by_term():
    coefficients = np.random.default_rng(0).normal(size=10).tolist()
    height, width = 17, 23
    expected = np.zeros((height, width))
    for row in range(height):
        for column in range(width):
            u, v = 2 * column / (width - 1) - 1, 2 * row / (height - 1) - 1
            expected[row, column] = sum(c * u**i * v**j for c, (i, j) in zip(coefficients, POWERS, strict=True))
    np.testing.assert_allclose(bias_field.polynomial((height, width), coefficients), expected, atol=1e-5)


@pytest.mark.parametrize(("strength", "lowest"), [(0.5, 0.5), (0.75, 0.30), (1.05, 0.30)])
def test_field_runs_from_the_floor_to_one(strength, lowest):
    drawn = bias_field.draw(np.random.default_rng(1), (64, 64))
    out = bias_field.apply(np.full((64, 64), 100, np.float32), strength=strength, **drawn)
    assert out.max() == pytest.approx(100, abs=1e-3)
    assert out.min() == pytest.approx(100 * lowest, abs=1e-3)


def test_scale_and_offset_of_the_polynomial_do_not_matter():
    image = np.full((20, 30), 100, np.float32)
    coefficients = bias_field.draw(np.random.default_rng(2), image.shape)["coefficients"]
    scaled = [3 * c for c in coefficients]
    scaled[0] += 7
    one, other = (bias_field.apply(image, coefficients=c, strength=0.7) for c in (coefficients, scaled))
    np.testing.assert_allclose(one, other, atol=1e-3)


def test_channels_share_the_field(picture):
    image = picture((30, 40, 3)).astype(np.float32) + 1
    drawn = bias_field.draw(np.random.default_rng(3), image.shape)
    ratio = bias_field.apply(image, strength=1.05, **drawn) / image
    np.testing.assert_allclose(ratio[..., 0], ratio[..., 1], rtol=1e-5)


def test_draw_has_no_preferred_corner_and_is_mostly_dark():
    rng = np.random.default_rng(4)
    brightest, means = [], []
    for _ in range(800):
        field = bias_field.polynomial((21, 21), bias_field.draw(rng, (21, 21))["coefficients"])
        field = (field - field.min()) / np.ptp(field)
        means.append(field.mean())
        brightest.append(np.array(np.unravel_index(field.argmax(), field.shape)) > 10)
    np.testing.assert_allclose(np.mean(brightest, axis=0), 0.5, atol=0.06)
    assert np.median(means) == pytest.approx(0.38, abs=0.02)


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1), (17, 23)])
def test_narrow_images_are_finite_and_degraded(shape):
    image = np.full(shape, 200, np.float32)
    drawn = bias_field.draw(np.random.default_rng(5), shape)
    out = bias_field.apply(image, strength=0.75, **drawn)
    assert out.shape == shape
    assert np.isfinite(out).all()
    assert not np.allclose(out, image)


def test_wrong_number_of_coefficients():
    with pytest.raises(ValueError, match="10 coefficients expected, got 3"):
        bias_field.apply(np.zeros((4, 4), np.float32), coefficients=[1, 2, 3], strength=0.5)
