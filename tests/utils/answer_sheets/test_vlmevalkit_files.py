"""Predictions of VLMEvalKit in, its TSV out; equal letters give equal figures, and where its reader gives others."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from medqdeg.tasks import hooks
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.answer_sheets.matching import match, score
from medqdeg.utils.answer_sheets.vlmevalkit_files import FAILED, read_predictions
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.scoring.answers import read_answer
from medqdeg.utils.scoring.records import score_item

from ...command_line.calling import exit_status
from ...conftest import SHARED
from ...small_dataset import write_dataset

REPLIES = ("B", "a", "The answer is A.", "I cannot tell.", "", FAILED)


def theirs(reply: str) -> str:
    """The letter that docs/vlmevalkit.md says its class reads, written from that description."""
    text = reply.strip().upper()
    first, after = text[:1], text[1:]
    lettered = first != "" and first in "ABCDE"
    if lettered and (not after or after[0] in ".)" or after[0].isspace()):
        return first
    isolated = re.findall(r"(?<![A-Z])[A-E](?![A-Z])", text)
    return isolated[0] if isolated else reply


def rows_of(path: Path) -> list[dict[str, str]]:
    csv.field_size_limit(2**27)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".json":
        path.write_text(json.dumps(rows))
    elif path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        book.active.append(list(rows[0]))
        for row in rows:
            book.active.append([None if value == "" else value for value in row.values()])
        book.save(path)
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter="\t")
            writer.writeheader()
            writer.writerows(rows)


def predictions(rows: list[dict[str, str]], trial: int) -> list[dict[str, Any]]:
    kept = [{name: value for name, value in row.items() if name != "image"} for row in rows]
    return [{**row, "prediction": REPLIES[(7 * place + trial) % len(REPLIES)]} for place, row in enumerate(kept)]


@pytest.mark.parametrize("suffix", [".xlsx", ".tsv", ".json"])
def test_out_and_in_again_is_as_the_harness_scores_it(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    write_dataset(tmp_path / "data")
    monkeypatch.setenv("MEDQDEG_DATA", str(tmp_path / "data"))
    tsv = tmp_path / "all.tsv"
    assert exit_status(monkeypatch, "export", "--format", "vlmevalkit", "--out", tsv) == 0
    rows = rows_of(tsv)
    assert len(rows) == 36
    files = []
    for trial in range(3):
        files.append(tmp_path / f"M_Set_{trial}{suffix}")
        write(files[-1], predictions(rows, trial))
    assert exit_status(monkeypatch, "import", *files, "--model", "M", "--out", tmp_path / "results") == 0
    records = {
        (record["level"], record["item_id"]): record
        for path in (tmp_path / "results").rglob("*_samples_*.jsonl")
        for record in (json.loads(line)["medqdeg"] for line in path.read_text().splitlines())
    }
    replies = {
        (row["degradation_severity"], row["index"]): [REPLIES[(7 * place + trial) % len(REPLIES)] for trial in range(3)]
        for place, row in enumerate(rows)
    }
    for level in ("L0", "L1", "L2"):
        for doc in hooks.load_items("test", level):
            own = [
                "[LMMS_EVAL_REQUEST_FAILED]" if reply == FAILED else reply for reply in replies[level, doc["item_id"]]
            ]
            record, expected = records.pop((level, doc["item_id"])), score_item(doc, own)
            # The TSV names the clean item; the published layout of this set does not.
            named = ("source_question_id", "source_question_rule", "cluster_id")
            assert {k: v for k, v in record.items() if k not in named} == {
                k: v for k, v in expected.items() if k not in named
            }
    assert not records


def test_the_reference_files_at_equal_letters(reference: Path, tmp_path: Path) -> None:
    files = []
    for name in ("good-test", "simulate-test", "good-dev", "simulate-dev"):
        rows = rows_of(reference / f"MedQ-Robust-{name}.tsv")
        for place, row in enumerate(rows):
            row.pop("image", None)
            letters = [letter for letter in "ABCDE" if row.get(letter, "").strip()]
            row["prediction"] = f"{letters[place % len(letters)]}."
        files.append(rows)
    for split, own in (("test", files[:2]), ("dev", files[2:])):
        for name, rows in zip(("good", "simulate"), own, strict=True):
            write(tmp_path / split / f"M_MedQDEGBench_{name}_{split}.xlsx", rows)
        key, sheets = read_predictions(sorted((tmp_path / split).iterdir()))
        records = score(match(sheets, key), key)
        by_severity = {level: [r["accuracy"] for r in records if r["level"] == level] for level in ("L0", "L1", "L2")}
        for level, found in by_severity.items():
            rows = [row for part in own for row in part if (row["degradation_severity"] or "0").strip("L") == level[1]]
            hits = [theirs(row["prediction"]) == row["answer"].upper() for row in rows]
            assert len(found) == len(hits) > 0
            assert sum(found) == sum(hits)
        (run,) = read_runs([tmp_path / split]).runs
        assert (run.name, run.integration, run.family) == ("M", "VLMEvalKit", "medqdeg" + "_dev" * (split == "dev"))
        assert [record["letters"] for record in run.records] == [
            record["letters"] for record in sorted(records, key=lambda record: (record["level"], record["item_id"]))
        ]


def test_where_its_reader_and_ours_differ_is_what_the_page_says(repository: Path) -> None:
    path = SHARED / "replies.jsonl"
    if not path.is_file():
        pytest.skip(f"the shared replies are not at {path}")
    counts: Counter[str] = Counter()
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        options = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", entry["options"], strict=False))
        ours, found, right = read_answer(entry["reply"], options), theirs(entry["reply"]), entry["expected"]
        found = found if found in options else None  # type: ignore[assignment]
        counts["replies"] += 1
        counts["ours as expected"] += ours == right
        counts["theirs as expected"] += found == right
        counts["a vote where there is no answer"] += right is None and found is not None
        counts["another letter"] += right is not None and found is not None and found != right
        counts["no letter where there is an answer"] += right is not None and found is None
    page = (repository / "docs" / "vlmevalkit.md").read_text(encoding="utf-8")
    for name, count in counts.items():
        assert f"| {name} | {count} |" in page, (name, counts)


@pytest.mark.parametrize(
    "reply", ["I cannot give a definite answer.", "A chest image with an effusion.", "Option b, I think"]
)
def test_examples_of_the_page(reply: str, repository: Path) -> None:
    page = (repository / "docs" / "vlmevalkit.md").read_text(encoding="utf-8")
    options = {"A": "a cyst", "B": "a polyp", "C": "a rib"}
    letter = theirs(reply)
    assert f'| "{reply}" | {letter} | {read_answer(reply, options) or "unread"} |' in page


def test_what_cannot_be_predictions_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(b"\x80\x04N.")
    with pytest.raises(InputError, match="never as pickle"):
        read_predictions([tmp_path / "a.pkl"])
    (tmp_path / "a.tsv").write_text("index\tquestion\tA\tB\tanswer\n1\tq\tx\ty\tA\n")
    with pytest.raises(InputError, match="no column 'prediction'"):
        read_predictions([tmp_path / "a.tsv"])
    (tmp_path / "b.json").write_text("7")
    with pytest.raises(InputError, match="no table in JSON"):
        read_predictions([tmp_path / "b.json"])
