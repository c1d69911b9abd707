from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from medqdeg.degradations import degrade
from medqdeg.degradations.operators import object_movement


def moved(image, degrees, down, right):
    """Rotate about the centre and shift, with SciPy."""
    a = np.radians(degrees)
    matrix = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    centre = (np.array(image.shape) - 1) / 2
    offset = centre - matrix @ (centre + np.array([down, right]))
    return ndimage.affine_transform(image, matrix, offset, order=1, mode="reflect")


@pytest.mark.parametrize("shape", [(48, 64), (45, 37), (53, 53)])
@pytest.mark.parametrize("positions", [1, 3, 5])
def test_equals_the_composite_made_with_complex_transforms(picture, shape, positions):
    image = picture(shape).astype(np.float32)
    movements = object_movement.draw(
        np.random.default_rng(positions), shape, positions=positions, rotation=12, shift=6
    )["movements"]
    spectrum = np.zeros(shape, complex)
    size = shape[0] // positions
    for band, movement in enumerate(movements):
        rows = slice(band * size, (band + 1) * size if band < positions - 1 else shape[0])
        spectrum[rows] = np.fft.fftshift(np.fft.fft2(moved(image.astype(float), *movement)))[rows]
    expected = np.fft.ifft2(np.fft.ifftshift(spectrum)).real
    ours = object_movement.apply(image, movements=movements)
    # OpenCV before 4.11 rounds positions to 1/32 px.
    assert np.sqrt(np.mean((ours - expected) ** 2)) < 0.6


def test_no_movement_gives_the_image_back(picture):
    image = picture((40, 50)).astype(np.float32)
    out = object_movement.apply(image, movements=[[0, 0, 0]] * 4)
    np.testing.assert_allclose(out, image, atol=1e-3)


def test_one_movement_of_whole_pixels_is_a_shift(picture):
    image = picture((40, 50)).astype(np.float32)
    out = object_movement.apply(image, movements=[[0, 3, -2]])
    np.testing.assert_allclose(out[3:, :-2], image[:-3, 2:], atol=1e-2)


def test_colour_becomes_luma_on_request_only(picture):
    image = picture((40, 50, 3)).astype(np.float32)
    movements = [[1, 2, 3], [0, 1, 0]]
    grey = object_movement.apply(image, movements=movements, per_channel=False)
    assert grey.shape == image.shape
    assert np.ptp(grey, axis=2).max() == 0
    assert np.ptp(object_movement.apply(image, movements=movements), axis=2).mean() > 0.8 * np.ptp(image, axis=2).mean()


def test_draw_stays_within_its_limits():
    movements = np.array(
        object_movement.draw(np.random.default_rng(0), (9, 9), positions=4000, rotation=2, shift=3)["movements"]
    )
    np.testing.assert_allclose(np.abs(movements).max(axis=0), [2, 3, 3], rtol=0.01)
    np.testing.assert_allclose(movements.mean(axis=0), 0, atol=0.15)


def test_narrow_images_and_errors():
    image = np.linspace(0, 255, 30, dtype=np.float32)[:, None]
    assert object_movement.apply(image, movements=[[0, 1, 0], [0, -1, 0]]).shape == (30, 1)
    with pytest.raises(ValueError, match="too small"):
        object_movement.apply(image.T, movements=[[0, 1, 0], [0, -1, 0]])


def test_each_channel_moves_the_same_way():
    image = np.random.default_rng(0).uniform(0, 255, (48, 40, 3)).astype(np.float32)
    movements = [[1.0, 2.0, -1.0], [-2.0, 0.5, 1.5], [0.3, -1.0, 2.0]]
    kept = object_movement.apply(image, movements=movements)
    for channel in range(3):
        np.testing.assert_array_equal(
            kept[..., channel], object_movement.apply(image[..., channel], movements=movements)
        )


@pytest.mark.parametrize("noise", [0, 3])
def test_a_grey_image_is_composed_from_its_luma(picture, noise):
    """As before colour was kept: stored in three channels, also with the chroma noise of a JPEG file."""
    rng = np.random.default_rng(0)
    grey = np.repeat(picture((60, 50))[..., None], 3, axis=2).astype(np.int16)
    grey = np.clip(grey + rng.integers(-noise, noise + 1, grey.shape), 0, 255).astype(np.float32)
    movements = [[1.0, 2.0, -1.0], [-2.0, 0.5, 1.5]]
    np.testing.assert_array_equal(
        object_movement.apply(grey, movements=movements),
        object_movement.apply(grey, movements=movements, per_channel=False),
    )


@pytest.mark.parametrize("level", [1, 2])
def test_a_coloured_outline_on_a_grey_image_stays_coloured(picture, level):
    """A question may refer to "the red box"."""
    image = np.repeat(picture((96, 96))[..., None], 3, axis=2)
    image[30:34, 20:70] = image[60:64, 20:70] = (255, 0, 0)
    out = degrade(image, "object_movement", level, seed=3).astype(int)
    red = out[..., 0] - out[..., 1]
    assert red.max() > 150
    assert red.sum() > 0.8 * 255 * 2 * 4 * 50
