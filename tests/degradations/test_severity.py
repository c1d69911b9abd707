"""The severity table: what a person may write, and what becomes of it."""

from __future__ import annotations

import numpy as np
import pytest

from medqdeg.degradations import (
    MODALITIES,
    degrade,
    degrade_with_record,
    get,
    list_degradations,
    load_severities,
)
from medqdeg.degradations.severity import parse_quantity
from medqdeg.degradations.vocabulary import check_modality, check_severity


@pytest.mark.parametrize("name", list_degradations())
def test_paper_table_fits_the_operators(name):
    entry = get(name)
    table = load_severities()
    assert set(table.rows[name]) <= {"default", *MODALITIES}
    for row in table.rows[name].values():
        for level in ("L1", "L2"):
            assert set(row[level]) <= set(entry.apply_parameters | entry.draw_parameters)


def test_table_and_registry_name_the_same_degradations():
    assert sorted(load_severities().rows) == sorted(list_degradations())


@pytest.mark.parametrize(
    ("raw", "value", "unit"),
    [
        (3, 3, ""),
        ("3 px", 3, "px"),
        ("-75 levels", -75, "levels"),
        ("0.20 of side", 0.2, "of side"),
        (".5", 0.5, ""),
        ("1e5 photons", 1e5, "photons"),
        ("10 to 20 deg", (10, 20), "deg"),
        ("-2 to 2 px", (-2, 2), "px"),
        ("rotated", "rotated", ""),
        (True, True, ""),
        ([1, 2], [1, 2], ""),
    ],
)
def test_values(raw, value, unit):
    quantity = parse_quantity(raw, "here")
    assert (quantity.value, quantity.unit) == (value, unit)


@pytest.mark.parametrize("raw", ["3 inches", "20 to 10 deg", "", "3,5 px", float("nan"), "px 3"])
def test_bad_values_are_named(raw):
    with pytest.raises(ValueError, match=r"table\.yaml: gaussian_blur"):
        parse_quantity(raw, "table.yaml: gaussian_blur")


def test_units_follow_the_image():
    assert parse_quantity("3 px", "").resolve((100, 200)) == 3
    assert parse_quantity("3 px", "").resolve((100, 200), scale=0.5) == 1.5
    assert parse_quantity("2 to 4 px", "").resolve((100, 200), scale=0.5) == (1, 2)
    assert parse_quantity("0.2 of side", "").resolve((100, 200), scale=0.5) == 20
    assert parse_quantity("0.03 per px", "").resolve((100, 200), scale=0.5) == 0.06
    assert parse_quantity("8 per side", "").resolve((100, 200), scale=0.5) == 0.04
    assert parse_quantity("10 deg", "").resolve((100, 200), scale=0.5) == 10


def test_own_table_replaces_only_what_it_names(tmp_path, picture):
    path = tmp_path / "mine.yaml"
    path.write_text("gaussian_blur:\n  default:\n    L1: {sigma: 1 px}\n    L2: {sigma: 2 px}\n")
    image = picture((64, 64))
    expected = degrade(image, "gaussian_blur", 1, seed=0, sigma=2)
    for table in (path, str(path), load_severities(path)):
        np.testing.assert_array_equal(degrade(image, "gaussian_blur", 2, seed=0, severities=table), expected)
    same = degrade(image, "bubble", 2, seed=0)
    np.testing.assert_array_equal(degrade(image, "bubble", 2, seed=0, severities=path), same)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"gaussian_blur": {"default": {"L1": {"sigma": 1}}}}, "L1 and L2"),
        ({"gaussian_blur": {"default": {"L1": 3, "L2": 3}}}, "mapping"),
        ({"gaussian_blur": {"Röntgen": {"L1": {}, "L2": {}}}}, "modality"),
        ({"gaussian_blur": {"CT": {"L1": {"sigma": 1}, "L2": {"sigma": 2}}}}, "no row"),
        ({"gaussian_blur": {"default": {"L1": {"sgima": 1}, "L2": {}}}}, "sgima"),
        ({"gaussian_blur": {"default": {"L1": {}, "L2": {}}}}, "sigma"),
    ],
)
def test_bad_tables_are_refused(picture, table, message):
    with pytest.raises(ValueError, match=message) as caught:
        degrade(picture((32, 32)), "gaussian_blur", 1, seed=0, severities=table)
    assert "\n" not in str(caught.value)


def test_broken_yaml_is_refused_in_one_line(tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text("gaussian_blur: [1\nx: }")
    with pytest.raises(ValueError, match=r"broken\.yaml") as caught:
        load_severities(path)
    assert "\n" not in str(caught.value)


def test_modality_chooses_the_row(picture):
    image = picture((64, 64))
    xray = degrade_with_record(image, "motion_blur", 2, seed=0, modality="xray")[1]
    assert xray["parameters"]["length"] == 41
    assert xray["modality"] == "X-ray"
    assert degrade_with_record(image, "motion_blur", 2, seed=0)[1]["parameters"]["length"] == 11
    alias = degrade_with_record(image, "xray_motion_blur_artifact", 2, seed=0)[1]
    assert alias["parameters"] == xray["parameters"]


def test_reference_size_scales_pixels(picture):
    def sigma(shape, **settings):
        return degrade_with_record(picture(shape), "gaussian_blur", 2, seed=0, **settings)[1]["parameters"]["sigma"]

    assert sigma((64, 64)) == sigma((128, 128)) == 7
    assert sigma((64, 64), reference_size=512) == pytest.approx(7 / 8)
    assert sigma((64, 128), reference_size=64) == pytest.approx(7 * 2**0.5)
    assert sigma((64, 64), reference_size=512) * 2 == pytest.approx(sigma((128, 128), reference_size=512))
    with pytest.raises(ValueError, match="reference_size"):
        sigma((64, 64), reference_size=0)


def test_names_of_levels_and_modalities():
    assert [check_severity(s) for s in (0, 1, "2", "L1", "l2", np.int64(1), 2.0)] == [
        "L0",
        "L1",
        "L2",
        "L1",
        "L2",
        "L1",
        "L2",
    ]
    for bad in (3, -1, "high", None, 1.5, True):
        with pytest.raises(ValueError, match="severity"):
            check_severity(bad)
    assert check_modality("x_ray") == check_modality("X-Ray") == "X-ray"
    assert check_modality(None) is None
    with pytest.raises(ValueError, match="Ultrasound"):
        check_modality("PET")


@pytest.mark.parametrize(
    ("name", "key", "given", "low", "high", "whole"),
    [
        ("gaussian_blur", "sigma", "2 to 4 px", 2, 4, False),
        ("bubble", "radius", "0.1 to 0.3 of side", 6.4, 19.2, False),
        ("sparse_view", "views", "30 to 60 views", 30, 60, True),
        ("blood_cell", "count", "5 to 9 cells", 5, 9, True),
    ],
)
def test_a_range_is_drawn_by_the_seed(picture, name, key, given, low, high, whole):
    image = picture((64, 64))
    row = {name: {"default": {level: {**_row(name), key: given} for level in ("L1", "L2")}}}
    seen = set()
    for seed in range(12):
        _, record = degrade_with_record(image, name, 2, seed=seed, severities=row)
        drawn = len(record["parameters"]["cells"]) if key == "count" else record["parameters"][key]
        assert low <= drawn <= high
        assert isinstance(drawn, int) or not whole
        seen.add(drawn)
    assert len(seen) > 3
    again = degrade_with_record(image, name, 2, seed=11, **{key: given})[1]["parameters"]
    assert (len(again["cells"]) if key == "count" else again[key]) == drawn


def _row(name):
    return {key: str(quantity) for key, quantity in load_severities().lookup(name, "L2", None).items()}
