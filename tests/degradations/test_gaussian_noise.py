"""Noise: its distribution against the normal one, its independence, its policy on grey images."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from medqdeg.degradations.operators.gaussian_noise import apply

GREY = np.tile(np.array([80, 160], np.uint8), (400, 200))  # mean 120, standard deviation 40


def test_distribution():
    noise = apply(GREY.astype(np.float32), relative_sigma=0.5, noise_seed=1).astype(float) - GREY
    assert stats.kstest(noise.reshape(-1) / 20, "norm").pvalue > 0.01
    assert noise.std() == pytest.approx(20, rel=0.01)
    assert abs(noise.mean()) < 0.2
    assert stats.kurtosis(noise.reshape(-1)) == pytest.approx(0, abs=0.05)


def test_white():
    noise = apply(GREY.astype(np.float32), relative_sigma=0.5, noise_seed=2).astype(float) - GREY
    for shift in ((0, 1), (1, 0), (0, 2), (0, 4), (1, 1)):
        moved = np.roll(noise, shift, axis=(0, 1))
        assert abs(np.corrcoef(noise.reshape(-1), moved.reshape(-1))[0, 1]) < 0.015


def test_whole_levels_are_the_truncated_real_ones():
    real = apply(GREY.astype(np.float32), relative_sigma=1.2, noise_seed=3)
    np.testing.assert_array_equal(apply(GREY, relative_sigma=1.2, noise_seed=3), np.clip(np.floor(real), 0, 255))


def test_strength_follows_the_image_over_all_channels(picture):
    image = picture((200, 200, 3)).astype(np.float32) / 4 + 90
    noise = apply(image, relative_sigma=0.36, noise_seed=4) - image
    assert noise.std() == pytest.approx(0.36 * image.std(), rel=0.02)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_colour_speckle_is_the_default_and_grey_noise_an_option(dtype):
    image = np.repeat(GREY[..., np.newaxis], 3, axis=2).astype(dtype)
    speckled = apply(image, relative_sigma=0.5, noise_seed=5).astype(float)
    assert np.ptp(speckled, axis=2).max() > 20
    assert abs(np.corrcoef((speckled - image)[..., 0].ravel(), (speckled - image)[..., 1].ravel())[0, 1]) < 0.02
    plain = apply(image, relative_sigma=0.5, noise_seed=5, colour=False)
    assert np.ptp(plain, axis=2).max() == 0
    np.testing.assert_array_equal(plain[..., 0], apply(GREY.astype(dtype), relative_sigma=0.5, noise_seed=5))


def test_negative_strength_is_refused():
    with pytest.raises(ValueError, match="relative_sigma"):
        apply(GREY, relative_sigma=-1, noise_seed=0)
