"""Records, overrides and seeds."""

from __future__ import annotations

import json

import numpy as np
import pytest

from medqdeg.degradations import degrade, degrade_with_record, get, list_degradations, reproduce
from medqdeg.degradations.seeding import generator


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("name", list_degradations())
def test_record_makes_the_output_again(picture, name, level):
    image = picture((64, 64, 3))
    out, record = degrade_with_record(image, name, level, seed=7, modality="CT")
    np.testing.assert_array_equal(out, degrade(image, name, level, seed=7, modality="CT"))
    text = json.dumps(record)
    assert len(text) < 4000
    np.testing.assert_array_equal(reproduce(image, json.loads(text)), out)
    assert {key: record[key] for key in ("library", "name", "severity", "seed", "size", "modality")} == {
        "library": "medqdeg",
        "name": name,
        "severity": f"L{level}",
        "seed": 7,
        "size": [64, 64],
        "modality": "CT",
    }


def test_record_keeps_overrides_markings_and_own_table(picture):
    image = np.repeat(picture((64, 64))[..., np.newaxis], 3, axis=2)
    image[20:40, 20:22] = (255, 0, 0)
    settings = {
        "keep_markings": True,
        "reference_size": 32,
        "severities": {"gaussian_blur": {"default": {"L1": {"sigma": "1 px"}, "L2": {"sigma": "2 px"}}}},
    }
    out, record = degrade_with_record(image, "gaussian_blur", 2, seed="item-17", **settings)
    assert record["parameters"] == {"sigma": 4}
    assert record["seed"] == "item-17"
    np.testing.assert_array_equal(reproduce(image, record), out)


def test_foreign_records_are_refused(picture):
    image = picture((64, 64))
    record = degrade_with_record(image, "bubble", 1, seed=0)[1]
    with pytest.raises(ValueError, match="missing"):
        reproduce(image, {"name": "bubble"})
    with pytest.raises(ValueError, match=r"0\.0\.0"):
        reproduce(image, {**record, "version": "0.0.0"})
    with pytest.raises(ValueError, match="height"):
        reproduce(picture((32, 64)), record)


def test_overrides_replace_table_and_draw(picture):
    image = picture((64, 64))
    record = degrade_with_record(image, "bubble", 1, seed=0, centre=[10, 12], radius="0.25 of side")[1]
    assert record["parameters"] == {"radius": 16, "sigma": 1.6, "centre": [10, 12]}
    # What is drawn beside an override stays as it was.
    drawn = degrade_with_record(image, "bubble", 1, seed=0)[1]["parameters"]["centre"]
    assert degrade_with_record(image, "bubble", 1, seed=0, sigma=5)[1]["parameters"]["centre"] == drawn


@pytest.mark.parametrize("level", [0, 1])
def test_unknown_overrides_are_refused(picture, level):
    with pytest.raises(TypeError, match=r"sgima.*sigma"):
        degrade(picture((32, 32)), "gaussian_blur", level, seed=0, sgima=3)


def test_seeds():
    assert generator(1, "bubble", "L1").random() == generator(np.int64(1), "bubble", "L1").random()
    streams = [
        generator(seed, name, level).random()
        for seed in (0, 1, 2**70, "0", "item")
        for name in ("bubble", "ghosting")
        for level in ("L1", "L2")
    ]
    assert len(set(streams)) == len(streams)
    for bad, error in ((-1, ValueError), (1.5, TypeError), (None, TypeError), (True, TypeError)):
        with pytest.raises(error, match="seed"):
            generator(bad, "bubble", "L1")


def test_levels_draw_apart_but_for_exposure(picture):
    image = picture((64, 64))

    def drawn(name, level, seed, key):
        return degrade_with_record(image, name, level, seed=seed)[1]["parameters"][key]

    assert drawn("bubble", 1, 0, "centre") != drawn("bubble", 2, 0, "centre")
    for seed in range(10):
        assert (drawn("exposure", 1, seed, "gamma") > 1) == (drawn("exposure", 2, seed, "gamma") > 1)
    assert get("exposure").shared_draw
