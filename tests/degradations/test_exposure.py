"""Exposure: 255 (x/255)^gamma + offset, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from medqdeg.degradations.operators.exposure import apply, draw

LEVELS = np.arange(256, dtype=np.uint8).reshape(16, 16)
FOUR = {"under_gamma": 2, "under_offset": -27, "over_gamma": 0.5, "over_offset": 9}


@pytest.mark.parametrize(("gamma", "offset"), [(1.45, -9), (2.35, -27), (0.55, 9), (0.3, 30)])
def test_every_level(gamma, offset):
    expected = [min(max(int(255 * (level / 255) ** gamma + offset), 0), 255) for level in range(256)]
    assert apply(LEVELS, gamma=gamma, offset=offset).reshape(-1).tolist() == expected
    real = apply(LEVELS.astype(np.float32), gamma=gamma, offset=offset).reshape(-1)
    np.testing.assert_allclose(real, [255 * (level / 255) ** gamma + offset for level in range(256)], atol=1e-3)


def test_direction_is_a_fair_draw_or_fixed():
    def gammas(**settings):
        return [draw(np.random.default_rng(seed), (8, 8), **FOUR, **settings)["gamma"] for seed in range(400)]

    assert 150 < gammas().count(2) < 250
    assert set(gammas()) == {2, 0.5}
    assert set(gammas(direction="under")) == {2}
    assert set(gammas(direction="over")) == {0.5}
    with pytest.raises(ValueError, match="direction"):
        gammas(direction="left")


def test_gamma_must_be_positive():
    with pytest.raises(ValueError, match="gamma"):
        apply(LEVELS, gamma=0, offset=0)
