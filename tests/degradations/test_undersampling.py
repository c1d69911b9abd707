from __future__ import annotations

import json

import numpy as np
import pytest

from medqdeg.degradations.operators import undersampling


def test_equals_the_masked_complex_transform(picture):
    image = picture((40, 61, 3)).astype(np.float32)
    drawn = undersampling.draw(np.random.default_rng(0), image.shape, density=0.5, decay=0.16)
    ours = undersampling.apply(image, **drawn)
    for channel, lines in enumerate(drawn["lines"]):
        mask = np.zeros(61)
        mask[np.array(lines) + 30] = 1
        spectrum = np.fft.fftshift(np.fft.fft2(image[..., channel])) * mask
        expected = np.fft.ifft2(np.fft.ifftshift(spectrum)).real
        np.testing.assert_allclose(ours[..., channel], expected, atol=1e-4)


def test_all_lines_give_the_image_back(picture):
    image = picture((20, 30)).astype(np.float32)
    np.testing.assert_allclose(undersampling.apply(image, lines=[list(range(-15, 15))]), image, atol=1e-4)


def test_mean_of_each_row_is_kept(picture):
    image = picture((50, 64)).astype(np.float32)
    drawn = undersampling.draw(np.random.default_rng(1), image.shape, density=0.3, decay=0.17)
    np.testing.assert_allclose(undersampling.apply(image, **drawn).mean(axis=1), image.mean(axis=1), atol=1e-3)


def test_draw_follows_the_density():
    width, draws = 200, 600
    rng = np.random.default_rng(2)
    counts = np.zeros(width)
    for _ in range(draws // 3):
        for lines in undersampling.draw(rng, (10, width), density=0.5, decay=0.16)["lines"]:
            counts[np.array(lines) + 100] += 1
    kx = np.arange(width) - 100
    centre = np.abs(kx) <= 8
    assert (counts[centre] == draws).all()
    expected = 0.5 * np.exp(-((kx / 32) ** 2))
    assert np.abs(counts / draws - expected)[~centre].max() < 0.1
    assert np.mean((counts / draws - expected)[~centre]) == pytest.approx(0, abs=0.01)


def test_own_mask_for_each_channel_colours_a_grey_image_and_a_shared_one_does_not(picture):
    grey = np.repeat(picture((40, 64)).astype(np.float32)[..., None], 3, axis=2)
    parameters = {"density": 0.5, "decay": 0.16}
    own = undersampling.draw(np.random.default_rng(3), grey.shape, **parameters)
    shared = undersampling.draw(np.random.default_rng(3), grey.shape, shared_mask=True, **parameters)
    assert np.ptp(undersampling.apply(grey, **own), axis=2).max() > 1
    assert np.ptp(undersampling.apply(grey, **shared), axis=2).max() == 0
    json.dumps([own, shared])


def test_errors():
    with pytest.raises(ValueError, match="at least 2 pixels wide"):
        undersampling.apply(np.zeros((5, 1), np.float32), lines=[[0]])
    with pytest.raises(ValueError, match="1 or 3 lists"):
        undersampling.apply(np.zeros((5, 8), np.float32), lines=[[0], [1]])
    with pytest.raises(ValueError, match="must lie in"):
        undersampling.apply(np.zeros((5, 8), np.float32), lines=[[9]])
