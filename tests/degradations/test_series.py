"""Severity as an axis: the published levels stay, a series passes through L1 and has no jump at 0 and no kink."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from medqdeg.degradations import (
    degrade,
    degrade_with_record,
    get,
    list_degradations,
    load_severities,
    physical_dose,
    reproduce,
)
from medqdeg.degradations.composing import compose
from medqdeg.degradations.doses import DOSES, LINE, parts_at, strength_at
from medqdeg.degradations.vocabulary import read_severity

NAMES = list_degradations()
GRID = (0.25, 0.5, 0.75, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0)


def modality_of(name: str) -> str:
    return get(name).modalities[0]


def rms(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.sqrt(np.mean((one.astype(float) - other) ** 2)))


def test_every_degradation_has_a_dose() -> None:
    assert set(DOSES) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["colour", "grey", "uint16", "float"])
def test_severity_1_of_a_series_is_l1(picture, name, kind):
    image = picture((64, 56, 3)) if kind == "colour" else picture((64, 56))
    if kind == "uint16":
        image = image.astype(np.uint16) * 257
    if kind == "float":
        image = (image / 255).astype(np.float32)
    here, record = degrade_with_record(image, name, 1, seed=3, series=True, modality=modality_of(name))
    assert here.tobytes() == degrade(image, name, 1, seed=3, modality=modality_of(name)).tobytes()
    assert record["severity"] == "S1.00"
    assert degrade(image, name, 0, seed=3, series=True).tobytes() == image.tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_severity_2_of_a_series_is_as_strong_as_l2_with_l1s_draw(picture, name):
    image = picture((64, 56, 3))
    entry = get(name)
    _, series = degrade_with_record(image, name, 2, seed=3, series=True)
    _, first = degrade_with_record(image, name, 1, seed=3)
    _, published = degrade_with_record(image, name, 2, seed=3)
    assert (series["severity"], published["severity"]) == ("S2.00", "L2")
    drawn = set(series["parameters"]) - set(load_severities().lookup(name, "L2", None))
    for key, value in series["parameters"].items():
        if key not in drawn:
            assert value == published["parameters"][key]
    if entry.draw is None or entry.shared_draw:
        assert series["parameters"] == published["parameters"]
    else:
        assert series["parameters"] != published["parameters"]
    for key in drawn & {"noise_seed", "centre", "coefficients"}:
        assert series["parameters"][key] == first["parameters"][key]


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"object_rotation", "undersampling"}))
def test_no_jump_at_0(picture, name):
    """A rotated image gets its border at once, and of undersampled lines each is there or not."""
    for image in (picture((80, 72, 3)), picture((80, 72))):
        assert rms(degrade(image, name, 0.001, seed=4, modality=modality_of(name)), image) <= 0.6


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"low_resolution", "sparse_view"}))
def test_no_step_at_1(picture, name):
    """Coarse grids and numbers of views are whole, so that these two go in steps throughout."""
    image = picture((80, 72))
    below, at, above = (
        degrade(image, name, severity, seed=4, series=True, modality=modality_of(name))
        for severity in (0.995, 1, 1.005)
    )
    assert max(rms(below, at), rms(at, above)) < 1.2


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"object_rotation"}))
def test_similarity_falls_along_the_series(picture, name):
    """Of a rotated image it need not: what turns in is black at any angle. benchmarks/severity_axis.py asks more."""
    image = picture((96, 96), seed=2)
    severities = [severity for severity in GRID if severity <= DOSES[name].stop]
    series = [degrade(image, name, s, seed=1, series=True, modality=modality_of(name)) for s in severities]
    similar = [structural_similarity(image, worse, data_range=255) for worse in series]
    assert np.diff([1.0, *similar]).max() <= 0.02, similar
    assert similar[-1] < similar[0] - 0.05


@pytest.mark.parametrize("name", NAMES)
def test_a_record_makes_it_again(picture, name):
    image = picture((48, 40, 3))
    for severity in (0.3, 1.5, 1.75):
        out, record = degrade_with_record(image, name, severity, seed=9)
        again = reproduce(image, json.loads(json.dumps(record)))
        assert again.tobytes() == out.tobytes()
        assert out.tobytes() == degrade(image, name, f"S{severity:.2f}", seed=9).tobytes()


def test_beyond_its_stop_it_is_refused(picture):
    image = picture((48, 40))
    for name, dose in DOSES.items():
        with pytest.raises(ValueError, match=f"{name} goes up to severity {dose.stop:g}, not"):
            degrade(image, name, dose.stop + 0.1, seed=0)


def test_strengths_by_hand():
    assert strength_at(0.5, 75, 113) == pytest.approx(75 * (math.sqrt(38 / 75) - 1) / (38 / 75 - 1))
    assert [strength_at(s, 75, 113) for s in (1, 2, 3)] == pytest.approx([75, 113, 151])
    assert strength_at(1.5, 1.6, 3.2) == pytest.approx(2.4)
    assert [strength_at(s, 2, 1, LINE) for s in (0.5, 1, 1.5)] == [1, 2, 1.5]
    (part,) = parts_at("sparse_view", 1.5, {"views": 144}, {"views": 36}, (64, 64))
    assert part == (1.0, {"views": round(144 * 2 / (3**1.5 - 1))})
    (shorter, longer) = parts_at("motion_blur", 1.5, {"length": 4}, {"length": 11}, (64, 64))
    length = 1 + 3 * ((7 / 3) ** 1.5 - 1) / (7 / 3 - 1)
    assert (shorter[1], longer[1]) == ({"length": 6}, {"length": 7})
    assert (shorter[0], longer[0]) == pytest.approx((7 - length, length - 6))
    clean, line = parts_at("motion_blur", 0.1, {"length": 8}, {"length": 11}, (64, 64))
    assert clean[1] is None
    assert line == (pytest.approx(7 * ((3 / 7) ** 0.1 - 1) / (3 / 7 - 1) / 2), {"length": 3})


def test_undersampling_loses_lines_only(picture):
    image = picture((48, 64))
    kept = [
        {
            line
            for lines in degrade_with_record(image, "undersampling", s, seed=2, series=True)[1]["parameters"]["lines"][
                :1
            ]
            for line in lines
        }
        for s in (0.1, 0.5, 1)
    ]
    assert kept[0] > kept[1] > kept[2]


def test_shares_add_up(picture):
    image = picture((40, 40)).astype(np.float32)
    halves = [(0.5, {"offset": -10.0}), (0.5, None)]
    np.testing.assert_allclose(compose(get("adjust_brightness"), image, halves), image - 5, atol=1e-4)


@pytest.mark.parametrize(
    ("written", "series", "label"),
    [
        (1, False, "L1"),
        ("2.0", False, "L2"),
        (2, True, "S2.00"),
        (1.5, False, "S1.50"),
        ("s2", False, "S2.00"),
        ("S0.125", False, "S0.125"),
        (0.001, False, "S0.001"),
        (0, True, "L0"),
    ],
)
def test_severities_as_written(written, series, label):
    assert read_severity(written, series).label == label
    assert read_severity(label).label == label


@pytest.mark.parametrize("written", [-1, "L1.5", "mild", float("nan"), float("inf"), True, "", None])
def test_what_is_no_severity(written):
    with pytest.raises(ValueError, match="unknown severity"):
        read_severity(written)


def test_own_table_with_a_course(picture):
    image = picture((48, 48))
    falling = {"gaussian_blur": {"default": {"L1": {"sigma": 4}, "L2": {"sigma": 3}}}}
    with pytest.raises(ValueError, match="interpolate: line") as caught:
        degrade(image, "gaussian_blur", 1.5, seed=0, severities=falling)
    assert "\n" not in str(caught.value)
    falling["gaussian_blur"]["default"] |= {"interpolate": "line", "stop": 2.5}
    _, record = degrade_with_record(image, "gaussian_blur", 1.5, seed=0, severities=falling)
    assert record["parameters"] == {"sigma": 3.5}
    with pytest.raises(ValueError, match=r"up to severity 2\.5, not 3"):
        degrade(image, "gaussian_blur", 3, seed=0, severities=falling)
    for key, value in (("interpolate", "spline"), ("stop", 0), ("stop", True)):
        row = {"L1": {"sigma": 1}, "L2": {"sigma": 2}, key: value}
        with pytest.raises(ValueError, match=key):
            load_severities({"gaussian_blur": {"default": row}})


def test_a_range_in_a_table_is_drawn_once_for_a_series(picture):
    table = {"gaussian_blur": {"default": {"L1": {"sigma": "1 to 2 px"}, "L2": {"sigma": "3 to 6 px"}}}}
    sigmas = [
        degrade_with_record(picture((48, 48)), "gaussian_blur", s, seed=5, series=True, severities=table)[1][
            "parameters"
        ]["sigma"]
        for s in (1, 1.001, 1.999, 2)
    ]
    assert sigmas[1] == pytest.approx(sigmas[0], rel=0.01)
    assert sigmas[2] == pytest.approx(sigmas[3], rel=0.01)
    assert (sigmas[0] - 1) / 1 == pytest.approx((sigmas[3] - 3) / 3)


@pytest.mark.parametrize(
    ("name", "modality", "severity", "parameter", "value", "unit"),
    [
        ("adjust_brightness", None, 1, "offset", -75, "levels"),
        ("gaussian_blur", None, 2, "sigma", 7, "px"),
        ("xray_motion_blur", None, 2, "length", 41, "px"),
        ("sparse_view", "CT", 3, "views", 1 / (2 / 36 - 1 / 144), "views"),
        ("object_rotation", None, 1, "magnitude", 15, "deg"),
        ("low_resolution", "MRI", 2, "keep", 0.4, ""),
    ],
)
def test_the_physical_parameter(name, modality, severity, parameter, value, unit):
    dose = physical_dose(name, severity, modality)
    assert (dose.parameter, dose.unit) == (parameter, unit)
    assert dose.value == pytest.approx(value)


def test_every_dose_grows_from_0():
    for name in NAMES:
        severities = [severity for severity in (0.001, 0.5, 1, 1.5, 2, 2.5, 4) if severity <= DOSES[name].stop]
        strengths = [physical_dose(name, severity).strength for severity in severities]
        assert strengths[0] < 0.01 * strengths[-1]
        assert (np.diff(strengths) > 0).all(), name
        with pytest.raises(ValueError, match="severity 0"):
            physical_dose(name, 0)
