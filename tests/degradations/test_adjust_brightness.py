"""Brightness: clip(x + offset), by hand."""

from __future__ import annotations

import numpy as np
import pytest

from medqdeg.degradations.operators.adjust_brightness import apply

LEVELS = np.arange(256, dtype=np.uint8).reshape(16, 16)


@pytest.mark.parametrize("offset", [-300, -75, -1, 0, 1, 113, 300, -74.5, 10.25])
def test_every_level(offset):
    expected = np.clip(np.floor(LEVELS.astype(float) + offset), 0, 255)
    np.testing.assert_array_equal(apply(LEVELS, offset=offset), expected)


def test_real_values_are_not_rounded_or_clipped():
    assert apply(np.array([[10.5]], np.float32), offset=-75).tolist() == [[-64.5]]
