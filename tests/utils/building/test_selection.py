"""Which items are chosen: quotas met where the input allows, made up where it does not, whatever the input's order."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.building.item import ImageSource, SourceItem
from medqdeg.utils.building.plan.selection import Mix, load_mix, select
from medqdeg.utils.dataset import taxonomy
from medqdeg.utils.dataset.composition import PAPER_DEGRADATIONS, PAPER_SKILLS

SKILLS = ("Disease Diagnosis", "Counting", "Skeletal System", taxonomy.UNLABELLED)


def pool(count: int, modalities: tuple[str, ...] = taxonomy.MODALITIES) -> list[SourceItem]:
    image = ImageSource("none", lambda: b"")
    return [
        SourceItem("ward", str(n), "q", ("a", "b"), n % 2, modalities[n % len(modalities)], SKILLS[n % 4], (image,))
        for n in range(count)
    ]


def test_quotas_are_met_where_there_are_enough() -> None:
    mix = Mix(clean_items=40, pairs_per_item=2, skills={"Counting": 3, "Disease Diagnosis": 1})
    selection = select(pool(400), mix, 0)
    assert Counter(each.item.skill for each in selection.chosen) == {"Counting": 30, "Disease Diagnosis": 10}
    assert sum(len(each.names) for each in selection.chosen) == 80
    assert selection.deviation["size"] == {
        "clean items": {"wanted": 40, "got": 40},
        "pairs": {"wanted": 80, "got": 80},
    }


def test_what_a_skill_lacks_is_made_up_by_the_others_and_the_unlabelled_come_last() -> None:
    items = pool(40)  # ten of each skill
    mix = Mix(clean_items=18, skills={"Counting": 9, "Disease Diagnosis": 1})
    got = Counter(each.item.skill for each in select(items, mix, 0).chosen)
    assert got == {"Counting": 10, "Disease Diagnosis": 8}
    mix = replace(mix, clean_items=30)
    selection = select(items, mix, 0)
    got = Counter(each.item.skill for each in selection.chosen)
    assert got["Counting"] == got["Disease Diagnosis"] == 10
    assert got["Skeletal System"] + got[taxonomy.UNLABELLED] == 10
    assert selection.deviation["skill"]["Counting"] == {"wanted": 27, "got": 10}


def test_too_few_items_are_all_taken() -> None:
    selection = select(pool(12), Mix(), 0)
    assert len(selection.chosen) == 12
    assert selection.deviation["size"]["clean items"] == {"wanted": 4306, "got": 12}


def test_order_of_the_input_does_not_matter_and_the_seed_does() -> None:
    items = pool(200)
    shuffled = [items[place] for place in np.random.default_rng(1).permutation(len(items))]
    mix = Mix(clean_items=50)
    assert select(items, mix, 3) == select(shuffled, mix, 3)
    assert {e.item.source_id for e in select(items, mix, 3).chosen} != {
        e.item.source_id for e in select(items, mix, 4).chosen
    }


def test_every_item_gets_one_to_three_degradations_of_its_modality() -> None:
    for each in select(pool(140), Mix(clean_items=None), 0).chosen:
        assert 1 <= len(each.names) <= 3
        assert len(set(each.names)) == len(each.names)
        assert set(each.names) <= set(taxonomy.degradations_for(each.item.modality))


def quality(number: int, question: str, skill: str = "Image Quality Grading") -> SourceItem:
    return replace(pool(1)[0], source_id=f"quality-{number}", question=question, skill=skill)


@pytest.mark.parametrize(
    ("question", "skill", "changes"),
    [
        ("How is this image to be graded?", "Image Quality Grading", True),
        ("What is the quality of this endoscopic image?", taxonomy.UNLABELLED, True),
        ("How good is the image quality?", taxonomy.UNLABELLED, True),
        ("Which artifact is seen?", "Disease Diagnosis", True),
        ("Is the picture blurred?", "Attribute Recognition", True),
        ("How well is the bowel cleaned?", "Image Quality Grading", False),
        ("What is the Boston score of this image?", "Image Quality Grading", False),
        ("A man has blurred vision. What does the image show?", "Disease Diagnosis", False),
        ("How severe is the disease?", "Severity Grading", False),
    ],
)
def test_a_question_about_the_image_itself_is_not_degraded(question: str, skill: str, changes: bool) -> None:
    mix = Mix(clean_items=None, pairs_per_item=2)
    chosen = select([*pool(20), quality(1, question, skill)], mix, 0).chosen
    assert len(chosen) == 21
    assert sum(len(each.names) for each in chosen) == 42
    for each in chosen:
        left_clean = changes and each.item.source_id == "quality-1"
        assert (each.names == () == each.spares) if left_clean else 1 <= len(each.names) <= 3


def test_a_set_of_nothing_but_such_questions_has_no_pairs() -> None:
    selection = select([quality(1, "How good is the image quality?")], Mix(clean_items=None), 0)
    assert [each.names for each in selection.chosen] == [()]
    assert selection.deviation["size"]["pairs"]["got"] == 0


def test_modalities_can_be_weighted_within_a_skill() -> None:
    items = [replace(item, skill="Counting") for item in pool(140)]
    mix = Mix(clean_items=20, modalities={"CT": 3, "MRI": 1})
    got = Counter(each.item.modality for each in select(items, mix, 0).chosen)
    assert got == {"CT": 15, "MRI": 5}


def test_items_that_no_degradation_of_the_mix_applies_to_stay_out() -> None:
    mix = Mix(clean_items=None, pairs_per_item=1, degradations={"low_dose": 1})
    chosen = select(pool(70), mix, 0).chosen
    assert {each.item.modality for each in chosen} == {"CT"}
    with pytest.raises(InputError, match="no item is left"):
        select(pool(7, ("MRI",)), mix, 0)


def test_default_mix_is_the_papers(paper: Path) -> None:
    mix = Mix()
    assert mix.clean_items == 4306
    assert round(mix.clean_items * mix.pairs_per_item) == 10294
    for name, found in (("table4_capabilities.csv", PAPER_SKILLS), ("table5_degradations.csv", PAPER_DEGRADATIONS)):
        with (paper / name).open() as file:
            rows = list(csv.DictReader(file))
        numbers = sorted(int(value) for row in rows for key, value in row.items() if value.isdigit() and key)
        assert sorted(found.values()) == numbers


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("clean_items: none", "clean_items"),
        ("pairs_per_item: 4", "from 1 to 3"),
        ("skills: {Sums: 1}", "unknown skill"),
        ("degradations: {gaussian_noise: -1}", "not a weight"),
        ("degradations: {gaussian_noise: 0}", "all weights are 0"),
        ("colours: 3", "unknown key 'colours'"),
        ("- 1", "no mapping"),
        ("a: [", "not valid YAML"),
    ],
)
def test_a_wrong_mix_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mix.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        load_mix(path)


def test_a_mix_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mix.yaml"
    path.write_text("clean_items: all\ndegradations: [gaussian_noise, downsample_artifact]\nmodalities: {xray: 2}\n")
    mix = load_mix(path)
    assert mix.clean_items is None
    assert mix.degradations == {"gaussian_noise": 1, "low_resolution": 1}
    assert mix.modalities == {"X-ray": 2}
    assert mix.skills == PAPER_SKILLS
