from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy import ndimage

from medqdeg.degradations import degrade
from medqdeg.degradations.operators import sparse_view
from medqdeg.degradations.tomography import back_projection


@pytest.mark.parametrize(("level", "views"), [(1, 144), (2, 36)])
def test_published_images_are_nearly_exact(reference, level, views):
    """Far closer than the fit that the parameters were read with: the projector is the authors'."""
    clean, theirs = reference.image("sparse_view", 0), reference.image("sparse_view", level)
    # off the markings, which the authors paste back with a rim of a pixel
    grey = ~ndimage.binary_dilation(np.ptp(clean.astype(int), axis=2) > 10, np.ones((3, 3)))
    ours = np.floor(np.clip(sparse_view.apply(clean.astype(np.float32), views=views), 0, 255))
    error = np.mean((ours[grey] - theirs[grey]) ** 2)
    assert 10 * np.log10(255**2 / error) > 52  # 58 to 62; OpenCV before 4.11 rounds positions


@pytest.mark.parametrize("geometry", ["fan", "parallel"])
def test_fewer_views_are_worse_and_many_are_nearly_harmless(picture, geometry):
    image = picture((96, 96)).astype(np.float32)
    errors = [
        np.sqrt(np.mean((sparse_view.apply(image, views=views, geometry=geometry) - image) ** 2))
        for views in (720, 144, 36, 12)
    ]
    assert errors == sorted(errors)
    assert errors[0] < 8


@pytest.mark.parametrize("geometry", ["fan", "parallel"])
def test_a_point_throws_one_streak_for_each_ray_direction(geometry):
    image = np.zeros((101, 101), np.float32)
    image[50, 50] = 255
    views = 9  # odd, so that opposite views of the fan do not coincide
    out = sparse_view.apply(image, views=views, geometry=geometry)
    angle = np.radians(np.arange(0, 360, 0.5))
    y, x = (np.rint(50 + 40 * f(angle)).astype(int) for f in (np.sin, np.cos))
    circle = out[y, x]
    bright = circle > circle.max() / 2
    streaks = np.count_nonzero(bright & ~np.roll(bright, 1))
    assert streaks == 2 * views


def test_larger_images_keep_the_field_of_the_published_ones():
    """The field of view is 0.447 x distance: 672 px serve up to 650 px, larger images get more."""
    image = np.full((800, 800), 100, np.float32)
    row = sparse_view.apply(image, views=8)[400]
    assert np.isfinite(row).all()


def test_no_views():
    with pytest.raises(ValueError, match="views must be at least 1"):
        sparse_view.apply(np.zeros((20, 20), np.float32), views=0)


def test_a_large_image_takes_little_memory_beside_its_own(picture, monkeypatch):
    """At 4096 x 4096 RGB these bytes per pixel are 0.36 GB; it was 1.26 GB."""
    monkeypatch.setattr(back_projection, "_LARGE_BYTES", 0)
    image = np.repeat(picture((1024, 1024))[..., np.newaxis], 3, axis=2)
    tracemalloc.start()
    try:
        degrade(image, "sparse_view", 2, seed=0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak / image[..., 0].size < 28
