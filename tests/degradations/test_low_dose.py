from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from medqdeg.degradations.operators import low_dose


@pytest.mark.parametrize("mean", [0.0, 0.01, 0.7, 3.0, 9.9, 15.9, 16.1, 40.0, 300.0, 1e4, 1e6])
def test_counts_are_poisson_quantiles(mean):
    probability = (np.random.default_rng(0).integers(0, 2**32, 20000) + 0.5) / 2**32
    ours = low_dose.poisson_quantile(np.full(20000, mean), probability)
    exact = stats.poisson.ppf(probability, mean) if mean else np.zeros(20000)
    assert np.abs(ours - exact).max() <= 1
    assert np.mean(ours != exact) < 2e-3


@pytest.mark.parametrize("geometry", ["fan", "parallel"])
def test_noise_falls_with_the_root_of_the_photons(picture, geometry):
    image = picture((72, 72)).astype(np.float32) / 2

    def noise(photons):
        few = {"photons": photons, "views": 90, "geometry": geometry}
        one, other = (low_dose.apply(image, noise_seed=seed, **few) for seed in (1, 2))
        return (one - other).std() / 2**0.5

    assert noise(1e4) / noise(1e6) == pytest.approx(10, rel=0.05)


def test_noise_is_that_of_filtered_white_noise():
    """A black image: every count has mean I0, so the line integrals carry white noise of variance 1 / I0.

    FBP with the band-limited ramp h sums over the views, times pi / views, what linear interpolation between
    two cells leaves of it: variance sum_k (h_k (1 - d) + h_{k+1} d)^2 on average over d. In parallel beams
    this holds for every pixel.
    """
    views, photons, attenuation = 60, 1e6, 0.03
    out = low_dose.apply(
        np.zeros((64, 64), np.float32), photons=photons, noise_seed=3, views=views, geometry="parallel"
    )
    lag = np.arange(-200, 201)
    h = np.where(lag % 2 == 1, -1 / (np.pi * np.where(lag == 0, 1, lag)) ** 2, 0.0)
    h[200] = 0.25
    interpolated = np.mean([np.sum((h[1:] * (1 - d) + h[:-1] * d) ** 2) for d in np.linspace(0, 1, 101)])
    expected = np.pi / np.sqrt(views) * np.sqrt(interpolated / photons) * 255 / attenuation
    assert out.std() == pytest.approx(expected, rel=0.1)


def test_bone_is_noisier_than_air():
    image = np.zeros((96, 96), np.float32)
    image[30:66, 30:66] = 255
    clean, noisy = (low_dose.apply(image, photons=p, noise_seed=1, views=180) for p in (1e12, 1e4))
    noise = noisy - clean
    assert noise[44:52, 44:52].std() > 1.5 * noise[:8, :8].std()


def test_highest_line_integral_is_a_ceiling():
    image = np.full((100, 100), 255, np.float32)
    free, capped = (
        low_dose.apply(image, photons=1e9, noise_seed=0, views=60, highest=highest) for highest in (None, 1.5)
    )
    assert capped[50, 50] < 0.8 * free[50, 50]


def test_draw_makes_a_seed_and_the_seed_makes_the_noise(picture):
    image = picture((40, 40)).astype(np.float32)
    drawn = [low_dose.draw(np.random.default_rng(s), (40, 40)) for s in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    results = [low_dose.apply(image, photons=1e4, views=40, **d) for d in drawn]
    np.testing.assert_array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])


@pytest.mark.parametrize("shape", [(17, 23), (1, 30), (30, 1), (1, 1), (20, 20, 3)])
@pytest.mark.parametrize("level", [0, 255])
def test_flat_and_narrow_images_are_degraded(shape, level):
    image = np.full(shape, level, np.float32)
    out = low_dose.apply(image, photons=1e4, noise_seed=0, views=60)
    assert out.shape == shape
    assert np.isfinite(out).all()
    assert not np.array_equal(out, image)


def test_errors():
    image = np.zeros((9, 9), np.float32)
    for wrong in ({"photons": 0}, {"photons": 10, "attenuation": -1}):
        with pytest.raises(ValueError, match="must be positive"):
            low_dose.apply(image, noise_seed=0, **wrong)


def test_source_stands_outside_of_large_images():
    """`distance` is in pixels and the least; `distance_per_side` counts where an image is larger."""
    side = 700
    rows, columns = np.mgrid[:side, :side]
    image = (120 + 100 * np.sin(rows / 40) * np.cos(columns / 55)).astype(np.float32)
    given = {"photons": 1e4, "attenuation": 8.0, "noise_seed": 3, "views": 24, "highest": 5.8}
    by_side = low_dose.apply(image, distance=300, distance_per_side=1.1, **given)
    in_pixels = low_dose.apply(image, distance=770, distance_per_side=0, **given)
    assert np.array_equal(by_side, in_pixels)
