"""The registry against the paper's Table 5, and against the operators."""

from __future__ import annotations

import csv
import dataclasses
import json
import subprocess
import sys

import pytest

from medqdeg.degradations import get, list_degradations

AUTHORS_NAMES = {
    "rotation_artifact": "object_rotation",
    "random_motion_artifact": "object_movement",
    "downsample_artifact": "low_resolution",
    "exposure_artifact": "exposure",
    "bias_field_artifact": "bias_field",
    "undersampling_artifact": "undersampling",
    "ghosting_artifact": "ghosting",
    "blood_cell_artifact": "blood_cell",
    "dark_spots_artifact": "dark_spots",
    "bubble_artifact": "bubble",
    "xray_motion_blur_artifact": "motion_blur",
}


def test_papers_table(paper):
    rows = list(csv.DictReader((paper / "table5_degradations.csv").read_text().splitlines()))
    assert list_degradations() == [row["degradation"] for row in rows]
    for row in rows:
        entry = get(row["degradation"])
        assert entry.category == row["category"]
        assert (len(entry.modalities) == 7) if row["modality"] == "All" else entry.modalities == (row["modality"],)


def test_by_modality():
    assert len(list_degradations()) == 18
    assert len(list_degradations("X-ray")) == 9
    assert set(list_degradations("CT")) - set(list_degradations("X-ray")) == {
        "limited_angle",
        "sparse_view",
        "low_dose",
    }
    with pytest.raises(ValueError, match="modality"):
        list_degradations("PET")


def test_authors_names_and_spellings():
    for alias, name in AUTHORS_NAMES.items():
        assert get(alias).name == name
    assert get("Gaussian-Blur").name == get("gaussian blur").name == "gaussian_blur"
    with pytest.raises(ValueError, match="expected one of limited_angle"):
        get("sharpen")


@pytest.mark.parametrize("name", list_degradations())
def test_entries_are_documented(name):
    entry = get(name)
    assert len(entry.physics.splitlines()) >= 3
    assert entry.reference
    assert entry.apply.__doc__
    assert set(entry.parameters) >= {"default"}
    assert set(entry.parameters["default"]) == {"L1", "L2"}
    json.dumps(entry.parameters)
    with pytest.raises(dataclasses.FrozenInstanceError):
        entry.name = "other"


def test_parameters_have_units():
    assert get("gaussian_blur").parameters["default"] == {"L1": {"sigma": "3 px"}, "L2": {"sigma": "7 px"}}
    assert get("object_rotation").parameters["default"]["L1"] == {"magnitude": "10 to 20 deg"}


def test_import_needs_nothing_heavy():
    code = (
        "import sys, medqdeg.degradations as d;"
        "[d.get(n).apply for n in d.list_degradations()];"
        "heavy = {'torch', 'datasets', 'lmms_eval', 'skimage', 'transformers'} & set(sys.modules);"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
