from __future__ import annotations

import numpy as np
import pytest

from medqdeg.degradations.operators import ghosting


@pytest.mark.parametrize("shape", [(40, 31), (40, 31, 3), (12, 1), (9, 5)])
def test_adds_copies_further_down_and_nothing_wraps_round(shape):
    image = np.random.default_rng(0).uniform(0, 80, shape).astype(np.float32)
    weights = [0.5, 0.3, 0.2]
    spacing = shape[0] // 5
    expected = image.astype(float)
    for number, weight in enumerate(weights, 1):
        for row in range(number * spacing, shape[0]):
            expected[row] += weight * image[row - number * spacing]
    before = image.copy()
    ours = ghosting.apply(image, weights=weights)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, expected, rtol=1e-5)
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(ours[:spacing], image[:spacing])


def test_draw_is_uniform_in_its_range():
    weights = ghosting.draw(np.random.default_rng(0), (9, 9), ghosts=5000, weight=(0.4, 0.6))["weights"]
    assert min(weights) == pytest.approx(0.4, abs=0.001)
    assert max(weights) == pytest.approx(0.6, abs=0.001)
    assert np.mean(weights) == pytest.approx(0.5, abs=0.005)


def test_too_few_rows():
    with pytest.raises(ValueError, match="4 ghosts need at least 6 rows, got 5"):
        ghosting.apply(np.zeros((5, 8), np.float32), weights=[0.1] * 4)
