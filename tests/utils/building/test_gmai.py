"""GMAI-MMBench's TSV files: every quirk of the layout, and every row accounted for."""

from __future__ import annotations

import base64
import pickle
from pathlib import Path

import pytest

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.building.sources import checks, gmai, open_source
from medqdeg.utils.building.sources.tables import UNREADABLE_FILE, UNREADABLE_ROW

from .layouts import GMAI_COLUMNS, gmai_row, write_gmai, write_rows, zipped
from .samples import bytes_of, picture, plain, said, split


def rows(tmp_path: Path, *changes: dict[str, object]) -> Path:
    """A file with one good row, changed, for each of the given changes."""
    made = [gmai_row(plain(number)) | change for number, change in enumerate(changes)]
    return write_rows(tmp_path / "GMAI-MMBench_VAL.tsv", made, GMAI_COLUMNS)


def test_all_of_an_item(tmp_path: Path) -> None:
    plains = [plain(number) for number in range(6)]
    items, skipped = split(open_source(f"gmai={write_gmai(tmp_path / 'gmai', plains)}"))
    assert skipped == []
    for item, made in zip(items, plains, strict=True):
        assert (item.source, item.source_id, item.licence) == ("GMAI-MMBench", made.item_id, "Apache-2.0")
        assert (item.question, item.options, item.answer) == (made.question, made.options, made.answer)
        assert (item.modality, item.skill) == (made.modality, "Disease Diagnosis")
        assert bytes_of(item) == made.images
        assert item.extra["category"] == made.options[made.answer]
        assert item.extra["department"] == "Radiology"


@pytest.mark.parametrize("where", ["folder", "file", "zip", "zip in a folder"])
def test_folder_file_and_zip_give_the_same(tmp_path: Path, where: str) -> None:
    folder = write_gmai(tmp_path / "gmai", [plain(0), plain(1)])
    path = {
        "folder": lambda: folder,
        "file": lambda: folder / "GMAI-MMBench_VAL.tsv",
        "zip": lambda: zipped(folder, tmp_path / "all.zip", "GMAI/"),
        "zip in a folder": lambda: zipped(folder, (tmp_path / "one").mkdir() or tmp_path / "one" / "a.zip").parent,
    }[where]()
    items, skipped = split(gmai.read(path))
    assert skipped == []
    assert [bytes_of(item) for item in items] == [(picture(0),), (picture(1),)]


def test_an_item_can_be_sent_to_another_process(tmp_path: Path) -> None:
    items, _ = split(gmai.read(write_gmai(tmp_path / "gmai", [plain(0), plain(1)])))
    assert bytes_of(pickle.loads(pickle.dumps(items[1]))) == (picture(1),)


def test_names_as_vlmevalkit_lower_cases_them(tmp_path: Path) -> None:
    made = {name.lower().replace(" ", "_"): text for name, text in gmai_row(plain(1)).items()}
    options = {name: made.pop(name) for name in "abcde"}
    row = made | {letter.upper(): text for letter, text in options.items()}
    items, _ = split(gmai.read(write_rows(tmp_path / "val.tsv", [row], row)))
    assert items[0].skill == "Disease Diagnosis"
    assert len(items[0].options) == 4


@pytest.mark.parametrize("absent", ["", "None", "nan", "NaN", " "])
def test_an_absent_fifth_option(tmp_path: Path, absent: str) -> None:
    items, _ = split(gmai.read(rows(tmp_path, {"D": "a mass", "E": absent})))
    assert items[0].options == ("a cyst", "a polyp", "a fracture", "a mass")


@pytest.mark.parametrize("absent", ["", "None", "nan"])
def test_an_absent_option_is_no_answer(tmp_path: Path, absent: str) -> None:
    """An option that is there only where it is right would give the answer away."""
    items, skipped = split(gmai.read(rows(tmp_path, {"E": absent, "answer": "E"})))
    assert items == []
    assert said(skipped) == [(checks.NOT_AN_OPTION, False)]
    assert "'E' is empty or reads \"None\"" in skipped[0].detail


def test_a_gap_among_the_options_moves_the_answer(tmp_path: Path) -> None:
    items, _ = split(gmai.read(rows(tmp_path, {"B": "", "answer": "C"})))
    assert items[0].options == ("a cyst", "a fracture")
    assert items[0].answer == 1


def test_options_that_are_letters_are_answered_by_letter(tmp_path: Path) -> None:
    items, _ = split(gmai.read(rows(tmp_path, {"A": "B", "B": "C", "C": "A", "answer": "a"})))
    assert items[0].options[items[0].answer] == "B"


@pytest.mark.parametrize(
    ("change", "reason", "harmless"),
    [
        ({"answer": ""}, checks.NO_ANSWER, False),
        ({"answer": "E"}, checks.NOT_AN_OPTION, False),
        ({"answer": "a cyst"}, checks.NOT_AN_OPTION, False),
        ({"question": " "}, checks.NO_QUESTION, False),
        ({"B": "", "C": "nan"}, checks.FEW_OPTIONS, False),
        ({"B": "A cyst."}, checks.SAME_OPTIONS, False),
        ({"modality": "Fundus Photography"}, checks.OTHER_MODALITY, True),
        ({"modality": "Microscopy"}, checks.OTHER_MODALITY, True),
        ({"modality": "Xray-like"}, checks.UNKNOWN_MODALITY, False),
        ({"modality": ""}, checks.NO_MODALITY, False),
        ({"image": ""}, checks.NO_IMAGE, False),
        ({"image": "777"}, checks.MISSING_IMAGE, False),
        ({"image": "[1, 2"}, checks.MISSING_IMAGE, False),
    ],
)
def test_a_row_that_gives_no_item_is_named_and_the_next_is_read(
    tmp_path: Path, change: dict[str, object], reason: str, harmless: bool
) -> None:
    items, skipped = split(gmai.read(rows(tmp_path, change, {})))
    assert said(skipped) == [(reason, harmless)]
    assert skipped[0].where == "GMAI-MMBench_VAL.tsv, line 2"
    assert [item.source_id for item in items] == ["item-1"]


def test_a_file_without_answers_gives_one_line_a_row(tmp_path: Path) -> None:
    items, skipped = split(gmai.read(rows(tmp_path, *[{"answer": ""}] * 4)))
    assert items == []
    assert said(skipped) == [(checks.NO_ANSWER, False)] * 4


def test_an_id_that_occurs_twice(tmp_path: Path) -> None:
    items, skipped = split(gmai.read(rows(tmp_path, {}, {"index": "item-0"}, {})))
    assert [item.source_id for item in items] == ["item-0", "item-2"]
    assert said(skipped) == [(checks.SAME_ID, False)]
    assert "first at GMAI-MMBench_VAL.tsv, line 2" in skipped[0].detail


def test_a_row_without_an_id_is_called_by_its_place(tmp_path: Path) -> None:
    items, _ = split(gmai.read(rows(tmp_path, {"index": ""})))
    assert items[0].source_id == "GMAI-MMBench_VAL.tsv, line 2"


def test_an_image_cell_may_name_an_earlier_row(tmp_path: Path) -> None:
    items, skipped = split(gmai.read(rows(tmp_path, {}, {"image": "item-0"})))
    assert skipped == []
    assert bytes_of(items[1]) == (picture(0),)


def test_damaged_base64_is_found_when_it_is_read(tmp_path: Path) -> None:
    items, _ = split(gmai.read(rows(tmp_path, {"image": "!" * 100})))
    with pytest.raises(InputError, match="not valid base64"):
        items[0].images[0].read()


def test_a_label_that_nobody_knows_stays_unlabelled(tmp_path: Path) -> None:
    changes = {"clinical VQA task": "Something new"}, {"clinical VQA task": "Organ Recognition - Abdomen"}
    items, _ = split(gmai.read(rows(tmp_path, *changes)))
    assert [item.skill for item in items] == ["unlabelled", "Abdominal Structures"]
    assert items[0].extra["clinical_vqa_task"] == "Something new"


def test_two_files_share_their_ids(tmp_path: Path) -> None:
    write_gmai(tmp_path, [plain(0)], "A.tsv")
    write_gmai(tmp_path, [plain(0), plain(1)], "B.tsv")
    items, skipped = split(gmai.read(tmp_path))
    assert [item.source_id for item in items] == ["item-0", "item-1"]
    assert [row.where for row in skipped] == ["B.tsv, line 2"]


def test_images_beside_the_table(tmp_path: Path) -> None:
    (tmp_path / "pics").mkdir()
    (tmp_path / "pics" / "a.png").write_bytes(picture(3))
    made = gmai_row(plain(0))
    made.pop("image")
    lines = [made | {"index": name, "image_path": name} for name in ("pics/a.png", "../a.png", "pics/b.png")]
    items, skipped = split(gmai.read(write_rows(tmp_path / "val.tsv", lines, lines[0])))
    assert bytes_of(items[0]) == (picture(3),)
    assert [row.reason for row in skipped] == [checks.OUTSIDE, checks.MISSING_IMAGE]


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"", "the file is empty"),
        (b"index\tquestion\tanswer\n1\tq\tA\n", "no column A, B, image; found index, question, answer"),
        ("index\tquestion\n".encode("utf-16"), "NUL byte; is it UTF-16"),
        (b"\x89PNG\xff\xfe\n", "not utf-8"),
    ],
)
def test_a_file_that_is_no_such_table(tmp_path: Path, content: bytes, detail: str) -> None:
    write_gmai(tmp_path, [plain(0)], "Z.tsv")
    (tmp_path / "A.tsv").write_bytes(content)
    items, skipped = split(gmai.read(tmp_path))
    assert said(skipped) == [(UNREADABLE_FILE, False)]
    assert detail in skipped[0].detail
    assert [item.source_id for item in items] == ["item-0"]


def test_rows_that_cannot_be_read_lie_between_rows_that_can(tmp_path: Path) -> None:
    path = rows(tmp_path, {}, {}, {}, {})
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b"Question", b"Que\xe4stion")
    lines[3] = b"too\tfew\n"
    path.write_bytes(b"".join(lines))
    items, skipped = split(gmai.read(path))
    assert [item.source_id for item in items] == ["item-0", "item-3"]
    assert [(row.reason, row.where) for row in skipped] == [
        (UNREADABLE_ROW, f"{path.name}, line 3"),
        (UNREADABLE_ROW, f"{path.name}, line 4"),
    ]
    assert bytes_of(items[1]) == (picture(3),)


def test_line_breaks_within_a_question(tmp_path: Path) -> None:
    path = rows(tmp_path, {"question": 'First\nsecond "quoted"\tline?'}, {})
    items, _ = split(gmai.read(path))
    assert items[0].question == 'First\nsecond "quoted"\tline?'
    assert bytes_of(items[1]) == (picture(1),)
    assert base64.b64encode(picture(1)).decode() in path.read_text()


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        gmai.read(tmp_path / "absent")
    _, skipped = split(gmai.read(tmp_path))
    assert "no TSV file in it" in skipped[0].detail


@pytest.mark.parametrize(
    ("label", "right", "skill"),
    [
        ("Organ Recognition - Thorax", "heart", "Cardiovascular"),
        ("Organ Recognition - Thorax", "esophagus", "Gastrointestinal Tract"),
        ("Organ Recognition - Thorax", "left lung", "Respiratory System"),
        ("Organ Recognition - Abdomen", "stomach", "Gastrointestinal Tract"),
        ("Organ Recognition - Abdomen", "colon", "Gastrointestinal Tract"),
        ("Organ Recognition - Abdomen", "gallbladder", "Abdominal Structures"),
        ("Organ Recognition - Abdomen", "something", "Abdominal Structures"),
        ("Organ Recognition - Head and Neck", "optic nerve", "Neurovascular"),
        ("Organ Recognition - Pelvic", "femoral head", "Skeletal System"),
        ("Blood Vessels Recognition", "liver", "Cardiovascular"),
    ],
)
def test_an_organ_s_skill_follows_from_the_right_option(tmp_path: Path, label: str, right: str, skill: str) -> None:
    change = {"clinical VQA task": label, "A": "bone", "B": right, "answer": "B"}
    items, _ = split(gmai.read(rows(tmp_path, change)))
    assert [item.skill for item in items] == [skill]


@pytest.mark.parametrize(("task", "taken"), [("blood cell classification", True), ("", False), ("sperm head", False)])
def test_microscopy_by_the_same_rule_as_omnimedvqa(tmp_path: Path, task: str, taken: bool) -> None:
    change = {"modality": "Microscopy", "original task": task}
    items, skipped = split(gmai.read(rows(tmp_path, change)))
    assert [item.modality for item in items] == ["Histopathology"] * taken
    assert said(skipped) == [(checks.OTHER_MODALITY, True)] * (not taken)
