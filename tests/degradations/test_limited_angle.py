from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from medqdeg.degradations.operators import limited_angle, sparse_view

PUBLISHED = {
    1: (limited_angle, {"start": 330, "arc": 180, "distance_per_side": 1.034}),
    2: (limited_angle, {"start": 80, "arc": 100, "distance_per_side": 1.5}),
}


def bar(angle: float, side: int = 96) -> np.ndarray:
    """A thick bar along the direction ``angle`` (degrees, from x towards y)."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    a = np.radians(angle)
    across, along = -x * np.sin(a) + y * np.cos(a), x * np.cos(a) + y * np.sin(a)
    return (200.0 * ((np.abs(across) < 8) & (np.abs(along) < 30))).astype(np.float32)


@pytest.mark.parametrize("geometry", ["fan", "parallel"])
def test_edges_without_a_tangent_ray_are_lost(geometry):
    """Rays run along e_Y: views around 0 degrees see edges that run along y, and lose those along x."""
    seen, lost = (limited_angle.apply(image, start=-40, arc=80, geometry=geometry) for image in (bar(90), bar(0)))

    def sharpness(image):
        return np.abs(np.diff(image)).max()

    # profiles across the long edges
    assert sharpness(seen[48, :]) > 3 * sharpness(lost[:, 48])


@pytest.mark.parametrize("level", [1, 2])
def test_published_images_are_nearly_exact(reference, level):
    """Far closer than the fit that the parameters were read with: the projector is the authors'."""
    operator, parameters = PUBLISHED[level]
    clean, theirs = reference.image("limited_angle", 0), reference.image("limited_angle", level)
    # off the markings, which the authors paste back with a rim of a pixel
    grey = ~ndimage.binary_dilation(np.ptp(clean.astype(int), axis=2) > 10, np.ones((3, 3)))
    ours = np.floor(np.clip(operator.apply(clean.astype(np.float32), **parameters), 0, 255))
    error = np.mean((ours[grey] - theirs[grey]) ** 2)
    assert 10 * np.log10(255**2 / error) > 52  # 58 to 62; OpenCV before 4.11 rounds positions


def test_colour_becomes_luma_in_every_channel(picture):
    image = picture((40, 50, 3)).astype(np.float32)
    out = limited_angle.apply(image, start=80, arc=100, distance=90)
    assert out.shape == image.shape
    assert out.dtype == np.float32
    assert (out[..., 0] == out[..., 1]).all()
    assert (out[..., 0] == out[..., 2]).all()
    luma = image @ np.array([0.299, 0.587, 0.114], np.float32)
    np.testing.assert_allclose(out[..., 0], limited_angle.apply(luma, start=80, arc=100, distance=90), atol=1e-2)


@pytest.mark.parametrize("operator", [limited_angle, sparse_view])
@pytest.mark.parametrize("geometry", ["fan", "parallel"])
@pytest.mark.parametrize("shape", [(17, 23), (23, 17), (30, 1), (1, 30), (1, 1), (64, 64)])
def test_small_and_narrow_images(operator, geometry, shape):
    parameters = {"start": 80, "arc": 100} if operator is limited_angle else {"views": 36}
    image = np.full(shape, 120, np.float32)
    image[shape[0] // 2, shape[1] // 2] = 250
    out = operator.apply(image, geometry=geometry, **parameters)
    assert out.shape == shape
    assert np.isfinite(out).all()
    assert not np.allclose(out, image, atol=0.5)


def test_black_stays_black():
    assert not limited_angle.apply(np.zeros((20, 20), np.float32), start=0, arc=90).any()


def test_errors():
    image = np.zeros((20, 20), np.float32)
    with pytest.raises(ValueError, match="arc and step must be positive"):
        limited_angle.apply(image, start=0, arc=0)
    with pytest.raises(ValueError, match="geometry"):
        limited_angle.apply(image, start=0, arc=90, geometry="cone")
    with pytest.raises(ValueError, match="half the image's diagonal"):
        limited_angle.apply(image, start=0, arc=90, distance=10, distance_per_side=0.1)
