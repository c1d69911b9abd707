"""Pixel formats: what is taken apart is put together again; what has no known scale is refused."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from PIL import Image

from medqdeg.degradations import degrade
from medqdeg.degradations.pixels import unpack

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", ">u2", "float16", "float32", "float64"])
@pytest.mark.parametrize("rounding", ["floor", "nearest"])
def test_round_trip_is_exact(dtype, rounding):
    full = 255 if dtype == "uint8" else 65535 if "u" in dtype else 1
    image = (np.linspace(0, 1, 256).reshape(16, 16) * full).astype(dtype)
    pixels = unpack(image)
    assert pixels.values.dtype == (np.uint8 if dtype == "uint8" else np.float32)
    assert pixels.values.min() == 0
    assert pixels.values.max() == pytest.approx(255)
    back = pixels.pack(pixels.values, rounding)
    assert back.dtype == image.dtype
    if dtype == "float64":  # worked on in float32
        np.testing.assert_allclose(back, image, atol=1e-7)
    else:
        np.testing.assert_array_equal(back, image)


def test_rounding_and_clipping():
    pixels = unpack(RAMP)
    values = np.array([[-3.2, 0.99, 1.5, 2.5, 254.99, 300]], np.float32)
    assert pixels.pack(values, "floor").tolist() == [[0, 0, 1, 2, 254, 255]]
    assert pixels.pack(values, "nearest").tolist() == [[0, 1, 2, 2, 255, 255]]
    wide = unpack(RAMP.astype(np.uint16))  # 16 bits: nearest of 65,536 levels, whatever the rounding of 8 bits
    assert wide.pack(np.array([[1 / 257 * 0.6, 400]], np.float32), "floor").tolist() == [[1, 65535]]


def test_alpha_is_kept_and_not_degraded():
    rgba = np.dstack([np.stack([RAMP] * 3, axis=2), RAMP.T])
    out = degrade(rgba, "adjust_brightness", 1, seed=0)
    np.testing.assert_array_equal(out[..., 3], RAMP.T)
    np.testing.assert_array_equal(out[..., 0], np.maximum(RAMP.astype(int) - 75, 0))


def test_grey_palette_is_exact():
    image = Image.fromarray(RAMP).convert("P")
    out = degrade(image, "adjust_brightness", 1, seed=0)
    np.testing.assert_array_equal(np.array(out.convert("L")), np.maximum(RAMP.astype(int) - 75, 0))


def test_what_is_not_pixels_is_carried_over():
    image = Image.fromarray(RAMP)
    image.info.update(dpi=(300, 300), icc_profile=b"profile", transparency=3)
    out = degrade(image, "adjust_brightness", 1, seed=0)
    assert out.info == {"dpi": (300, 300), "icc_profile": b"profile"}


@pytest.mark.parametrize("level", [1, 2])
def test_depths_agree(picture, level):
    """16-bit and floating-point images get the same degradation as 8-bit ones, but for rounding."""
    image = picture((64, 64))
    for name in ("gaussian_noise", "gaussian_blur", "motion_blur", "low_resolution", "bubble", "exposure"):
        eight = degrade(image, name, level, seed=3).astype(float)
        sixteen = degrade(image.astype(np.uint16) * 257, name, level, seed=3) / 257
        real = degrade(image / 255, name, level, seed=3) * 255
        assert np.abs(sixteen - real).max() < 0.01
        assert (real - eight).min() > -0.51
        assert (real - eight).max() < 1.001  # truncated


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (np.zeros((4, 4), np.int32), TypeError, "int32"),
        (np.zeros((4, 4), bool), TypeError, "bool"),
        (np.full((4, 4), 1.5), ValueError, "0, 1"),
        (np.full((4, 4), -0.1), ValueError, "0, 1"),
        (np.array([[0.5, np.nan]]), ValueError, "0, 1"),
        (np.zeros((4, 4, 2), np.uint8), ValueError, "H, W"),
        (np.zeros((4,), np.uint8), ValueError, "H, W"),
        (np.zeros((0, 4), np.uint8), ValueError, "no pixel"),
        ("scan.png", TypeError, "str"),
        ([[1, 2]], TypeError, "list"),
        (Image.new("CMYK", (4, 4)), ValueError, "convert"),
        (Image.new("1", (4, 4)), ValueError, "convert"),
        (Image.new("F", (4, 4)), ValueError, "convert"),
        (Image.fromarray(np.full((4, 4), 70000, np.int32)), ValueError, "65535"),
    ],
    ids=lambda value: str(value)[:20].replace("\n", " "),
)
def test_what_cannot_be_degraded_is_refused(image, error, message):
    with pytest.raises(error, match=message) as caught:
        degrade(image, "gaussian_blur", 1, seed=0)
    assert "\n" not in str(caught.value)


def test_a_16_bit_image_that_is_shown_as_black_is_warned_of():
    deep = (np.arange(400).reshape(20, 20) * 10).astype(np.uint16)
    with pytest.warns(UserWarning, match="no level above 3990 of 65535"):
        unpack(deep)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        unpack(deep * 16)
        unpack(np.zeros((4, 4), np.uint16))
