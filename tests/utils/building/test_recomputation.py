"""Every item of a build taken from its source's files once more, by other code: `csv`, `json`, `base64` and Pillow.

Nothing of the package's readers has a part in what is expected here.
"""

from __future__ import annotations

import base64
import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medqdeg.utils.building.plan.front import readers
from medqdeg.utils.building.plan.planning import BuildRequest
from medqdeg.utils.building.plan.selection import Mix
from medqdeg.utils.building.running import build
from medqdeg.utils.building.writing import read_rows

from .layouts import PlainItem, write_gmai, write_medxpertqa, write_omnimedvqa, zipped
from .samples import picture

EACH = 170
LETTERS = "ABCDE"
FAST = {"object_rotation": 1, "reduce_contrast": 1, "exposure": 1}


@dataclass(frozen=True)
class Expected:
    """An item as its source's file has it."""

    question: str
    options: list[str]
    answer: str
    pixels: list[np.ndarray]


def plain_items(source: str, label: str) -> list[PlainItem]:
    rng = np.random.default_rng(len(source))
    made = []
    for number in range(EACH):
        k = int(rng.integers(2, 6 if source != "omnimedvqa" else 5))
        several = int(rng.integers(1, 5)) if source == "medxpertqa" else 1
        made.append(
            PlainItem(
                item_id=f"{source}-{number}",
                question=f"{source}: what is number {number}?",
                options=tuple(f"finding {each} of {number}" for each in rng.permutation(9)[:k]),
                answer=int(rng.integers(k)),
                modality=("CT", "MRI", "X-ray", "Ultrasound", "Dermoscopy")[number % 5],
                label=label,
                images=tuple(picture(10_000 * len(source) + 10 * number + place, 32) for place in range(several)),
            )
        )
    return made


def pixels_of(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


def gmai_expected(folder: Path) -> dict[str, Expected]:
    csv.field_size_limit(2**27)
    found = {}
    with (folder / "GMAI-MMBench_VAL.tsv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            options = [row[letter] for letter in LETTERS if row[letter] not in ("", "None")]
            pixels = [pixels_of(base64.b64decode(row["image"]))]
            found[f"GMAI-MMBench:{row['index']}"] = Expected(row["question"], options, row["answer"], pixels)
    return found


def omnimedvqa_expected(folder: Path) -> dict[str, Expected]:
    found = {}
    for path in (folder / "QA_information" / "Open-access").glob("*.json"):
        for entry in json.loads(path.read_text()):
            options = [entry[f"option_{letter}"] for letter in LETTERS if f"option_{letter}" in entry]
            pixels = [pixels_of((folder / entry["image_path"]).read_bytes())]
            answer = LETTERS[options.index(entry["gt_answer"])]
            found[f"OmniMedVQA:{entry['question_id']}"] = Expected(entry["question"], options, answer, pixels)
    return found


def medxpertqa_expected(folder: Path) -> dict[str, Expected]:
    found = {}
    for line in (folder / "MM" / "test.jsonl").read_text().splitlines():
        row = json.loads(line)
        options = row["options"]
        if isinstance(options, dict):
            texts, label, names = list(options.values()), row["label"], row["images"]
        else:
            texts = [each["content"] for each in options]
            (label,), names = row["label"], [each["image_path"].removeprefix("images/") for each in row["images"]]
        stem = row["question"].partition("\nAnswer Choices: ")[0]
        pixels = [pixels_of((folder / "images" / name).read_bytes()) for name in names]
        found[f"MedXpertQA:{row['id']}"] = Expected(stem, texts, label, pixels)
    return found


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    write_gmai(folder / "gmai", plain_items("gmai", "Disease Diagnosis"))
    unpacked = write_omnimedvqa(folder / "omnimedvqa", plain_items("omnimedvqa", "Lesion Grading"))
    zipped(unpacked, folder / "OmniMedVQA.zip")
    write_medxpertqa(folder / "medxpertqa", plain_items("medxpertqa", "Diagnosis / Reasoning"), layout=2)
    return folder


def request_for(sources: Path, seed: int) -> BuildRequest:
    mix = Mix(clean_items=None, pairs_per_item=1, degradations=FAST)
    names = (
        f"gmai={sources / 'gmai'}",
        f"omnimedvqa={sources / 'OmniMedVQA.zip'}",
        f"medxpertqa={sources / 'medxpertqa'}",
    )
    return BuildRequest(names, seed=seed, mix=mix, dev_share=0.1)


@pytest.fixture(scope="module")
def built_set(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("recomputed") / "set"
    build(request_for(sources, 0), out, readers())
    return out


def rows_of(out: Path, level: str) -> dict[str, dict]:
    return {row["item_id"]: row for row in read_rows(sorted((out / "data" / level).glob("*.parquet")))}


def test_items_are_those_of_the_sources(sources: Path, built_set: Path) -> None:
    expected = {
        **gmai_expected(sources / "gmai"),
        **omnimedvqa_expected(sources / "omnimedvqa"),
        **medxpertqa_expected(sources / "medxpertqa"),
    }
    found = rows_of(built_set, "L0")
    assert set(found) == set(expected)
    assert len(found) == 3 * EACH >= 500
    for name, item in expected.items():
        row = found[name]
        assert (row["question"], row["options"], row["answer"]) == (item.question, item.options, item.answer), name
        shown = [pixels_of(image["bytes"]) for image in row["images"]]
        assert len(shown) == len(item.pixels), name
        assert all(np.array_equal(one, other) for one, other in zip(shown, item.pixels, strict=True)), name


def test_degraded_items_keep_all_but_their_pixels(built_set: Path) -> None:
    clean = rows_of(built_set, "L0")
    for level in ("L1", "L2"):
        degraded = rows_of(built_set, level)
        assert {row["clean_id"] for row in degraded.values()} == set(clean)
        for row in degraded.values():
            own = clean[row["clean_id"]]
            for column in ("question", "options", "answer", "modality", "skill", "source", "cluster_id", "licence"):
                assert row[column] == own[column]
            assert len(row["images"]) == len(own["images"])
            assert any(one["bytes"] != other["bytes"] for one, other in zip(row["images"], own["images"], strict=True))


def test_the_seed_changes_what_it_should(sources: Path, built_set: Path, tmp_path: Path) -> None:
    """Of all items taken: not the clean ones, but the splits, the degradations and every draw."""
    build(request_for(sources, 1), tmp_path / "set", readers())
    here, there = (rows_of(out, "L0") for out in (built_set, tmp_path / "set"))
    assert set(here) == set(there)
    for name, row in here.items():
        assert {**row, "parameters": ""} == {**there[name], "parameters": ""}
    splits = [
        {row["item_id"] for row in read_rows(sorted((out / "data/L0").glob("dev-*")))}
        for out in (built_set, tmp_path / "set")
    ]
    assert len(splits[0]) == len(splits[1]) == round(0.1 * 3 * EACH)
    assert splits[0] != splits[1]
    here, there = (rows_of(out, "L2") for out in (built_set, tmp_path / "set"))
    assert set(here) != set(there)
    both = set(here) & set(there)
    drawn = [name for name in both if here[name]["degradation"] == "object_rotation"]
    assert len(drawn) > 20
    same = sum(here[name]["images"] == there[name]["images"] for name in drawn)
    assert same < len(drawn) / 10
