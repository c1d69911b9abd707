"""MedXpertQA MM in both published layouts: every quirk, and every row accounted for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.building.sources import checks, medxpertqa, open_source
from medqdeg.utils.building.sources.checks import RowError
from medqdeg.utils.building.sources.tables import UNREADABLE_FILE, UNREADABLE_ROW

from .layouts import PlainItem, medxpertqa_row, write_medxpertqa, zipped
from .samples import bytes_of, picture, plain, said, split

LABEL = "Diagnosis / Reasoning"


def expert(number: int, **changes: Any) -> PlainItem:
    return plain(number, **{"label": LABEL} | changes)


def lines(tmp_path: Path, *changes: dict[str, Any], layout: int = 1) -> Path:
    """A source with one good row, changed, for each of the given changes."""
    made = [expert(number) for number in range(len(changes))]
    folder = write_medxpertqa(tmp_path / "medx", made, layout)
    rows = [medxpertqa_row(item, layout) | change for item, change in zip(made, changes, strict=True)]
    (folder / "MM" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.mark.parametrize("layout", [1, 2])
@pytest.mark.parametrize("where", ["folder", "zip", "images.zip", "file", "all in a zip in a zip"])
def test_all_of_an_item(tmp_path: Path, layout: int, where: str) -> None:
    plains = [
        expert(number, images=tuple(picture(10 * number + k) for k in range(1 + number % 3))) for number in range(4)
    ]
    folder = write_medxpertqa(tmp_path / "medx", plains, layout)
    path = folder
    if where == "zip":
        path = zipped(folder, tmp_path / "a.zip", "MedXpertQA/")
    if where == "file":
        (folder / "MM" / "test.jsonl").rename(folder / "test.jsonl")
        path = folder / "test.jsonl"
    if where in ("images.zip", "all in a zip in a zip"):
        zipped(folder / "images", folder / "images.zip", "images/")
        for image in (folder / "images").iterdir():
            image.unlink()
    if where == "all in a zip in a zip":
        path = zipped(folder, tmp_path / "a.zip")
    items, skipped = split(open_source(f"medxpertqa={path}"))
    assert skipped == []
    for item, made in zip(items, plains, strict=True):
        assert (item.source, item.source_id, item.licence) == ("MedXpertQA", made.item_id, "MIT")
        assert (item.options, item.answer, item.modality) == (made.options, made.answer, made.modality)
        assert item.skill == "General Diagnosis Reasoning"
        assert item.question.endswith(made.question)
        assert "Answer Choices" not in item.question
        assert bytes_of(item) == made.images


def test_options_that_are_single_letters(tmp_path: Path) -> None:
    options = {"A": "E", "B": "D", "C": "A", "D": "B", "E": "C"}
    choices = " ".join(f"({letter}) {text}" for letter, text in options.items())
    question = f"Which letter on the radiograph shown marks it?\nAnswer Choices: {choices}"
    change = {"options": options, "label": "A", "question": question}
    items, _ = split(medxpertqa.read(lines(tmp_path, change)))
    assert items[0].options == ("E", "D", "A", "B", "C")
    assert items[0].answer == 0
    assert items[0].question == "Which letter on the radiograph shown marks it?"


@pytest.mark.parametrize(
    ("question", "stem"),
    [
        ("What is it?\nAnswer Choices: (A) x (B) y", "What is it?"),
        ("What is it? Answer choices:\n(A) x\n(B) y", "What is it?"),
        ("Mind the Answer Choices: (A) of old.\nAnswer Choices: (A) x", "Mind the Answer Choices: (A) of old."),
        ("Answer Choices: none given", "Answer Choices: none given"),
        ("What is it?", "What is it?"),
    ],
)
def test_choices_within_the_question(question: str, stem: str) -> None:
    assert checks.stem(question) == stem


@pytest.mark.parametrize("task", ["Basic Science", "Basic Medicine"])
def test_both_names_of_basic_science(tmp_path: Path, task: str) -> None:
    changes = {"medical_task": task}, {"medical_task": task, "question_type": "Understanding"}
    items, _ = split(medxpertqa.read(lines(tmp_path, *changes)))
    assert [item.skill for item in items] == ["General Science Reasoning", "Basic Science Understanding"]


@pytest.mark.parametrize("layout", [1, 2])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"label": ""}, checks.NO_ANSWER),
        ({"label": []}, checks.NO_ANSWER),
        ({"label": ["A", "B"]}, checks.SEVERAL_ANSWERS),
        ({"label": "Z"}, checks.NOT_AN_OPTION),
        ({"options": {}}, checks.FEW_OPTIONS),
        ({"options": None}, checks.FEW_OPTIONS),
        ({"options": "A, B"}, checks.FEW_OPTIONS),
        ({"options": [{"letter": "A", "content": "x"}] * 2}, checks.SAME_OPTIONS),
        ({"images": []}, checks.NO_IMAGE),
        ({"images": ["absent.png"]}, checks.MISSING_IMAGE),
        ({"images": ["item-0-a.png", "absent.png"]}, checks.MISSING_IMAGE),
        ({"images": [{"image_path": "../../x.png"}]}, checks.OUTSIDE),
        ({"question": ""}, checks.NO_QUESTION),
    ],
)
def test_a_row_that_gives_no_item_is_named_and_the_next_is_read(
    tmp_path: Path, change: dict[str, Any], reason: str, layout: int
) -> None:
    items, skipped = split(medxpertqa.read(lines(tmp_path, change, {}, layout=layout)))
    assert said(skipped) == [(reason, False)]
    assert skipped[0].where == "MM/test.jsonl, line 1"
    assert [item.source_id for item in items] == ["item-1"]


@pytest.mark.parametrize(
    ("question", "modality"),
    [
        ("A CT of the chest is shown. What is it?", "CT"),
        ("A man has pain. His MRI last year was normal. The radiograph is shown below. What is it?", "X-ray"),
        ("Axial T2-weighted images are obtained. What is it?", "MRI"),
        ("The biopsy, stained with hematoxylin, is shown.", "Histopathology"),
        ("Her echocardiogram is seen in the figure.", "Ultrasound"),
        ("What was seen at colonoscopy is shown. What next?", "Endoscopy"),
        ("Blood-stained sputum is coughed up. A chest radiograph is shown.", "X-ray"),
        ("Vital signs show a fever on the day of the MRI. The CT is shown below.", "CT"),
        ("What does dermatoscopy show?", "Dermoscopy"),
        ("A dermoscopic image of the mole is shown.", "Dermoscopy"),
    ],
)
def test_the_modality_by_the_words(question: str, modality: str) -> None:
    assert medxpertqa.modality_in_words(question) == modality


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("A man has pain. What is it?", medxpertqa.UNTOLD),
        ("Colonoscopy is done. What next?", medxpertqa.UNTOLD),
        ("Vital signs show a fever. He had an endoscopy.", medxpertqa.UNTOLD),
        ("Blood-stained sputum is shown.", medxpertqa.UNTOLD),
        ("Her Pap smear was normal. The lesion is shown.", medxpertqa.UNTOLD),
        ("The growth chart of a child with a normal X-ray is shown.", medxpertqa.UNTOLD),
        ("The growth chart is shown. An X-ray was normal.", checks.OTHER_MODALITY),
        ("Crystals in the urine are shown. A CT was normal.", checks.OTHER_MODALITY),
        ("A radiograph and the laboratory results are shown below.", medxpertqa.UNTOLD),
        ("The table and the radiograph are shown.", medxpertqa.UNTOLD),
        ("An endoscopy and the biopsy are shown.", medxpertqa.UNTOLD),
        ("A photomicrograph of a semen sample is shown.", checks.OTHER_MODALITY),
        ("CT and MRI are shown. Which is it?", medxpertqa.UNTOLD),
        ("Her ECG is shown.", checks.OTHER_MODALITY),
        ("A photograph of the skin is shown.", checks.OTHER_MODALITY),
        ("He acts as if nothing happened; the direct cause is sought.", medxpertqa.UNTOLD),
    ],
)
def test_words_that_do_not_tell_the_modality(question: str, reason: str) -> None:
    with pytest.raises(RowError) as caught:
        medxpertqa.modality_in_words(question)
    assert (caught.value.reason, caught.value.harmless) == (reason, True)


def test_what_the_whole_text_names_is_told_for_a_table() -> None:
    with pytest.raises(RowError) as caught:
        medxpertqa.modality_in_words("A lump was found. MRI was done last year. What is it?")
    assert "the whole text: MRI" in caught.value.detail


@pytest.mark.parametrize(
    ("task", "asks", "skill"),
    [
        ("Diagnosis", "What is the most likely diagnosis?", "General Diagnosis Reasoning"),
        ("Diagnosis", "Which laboratory finding is expected?", "Laboratory/Imaging Interpretation"),
        ("Diagnosis", "Which symptom is most likely?", "Clinical Presentation Analysis"),
        ("Diagnosis", "What is the mechanism of this disease?", "Disease Mechanism Recognition"),
        ("Treatment", "What is the best treatment?", "Treatment Reasoning"),
        ("Treatment", "Which medication is best?", "Pharmacological Treatment"),
        ("Treatment", "What is the best initial step in management?", "Initial/Emergency Management"),
        ("Treatment", "Which surgery is indicated?", "Surgical Treatment Selection"),
        ("Basic Science", "What does this structure derive from?", "General Science Reasoning"),
        ("Basic Science", "Which pathophysiologic process is seen?", "Pathophysiological Reasoning"),
        ("Basic Medicine", "Which clinical finding goes with a lesion here?", "Clinical Correlation"),
    ],
)
def test_the_finer_skills_by_what_is_asked(tmp_path: Path, task: str, asks: str, skill: str) -> None:
    question = f"A symptom, an emergency, a drug and a mechanism. The CT is shown. {asks} "
    items, _ = split(medxpertqa.read(lines(tmp_path, {"medical_task": task, "question": question})))
    assert [item.skill for item in items] == [skill]


def test_the_card_prints_the_measured_error_of_the_words(tmp_path: Path) -> None:
    from medqdeg.utils.building.plan.front import readers
    from medqdeg.utils.building.plan.planning import BuildRequest
    from medqdeg.utils.building.plan.selection import Mix
    from medqdeg.utils.building.running import build

    folder = lines(tmp_path, {}, {}, {})
    table = tmp_path / "modalities.csv"
    table.write_text("id,modality\nitem-1,CT\n")
    mix = Mix(clean_items=None, pairs_per_item=1, degradations={"object_rotation": 1})
    build(BuildRequest((f"medxpertqa={folder}:{table}",), mix=mix), tmp_path / "set", readers())
    card = (tmp_path / "set" / "README.md").read_text()
    assert "The modality of 2 planned clean items is told by a sentence of the question" in card
    assert "1 was clearly wrong (2.2%, 95% interval 0.1% to 11.8%) and 4 were partly wrong (8.9%)" in card


def test_a_table_of_modalities_goes_first(tmp_path: Path) -> None:
    folder = lines(tmp_path, {"question": "What is it?"}, {}, {})
    table = tmp_path / "modalities.csv"
    table.write_text("ID,Modality\nitem-0,ultrasound\nitem-1,fundus\n")
    items, skipped = split(open_source(f"medxpertqa={folder}:{table}"))
    assert [(item.modality, item.extra["modality_from"]) for item in items] == [
        ("Ultrasound", "table"),
        ("X-ray", "words of the question"),
    ]
    assert said(skipped) == [(checks.OTHER_MODALITY, True)]
    table.write_text("name,kind\n")
    with pytest.raises(InputError, match="needs the columns id and modality; found name, kind"):
        open_source(f"medxpertqa={folder}:{table}")


def test_dev_and_test_but_not_the_half_without_images(tmp_path: Path) -> None:
    folder = write_medxpertqa(tmp_path / "medx", [expert(0)], split="dev")
    write_medxpertqa(folder, [expert(0), expert(1)], split="test")
    (folder / "Text").mkdir()
    (folder / "Text" / "test.jsonl").write_text('{"id": "Text-0"}\n')
    items, skipped = split(medxpertqa.read(folder))
    assert [item.source_id for item in items] == ["item-0", "item-1"]
    assert said(skipped) == [(checks.SAME_ID, False)]


@pytest.mark.parametrize("line", [b"{", b"[1]", b'"x"', b'{"a": "\xff"}', b"\0", b"[" * 100_000])
def test_a_damaged_line_leaves_the_others(tmp_path: Path, line: bytes) -> None:
    folder = lines(tmp_path, {}, {})
    path = folder / "MM" / "test.jsonl"
    first, second = path.read_bytes().splitlines()
    path.write_bytes(first + b"\n" + line + b"\n\n" + second)
    items, skipped = split(medxpertqa.read(folder))
    assert [item.source_id for item in items] == ["item-0", "item-1"]
    assert said(skipped) == [(UNREADABLE_ROW, False)]
    assert skipped[0].where == "MM/test.jsonl, line 2"


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        medxpertqa.read(tmp_path / "absent")
    _, skipped = split(medxpertqa.read(tmp_path))
    assert said(skipped) == [(UNREADABLE_FILE, False)]
    (tmp_path / "MM").mkdir()
    (tmp_path / "MM" / "test.jsonl").touch()
    _, skipped = split(medxpertqa.read(tmp_path))
    assert "the file is empty" in skipped[0].detail
