"""A set with a series beside L1 and L2: the published files stay, the series is loaded, card and manifest say so."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from medqdeg.degradations import largest_severity, reproduce
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.building.plan.planning import BuildRequest
from medqdeg.utils.building.running import build
from medqdeg.utils.building.writing import read_rows
from medqdeg.utils.command_line.build import _table_and_series
from medqdeg.utils.dataset.image_cells import decode_cell
from medqdeg.utils.dataset.loading import load_level, load_series, without_decoding
from medqdeg.utils.dataset.location import LocalFolder

from .phantom_source import front

SERIES = (0.5, 1.0, 2.0, 2.5)
REQUEST = BuildRequest(("phantoms=8",), part_items=4, dev_share=0.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("series")
    build(REQUEST, folder / "levels", front())
    build(BuildRequest(**{**vars(REQUEST), "series": SERIES}), folder / "series", front())
    return folder


def test_the_published_levels_are_the_same_files(folder: Path) -> None:
    for level in ("L0", "L1", "L2"):
        names = sorted(path.name for path in (folder / "levels/data" / level).glob("*.parquet"))
        assert names
        for name in names:
            one, other = (folder / kind / "data" / level / name for kind in ("levels", "series"))
            assert one.read_bytes() == other.read_bytes()
    assert not list((folder / "levels/data").glob("S*"))


def test_every_pair_is_there_at_all_severities_that_it_reaches(folder: Path) -> None:
    found = defaultdict(set)
    for path in (folder / "series/data").glob("S*/*.parquet"):
        for row in read_rows([path]):
            assert row["level"] == path.parent.name
            found[row["clean_id"], row["degradation"]].add(float(row["level"][1:]))
            assert {record["severity"] for record in json.loads(row["parameters"])} == {row["level"]}
    pairs = {
        (row["clean_id"], row["degradation"]): row["modality"]
        for row in read_rows(sorted((folder / "series/data/L1").glob("*.parquet")))
    }
    assert set(found) == set(pairs)
    for (clean_id, name), severities in found.items():
        end = largest_severity(name, pairs[clean_id, name])
        assert severities == {severity for severity in SERIES if severity <= end}


def test_manifest_and_card_say_so(folder: Path) -> None:
    manifest = json.loads((folder / "series/manifest.json").read_text())
    assert list(manifest["series"]) == ["S0.50", "S1.00", "S2.00", "S2.50"]
    assert manifest["series"]["S0.50"] == manifest["items"]["L1"]
    assert manifest["request"]["series"] == list(SERIES)
    card = (folder / "series/README.md").read_text()
    assert "config_name: S0.50" in card
    assert f"S0.50 ({manifest['series']['S0.50']:,})" in card
    plain = json.loads((folder / "levels/manifest.json").read_text())
    assert "series" not in plain | plain["request"]


def test_it_is_loaded_as_levels_and_as_a_series(folder: Path) -> None:
    location = LocalFolder(folder / "series")
    manifest = json.loads((folder / "series/manifest.json").read_text())
    assert len(load_level("test", "L2", location)) == manifest["items"]["L2"]
    items = without_decoding(load_series("test", location))
    assert Counter(items["level"]) == {"L0": manifest["items"]["L0"], **manifest["series"]}
    clean = {item["item_id"]: item for item in items if item["level"] == "L0"}
    first = next(item for item in items if item["severity"] == 0.5)
    before = clean[first["source_question_id"].removeprefix("index:")]
    (row,) = (row for row in read_rows((folder / "series/data/S0.50").glob("*")) if row["item_id"] == first["item_id"])
    record = json.loads(row["parameters"])[0]
    again = reproduce(np.asarray(decode_cell(before["images"][0])), record)
    assert np.array_equal(again, np.asarray(decode_cell(first["images"][0])))


def test_another_series_is_another_build(folder: Path) -> None:
    with pytest.raises(InputError, match="series"):
        build(REQUEST, folder / "series", front())


def test_a_table_is_told_from_severities() -> None:
    assert _table_and_series(["0.5,1,0", "mine.yaml"]) == (Path("mine.yaml"), (0.5, 1.0))
    assert _table_and_series([]) == (None, ())
    for wrong, said in ((["0.5,x"], "unknown severity"), (["9"], "goes up to 4"), (["a.yaml", "b.yaml"], "two tables")):
        with pytest.raises(InputError, match=said):
            _table_and_series(wrong)
