"""Answers in every dialect, and what does not belong: listed by row, nothing written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from medqdeg.utils.answer_sheets.answers import GivenAnswer, Reading, Sheet, numbers, read_sheet
from medqdeg.utils.answer_sheets.export import Wish, export
from medqdeg.utils.answer_sheets.key import Key, described, read_key, write_key
from medqdeg.utils.answer_sheets.matching import MISSING_REPLY, match, score
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.scoring.records import score_item

from ...command_line.calling import exit_status
from ...small_dataset import png
from ..record_examples import document

DOCS = [document(item_id=str(number), level=level) for number in range(2) for level in ("L1", "L2")]
KEY = Key("medqdeg", "votes", 2, 0, "", {f"x-{place}": described(doc) for place, doc in enumerate(DOCS)})


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("item,trial,answer,confidence\nx-0,1,B,80\n", "utf-8"),
        ("item;trial;answer;confidence\nx-0;1;B;80,0\n", "utf-8-sig"),
        ("Fall;Durchgang;Antwort;Sicherheit\nx-0;1;B;80 %\n", "cp1252"),
        ("Fall;Durchgang;Antwort;Sicherheit;Größe, Notiz\nx-0;1;B;80%;schön, groß\n", "cp1252"),
        ('item\ttrial\tanswer\tconfidence\n"x-0"\t1\tB\t80\n', "utf-16"),
        ('\n;;;\nitem;trial;answer;confidence;;\nx-0;1;"B";80;;\n', "utf-8"),
        ("confidence|Trial|Answer|ITEM\r\n80|1|B|x-0\r\n", "utf-8"),
    ],
)
def test_every_common_dialect(text: str, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_bytes(text.encode(encoding))
    sheet = read_sheet(path, Reading())
    assert [(one.item, one.trial, one.reply) for one in sheet.answers] == [("x-0", 1, "B")]
    assert numbers([one.confidence for one in sheet.answers]) == ([0.8], "percent")
    assert len(sheet.notes) == 1


def test_a_dialect_can_be_stated(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("nr:was\nx-0:Б\n".encode("cp1251"))
    reading = Reading({"answer": "was"}, encoding="cp1251", delimiter=":")
    assert read_sheet(path, reading).answers[0].reply == "Б"
    with pytest.raises(InputError, match=r"a\.csv: no column for answer \('reply'\); found nr, was"):
        read_sheet(path, Reading({"answer": "reply"}, "cp1251", ":"))
    with pytest.raises(InputError, match=r"not utf-8 .*state the encoding"):
        read_sheet(path, Reading({"answer": "was"}, "utf-8", ":"))
    with pytest.raises(InputError, match="unknown encoding 'klingon'"):
        read_sheet(path, Reading({"answer": "was"}, "klingon", ":"))


@pytest.mark.parametrize(
    ("texts", "scale", "expected"),
    [
        (["0,8", "1"], None, [0.8, 1.0]),
        (["80", "0.5"], None, [0.8, 0.005]),
        (["80%", "70"], None, [0.8, 0.7]),
        (["1", "0"], "percent", [0.01, 0.0]),
        (["150", "sure", "-3"], None, [None, None, None]),
        (["5"], "share", [None]),
    ],
)
def test_stated_numbers(texts: list[str], scale: str | None, expected: list[float | None]) -> None:
    assert numbers(texts, scale)[0] == expected


def answers(*rows: tuple[Any, ...]) -> Sheet:
    given = [GivenAnswer(f"a.csv, line {line}", *row) for line, row in enumerate(rows, 2)]
    return Sheet(Path("a.csv"), given)


def test_what_lacks_doubles_or_belongs_to_no_item_is_told_by_row() -> None:
    sheet = answers(
        ("x-0", 1, "B"),
        ("x-0", 1, "B"),
        ("x-0", 2, "A"),
        ("x-0", 2, "C"),
        ("y-9", 1, "A"),
        ("", 1, "A"),
        ("x-1", 1, None),
    )
    matched = match([sheet], KEY)
    assert matched.faults == [
        "a.csv, line 5: x-0, trial 2 is there already (a.csv, line 4) with another answer",
        "a.csv, line 6: the item 'y-9' is none of the key's",
        "a.csv, line 7: no item",
    ]
    assert matched.replies == {
        "x-0": ["B", MISSING_REPLY],
        **{f"x-{place}": [MISSING_REPLY] * 2 for place in (1, 2, 3)},
    }
    alike, lacking = matched.notes
    assert alike == "a.csv, line 3: x-0, trial 1 is there already (a.csv, line 2), alike; counted once"
    assert lacking.startswith(
        "7 of 8 answers lack and count as missing: x-0, trial 2; x-1, trial 1 (a.csv, line 8); x-1"
    )


def test_a_stated_confidence_in_a_column_scores_as_one_in_the_reply() -> None:
    rows = [(code, trial, "B", "70") for code in KEY.items for trial in (1, 2)]
    matched = match([answers(*rows)], KEY)
    expected = [score_item(doc, ["Answer: B\nConfidence: 70%"] * 2, "verbalized") for doc in DOCS]
    for record, other in zip(score(matched, KEY), expected, strict=True):
        assert {**record, "read_as": None, "distinct_replies": 0} == {**other, "read_as": None, "distinct_replies": 0}


def test_confidences_that_are_none_count_as_not_stated() -> None:
    rows = [(code, trial, "B", text) for code in KEY.items for trial, text in ((1, "150"), (2, ""))]
    matched = match([answers(*rows, ("x-0", 3, "I do not know", "90"))], KEY)
    first = score(matched, KEY)[0]
    assert first["stated"] == [None, None, 0.9]
    assert (first["stated_out_of_range"], first["stated_missing"]) == (1, 1)
    assert first["confidence"] is None  # no trial has both a letter and a number
    assert first["confidence_unstated_as_guess"] == pytest.approx(1 / 4)
    assert any("4 confidences are no probability" in note for note in matched.notes)


def test_failed_requests_of_a_batch_are_missing_and_empty_replies_are_not(tmp_path: Path) -> None:
    def line(request: str, content: Any, status: int = 200) -> str:
        body = {"choices": [{"message": {"content": content}}]}
        return json.dumps({"custom_id": request, "response": {"status_code": status, "body": body}, "error": None})

    path = tmp_path / "out.jsonl"
    lines = [line("x-0-t1", "B"), line("x-0-t2", ""), line("x-1-t1", "B", 500), line("x-1-t2", [{"text": "C"}])]
    path.write_text("\n".join([*lines, json.dumps({"custom_id": "x-2-t1", "response": None, "error": {}}), "{bad"]))
    sheet = read_sheet(path, Reading())
    assert [(one.item, one.trial, one.reply) for one in sheet.answers] == [
        ("x-0", 1, "B"),
        ("x-0", 2, ""),
        ("x-1", 1, None),
        ("x-1", 2, "C"),
        ("x-2", 1, None),
    ]
    assert [fault.partition(" (")[0] for fault in sheet.faults] == ["out.jsonl, line 6: not JSON"]


def test_bad_rows_write_nothing_unless_they_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_key(tmp_path / "key.json", KEY)
    path = tmp_path / "answers.csv"
    path.write_text("item,trial,answer\nx-0,1,B\nx-0,2,B\nz,1,A\nx-1,zwei,A\n")
    call = ("import", path, "--items", tmp_path / "key.json", "--model", "org/M 1", "--out", tmp_path / "out")
    assert exit_status(monkeypatch, *call) == 1
    told = capsys.readouterr().err
    assert "answers.csv, line 4: the item 'z' is none of the key's" in told
    assert "answers.csv, line 5: the trial 'zwei' is no number from 1" in told
    assert not (tmp_path / "out").exists()
    assert exit_status(monkeypatch, *call, "--skip-bad-rows") == 0
    assert len(list((tmp_path / "out" / "org__M__1").glob("*_samples_medqdeg_l[12].jsonl"))) == 2


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("{", "no key of `medqdeg export`"),
        ('{"items": {}}', "it has no items"),
        ('{"items": {"a": {}}, "schema": 9}', "a key of schema 9"),
        ('{"items": {"a": {}}, "schema": 1, "elicitation": "votes", "trials": 1}', "item a: item_id is no text"),
    ],
)
def test_a_bad_key_is_one_line(content: str, fault: str, tmp_path: Path) -> None:
    (tmp_path / "key.json").write_text(content)
    with pytest.raises(InputError, match=fault):
        read_key(tmp_path / "key.json")


def test_nothing_is_overwritten_and_the_key_stays_outside(tmp_path: Path) -> None:
    doc = document(images=[{"bytes": png(1), "path": None}])
    wish = Wish("medqdeg", "votes", 1, 0, "")

    def write(folder: str, key: str) -> None:
        export([doc], lambda doc: doc["question"], tmp_path / folder, tmp_path / key, wish)

    with pytest.raises(InputError, match="would lie in the folder that is given away"):
        write("out", "out/key.json")
    assert not (tmp_path / "out").exists()
    write("out", "key.json")
    with pytest.raises(InputError, match="holds something already"):
        write("out", "key.json")
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(InputError, match="is another key"):
        write("out2", "other.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["key.json", "other.json", "out"]
