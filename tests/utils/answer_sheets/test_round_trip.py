"""Exported, answered by what was exported alone, imported: the same as the harness's scoring of the same answers."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from PIL import Image

from medqdeg.tasks import hooks
from medqdeg.utils.analysis.analyse import analyse
from medqdeg.utils.analysis.json_document import document as json_document
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.dataset.taxonomy import LEVELS
from medqdeg.utils.report.content import SCOPE

from ...command_line.calling import exit_status
from ...small_dataset import write_dataset
from ..run_files import write_run

TRIALS = 4
FAILED = "[LMMS_EVAL_REQUEST_FAILED] the connection broke"


def pixels(image: Image.Image) -> bytes:
    return np.asarray(image.convert("RGB")).tobytes()


def reply(prompt: str, images: list[bytes], trial: int) -> str | None:
    """What the system answers, from what it sees: a letter, a text, prose that says nothing, or nothing at all."""
    digest = hashlib.sha256(b"".join([prompt.encode(), *images, bytes([trial])])).digest()
    letters = [line[0] for line in prompt.splitlines() if line[1:3] == ". " and line[0] in "ABCDE"]
    letter = letters[digest[0] % len(letters)]
    return (
        f"The answer is {letter}.",
        letter,
        letter.lower(),
        f"**{letter}**",
        "I cannot tell from this image.",
        None,
    )[min(digest[1] // 40, 5)]


def of_the_csv(folder: Path) -> Iterator[tuple[dict[str, str], str, list[bytes]]]:
    with (folder / "sheet.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row, row["prompt"], [pixels(Image.open(folder / name)) for name in row["image"].split()]


def answered_csv(folder: Path, out: Path) -> list[Path]:
    path = out / "answers.csv"
    with path.open("w", encoding="cp1252", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["Durchgang", "Fall", "Antwort", "Bemerkung"])
        for row, prompt, images in of_the_csv(folder):
            writer.writerow([row["trial"], row["item"], reply(prompt, images, int(row["trial"])) or "", "schön; oder"])
    return [path]


def answered_excel(folder: Path, out: Path) -> list[Path]:
    book = openpyxl.load_workbook(folder / "sheet.xlsx")
    sheet = book.worksheets[0]
    names = [cell.value for cell in sheet[1]]
    for row in sheet.iter_rows(min_row=2):
        cells = dict(zip(names, row, strict=True))
        images = [pixels(Image.open(folder / name)) for name in cells["image"].value.split()]
        cells["answer"].value = reply(cells["prompt"].value, images, cells["trial"].value)
    book.save(out / "filled in.xlsx")
    return [out / "filled in.xlsx"]


def answered_batch(folder: Path, out: Path) -> list[Path]:
    lines = []
    for line in (folder / "requests.jsonl").read_text(encoding="utf-8").splitlines():
        request = json.loads(line)
        *shown, text = request["body"]["messages"][0]["content"]
        images = [pixels(Image.open(folder / part["image_url"]["url"])) for part in shown]
        said = reply(text["text"], images, int(request["custom_id"].rpartition("-t")[2]))
        answer: dict[str, Any] = {"custom_id": request["custom_id"], "error": None, "response": None}
        if said is None:
            answer["error"] = {"code": "batch_expired", "message": "expired"}
        else:
            body = {"choices": [{"message": {"role": "assistant", "content": said}}]}
            answer["response"] = {"status_code": 200, "body": body}
        lines.append(json.dumps(answer))
    path = out / "batch_output.jsonl"
    path.write_text("\n".join(reversed(lines)))
    return [path]


def answered_files(folder: Path, out: Path) -> list[Path]:
    """One file per trial, without a column of trials."""
    rows = list(of_the_csv(folder))
    paths = []
    for trial in range(1, TRIALS + 1):
        path = out / f"trial{trial}.jsonl"
        own = [
            (row["item"], reply(prompt, images, trial)) for row, prompt, images in rows if row["trial"] == str(trial)
        ]
        path.write_text("".join(json.dumps({"item": item, "reply": said}) + "\n" for item, said in own))
        paths.append(path)
    return paths


def of_the_harness(split: str) -> dict[str, list[dict[str, Any]]]:
    levels: dict[str, list[dict[str, Any]]] = {}
    for level in LEVELS:
        for doc in hooks.load_items(split, level):
            prompt, images = hooks.doc_to_text(doc), [pixels(image) for image in hooks.doc_to_visual(doc)]
            replies = [reply(prompt, images, trial) or FAILED for trial in range(1, TRIALS + 1)]
            levels.setdefault(level, []).append(hooks.process_results(doc, replies)["medqdeg"])
    return levels


def imported(folder: Path) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {
        (record["level"], record["item_id"]): record
        for path in folder.rglob("*_samples_*.jsonl")
        for record in (json.loads(line)["medqdeg"] for line in path.read_text().splitlines())
    }


def check(
    split: str,
    arguments: list[object],
    answer: Callable[[Path, Path], list[Path]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> int:
    carried, kept = tmp_path / "carried", tmp_path / "key.json"
    done = exit_status(
        monkeypatch, "export", "--out", carried, "--key", kept, "--split", split, "--trials", TRIALS, *arguments
    )
    assert done == 0
    files = answer(carried, tmp_path)
    done = exit_status(
        monkeypatch, "import", *files, "--items", kept, "--model", "Vendor X", "--out", tmp_path / "results"
    )
    assert done == 0
    levels = of_the_harness(split)
    expected = {(level, record["item_id"]): record for level, own in levels.items() for record in own}
    found = imported(tmp_path / "results")
    assert found == expected
    write_run(tmp_path / "harness", levels, model="Vendor X")
    ours, theirs = (
        json_document(analyse(read_runs([tmp_path / name]), 100, scope=SCOPE))["runs"][0]
        for name in ("results", "harness")
    )
    for part in ("levels", "changes", "dunning_kruger", "cliffs"):
        assert ours[part] == theirs[part]
    return len(found)


@pytest.mark.parametrize("answer", [answered_csv, answered_excel, answered_batch, answered_files])
def test_a_small_set_by_every_kind_of_sheet(
    answer: Callable[[Path, Path], list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    write_dataset(tmp_path / "data")
    monkeypatch.setenv("MEDQDEG_DATA", str(tmp_path / "data"))
    assert check("test", [], answer, tmp_path, monkeypatch) == 36


@pytest.mark.slow
def test_the_phantoms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check("phantom_small", [], answered_csv, tmp_path, monkeypatch) == 408


def test_nothing_that_leaves_tells_the_level(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    write_dataset(tmp_path / "data")
    arguments = ("export", "--data", tmp_path / "data", "--trials", 2)
    for name in ("one", "again"):
        assert exit_status(monkeypatch, *arguments, "--out", tmp_path / name) == 0
    assert exit_status(monkeypatch, *arguments, "--seed", 1, "--out", tmp_path / "other") == 0
    key = json.loads((tmp_path / "one.key.json").read_text())
    for path in sorted((tmp_path / "one").rglob("*")):
        if path.is_file() and path.suffix != ".xlsx":  # a zip file with the hour in it
            assert path.read_bytes() == (tmp_path / "again" / path.relative_to(tmp_path / "one")).read_bytes()
        for word in ("L0", "L1", "L2", "gaussian_noise", "motion_blur", "low_resolution"):
            assert word not in path.name
            assert path.suffix == ".png" or not path.is_file() or word.encode() not in path.read_bytes()
    text = (tmp_path / "one" / "sheet.csv").read_text()
    assert not set(key["items"]) & set(json.loads((tmp_path / "other.key.json").read_text())["items"])
    levels = [key["items"][code]["level"] for code in key["items"]]
    assert levels != sorted(levels)
    orders = [[row["item"] for row in csv.DictReader(io.StringIO(text)) if row["trial"] == trial] for trial in "12"]
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1]) == sorted(key["items"])


def test_images_carry_nothing_but_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL.PngImagePlugin import PngInfo

    from medqdeg.utils.answer_sheets.export import Wish, export

    from ..record_examples import document

    info = PngInfo()
    info.add_text("PatientName", "Doe^Jane")
    exif = Image.Exif()
    exif[0x010E] = "Doe^Jane"
    image = Image.fromarray(np.random.default_rng(3).integers(0, 256, (20, 30, 3), dtype=np.uint8))
    file = io.BytesIO()
    image.save(file, "PNG", pnginfo=info, exif=exif, icc_profile=b"Doe^Jane profile")
    assert file.getvalue().count(b"Doe^Jane") == 2  # and the compressed profile
    doc = document(images=[{"bytes": file.getvalue(), "path": None}], cluster_id="c")
    wish = Wish("medqdeg", "votes", 1, 0, "")
    export([doc], lambda doc: doc["question"], tmp_path / "out", tmp_path / "key.json", wish)
    (path,) = (tmp_path / "out" / "images").iterdir()
    written = Image.open(path)
    assert written.info == {}
    assert pixels(written) == pixels(image)
    assert {path.read_bytes()[place + 4 : place + 8] for place in _chunks(path.read_bytes())} == {
        b"IHDR",
        b"IDAT",
        b"IEND",
    }


def _chunks(data: bytes) -> Iterator[int]:
    place = 8
    while place < len(data):
        yield place
        place += 12 + int.from_bytes(data[place : place + 4], "big")
