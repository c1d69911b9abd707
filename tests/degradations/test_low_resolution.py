"""Low resolution: against scipy.ndimage.zoom, byte for byte."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from medqdeg.degradations.operators.low_resolution import apply


def _zoomed(plane: np.ndarray, keep: float) -> np.ndarray:
    small = ndimage.zoom(plane, keep, order=1)
    return ndimage.zoom(small, [n / m for n, m in zip(plane.shape, small.shape, strict=True)], order=0)


@pytest.mark.parametrize("keep", [0.597, 0.2, 0.33, 0.45, 0.8])
@pytest.mark.parametrize("shape", [(64, 64), (97, 80, 3), (200, 133)])
def test_against_scipy(shape, keep):
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    planes = image[..., np.newaxis] if image.ndim == 2 else image
    expected = np.stack([_zoomed(planes[..., c], keep) for c in range(planes.shape[2])], axis=-1)
    ours = apply(image, keep=keep)
    # SciPy reads its last row or column as outside where rounding puts it there, and makes it black: not
    # ours.
    inside = (slice(0, -1), slice(0, -1))
    np.testing.assert_array_equal(ours.reshape(planes.shape)[inside], expected[inside])


def test_corners_keep_their_values():
    image = np.random.default_rng(2).integers(0, 256, (40, 50), dtype=np.uint8)
    out = apply(image, keep=0.3)
    assert out[[0, 0, -1, -1], [0, -1, 0, -1]].tolist() == image[[0, 0, -1, -1], [0, -1, 0, -1]].tolist()


def test_a_ramp_becomes_steps():
    image = np.repeat(np.linspace(0, 90, 91, dtype=np.float32)[np.newaxis], 4, axis=0)
    out = apply(image, keep=10 / 91)
    assert np.unique(out[0]).tolist() == [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]


@pytest.mark.parametrize("keep", [0, -1, 1.1])
def test_share_must_be_in_0_1(keep):
    with pytest.raises(ValueError, match="keep"):
        apply(np.zeros((4, 4), np.uint8), keep=keep)
