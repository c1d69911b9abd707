"""Motion blur: against scipy.ndimage.convolve, byte for byte."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from scipy import ndimage

from medqdeg.degradations.operators import motion_blur
from medqdeg.degradations.operators.motion_blur import apply


def _rotated(size: int, angle: float) -> np.ndarray:
    line = np.zeros((size, size))
    line[size // 2, :] = 1 / size
    line = ndimage.rotate(line, angle, reshape=False, order=1)
    return line / line.sum()


def _stepped(size: int, angle: float) -> np.ndarray:
    line, centre, angle = np.zeros((size, size)), size // 2, np.deg2rad(angle)
    for step in range(-centre, centre + 1):
        line[int(centre + step * np.sin(angle)), int(centre + step * np.cos(angle))] = 1
    return line / line.sum()


CASES = [
    (8, 45, "rotated"),
    (11, 45, "rotated"),
    (20, 45, "rotated"),
    (2, 180, "rotated"),  # of an even length and turned by half or three quarters, it lies beside the pixel
    (8, 270, "rotated"),
    (13, 15, "stepped"),
    (41, 15, "stepped"),
    (41, 100, "stepped"),
    (63, 7, "stepped"),  # runs of up to eight pixels
]


@pytest.mark.parametrize(("length", "angle", "kernel"), CASES)
@pytest.mark.parametrize("shape", [(80, 90), (60, 50, 3), (9, 9), (30, 1), (150, 8)])
def test_against_scipy(length, angle, kernel, shape):
    image = np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)
    image[: shape[0] // 2] = 200  # a constant area, where rounding shows
    line = (_rotated if kernel == "rotated" else _stepped)(length, angle)
    planes = image[..., np.newaxis] if image.ndim == 2 else image
    expected = [ndimage.convolve(planes[..., c].astype(float), line) for c in range(planes.shape[2])]
    expected = np.stack(expected, axis=-1).reshape(shape)
    ours = apply(image, length=length, angle=angle, kernel=kernel)
    np.testing.assert_array_equal(ours, expected.astype(np.uint8))
    real = apply(image.astype(np.float32), length=length, angle=angle, kernel=kernel)
    np.testing.assert_allclose(real, expected, atol=1e-3)


ANGLES = [*range(0, 360, 15), 7.5, 33.3, 101.3, -45, 359.9, 400]


def test_the_turned_line_is_scipys_but_for_the_last_bit():
    for size in range(2, 24):
        for angle in ANGLES:
            line = np.zeros((size, size))
            line[size // 2] = 1 / size
            expected = ndimage.rotate(line, angle, reshape=False, order=1)
            np.testing.assert_allclose(motion_blur._turned(line, angle), expected, rtol=0, atol=1e-15)


def test_the_turned_line_has_the_same_bits_with_every_scipy_and_processor():
    # SciPy 1.13, 1.15 and 1.17 give other bits than one another: here all give 1.17's.
    digest = hashlib.sha256()
    for size in range(2, 24):
        for angle in ANGLES:
            line = np.zeros((size, size))
            line[size // 2] = 1 / size
            digest.update(motion_blur._turned(line, angle).astype("<f8").tobytes())
    assert digest.hexdigest() == "2161252f59dc86188a810cc02591e13bc071d9b60998a3b3f32a4762d163937f"


def test_a_point_becomes_a_line():
    image = np.zeros((41, 41), np.float32)
    image[20, 20] = 1
    out = apply(image, length=11, angle=45)
    assert out.sum() == pytest.approx(1, abs=1e-6)
    rows, columns = np.nonzero(out)
    assert np.corrcoef(rows, columns)[0, 1] == pytest.approx(-1, abs=0.1)  # up to the right


def test_unknown_kernel_is_refused():
    with pytest.raises(ValueError, match="kernel"):
        apply(np.zeros((9, 9), np.uint8), length=5, angle=0, kernel="round")
