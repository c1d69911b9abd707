"""Items that share images: what connects them, in which split they lie, and how the cluster reaches the analysis."""

from __future__ import annotations

import io
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from medqdeg.utils.analysis.item_table import item_table
from medqdeg.utils.building.layout import MANIFEST
from medqdeg.utils.building.plan.clusters import account_of, cluster_names, connected, dev_items, picture_key
from medqdeg.utils.building.plan.front import readers
from medqdeg.utils.building.plan.planning import BuildRequest
from medqdeg.utils.building.plan.selection import Mix
from medqdeg.utils.building.running import build
from medqdeg.utils.building.writing import read_rows
from medqdeg.utils.dataset.loading import load_level
from medqdeg.utils.dataset.location import LocalFolder
from medqdeg.utils.scoring.records import score_item

from ..record_examples import document
from .layouts import write_gmai, write_medxpertqa
from .samples import picture, plain, source_item

LEVELS = ("L0", "L1", "L2")


def test_connected_by_any_image_and_through_others() -> None:
    pictures = [("a",), ("b", "c"), ("d",), ("c", "e"), ("e",), ("a", "f"), ("g",)]
    assert connected(pictures) == [0, 1, 2, 1, 1, 0, 3]
    assert connected([]) == []
    found = account_of(pictures, connected(pictures))
    assert found == {
        "items": 7,
        "clusters": 4,
        "shared_images": 3,
        "items_with_shared_images": 5,
        "largest_cluster": 3,
    }
    assert cluster_names(["y", "b", "x", "a", "c", "z", "w"], connected(pictures)) == [
        "y",
        "a",
        "x",
        "a",
        "a",
        "y",
        "w",
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=3), max_size=14))
def test_clusters_are_the_closure_of_sharing(pictures: list[list[int]]) -> None:
    keys = [[str(each) for each in item] for item in pictures]
    pairs = list(itertools.product(range(len(keys)), repeat=2))
    reached = {(one, other) for one, other in pairs if set(keys[one]) & set(keys[other])}
    for middle in range(len(keys)):  # Warshall's closure
        reached |= {(one, other) for one, other in pairs if {(one, middle), (middle, other)} <= reached}
    found = connected(keys)
    assert {(one, other) for one, other in pairs if found[one] == found[other]} == reached


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3, 1.0])
def test_the_dev_split_takes_whole_clusters_and_no_more_than_its_share(share: float) -> None:
    items = [source_item(number, b"") for number in range(60)]
    clusters = [number // 3 if number < 30 else number for number in range(60)]
    dev = dev_items(items, clusters, share, 0)
    assert len(dev) <= round(share * 60) <= len(dev) + 2
    assert {clusters[place] for place in dev}.isdisjoint(clusters[place] for place in set(range(60)) - dev)
    assert share in (0.0, 1.0) or dev != dev_items(items, clusters, share, 1)
    assert dev == {59 - place for place in dev_items(items[::-1], clusters[::-1], share, 0)}


def test_equal_pixels_count_whatever_holds_them() -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    colour = np.repeat(grey[..., None], 3, axis=2)
    opaque = np.dstack([colour, np.full((16, 16), 255, np.uint8)])
    keys = {picture_key(Image.fromarray(each)) for each in (grey, colour, opaque)}
    assert len(keys) == 1
    other = colour.copy()
    other[0, 0, 0] ^= 1
    assert picture_key(Image.fromarray(other)) not in keys
    see_through = opaque.copy()
    see_through[0, 0, 3] = 9
    assert picture_key(Image.fromarray(see_through)) not in keys


def as_bmp(data: bytes) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(data)).save(buffer, "BMP")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set in which every second image serves two questions of two sources, as another file in each."""
    folder = tmp_path_factory.mktemp("shared")
    gmai = write_gmai(folder / "g", [plain(number) for number in range(16)])
    others = [
        plain(
            number,
            item_id=f"other-{number}",
            question=f"Another question {number}?",
            label="Diagnosis / Reasoning",
            images=(as_bmp(picture(number)), picture(100 + number // 4)),
        )
        for number in range(0, 16, 2)
    ]
    medx = write_medxpertqa(folder / "m", others)
    mix = Mix(clean_items=None, pairs_per_item=1, degradations={"object_rotation": 1, "gaussian_noise": 1})
    request = BuildRequest((f"gmai={gmai}", f"medxpertqa={medx}"), mix=mix, dev_share=0.4, part_items=8)
    build(request, folder / "set", readers(), tsv=True)
    return folder / "set"


def rows_of(out: Path, level: str, split: str) -> list[dict]:
    return list(read_rows(sorted((out / "data" / level).glob(f"{split}-*.parquet"))))


def test_dev_and_test_share_no_image(shared: Path) -> None:
    held = {
        split: {
            picture_key(Image.open(io.BytesIO(image["bytes"])))
            for row in rows_of(shared, "L0", split)
            for image in row["images"]
        }
        for split in ("dev", "test")
    }
    assert held["dev"]
    assert held["dev"].isdisjoint(held["test"])


def test_the_card_and_the_manifest_say_how_many_images_are_shared(shared: Path) -> None:
    """8 images serve a question of each source; 4 more serve the two or so neighbours of the second source."""
    found = json.loads((shared / MANIFEST).read_text())["leakage"]["shared_images"]
    assert found["items"] == 24
    assert found["shared_images"] == 8 + 4
    assert found["items_with_shared_images"] == 16
    assert found["clusters"] == 8 + 4
    assert found["largest_cluster"] == 4
    assert "12 images serve 16 of the 24 planned clean items" in (shared / "README.md").read_text()


def test_the_cluster_reaches_the_loader_by_both_layouts(shared: Path, tmp_path: Path) -> None:
    for path in shared.glob("*.tsv"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    written = {row["item_id"]: row["cluster_id"] for level in LEVELS for row in rows_of(shared, level, "test")}
    for level in LEVELS:
        for folder in (shared, tmp_path):
            items = load_level("test", level, LocalFolder(folder))
            loaded = dict(zip(items["item_id"], items["cluster_id"], strict=True))
            assert loaded == {name: f"index:{written[name]}" for name in loaded}
    clean = rows_of(shared, "L0", "test")
    assert len({row["cluster_id"] for row in clean}) < len(clean)


def test_a_set_of_an_earlier_version_clusters_by_source_question(shared: Path, tmp_path: Path) -> None:
    import pyarrow.parquet

    for path in (shared / "data").rglob("*.parquet"):
        older = tmp_path / path.relative_to(shared)
        older.parent.mkdir(parents=True, exist_ok=True)
        pyarrow.parquet.write_table(pyarrow.parquet.read_table(path).drop_columns("cluster_id"), older)
    items = load_level("test", "L1", LocalFolder(tmp_path))
    assert items["cluster_id"][:] == items["source_question_id"][:]


def doc(level: str, number: int, cluster: str) -> dict[str, Any]:
    names = {"source_question_id": f"q{number}", "cluster_id": cluster}
    return document(item_id=f"{level}-{number}", level=level, **names)


def test_the_analysis_resamples_clusters_and_matches_source_questions() -> None:
    records = [
        dict(score_item(doc(level, number, cluster), ["A", "B"]))
        for level in ("L0", "L2")
        for number, cluster in enumerate(("one", "one", "two"))
    ]
    table = item_table(records)
    assert [table.cluster_ids[place] for place in table.clusters] == ["one", "one", "two"] * 2
    assert [table.question_ids[place] for place in table.questions] == ["q0", "q1", "q2"] * 2
    for each in records:
        del each["cluster_id"]
    assert item_table(records).cluster_ids == item_table(records).question_ids
