"""OmniMedVQA's JSON files and images: every quirk of the layout, and every entry accounted for."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.building.sources import checks, omnimedvqa, open_source
from medqdeg.utils.building.sources.tables import UNREADABLE_FILE, UNREADABLE_ROW

from .layouts import omnimedvqa_entry, write_omnimedvqa, zipped
from .samples import bytes_of, plain, said, split


def entries(tmp_path: Path, *changes: dict[str, Any]) -> Path:
    """A source with one good entry, changed, for each of the given changes; a change to None takes the key away."""
    folder = write_omnimedvqa(tmp_path / "omni", [plain(number) for number in range(len(changes))])
    made = [omnimedvqa_entry(plain(number)) | change for number, change in enumerate(changes)]
    made = [{key: value for key, value in entry.items() if value is not None} for entry in made]
    (folder / "QA_information" / "Open-access" / "Phantoms.json").write_text(json.dumps(made))
    return folder


@pytest.mark.parametrize("where", ["folder", "zip", "zip with a folder", "zip in a folder"])
def test_all_of_an_item(tmp_path: Path, where: str) -> None:
    plains = [plain(number) for number in range(4)]
    folder = write_omnimedvqa(tmp_path / "omni", plains)
    path = {
        "folder": lambda: folder,
        "zip": lambda: zipped(folder, tmp_path / "OmniMedVQA.zip"),
        "zip with a folder": lambda: zipped(folder, tmp_path / "OmniMedVQA.zip", "OmniMedVQA/"),
        "zip in a folder": lambda: zipped(folder, (tmp_path / "one").mkdir() or tmp_path / "one" / "a.zip").parent,
    }[where]()
    items, skipped = split(open_source(f"omnimedvqa={path}"))
    assert skipped == []
    for item, made in zip(items, plains, strict=True):
        assert (item.source, item.source_id, item.question) == ("OmniMedVQA", made.item_id, made.question)
        assert (item.options, item.answer, item.modality) == (made.options, made.answer, made.modality)
        assert item.skill == "Disease Diagnosis"
        assert item.licence == "that of its part, Phantoms"
        assert bytes_of(pickle.loads(pickle.dumps(item))) == made.images


@pytest.mark.parametrize(
    ("label", "modality"),
    [
        ("x_ray.", "X-ray"),
        ("X-ray", "X-ray"),
        ("X-Ray", "X-ray"),
        ("CT(Computed Tomography)", "CT"),
        ("MR (Mag-netic Resonance Imaging)", "MRI"),
        ("ultrasound", "Ultrasound"),
        ("Dermoscopy", "Dermoscopy"),
    ],
)
def test_the_spellings_of_a_modality(tmp_path: Path, label: str, modality: str) -> None:
    changes = {"modality_type": label}, {"modality_type": None, "modality": label}
    items, _ = split(omnimedvqa.read(entries(tmp_path, *changes)))
    assert [item.modality for item in items] == [modality] * 2


MICROSCOPY = {"modality_type": "Microscopy Images"}


@pytest.mark.parametrize(
    ("told", "taken"),
    [
        ({"question": "Which tissue is shown?"}, True),
        ({"dataset": "BreakHis"}, True),
        ({"option_B": "Acute lymphoblastic leukemia"}, True),
        ({"dataset": "NLM- Malaria Data"}, True),
        ({"question": "How is the head of this sperm, seen in a stained smear?"}, False),
        ({"question": "Which stage of the cultured cells is this?"}, False),
        ({}, False),
    ],
)
def test_microscopy_is_histopathology_only_of_stained_slides(tmp_path: Path, told: dict[str, Any], taken: bool) -> None:
    items, skipped = split(omnimedvqa.read(entries(tmp_path, MICROSCOPY | told)))
    assert [item.modality for item in items] == ["Histopathology"] * taken
    assert said(skipped) == [(checks.OTHER_MODALITY, True)] * (not taken)


@pytest.mark.parametrize("label", ["Fundus Photography", "OCT (Optical Coherence Tomography)", "fundus photography."])
def test_modalities_that_the_benchmark_leaves_out(tmp_path: Path, label: str) -> None:
    items, skipped = split(omnimedvqa.read(entries(tmp_path, {"modality_type": label}, {})))
    assert said(skipped) == [(checks.OTHER_MODALITY, True)]
    assert len(items) == 1


def test_the_answer_is_a_text(tmp_path: Path) -> None:
    changes = {"gt_answer": " A Polyp. "}, {"option_A": "C", "option_B": "A", "option_C": "B", "gt_answer": "A"}
    items, _ = split(omnimedvqa.read(entries(tmp_path, *changes)))
    assert [item.options[item.answer] for item in items] == ["a polyp", "A"]


@pytest.mark.parametrize("absent", [{"option_C": None}, {"option_C": ""}])
def test_absent_options(tmp_path: Path, absent: dict[str, Any]) -> None:
    items, _ = split(omnimedvqa.read(entries(tmp_path, {"option_D": "a mass", "gt_answer": "a mass"} | absent)))
    assert items[0].options == ("a cyst", "a polyp", "a mass")
    assert items[0].answer == 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"gt_answer": "B"}, checks.NOT_AN_OPTION),
        ({"gt_answer": "something else"}, checks.NOT_AN_OPTION),
        ({"gt_answer": None}, checks.NO_ANSWER),
        ({"option_B": None, "option_C": None}, checks.FEW_OPTIONS),
        ({"option_B": "A  CYST"}, checks.SAME_OPTIONS),
        ({"question": None}, checks.NO_QUESTION),
        ({"modality_type": None}, checks.NO_MODALITY),
        ({"image_path": None}, checks.NO_IMAGE),
        ({"image_path": "Images/Phantoms/absent.png"}, checks.MISSING_IMAGE),
        ({"image_path": "Images/Phantoms"}, checks.MISSING_IMAGE),
        ({"image_path": "Images/" + "x" * 3000}, checks.MISSING_IMAGE),
        ({"image_path": "../../../etc/passwd"}, checks.OUTSIDE),
        ({"image_path": "Images/../../../../etc/passwd"}, checks.OUTSIDE),
        ({"image_path": "/etc/passwd"}, checks.OUTSIDE),
        ({"image_path": "C:\\Windows\\win.ini"}, checks.OUTSIDE),
        ({"image_path": "..\\secret.png"}, checks.OUTSIDE),
    ],
)
def test_an_entry_that_gives_no_item_is_named_and_the_next_is_read(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    items, skipped = split(omnimedvqa.read(entries(tmp_path, change, {})))
    assert said(skipped) == [(reason, False)]
    assert skipped[0].where == "QA_information/Open-access/Phantoms.json, entry 1"
    assert [item.source_id for item in items] == ["item-1"]


def test_an_empty_image_file(tmp_path: Path) -> None:
    folder = entries(tmp_path, {}, {})
    (folder / "Images/Phantoms/item-0.png").write_bytes(b"")
    for path in (folder, zipped(folder, tmp_path / "a.zip")):
        items, skipped = split(omnimedvqa.read(path))
        assert said(skipped) == [(checks.EMPTY_IMAGE, False)]
        assert len(items) == 1


def test_images_that_are_not_given_out_are_no_fault(tmp_path: Path) -> None:
    folder = entries(tmp_path, {})
    restricted = folder / "QA_information" / "Restricted-access"
    restricted.mkdir()
    made = omnimedvqa_entry(plain(7), "Restricted")
    (restricted / "Other.json").write_text(json.dumps([made]))
    items, skipped = split(omnimedvqa.read(folder))
    assert said(skipped) == [(checks.MISSING_IMAGE, True)]
    assert len(items) == 1


def test_labels_without_a_place_in_the_tree(tmp_path: Path) -> None:
    changes = [{"question_type": name} for name in ("Modality Recognition", "Anatomy Identification", "Lesion Grading")]
    items, _ = split(omnimedvqa.read(entries(tmp_path, *changes)))
    assert [item.skill for item in items] == ["unlabelled", "General Structures", "Lesion Grading"]
    assert items[0].extra["question_type"] == "Modality Recognition"


@pytest.mark.parametrize(
    ("answer", "skill"),
    [
        ("Heart", "Cardiovascular"),
        ("The abdominal aorta", "Cardiovascular"),
        ("Head of the femur", "Skeletal System"),
        ("Head of the pancreas", "Abdominal Structures"),
        ("Chest", "General Structures"),
        ("Abdomen", "Abdominal Structures"),
        ("Lung", "Respiratory System"),
        ("Oesophagus", "Gastrointestinal Tract"),
        ("small bowel", "Gastrointestinal Tract"),
        ("Liver", "Abdominal Structures"),
        ("Wrist", "Skeletal System"),
        ("Lateral ventricle", "Neurovascular"),
        ("psoas muscle", "Muscle Recognition"),
        ("Urinary bladder", "General Structures"),
        ("Heart and lung", "General Structures"),
        ("Something else", "General Structures"),
    ],
)
def test_anatomy_goes_by_the_organ_of_the_answer(tmp_path: Path, answer: str, skill: str) -> None:
    change = {"question_type": "Anatomy Identification", "option_A": answer, "gt_answer": answer}
    items, _ = split(omnimedvqa.read(entries(tmp_path, change)))
    assert [item.skill for item in items] == [skill]


def test_ids_that_occur_twice_or_not_at_all(tmp_path: Path) -> None:
    items, skipped = split(omnimedvqa.read(entries(tmp_path, {}, {"question_id": "item-0"}, {"question_id": None})))
    assert [item.source_id for item in items] == ["item-0", "QA_information/Open-access/Phantoms.json, entry 3"]
    assert said(skipped) == [(checks.SAME_ID, False)]


def test_a_file_cut_short_keeps_what_stands_before(tmp_path: Path) -> None:
    folder = entries(tmp_path, {}, {}, {})
    path = folder / "QA_information" / "Open-access" / "Phantoms.json"
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"Question 2")])
    items, skipped = split(omnimedvqa.read(folder))
    assert [item.source_id for item in items] == ["item-0", "item-1"]
    assert said(skipped) == [(UNREADABLE_FILE, False)]
    assert skipped[0].where.endswith("entry 3")


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"", "the file is empty"),
        (b'{"a": 1}', "not a JSON list"),
        (b"[\xff]", "not UTF-8"),
        ('["ä"]'.encode("utf-16"), "not UTF-8"),
        (b"[" * 100_000, "damaged or cut short"),
    ],
)
def test_a_file_that_cannot_be_read_leaves_the_others(tmp_path: Path, content: bytes, detail: str) -> None:
    folder = entries(tmp_path, {})
    (folder / "QA_information" / "Open-access" / "A.json").write_bytes(content)
    items, skipped = split(omnimedvqa.read(folder))
    assert said(skipped) == [(UNREADABLE_FILE, False)]
    assert detail in skipped[0].detail
    assert len(items) == 1


def test_an_entry_that_is_no_object(tmp_path: Path) -> None:
    folder = entries(tmp_path, {})
    (folder / "QA_information" / "Open-access" / "A.json").write_text('[1, null, "x"]')
    items, skipped = split(omnimedvqa.read(folder))
    assert said(skipped) == [(UNREADABLE_ROW, False)] * 3
    assert len(items) == 1


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        omnimedvqa.read(tmp_path / "absent")
    _, skipped = split(omnimedvqa.read(tmp_path))
    assert "no QA_information" in skipped[0].detail
