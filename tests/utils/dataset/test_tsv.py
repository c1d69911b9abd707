"""What a row means, and what is said of one that cannot be used."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.dataset import taxonomy, tsv

from .files import item, refusal, write, write_degraded


def rows(path: Path) -> list[tsv.Row]:
    return list(tsv.TsvFile(path).rows())


def only(folder: Path, **changes: object) -> tsv.Row:
    (row,) = rows(write_degraded(folder, item(1, **changes)))
    return row


def complaint(folder: Path, *changes: dict[str, object]) -> str:
    """Return what is said of a file whose rows have these changes; it is one line that names the file."""
    path = write_degraded(folder, *(item(number, **change) for number, change in enumerate(changes)))
    message = refusal(rows, path)
    assert message is not None
    assert len(message.splitlines()) == 1
    assert message.startswith(path.name)
    return message


def test_a_good_file_is_read_as_pandas_reads_it(tmp_path: Path) -> None:
    path = write_degraded(tmp_path)
    table = pd.read_csv(path, sep="\t")
    read = rows(path)
    assert [row.item_id for row in read] == [str(value) for value in table["index"]]
    assert [row.question for row in read] == list(table["question"])
    assert [row.image_cell for row in read] == list(table["image"])
    assert [list(row.options.values()) for row in read] == [
        [text for text in options if isinstance(text, str)] for options in table[list("ABCD")].to_numpy().tolist()
    ]


@pytest.mark.parametrize("cell", ['"5 mm" nodule', '"5 mm"', '"a ""b"" c" d', 'a "5 mm" nodule', '""x'])
def test_a_cell_that_begins_with_a_quotation_is_read_as_pandas_reads_it(tmp_path: Path, cell: str) -> None:
    path = write_degraded(tmp_path, item(1, question="THE QUESTION"), item(2))
    path.write_text(path.read_text().replace("THE QUESTION", cell))
    assert [row.question for row in rows(path)] == list(pd.read_csv(path, sep="\t")["question"])


@pytest.mark.parametrize("cell", ['"5 mm nodule', '"5 mm" nodule\t"more'])
def test_a_stray_quotation_mark_does_not_join_two_rows(tmp_path: Path, cell: str) -> None:
    path = write_degraded(tmp_path, item(1, question="THE QUESTION"), item(2, question="THE QUESTION"))
    path.write_text(path.read_text().replace("THE QUESTION", cell))
    assert "line 2" in (refusal(rows, path) or "")


@pytest.mark.parametrize("answer", ["b", "B", " b "])
def test_answers_in_any_case(tmp_path: Path, answer: str) -> None:
    assert only(tmp_path, answer=answer).answer == "B"


@pytest.mark.parametrize(
    ("severity", "level"),
    [("L1", "L1"), (1, "L1"), ("1.0", "L1"), (1.0, "L1"), ("l2", "L2"), ("2", "L2"), ("2.0", "L2"), ("L 2", "L2")],
)
def test_severities(tmp_path: Path, severity: object, level: str) -> None:
    assert only(tmp_path, degradation_severity=severity).level == level


def test_severities_that_a_gap_turned_into_floats(tmp_path: Path) -> None:
    """pandas writes 1.0 for every 1 of a column that has a hole."""
    path = write_degraded(
        tmp_path,
        *(item(number, degradation_severity=value) for number, value in enumerate((1, float("nan"), 2))),
    )
    assert "1.0" in path.read_text()
    assert [row.level for row in rows(path)] == ["L1", "L0", "L2"]


@pytest.mark.parametrize(
    ("name", "degradation"),
    [
        ("random_motion_artifact", "object_movement"),
        ("object_movement", "object_movement"),
        ("rotation_artifact", "object_rotation"),
        ("downsample_artifact", "low_resolution"),
        ("xray_motion_blur_artifact", "motion_blur"),
        ("Bias Field", "bias_field"),
        *((name, name) for name in taxonomy.DEGRADATIONS),
    ],
)
def test_degradations_by_the_authors_and_the_papers_names(tmp_path: Path, name: str, degradation: str) -> None:
    assert only(tmp_path, degradation_type=name).degradation == degradation


def test_labels_that_are_missing(tmp_path: Path) -> None:
    row = only(tmp_path, modality="", source=float("nan"), degradation_severity="L0", degradation_type="none")
    assert (row.modality, row.source, row.degradation) == (taxonomy.UNLABELLED, taxonomy.UNLABELLED, None)
    assert row.skill == taxonomy.UNLABELLED


def test_options_that_are_missing(tmp_path: Path) -> None:
    assert dict(only(tmp_path, C=float("nan"), D="  ").options) == {"A": "a cyst", "B": "a polyp"}
    assert dict(only(tmp_path, A=float("nan"), D="x", answer="D").options) == {
        "B": "a polyp",
        "C": "a fracture",
        "D": "x",
    }


WORDS = ["None", "NA", "N/A", "n/a"]


@pytest.mark.parametrize("text", sorted(pd._libs.parsers.STR_NA_VALUES - {"", *WORDS}))
def test_an_option_is_missing_where_pandas_says_so(tmp_path: Path, text: str) -> None:
    row = only(tmp_path, D=text)
    assert "D" not in row.options
    assert pd.isna(pd.read_csv(tmp_path / "MedQ-Robust-simulate-test.tsv", sep="\t")["D"][0])


@pytest.mark.parametrize("text", ["none", "NONE", "Na", "No", "Null", "nAn", "0", "None of the above"])
def test_an_option_is_there_where_pandas_says_so(tmp_path: Path, text: str) -> None:
    assert only(tmp_path, D=text).options["D"] == text
    assert not pd.isna(pd.read_csv(tmp_path / "MedQ-Robust-simulate-test.tsv", sep="\t")["D"][0])


@pytest.mark.parametrize("text", WORDS)
@pytest.mark.parametrize("answer", ["A", "D"])
def test_an_option_that_reads_none_is_there_whether_or_not_it_is_the_answer(
    tmp_path: Path, text: str, answer: str
) -> None:
    """pandas takes it for missing; shown only where it is right it would give the answer away."""
    assert only(tmp_path, D=text, answer=answer).options["D"] == text
    assert pd.isna(pd.read_csv(tmp_path / "MedQ-Robust-simulate-test.tsv", sep="\t")["D"][0])


def test_a_word_in_two_places_marks_missing_options(tmp_path: Path) -> None:
    assert set(only(tmp_path, C="None", D="None", answer="A").options) == {"A", "B"}
    refused = refusal(lambda: only(tmp_path, C="None", D="None", answer="D"))
    assert "the answer 'D' is not among the options A, B" in str(refused)


def test_unknown_columns_are_kept(tmp_path: Path) -> None:
    row = only(tmp_path, hospital="A\tB\n“C”", year=2024, nothing="", image_path="a.png")
    assert dict(row.extra) == {"hospital": "A\tB\n“C”", "year": "2024", "image_path": "a.png"}
    assert tsv.extra_as_json(row) == '{"hospital": "A\\tB\\n“C”", "image_path": "a.png", "year": "2024"}'


@pytest.mark.parametrize(
    "names",
    [
        {"index": "ID", "question": "Question", "answer": "Answer", "modality": "modality_type", "source": "Dataset"},
        {"index": "question_id", "degradation_type": "Degradation Type", "degradation_severity": "Severity"},
        {"index": " index ", "degradation_severity": "degradation-severity", "A": "a", "B": " b "},
        {"degradation_type": "degradationtype", "degradation_severity": "LEVEL"},
    ],
)
def test_other_spellings_of_the_header(tmp_path: Path, names: dict[str, str]) -> None:
    plain = write(tmp_path / "plain.tsv", [item(1)])
    renamed = write(tmp_path / "renamed.tsv", [{names.get(key, key): value for key, value in item(1).items()}])
    (expected,), (found,) = rows(plain), rows(renamed)
    for name in ("item_id", "question", "options", "answer", "level", "modality", "degradation", "source", "extra"):
        assert getattr(found, name) == getattr(expected, name)


def test_byte_order_mark_line_ends_and_line_breaks_in_a_question(tmp_path: Path) -> None:
    question = 'First line,\nsecond line with "quotes",\r\n\nfourth\tline?'
    table = pd.DataFrame([item(1, question=question), item(2)])
    plain = tmp_path / "plain.tsv"
    table.to_csv(plain, sep="\t", index=False)
    dos = tmp_path / "dos.tsv"
    table.to_csv(dos, sep="\t", index=False, lineterminator="\r\n", encoding="utf-8-sig")
    assert dos.read_bytes().startswith(b"\xef\xbb\xbf")
    for path in (plain, dos):
        read = rows(path)
        assert read[0].question == question
        assert [row.place[0] for row in read] == [2, 6]  # the line where a record begins, as an editor counts
        file = tsv.TsvFile(path)
        assert [file.image_cell(row.place) for row in read] == [row.image_cell for row in read]


def test_blank_lines_are_skipped_and_counted(tmp_path: Path) -> None:
    path = write_degraded(tmp_path, item(1), item(2))
    lines = path.read_text().splitlines()
    path.write_text("\n\n".join(lines) + "\n\n\n")
    assert [(row.item_id, row.place[0]) for row in rows(path)] == [("1", 3), ("2", 5)]


def test_an_index_that_pandas_wrote_as_a_float(tmp_path: Path) -> None:
    assert only(tmp_path, index="12.0").item_id == "12"
    assert only(tmp_path, index="1.20").item_id == "1.20"
    assert only(tmp_path, index="v12.0").item_id == "v12.0"


def test_references_to_another_row_s_image(tmp_path: Path) -> None:
    image = item(7)["image"]
    path = write_degraded(tmp_path, item(7), item(8, image="7"), item(9, image="8"), item(10, image="7.0"))
    file = tsv.TsvFile(path)
    cells = tsv.ImageCells(file, {row.item_id: row.place for row in file.rows()})
    assert [cells.follow(row.image_cell) for row in file.rows()] == [image] * 4
    assert cells.follow("99") == "99"


def test_references_in_a_circle_are_refused(tmp_path: Path) -> None:
    file = tsv.TsvFile(write_degraded(tmp_path, item(7, image="8"), item(8, image="7"), item(9, image="9")))
    cells = tsv.ImageCells(file, {row.item_id: row.place for row in file.rows()})
    for cell in ("7", "8", "9"):
        with pytest.raises(InputError, match="leads back"):
            cells.follow(cell)


def test_key_of_a_question(tmp_path: Path) -> None:
    """The same for all versions of an item; another where source, question or options differ."""
    key = tsv.question_key(only(tmp_path))
    same = only(tmp_path, index=77, degradation_severity="L2", degradation_type="low_dose", image="other", answer="c")
    assert tsv.question_key(same) == key
    for change in (
        {"question": "Another?"},
        {"source": "MedXpertQA"},
        {"C": "a fracture?"},
        {"C": "", "D": "a fracture"},
    ):
        assert tsv.question_key(only(tmp_path, **change)) != key


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"answer": "D"}, "the answer 'D' is not among the options A, B, C"),
        ({"answer": ""}, "the answer '' is not among the options"),
        ({"answer": "AB"}, "the answer 'AB' is not among the options"),
        ({"B": "", "C": ""}, "1 option"),
        ({"A": "", "B": "", "C": ""}, "0 options"),
        ({"question": ""}, "no question"),
        ({"index": ""}, "no index"),
        ({"modality": "tomogrphy"}, "unknown modality 'tomogrphy'"),
        ({"degradation_type": "gausian_noise"}, "did you mean 'gaussian_noise'"),
        ({"degradation_type": ""}, "names no degradation"),
        ({"degradation_severity": "L3"}, "unknown severity 'L3'"),
        ({"degradation_severity": "1.5"}, "unknown severity"),
        ({"degradation_severity": "inf"}, "unknown severity"),
        ({"modality": "x" * 1_000_000}, "unknown modality"),
        ({"answer": "x" * 1_000_000}, "not among the options"),
        ({"index": "4\n2" * 100_000, "answer": "Z"}, "not among the options"),
    ],
)
def test_a_bad_cell_is_told_with_file_line_and_item(tmp_path: Path, change: dict[str, object], said: str) -> None:
    message = complaint(tmp_path, {}, change)
    assert "line 3" in message
    assert said in message or len(message) > 600
    assert len(message) < 1000
    if "index" not in change:
        assert "(index '1')" in message


@pytest.mark.parametrize("column", ["index", "question", "answer", "A", "B", "image"])
def test_a_missing_column_is_named_and_so_are_those_found(tmp_path: Path, column: str) -> None:
    message = complaint(tmp_path, {column: None})
    assert "lacks the column " + column in message
    assert "found " in message
    assert "degradation_severity" in message


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("index\tquestion\tquestion", "'question'"),
        ("index\tquestion\tQuestion", "'Question'"),
        ("index\tA\ta\tB", "'A' and 'a'"),
        ("index,question,A,B,answer,image", "lacks the column"),
        ("", "lacks the column"),
        ('index\t"question', "line 1"),
        ("index\tquestion\ranswer", "line 1"),
        ("x" * 2_000_000, "line 1"),
        ("\t".join(f"column {number}" for number in range(70_000)), "lacks the column"),
    ],
)
def test_a_header_that_cannot_be_used(tmp_path: Path, header: str, said: str) -> None:
    path = tmp_path / "header.tsv"
    path.write_bytes(header.encode())
    message = refusal(rows, path)
    assert message is not None
    assert said in message
    assert len(message.splitlines()) == 1
    assert len(message) < 1000


def test_ragged_rows_and_a_file_cut_off_in_the_middle(tmp_path: Path) -> None:
    path = write_degraded(tmp_path, *(item(number, question=f"First\nsecond {number}?") for number in range(3)))
    whole = path.read_bytes()
    lines = whole.split(b"\n")
    path.write_bytes(whole + b"one\ttwo\n")
    assert f"line {len(lines)}: 2 cells where the header has 12" in str(refusal(rows, path))
    for end in range(len(whole) - 200, len(whole) - 40, 7):
        path.write_bytes(whole[:end])
        message = refusal(rows, path)
        assert message is not None
        assert message.startswith(f"{path.name}, line ")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.encode("utf-16"), "UTF"),
        (lambda text: text.encode("utf-16-le"), "UTF-16"),
        (lambda text: text.replace("cyst", "kyste é").encode("latin-1"), "line 2: not UTF-8"),
        (lambda text: text.replace("a cyst", "a \0cyst").encode(), "line 2: holds a NUL byte"),
        (lambda text: text.replace("\n", "\r").encode(), "line 1"),
        (lambda text: text.replace("a cyst", '"a cyst').encode(), "line 2"),
        (lambda text: text.replace("a cyst", "a\rcyst").encode(), "line 2"),
        (lambda text: b"", "lacks the column"),
        (lambda text: bytes(1000), "NUL"),
    ],
)
def test_bytes_that_are_no_such_text(tmp_path: Path, change, said: str) -> None:  # type: ignore[no-untyped-def]
    path = write_degraded(tmp_path, item(1), item(2))
    path.write_bytes(change(path.read_text()))
    message = refusal(rows, path)
    assert message is not None
    assert said in message
    assert len(message.splitlines()) == 1


def test_one_stray_quotation_mark_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = csv.field_size_limit(1000)
    monkeypatch.setattr(tsv, "_LARGEST_CELL", 50_000)
    try:
        path = tmp_path / "stray.tsv"
        header = "\t".join(item(0))
        path.write_text(f'{header}\n1\t"' + "short lines\n" * 10_000)
        message = refusal(rows, path)
        path.write_text(f"{header}\n1\t" + "x" * 60_000)
        assert "longer than 50000 bytes" in str(refusal(rows, path))
    finally:
        csv.field_size_limit(limit)
    assert message is not None
    assert "line 2" in message
    assert "field limit" in message


def test_a_higher_limit_of_someone_else_is_left_alone(tmp_path: Path) -> None:
    limit = csv.field_size_limit(2**30)
    try:
        rows(write_degraded(tmp_path))
        assert csv.field_size_limit() == 2**30
    finally:
        csv.field_size_limit(limit)


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    assert "cannot be read" in str(refusal(tsv.TsvFile, tmp_path))


GOOD_HEADER = b"index\timage\tquestion\tA\tB\tanswer\tmodality\tdegradation_type\tdegradation_severity\textra"
CELLS = st.sampled_from(
    [
        *(b"1", b"2", b"A", b"b", b"L1", b"1.0", b"nan", b"", b'"', b'"a\nb"', b"\t", b"\n", b"\r\n", b"\0", b"\xff"),
        *(b"CT", b"low_dose", b"[", b"['a.png']", b"../a", "é".encode(), b"\xef\xbb\xbf", b"1e400", b"-1"),
    ]
)


@given(st.binary(max_size=400) | st.lists(CELLS, max_size=40).map(b"\t".join), st.booleans())
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes, header: bool) -> None:
    path = tmp_path_factory.getbasetemp() / "any.tsv"
    path.write_bytes((GOOD_HEADER + b"\n" if header else b"") + content)
    message = refusal(rows, path)
    assert message is None or len(message.splitlines()) == 1


# Without \\r: before Python 3.13 the csv module writes a lone one unquoted, which no reader takes for text.
TEXT = st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]))


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=4), st.sampled_from(["\n", "\r\n"]))
def test_what_the_csv_module_writes_comes_back(
    tmp_path_factory: pytest.TempPathFactory, texts: list[tuple[str, str, str]], line_end: str
) -> None:
    written = [
        item(number, question=f"Q {question}", A=f"A {option}", note=note)
        for number, (question, option, note) in enumerate(texts)
    ]
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, list(written[0]), delimiter="\t", lineterminator=line_end)
    writer.writeheader()
    writer.writerows(written)
    path = tmp_path_factory.getbasetemp() / "written.tsv"
    path.write_bytes(buffer.getvalue().encode())
    for row, source in zip(rows(path), written, strict=True):
        assert row.question == source["question"].strip()
        assert row.options["A"] == source["A"].strip()
        assert row.extra.get("note", "") == source["note"]
