"""Images that were bad when they were taken: items at their level, beside their clean partner, marked in every file."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from medqdeg.utils.analysis.runs.validation import record_fault
from medqdeg.utils.answer_sheets.key import described
from medqdeg.utils.building.item import Skipped
from medqdeg.utils.building.plan.front import readers
from medqdeg.utils.building.plan.planning import BuildRequest
from medqdeg.utils.building.plan.selection import Mix
from medqdeg.utils.building.running import build
from medqdeg.utils.building.sources.own import read
from medqdeg.utils.building.writing import read_rows
from medqdeg.utils.dataset.image_cells import decode_rgb
from medqdeg.utils.dataset.loading import load_level
from medqdeg.utils.dataset.location import LocalFolder
from medqdeg.utils.scoring.records import score_item

from .test_own import row, written

KEYS = {"level": {"column": "how", "values": {"ok": "L0", "poor": "L2"}}, "degradation": "what", "clean": "partner"}
CLEAN = [row(number, how="ok", what="", partner="") for number in range(6)]
BAD = [
    row(6, how="poor", what="gaussian_noise", partner="c1", asked="What is seen in 1?", right="B"),
    row(7, how="degraded", what="", partner="c2"),
    row(8, how="L1", what="motion_blur", partner=""),
    row(9, how="degraded", what="", partner="", file="8.png"),
    row(10, how="poor", what="", partner="c77"),
    row(11, how="terrible", what="", partner=""),
    row(12, how="poor", what="fog", partner=""),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    map_ = written(folder / "mine", *CLEAN, *BAD, **KEYS)
    source = f"own={folder / 'mine/items.csv'}:{map_}"
    request = BuildRequest((source,), mix=Mix(clean_items=None, pairs_per_item=1), series=(0.5,))
    build(request, folder / "set", readers(), tsv=True)
    return folder / "set"


def rows(folder: Path, level: str) -> dict[str, dict[str, Any]]:
    return {row["item_id"]: row for row in read_rows(sorted((folder / "data" / level).glob("*.parquet")))}


def test_they_stand_at_their_level_as_they_are(made: Path) -> None:
    name = "Example Hospital:c{}".format
    found = {level: rows(made, level) for level in ("L0", "L1", "L2")}
    real = {
        key: (level, row["degradation_origin"], row["degradation"], row["clean_id"], row["cluster_id"])
        for level, own in found.items()
        for key, row in own.items()
        if row["degradation_origin"]
    }
    assert real == {
        name(6): ("L2", "real", "gaussian_noise", name(1), name(1)),
        name(7): ("L1", "real, level not known", None, name(2), name(2)),
        name(8): ("L1", "real", "motion_blur", name(8), name(8)),
        name(9): ("L1", "real, level not known", None, name(9), name(8)),  # the image of c8
    }
    assert set(found["L0"]) <= {name(number) for number in range(6)}
    as_given = decode_rgb((made.parent / "mine/pics/6.png").read_bytes())
    assert decode_rgb(found["L2"][name(6)]["images"][0]["bytes"]).tobytes() == as_given.tobytes()
    manifest = json.loads((made / "manifest.json").read_text())
    assert manifest["real"] == {"L1": 3, "L2": 1}
    assert "3 at L1, 1 at L2 are about images that were already bad" in (made / "README.md").read_text()


def test_rows_that_cannot_be_placed_are_listed(made: Path) -> None:
    with (made / "skipped.csv").open(newline="") as file:
        reasons = {line["reason"] for line in csv.DictReader(file)}
    assert {"its clean partner is not in the set", "unknown level", "unknown degradation"} <= reasons


@pytest.mark.parametrize("form", ["parquet", "tsv"])
def test_the_tasks_read_and_record_them(made: Path, form: str, tmp_path: Path) -> None:
    if form == "tsv":
        for path in made.glob("*.tsv"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    location = LocalFolder(made if form == "parquet" else tmp_path)
    docs = {doc["item_id"]: doc for doc in load_level("test", "L1", location)}
    doc = docs["Example Hospital:c7"]
    assert doc["source_question_id"] == "index:Example Hospital:c2"
    record = dict(score_item(doc, ["A", "B"]))
    assert record["degradation_origin"] == "real, level not known"
    assert described(doc)["degradation_origin"] == "real, level not known"
    assert record_fault(record) is None
    others = [doc for key, doc in docs.items() if ":" in key.removeprefix("Example Hospital:")]
    assert others
    assert all("degradation_origin" not in score_item(doc, ["A"]) for doc in others)


def test_series_have_their_severity_as_a_number(made: Path) -> None:
    series = rows(made, "S0.50")
    assert series
    assert {row["severity"] for row in series.values()} == {0.5}
    assert "severity" not in next(iter(rows(made, "L1").values()))
    csv.field_size_limit(2**27)
    with (made / "MedQ-Robust-simulate-test.tsv").open(newline="") as file:
        lines = list(csv.DictReader(file, delimiter="\t"))
    assert {(line["degradation_severity"], line["severity"]) for line in lines} == {
        *(("1", "1.0"), ("2", "2.0"), ("S0.50", "0.5")),
    }
    assert sum(line["degradation_severity"] == "S0.50" for line in lines) == len(series)


def test_a_map_without_levels_reads_as_before(tmp_path: Path) -> None:
    items = [item for item in read(tmp_path / "items.csv", written(tmp_path, *CLEAN)) if not isinstance(item, Skipped)]
    assert [(item.level, item.degradation, item.clean_of) for item in items] == [(None, None, None)] * 6
