"""Simulated readers of known behaviour: what the checks of a session say of them."""

from __future__ import annotations

import numpy as np
import pytest

from medqdeg.utils.people.reader_checks import drift, intra_reader, misses_sentinels, sentinel_hits, share


def test_always_keep_is_caught_by_20_sentinels() -> None:
    found = sentinel_hits(np.zeros(20, dtype=bool))
    assert misses_sentinels(found)
    assert str(found) == "0 of 20 [0.00, 0.17]"


def test_who_catches_most_sentinels_is_not_accused() -> None:
    rng = np.random.default_rng(0)
    accused = [misses_sentinels(sentinel_hits(rng.random(20) < 0.8)) for _ in range(400)]
    assert sum(accused) <= 1


def test_six_sentinels_are_enough_and_five_are_not() -> None:
    assert misses_sentinels(sentinel_hits(np.zeros(6, dtype=bool)))
    assert not misses_sentinels(sentinel_hits(np.zeros(5, dtype=bool)))


def test_a_drifting_reader_is_found_and_a_steady_one_is_not() -> None:
    rng = np.random.default_rng(1)
    places = np.arange(200)
    drifting = [drift(rng.random(200) < 0.1 + 0.5 * places / 200, places).p < 0.05 for _ in range(200)]
    steady = [drift(rng.random(200) < 0.3, places).p < 0.05 for _ in range(200)]
    assert np.mean(drifting) > 0.9
    assert np.mean(steady) < 0.06


def test_drift_goes_by_the_order_of_the_session() -> None:
    said = np.repeat([True, False], 10)
    assert drift(said, np.arange(20)).first.hits == 10
    assert drift(said, np.arange(20)[::-1]).first.hits == 0
    assert np.isnan(drift(said[:1], np.array([0])).p)


def test_a_drifting_or_lapsing_reader_agrees_less_with_himself() -> None:
    rng = np.random.default_rng(2)
    seen = rng.integers(0, 4, 2000)
    lapsing = np.where(rng.random((2, 2000)) < 0.1, rng.integers(0, 4, (2, 2000)), seen)
    assert intra_reader(seen, seen).estimate == 1
    # Both answers stand with .9^2; else they agree by chance.
    assert intra_reader(*lapsing).estimate == pytest.approx(0.81 + 0.19 / 4, abs=0.02)


def test_shares_have_exact_intervals() -> None:
    found = share(3, 20)
    # Published: Clopper-Pearson of 3 of 20 is [.0321, .3789].
    assert (found.low, found.high) == pytest.approx((0.0321, 0.3789), abs=5e-5)
    assert (share(0, 0).low, share(0, 0).high) == (0.0, 1.0)
    with pytest.raises(ValueError, match="no share"):
        share(3, 2)
