"""Suites over a series of severities: what is in the files, and that each item's series is one draw."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medqdeg.degradations import largest_severity, reproduce
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.phantoms.cache import make_suite

ITEMS = 14
SEVERITIES = (0.5, 1.0, 2.0, 2.5, 3.0)


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_suite(tmp_path_factory.mktemp("suite") / "series", items=ITEMS, seed=5, severities=(0, *SEVERITIES))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_each_degradation_is_there_at_all_severities_that_it_reaches(suite: Path) -> None:
    degraded = rows(suite / "MedQ-Robust-simulate-test.tsv")
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in degraded:
        assert row["degradation_severity"] == f"S{float(row['severity']):.2f}"
        found[row["source_index"], row["degradation_type"]].append(float(row["severity"]))
    assert len(found) == 2 * ITEMS
    for (_, name), severities in found.items():
        assert sorted(severities) == [severity for severity in SEVERITIES if severity <= largest_severity(name)]
    assert {name for _, name in found} & {"object_rotation", "ghosting"}
    clean = rows(suite / "MedQ-Robust-good-test.tsv")
    assert len(clean) == ITEMS
    assert "severity" not in clean[0]


def test_images_are_those_of_the_library_and_of_one_draw(suite: Path) -> None:
    drawn: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows(suite / "MedQ-Robust-simulate-test.tsv"):
        record = json.loads(row["parameters"])
        assert record["severity"] == row["degradation_severity"]
        for key in {"centre", "noise_seed", "coefficients"} & set(record["parameters"]):
            drawn[row["source_index"], row["degradation_type"]].add(str(record["parameters"][key]))
    assert drawn
    assert all(len(each) == 1 for each in drawn.values())
    for row in rows(suite / "MedQ-Robust-simulate-test.tsv")[::17]:
        (path,) = suite.rglob(f"{row['source_index']}.png")
        again = reproduce(np.asarray(Image.open(path)), json.loads(row["parameters"]))
        assert np.array_equal(again, np.asarray(Image.open(suite / row["image_path"])))


def test_the_clean_items_are_those_of_the_published_severities(suite: Path, tmp_path: Path) -> None:
    other = make_suite(tmp_path / "levels", items=ITEMS, seed=5)
    name = "MedQ-Robust-good-test.tsv"
    assert (suite / name).read_bytes() == (other / name).read_bytes()


@pytest.mark.parametrize("severities", [(0,), (5,), (0, 4.5)])
def test_severities_that_no_degradation_reaches_are_refused(tmp_path: Path, severities: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="go up to 4"):
        make_suite(tmp_path / "no", items=1, severities=severities)
    assert not (tmp_path / "no").exists()
