"""One's own items: every format of table, every form of image, every way to name the answer; and what is refused."""

from __future__ import annotations

import base64
import json
import math
import os
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.building.item import Skipped
from medqdeg.utils.building.plan.described_images import describe
from medqdeg.utils.building.sources import checks, load_map, open_source, own
from medqdeg.utils.building.sources.tables import UNREADABLE_FILE, UNREADABLE_ROW
from medqdeg.utils.images import decode_image

from ..images.test_dicom import dicom_bytes
from .layouts import zipped
from .samples import bytes_of, picture, said, split

MAP: dict[str, Any] = {
    "source": "Example Hospital",
    "id": "case",
    "question": "asked",
    "options": ["first", "second", "third"],
    "answer": "right",
    "images": "file",
    "modality": "kind",
    "skill": {"value": "Disease Diagnosis"},
    "licence": {"value": "CC-BY-4.0"},
    "image_folder": "pics",
}


def row(number: int, **changes: Any) -> dict[str, Any]:
    made = {
        "case": f"c{number}",
        "asked": f"What is seen in {number}?",
        "first": "a cyst",
        "second": "a polyp",
        "third": "a mass",
        "right": "ABC"[number % 3],
        "file": f"{number}.png",
        "kind": "CT",
    }
    return made | changes


def written(folder: Path, *rows: dict[str, Any], form: str = "csv", **changes: Any) -> Path:
    """Write table, images and map; return the map's path."""
    (folder / "pics").mkdir(parents=True, exist_ok=True)
    for number in range(len(rows)):
        (folder / "pics" / f"{number}.png").write_bytes(picture(number))
    frame = pd.DataFrame(list(rows))
    path = folder / f"items.{form}"
    if form == "parquet":
        frame.to_parquet(path, row_group_size=2)
    elif form == "jsonl":
        path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    else:
        frame.to_csv(path, index=False, sep="\t" if form == "tsv" else ",")
    return write_map(folder, **changes)


def write_map(folder: Path, **changes: Any) -> Path:
    content = {key: value for key, value in (MAP | changes).items() if value is not None}
    path = folder / "map.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "parquet"])
@pytest.mark.parametrize("where", ["table", "folder", "zip"])
def test_all_of_an_item(tmp_path: Path, form: str, where: str) -> None:
    folder = tmp_path / "mine"
    chosen = written(folder, *(row(number) for number in range(5)), form=form)
    path = {"table": folder / f"items.{form}", "folder": folder}.get(where) or zipped(folder, tmp_path / "a.zip")
    items, skipped = split(open_source(f"own={path}:{chosen}"))
    assert skipped == []
    for number, item in enumerate(items):
        assert (item.source, item.source_id) == ("Example Hospital", f"c{number}")
        assert (item.question, item.options) == (f"What is seen in {number}?", ("a cyst", "a polyp", "a mass"))
        assert (item.answer, item.modality, item.skill) == (number % 3, "CT", "Disease Diagnosis")
        assert item.licence == "CC-BY-4.0"
        assert bytes_of(pickle.loads(pickle.dumps(item))) == (picture(number),)


def as_image_feature(data: bytes) -> dict[str, Any]:
    return {"bytes": data, "path": None}


@pytest.mark.parametrize(
    ("form", "cell", "images_as"),
    [
        ("parquet", lambda data: data, "path"),
        ("parquet", as_image_feature, "path"),
        ("parquet", lambda data: [as_image_feature(data)], "path"),
        ("parquet", lambda data: base64.b64encode(data).decode(), "base64"),
        ("parquet", lambda data: [base64.b64encode(data).decode()], "base64"),
        ("csv", lambda data: base64.b64encode(data).decode(), "base64"),
        ("tsv", lambda data: "data:image/png;base64," + base64.b64encode(data).decode(), "base64"),
        ("jsonl", lambda data: [base64.b64encode(data).decode()], "base64"),
        ("jsonl", lambda data: base64.b64encode(data).decode(), "base64"),
    ],
)
def test_images_inside_the_table(tmp_path: Path, form: str, cell: Any, images_as: str) -> None:
    rows = [row(number, file=cell(picture(100 + number))) for number in range(5)]
    chosen = written(tmp_path, *rows, form=form, images_as=images_as)
    items, skipped = split(own.read(tmp_path / f"items.{form}", chosen))
    assert skipped == []
    assert [bytes_of(item) for item in reversed(items)] == [(picture(100 + number),) for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize(
    ("form", "cells", "columns"),
    [
        ("csv", {"file": '["0.png", "1.png"]'}, "file"),
        ("jsonl", {"file": ["0.png", "1.png"]}, "file"),
        ("parquet", {"file": ["0.png", "1.png"]}, "file"),
        ("csv", {"file": "0.png", "file2": "1.png"}, ["file", "file2"]),
    ],
)
def test_several_images(tmp_path: Path, form: str, cells: dict[str, Any], columns: Any) -> None:
    chosen = written(tmp_path, row(0, **cells), row(1, **cells), form=form, images=columns)
    items, _ = split(own.read(tmp_path / f"items.{form}", chosen))
    assert bytes_of(items[0]) == (picture(0), picture(1))


def test_an_absent_second_image_is_none(tmp_path: Path) -> None:
    chosen = written(tmp_path, row(0, file2="1.png"), row(1, file2=""), images=["file", "file2"])
    items, skipped = split(own.read(tmp_path / "items.csv", chosen))
    assert skipped == []
    assert [len(item.images) for item in items] == [2, 1]


def test_dicom_files_through_the_window_that_the_map_gives(tmp_path: Path) -> None:
    y, x = np.mgrid[0:32, 0:32]
    values = (10 * y + 20 * x).astype(np.int16)
    chosen = written(tmp_path, row(0, file="a.dcm"), row(1, file="b.dcm"), window=[300, 200], frame=0)
    (tmp_path / "pics" / "a.dcm").write_bytes(dicom_bytes(values, RescaleIntercept=0, RescaleSlope=1))
    (tmp_path / "pics" / "b.dcm").write_bytes(b"\0" * 128 + b"DICM")
    items, skipped = split(own.read(tmp_path / "items.csv", chosen))
    assert skipped == []
    shown = np.asarray(decode_image(items[0].images[0].read(), name="a").image, dtype=float)
    # The standard's linear window (PS3.3 C.11.2.1.2.1), of centre c = 300 and width w = 200.
    expected = np.clip(((values - 299.5) / 199 + 0.5) * 255, 0, 255)
    assert np.abs(shown - expected).max() <= 1
    assert isinstance(describe(items[0]), tuple)
    found = describe(items[1])
    assert isinstance(found, Skipped)
    assert found.reason == "image cannot be read"


@pytest.mark.parametrize(
    ("given_as", "answers"),
    [
        ("letter", ["A", "b", "(C)"]),
        ("text", ["a cyst", "A POLYP", "a mass."]),
        ("number", [1, 2, 3]),
        ("number from 0", [0, 1, 2]),
        ("either", ["A", "a polyp", "C."]),
    ],
)
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_the_ways_to_name_the_answer(tmp_path: Path, given_as: str, answers: list[Any], form: str) -> None:
    rows = [row(number, right=answer) for number, answer in enumerate(answers)]
    chosen = written(tmp_path, *rows, form=form, answer_as=given_as)
    items, skipped = split(own.read(tmp_path / f"items.{form}", chosen))
    assert skipped == []
    assert [item.answer for item in items] == [0, 1, 2]


@pytest.mark.parametrize(
    ("answer", "given_as", "reason"),
    [
        ("D", "letter", checks.NOT_AN_OPTION),
        ("a cyst", "letter", checks.NOT_AN_OPTION),
        ("A", "text", checks.NOT_AN_OPTION),
        ("0", "number", checks.NOT_AN_OPTION),
        ("4", "number", checks.NOT_AN_OPTION),
        ("-1", "number from 0", checks.NOT_AN_OPTION),
        ("²", "number", checks.NOT_AN_OPTION),
        ("", "number", checks.NO_ANSWER),
        ("", "either", checks.NO_ANSWER),
    ],
)
def test_answers_that_are_none(tmp_path: Path, answer: str, given_as: str, reason: str) -> None:
    chosen = written(tmp_path, row(0, right=answer), row(1, right=""), answer_as=given_as)
    _, skipped = split(own.read(tmp_path / "items.csv", chosen))
    assert [entry.reason for entry in skipped] == [reason, checks.NO_ANSWER]


@pytest.mark.parametrize("word", ["None", "none", "NA", "N/A"])
@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_an_option_that_reads_none_is_shown_whether_it_is_right_or_not(tmp_path: Path, form: str, word: str) -> None:
    rows = [row(number, third=word) for number in range(3)]
    items, skipped = split(own.read(tmp_path / f"items.{form}", written(tmp_path, *rows, form=form)))
    assert skipped == []
    assert [item.options for item in items] == [("a cyst", "a polyp", word)] * 3
    assert [item.answer for item in items] == [0, 1, 2]


@pytest.mark.parametrize(
    ("form", "cell"),
    [("csv", "nan"), ("csv", "NaN"), ("csv", "<NA>"), ("csv", ""), ("jsonl", math.nan), ("jsonl", None)],
)
def test_a_cell_that_pandas_left_empty_is_never_an_option(tmp_path: Path, form: str, cell: Any) -> None:
    rows = [row(number, third=cell) for number in range(3)]
    items, skipped = split(own.read(tmp_path / f"items.{form}", written(tmp_path, *rows, form=form)))
    assert [item.options for item in items] == [("a cyst", "a polyp")] * 2
    assert [each.reason for each in skipped] == [checks.NOT_AN_OPTION]


def test_a_letter_that_is_another_options_text_must_be_explained(tmp_path: Path) -> None:
    letters = {"first": "B", "second": "C", "third": "A", "right": "A"}
    chosen = written(tmp_path, row(0, **letters))
    _, skipped = split(own.read(tmp_path / "items.csv", chosen))
    assert said(skipped) == [(checks.UNCLEAR_ANSWER, False)]
    for given_as, place in (("letter", 0), ("text", 2)):
        items, _ = split(own.read(tmp_path / "items.csv", write_map(tmp_path, answer_as=given_as)))
        assert items[0].answer == place


@pytest.mark.parametrize(
    ("form", "cell", "separator"),
    [
        ("csv", "a cyst|a polyp|a mass", "|"),
        ("csv", '["a cyst", "a polyp", "a mass"]', None),
        ("csv", '{"B": "a polyp", "A": "a cyst", "C": "a mass"}', None),
        ("jsonl", ["a cyst", "a polyp", "a mass"], None),
        ("jsonl", {"B": "a polyp", "A": "a cyst", "C": "a mass"}, None),
        ("parquet", ["a cyst", "a polyp", "a mass"], None),
    ],
)
def test_options_in_one_column(tmp_path: Path, form: str, cell: Any, separator: str | None) -> None:
    rows = [row(0, all=cell), row(1, all=cell)]
    chosen = written(tmp_path, *rows, form=form, options={"column": "all"}, separator=separator)
    items, skipped = split(own.read(tmp_path / f"items.{form}", chosen))
    assert skipped == []
    assert items[1].options == ("a cyst", "a polyp", "a mass")


def test_words_of_ones_own_for_modality_and_skill(tmp_path: Path) -> None:
    kinds = {"column": "kind", "values": {"Röntgen": "X-ray", "Sono": "Ultrasound"}}
    rows = [row(0, kind="Röntgen"), row(1, kind="Sono"), row(2, kind="CT"), row(3, kind="Endoskop")]
    chosen = written(tmp_path, *rows, modality=kinds, skill={"value": "Counting"})
    items, skipped = split(own.read(tmp_path / "items.csv", chosen))
    assert [item.modality for item in items] == ["X-ray", "Ultrasound", "CT"]
    assert {item.skill for item in items} == {"Counting"}
    assert said(skipped) == [(checks.UNKNOWN_MODALITY, False)]
    assert "Endoskop" in skipped[0].detail


def test_columns_that_are_kept(tmp_path: Path) -> None:
    chosen = written(tmp_path, row(0, age="60-69", scanner=""), extra=["age", "scanner"])
    items, _ = split(own.read(tmp_path / "items.csv", chosen))
    assert items[0].extra == {"age": "60-69"}


@pytest.mark.parametrize(
    ("delimiter", "encoding"), [(";", "cp1252"), (";", "utf-8-sig"), ("|", "utf-8"), ("\t", "cp1252"), (",", "cp1252")]
)
def test_a_dialect_that_the_map_does_not_state_is_recognised(
    delimiter: str, encoding: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chosen = written(tmp_path, row(0), row(1))
    frame = pd.DataFrame([row(0, asked="Größe, ungefähr?"), row(1, first="ein Wert; 3,5 cm")])
    frame.to_csv(tmp_path / "items.csv", index=False, sep=delimiter, encoding=encoding)
    items, skipped = split(own.read(tmp_path / "items.csv", chosen))
    assert skipped == []
    assert items[0].question == "Größe, ungefähr?"
    assert items[1].options[0] == "ein Wert; 3,5 cm"
    assert "items.csv: read as" in caplog.text


def test_a_damaged_line_of_utf_8_does_not_make_a_file_cp1252(tmp_path: Path) -> None:
    chosen = written(tmp_path, row(0, asked="Größe?"), row(1))
    path = tmp_path / "items.csv"
    path.write_bytes(path.read_bytes().replace(b"What is seen in 1?", b"\xff?"))
    items, (fault,) = split(own.read(path, chosen))
    assert [item.question for item in items] == ["Größe?"]
    assert fault.reason == UNREADABLE_ROW


def test_excel(tmp_path: Path) -> None:
    chosen = written(tmp_path, row(0), row(1))
    (tmp_path / "items.csv").unlink()
    frame = pd.DataFrame([row(0, asked="Größe?", case=17), row(1, right="Z", case=18.0), row(2, first=None, case=19)])
    frame.to_excel(tmp_path / "items.xlsx", index=False)
    (tmp_path / "pics" / "2.png").write_bytes(picture(2))
    for where in ("items.xlsx", "."):
        items, skipped = split(own.read(tmp_path / where, chosen))
        assert [(item.source_id, item.question) for item in items] == [("17", "Größe?"), ("19", "What is seen in 2?")]
        assert items[0].options == ("a cyst", "a polyp", "a mass")
        assert items[1].options == ("a polyp", "a mass")
        assert [(one.where, one.reason) for one in skipped] == [("items.xlsx, row 3", checks.NOT_AN_OPTION)]
        assert bytes_of(items[0]) == (picture(0),)
    (tmp_path / "items.xlsx").write_bytes(b"no zip file")
    (fault,) = own.read(tmp_path / "items.xlsx", chosen)
    assert isinstance(fault, Skipped)
    assert fault.reason == UNREADABLE_FILE


def test_the_language_is_checked(tmp_path: Path) -> None:
    assert load_map(written(tmp_path, row(0), language="de")).language == "de"
    for bad in (False, "German!", 7):
        with pytest.raises(InputError, match="language must be a code"):
            load_map(write_map(tmp_path, language=bad))


def test_another_encoding_and_delimiter(tmp_path: Path) -> None:
    chosen = written(tmp_path, row(0), row(1), encoding="cp1252", delimiter=";")
    pd.DataFrame([row(0, asked="Größe?"), row(1)]).to_csv(
        tmp_path / "items.csv", index=False, sep=";", encoding="cp1252"
    )
    items, skipped = split(own.read(tmp_path / "items.csv", chosen))
    assert skipped == []
    assert items[0].question == "Größe?"
    # As UTF-8 the same file has one bad line.
    items, skipped = split(own.read(tmp_path / "items.csv", write_map(tmp_path, delimiter=";", encoding="utf-8")))
    assert [item.source_id for item in items] == ["c1"]
    assert [(entry.reason, entry.where) for entry in skipped] == [(UNREADABLE_ROW, "items.csv, line 2")]


def test_an_unclosed_quotation_mark_is_named(tmp_path: Path) -> None:
    chosen = written(tmp_path, *(row(number) for number in range(4)))
    path = tmp_path / "items.csv"
    path.write_text(path.read_text().replace("c2,", '"c2,'))
    items, skipped = split(own.read(path, chosen))
    assert [item.source_id for item in items] == ["c0", "c1"]
    assert skipped[0].where == "items.csv, lines 4 to 5"


@pytest.mark.parametrize("name", ["../x.png", "/etc/passwd", "a/../../x.png", "..\\x.png", "C:/x.png"])
def test_paths_that_leave_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "x.png").write_bytes(picture(1))
    chosen = written(tmp_path / "mine", row(0, file=name), row(1))
    items, skipped = split(own.read(tmp_path / "mine" / "items.csv", chosen))
    assert said(skipped) == [(checks.OUTSIDE, False)]
    assert len(items) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"answr": "x"}, "unknown key 'answr': did you mean 'answer'"),
        ({"question": None}, "lacks the key question"),
        ({"options": ["first"]}, "options must be a list of at least 2 columns"),
        ({"options": "first"}, "options must be a list of at least 2 columns"),
        ({"answer_as": "word"}, "answer_as must be one of letter, text, number"),
        ({"images_as": "url"}, "images_as must be one of path, base64"),
        ({"modality": {"colum": "kind"}}, "modality must be a column"),
        ({"modality": {"column": "kind", "value": "CT"}}, "modality needs either column or value"),
        ({"modality": {"values": {"a": "b"}}}, "modality needs either column or value"),
        ({"frame": -1}, "frame must be a whole number"),
        ({"window": [1]}, "window must be full or"),
        ({"delimiter": ";;"}, "delimiter must be one character"),
        ({"source": "GMAI-MMBench"}, "is the name of a benchmark"),
        ({"source": ["a"]}, "source must be a text"),
        ({"extra": {"a": 1}}, "extra must be a column or a list"),
        (
            {"question": "askd"},
            "items.csv has no column askd, which the map names; did you mean 'asked'? found case, asked",
        ),
        ({"image_folder": "../pics"}, "leaves the folder of the table"),
        ({"encoding": "utf-16"}, "encoding utf-16 is not read"),
        ({"encoding": "klingon"}, "unknown encoding 'klingon'"),
    ],
)
def test_maps_that_cannot_be_used(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    chosen = written(tmp_path, row(0), **change)
    with pytest.raises(InputError) as caught:
        open_source(f"own={tmp_path / 'items.csv'}:{chosen}")
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("content", [b"", b"a: [", b"- a\n", b"\xff\xfe", b"text"])
def test_files_that_are_no_map(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "map.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError):
        load_map(path)


def test_which_table_of_several(tmp_path: Path) -> None:
    chosen = written(tmp_path, row(0))
    (tmp_path / "other.csv").write_text("a,b\n")
    with pytest.raises(InputError, match=r"holds 2 tables \(items.csv, other.csv\); name one with `table:`"):
        own.read(tmp_path, chosen)
    assert len(list(own.read(tmp_path, write_map(tmp_path, table="items.csv")))) == 1
    with pytest.raises(InputError, match=r"has no table x.csv; found items.csv, other.csv"):
        own.read(tmp_path, write_map(tmp_path, table="x.csv"))


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "parquet"])
@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02\x03" * 50])
def test_tables_that_are_none(tmp_path: Path, form: str, content: bytes) -> None:
    path = tmp_path / f"items.{form}"
    path.write_bytes(content)
    chosen = load_map(write_map(tmp_path))
    _, skipped = split(own.read(path, chosen))
    reason = UNREADABLE_ROW if form == "jsonl" and content else UNREADABLE_FILE
    assert said(skipped) == [(reason, False)]
    assert re.search("empty|NUL|not a whole parquet", skipped[0].detail)


def test_a_damaged_zip_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ward.zip"
    path.write_bytes(b"PK\3\4 cut off")
    items, skipped = split(own.read(path, load_map(write_map(tmp_path))))
    assert not items
    assert said(skipped) == [(UNREADABLE_FILE, False)]
    assert "ward.zip: not a whole zip file" in skipped[0].detail


def test_a_damaged_row_group_leaves_the_others(tmp_path: Path) -> None:
    from pyarrow.parquet import ParquetFile

    rows = [row(number, file=picture(number)) for number in range(6)]
    chosen = written(tmp_path, *rows, form="parquet")
    path = tmp_path / "items.parquet"
    column = ParquetFile(path).metadata.row_group(1).column(0)
    data = bytearray(path.read_bytes())
    start = column.dictionary_page_offset or column.data_page_offset
    data[start : start + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    path.write_bytes(data)
    items, skipped = split(own.read(path, chosen))
    assert [item.source_id for item in items] == ["c0", "c1", "c4", "c5"]
    assert [(entry.reason, entry.where) for entry in skipped] == [(UNREADABLE_ROW, "items.parquet, rows 3 to 4")]
    assert bytes_of(items[2]) == (picture(4),)


@pytest.mark.skipif(os.name == "nt", reason="no links there")
def test_links_that_leave_the_folder_are_read_on_request_only(tmp_path: Path) -> None:
    outside = tmp_path / "outside.png"
    outside.write_bytes(picture(7))
    folder = tmp_path / "mine"
    chosen = written(folder, row(0), row(1))
    (folder / "pics/1.png").unlink()
    (folder / "pics/1.png").symlink_to(outside)
    items, skipped = split(own.read(folder / "items.csv", chosen))
    assert [item.source_id for item in items] == ["c0"]
    (only,) = skipped
    assert "a link that leaves the folder" in only.detail
    assert "follow_links" in only.detail
    assert str(tmp_path) not in only.detail
    items, skipped = split(own.read(folder / "items.csv", write_map(folder, follow_links=True)))
    assert [item.source_id for item in items] == ["c0", "c1"]
    assert not skipped


@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_a_cell_that_begins_with_a_quotation_is_read_as_pandas_reads_it(tmp_path: Path, form: str) -> None:
    chosen = written(tmp_path, row(0, asked="THE QUESTION"), row(1), form=form)
    path = tmp_path / f"items.{form}"
    path.write_text(path.read_text().replace("THE QUESTION", '"5 mm" nodule?'))
    items, skipped = split(own.read(path, chosen))
    assert not skipped
    assert items[0].question == "5 mm nodule?"
