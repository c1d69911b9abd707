"""The pages as files, without a browser."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from medqdeg.utils.analysis.analyse import analyse
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.dataset.loading import load_level
from medqdeg.utils.dataset.location import LocalFolder
from medqdeg.utils.phantoms.suite import SOURCE as PHANTOMS
from medqdeg.utils.report.content import report_frames
from medqdeg.utils.report.item_votes import chosen_of
from medqdeg.utils.report.items import ABSENT, BARE, write_items
from medqdeg.utils.report.page import as_json, write_page
from medqdeg.utils.report.pictures import write_pictures
from medqdeg.utils.report.provenance import DRAWINGS
from medqdeg.utils.report.terms import items_sentence, terms

from ...small_dataset import write_dataset
from ..run_files import scored, scored_levels, write_run


def _data(page: Path) -> Any:
    return json.loads(re.search(r'id="data">(.*?)</script>', page.read_text(), re.DOTALL)[1])


def _items(page: Path) -> Any:
    return json.loads(gzip.decompress(base64.b64decode(_data(page)["packed"])))


def test_json_cannot_end_its_element_and_reads_back() -> None:
    value = {"</script>": "<!--<script>", "&": "\u2028 ]]> 'x' \"y\""}
    assert not set("<>&") & set(as_json(value))
    assert json.loads(as_json(value)) == value


def test_the_same_analysis_gives_the_same_bytes(tmp_path: Path) -> None:
    levels = scored_levels(12, seed=1)
    collection = read_runs([write_run(tmp_path / "in", levels)])
    pages = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        analysis = analyse(collection, replicates=100)
        write_page(analysis, report_frames(analysis), tmp_path / name)
        write_items(collection.runs, tmp_path / name)
        pages.append([(tmp_path / name / page).read_bytes() for page in ("report.html", "items.html")])
    assert pages[0] == pages[1]


@pytest.mark.parametrize("present", [("L0",), ("L2",), ("L0", "L1")])
def test_what_can_be_drawn_of_some_levels_is_drawn(present: tuple[str, ...], tmp_path: Path) -> None:
    levels = scored_levels(12, seed=1)
    collection = read_runs([write_run(tmp_path, {level: levels[level] for level in present})])
    analysis = analyse(collection, replicates=100)
    page = write_page(analysis, report_frames(analysis), tmp_path)
    assert {row[1] for row in _data(page)["nodes"]} == set(present)
    assert "what needs them is left out" in page.read_text()


def test_the_levels_are_explained_with_their_items_where_all_runs_have_the_same() -> None:
    names = ["level", "n", "clusters"]
    rows = [("L0", 84, 80), ("L2", 1162, 80), ("L0", 84, 80), ("L2", 1160, 80)]
    sentence = items_sentence(pd.DataFrame(rows, columns=names))
    assert sentence == "L0: clean images (84 items), L2: severely degraded, each on 80 source questions."
    apart = pd.DataFrame([("L0", 84, 80), ("L1", 1162, 79)], columns=names)
    assert items_sentence(apart) == (
        "L0: clean images (84 items on 80 source questions), L1: mildly degraded (1,162 items on 79 source questions)."
    )
    assert items_sentence(pd.DataFrame(rows[:0], columns=names)) == ""


def test_the_words_of_the_first_sentences_are_explained_with_the_runs_own_numbers() -> None:
    names = ["elicitation", "trials", "options"]
    told = dict(terms(pd.DataFrame([("votes", "10", "2, 4, 10"), ("votes", "5", "4")], columns=names)))
    assert told["T, K"] == "votes on each item (here 5, 10), and options of an item (here 2, 4, 10)."
    assert "not a probability" in told["Confidence"]
    stated = dict(terms(pd.DataFrame([("verbalized", "1", "4")], columns=names)))
    assert "entropy" not in stated["Confidence"]


def test_vendored_files_are_those_that_are_noted(repository: Path) -> None:
    folder = repository / "utils" / "report" / "vendor"
    noted = re.findall(r"\| `(\S+\.(?:js|ttf))` \|.*\| (\w{64}) \|", (folder / "README.md").read_text())
    assert {name for name, _ in noted} == {path.name for path in folder.iterdir() if path.suffix in (".js", ".ttf")}
    for name, digest in noted:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_items_keep_votes_and_point_to_their_clean_version(tmp_path: Path) -> None:
    collection = read_runs([write_run(tmp_path, scored_levels(12, seed=1))])
    items = _items(write_items(collection.runs, tmp_path))
    (run,) = items["runs"]
    columns = items["items"]
    assert len(columns["id"]) == len(collection.runs[0].records)
    for record, place, votes in zip(collection.runs[0].records, run["at"], run["votes"], strict=True):
        assert columns["id"][place] == record["item_id"]
        letters = "".join({"unread": "?", "missing": "–"}.get(letter, letter) for letter in record["letters"])
        assert items["names"]["votes"][votes] == letters
        assert columns["id"][columns["clean"][place]] == record["item_id"][:4]


def test_raw_replies_are_kept_where_they_say_more_than_a_letter(tmp_path: Path) -> None:
    own = write_run(tmp_path, scored_levels(12, seed=1))
    texts = {}
    for path in own.glob("*.jsonl"):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        for number, row in enumerate(rows):
            record = row["medqdeg"]
            long = number % 2 == 0
            row["filtered_resps"] = [f"Reply {k}: <b>{record['item_id']}" if long else "A" for k in range(10)]
            if long:
                texts[record["level"], record["item_id"]] = row["filtered_resps"]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    items = _items(write_items(read_runs([tmp_path]).runs, tmp_path))
    (run,) = items["runs"]
    found = {}
    for place, packed in zip(run["at"], run["replies"], strict=True):
        if packed >= 0:
            key = items["levels"][items["items"]["level"][place]], items["items"]["id"][place]
            found[key] = [items["names"]["reply"][text] for text in items["names"]["replies"][packed]]
    assert found == texts
    assert {place for place in run["replies"] if place < 0} == {BARE}
    assert not items["replies_left_out"]


def test_replies_that_are_not_in_the_files_are_not_said_to_be_letters(tmp_path: Path) -> None:
    own = write_run(tmp_path, scored_levels(12, seed=1))
    for path in own.glob("*.jsonl"):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        for row in rows:
            row.pop("filtered_resps", None)
            row.pop("resps", None)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (run,) = _items(write_items(read_runs([tmp_path]).runs, tmp_path))["runs"]
    assert set(run["replies"]) == {ABSENT}


def test_the_browser_says_of_what_data_set_its_items_are(tmp_path: Path) -> None:
    levels = scored_levels(12, seed=1)
    for records in levels.values():
        for record in records[1:]:
            record["source"] = PHANTOMS
    own = write_run(tmp_path, levels)
    path = next(own.glob("*_results.json"))
    content = json.loads(path.read_text())
    for scores in content["results"].values():
        scores["medqdeg,votes"]["origin"] = {"data": {"name": "owner/set"}}
    path.write_text(json.dumps(content))
    collection = read_runs([tmp_path])
    page = write_items(collection.runs, tmp_path)
    assert "<h1>Items of owner/set</h1>" in page.read_text()
    items = _items(page)
    remarks = [items["remarks"].get(items["names"]["data"][place]) for place in items["items"]["data"]]
    assert remarks.count(None) == 3
    assert set(remarks) == {None, f"{DRAWINGS}."}
    records = tuple({**record, "source": PHANTOMS} for record in collection.runs[0].records)
    drawn = write_items([replace(collection.runs[0], records=records)], tmp_path).read_text()
    assert f"<h1>Items of {PHANTOMS}</h1>" in drawn
    assert f">{DRAWINGS}.<" in drawn


@pytest.mark.parametrize(
    ("letters", "probabilities", "chosen"),
    [
        (["B", "A", "B", "unread"], None, ("B",)),
        (["B", "A", "unread", "unread", "unread"], None, ("A", "B")),
        (["unread", "missing"], None, ()),
        (["A"], [0.2, 0.5, 0.3], ("B",)),
    ],
)
def test_the_letter_that_a_model_settles_for(
    letters: list[str], probabilities: list[float] | None, chosen: tuple[str, ...]
) -> None:
    record = {"letters": letters, "probabilities": probabilities, "options": ["A", "B", "C"]}
    assert chosen_of(record) == chosen


def test_levels_of_a_series_and_answers_of_people_are_shown(tmp_path: Path) -> None:
    levels = scored_levels(6, seed=1)
    for record in levels["L1"]:
        trials = len(record["letters"])
        record |= {"level": "S1.50", "severity": 1.5, "respondent": "person", "reader": ["r1"] * trials}
        record |= {"seconds": [2.5] * trials}
    collection = read_runs([write_run(tmp_path, levels)])
    run = replace(collection.runs[0], records=tuple(record for own in levels.values() for record in own))
    items = _items(write_items([run], tmp_path))
    assert items["levels"] == ["L0", "L1", "L2", "S1.50"]
    people = {place for place in items["runs"][0]["people"] if place >= 0}
    assert [items["names"]["people"][place][:2] for place in people] == [[["r1"] * 10, [2.5] * 10]]


def test_pictures_and_questions_come_from_the_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    data = tmp_path / "data"
    data.mkdir()
    write_dataset(data)
    levels = {}
    for level in ("L0", "L1"):
        docs = load_level("test", level, LocalFolder(data)).remove_columns("images")
        levels[level] = scored([dict(doc) for doc in docs], seed=1)
    collection = read_runs([write_run(tmp_path / "in", levels)])
    shown = write_pictures(collection.runs, tmp_path, data)
    assert len(shown) == 24
    assert shown["medqdeg", "L0", "1"].question == "Question 1: what does the image show?"
    assert len(shown["medqdeg", "L0", "3"].images) == 2
    for entry in shown.values():
        for path in entry.images:
            with Image.open(tmp_path / path) as image:
                assert image.size == (16, 16)
    items = _items(write_items(collection.runs, tmp_path, shown))
    assert items["names"]["options"][items["items"]["options"][0]][1][0] == "a cyst"
    assert write_pictures(collection.runs, tmp_path) == {}
    with pytest.raises(InputError, match="not a folder"):
        write_pictures(collection.runs, tmp_path, tmp_path / "absent")
