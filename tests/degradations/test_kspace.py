"""k-space helpers against NumPy's complex 2-D FFT."""

from __future__ import annotations

import numpy as np
import pytest

from medqdeg.degradations import kspace

SIZES = [1, 2, 7, 8, 23, 45, 64, 97, 266]  # odd, even, prime; short and long paths of the transform


def by_hand(image: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Mask whole columns of the centred 2-D k-space, and take the real part."""
    spectrum = np.fft.fftshift(np.fft.fft2(image))
    return np.fft.ifft2(np.fft.ifftshift(spectrum * kept)).real


@pytest.mark.parametrize("width", SIZES)
def test_weighted_real_transform_is_the_real_part_of_the_masked_complex_one(width):
    rng = np.random.default_rng(width)
    image = rng.uniform(0, 255, (11, width))
    kept = rng.random(width) < 0.4
    lines = kspace.line_numbers(width)[kept]
    weights = kspace.line_weights(lines, width)
    assert set(np.unique(weights)) <= {0, 0.5, 1}
    ours = kspace.rows_from_spectrum(kspace.transform_rows(image) * weights)
    np.testing.assert_allclose(ours, by_hand(image, kept), atol=1e-9)


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_spectrum_is_packed_and_inverts(width, dtype):
    image = np.random.default_rng(0).uniform(0, 255, (5, width)).astype(dtype)
    packed = kspace.transform_rows(image)
    assert packed.shape == image.shape
    assert packed.dtype == dtype
    complex_half = np.fft.rfft(image.astype(np.float64), axis=1)
    expected = np.stack([complex_half.real, complex_half.imag], axis=-1).reshape(5, -1)
    expected = np.concatenate([expected[:, :1], expected[:, 2 : width + 1]], axis=1)
    scale = 255 * width
    np.testing.assert_allclose(packed, expected, atol=scale * (1e-6 if dtype == np.float32 else 1e-13))
    np.testing.assert_allclose(kspace.rows_from_spectrum(packed), image, atol=1e-3)


def test_line_numbers_are_those_of_fftshift():
    for n in (7, 8):
        frequencies = np.fft.fftshift(np.fft.fftfreq(n, 1 / n))
        np.testing.assert_array_equal(kspace.line_numbers(n), frequencies.astype(int))


def test_bands_cover_every_line_once():
    for n, bands in ((224, 3), (224, 5), (7, 7), (10, 1)):
        parts = kspace.band_lines(n, bands)
        assert len(parts) == bands
        assert {len(part) for part in parts[:-1]} <= {n // bands}
        np.testing.assert_array_equal(np.concatenate(parts), kspace.line_numbers(n))


def test_errors():
    with pytest.raises(ValueError, match=r"must lie in -4\.\.3"):
        kspace.line_weights([4], 8)
    with pytest.raises(ValueError, match="too small"):
        kspace.band_lines(4, 5)
