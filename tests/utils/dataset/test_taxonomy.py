"""The taxonomy against the paper's tables, and the look-ups."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.dataset import taxonomy


def test_capability_tree_is_table_4(paper: Path) -> None:
    with (paper / "table4_capabilities.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert sorted(taxonomy.SKILLS) == sorted(row["fine_grained_skill"] for row in rows)
    for row in rows:
        assert taxonomy.task_of(row["fine_grained_skill"]) == row["mid_level_task"]
        assert taxonomy.capability_of(row["fine_grained_skill"]) == row["high_level_capability"]


def test_degradations_are_table_5(paper: Path) -> None:
    with (paper / "table5_degradations.csv").open() as file:
        rows = {row["degradation"]: row for row in csv.DictReader(file)}
    assert set(taxonomy.DEGRADATIONS) == set(rows)
    for name, entry in taxonomy.DEGRADATIONS.items():
        assert entry.category == rows[name]["category"]
        assert entry.modalities == (
            (rows[name]["modality"],) if rows[name]["modality"] != "All" else taxonomy.MODALITIES
        )
    assert {entry.category for entry in taxonomy.DEGRADATIONS.values()} == set(taxonomy.DEGRADATION_CATEGORIES)


def test_sizes_are_the_paper_s() -> None:
    assert len(taxonomy.CAPABILITIES) == 2
    assert len(taxonomy.TASKS) == 6
    assert len(taxonomy.SKILLS) == len(set(taxonomy.SKILLS)) == 30
    assert len(taxonomy.DEGRADATIONS) == 18
    assert sum(entry.modalities == taxonomy.MODALITIES for entry in taxonomy.DEGRADATIONS.values()) == 9
    assert len(taxonomy.DEGRADATION_CATEGORIES) == 5
    assert len(taxonomy.MODALITIES) == 7


@pytest.mark.parametrize("text", ["L2", "l2", "2", "2.0", 2, 2.0, " L2 "])
def test_level_spellings(text: str | float) -> None:
    assert taxonomy.level(text) == "L2"


@pytest.mark.parametrize("text", ["L3", "3", "1.5", "nan", "inf", "", "mild", -1])
def test_unknown_level_is_refused(text: str | float) -> None:
    with pytest.raises(InputError, match=r"unknown severity .*L0, L1, L2"):
        taxonomy.level(text)


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("rotation_artifact", "object_rotation"),
        ("random_motion_artifact", "object_movement"),
        ("downsample_artifact", "low_resolution"),
        ("exposure_artifact", "exposure"),
        ("bias_field_artifact", "bias_field"),
        ("undersampling_artifact", "undersampling"),
        ("ghosting_artifact", "ghosting"),
        ("blood_cell_artifact", "blood_cell"),
        ("dark_spots_artifact", "dark_spots"),
        ("bubble_artifact", "bubble"),
        ("xray_motion_blur_artifact", "motion_blur"),
        ("Motion Blur", "motion_blur"),
    ],
)
def test_the_authors_names_for_degradations(alias: str, name: str) -> None:
    assert taxonomy.degradation(alias) == name


def test_unknown_degradation_gets_a_suggestion() -> None:
    with pytest.raises(InputError, match="did you mean 'gaussian_noise'"):
        taxonomy.degradation("gausian_noise")


@pytest.mark.parametrize(
    ("text", "name"),
    [("ct", "CT"), ("X_Ray.", "X-ray"), ("xray", "X-ray"), ("UltraSound", "Ultrasound"), ("MR", "MRI")],
)
def test_modality_spellings(text: str, name: str) -> None:
    assert taxonomy.modality(text) == name


def test_unknown_modality_is_refused() -> None:
    with pytest.raises(InputError, match="unknown modality 'Fundus Photography'"):
        taxonomy.modality("Fundus Photography")


def test_degradations_for_a_modality() -> None:
    ct = set(taxonomy.degradations_for("CT"))
    assert {"limited_angle", "sparse_view", "low_dose", "gaussian_noise"} <= ct
    assert not {"bias_field", "bubble"} & ct
    assert len(taxonomy.degradations_for("Endoscopy")) == 9


def test_mappings_lead_to_skills_and_say_who_fixed_them() -> None:
    for entry in taxonomy.SKILL_MAPPINGS:
        assert entry.source in taxonomy.SOURCES
        assert entry.skill is None or entry.skill in taxonomy.SKILLS
        assert entry.fixed_by in ("paper", "ours")
        if entry.fixed_by == "paper":
            # The paper fixes a mapping only by using the source's own words.
            words = entry.label.replace(" / ", " ").casefold().split()
            assert entry.skill is not None
            assert set(entry.skill.casefold().replace("-", " ").split()) <= set(words)


@pytest.mark.parametrize(
    ("source", "label", "skill"),
    [
        ("GMAIMMbench", "Organ Recognition - Abdomen", "Abdominal Structures"),
        ("GMAIMMbench", "Cell Recognition", "Cell and Microbes"),
        ("OmniMedVQA", "Lesion Grading", "Lesion Grading"),
        ("MedXpertQA", "Diagnosis / Reasoning", "General Diagnosis Reasoning"),
        ("my hospital", "Counting", "Counting"),
        ("my hospital", "Organ Recognition - Thorax", "General Structures"),
        ("OmniMedVQA", "Modality Recognition", taxonomy.UNLABELLED),
        ("GMAIMMbench", "Something New", taxonomy.UNLABELLED),
    ],
)
def test_skill_from_a_source_s_label(source: str, label: str, skill: str) -> None:
    assert taxonomy.skill_from_label(source, label) == skill


def test_unlabelled_stays_unlabelled() -> None:
    assert taxonomy.task_of(taxonomy.UNLABELLED) == taxonomy.UNLABELLED
    assert taxonomy.capability_of(taxonomy.UNLABELLED) == taxonomy.UNLABELLED


def test_unknown_source_keeps_its_name() -> None:
    assert taxonomy.source(" St. Elsewhere ") == "St. Elsewhere"
    assert taxonomy.source("GMAIMMbench") == "GMAI-MMBench"
