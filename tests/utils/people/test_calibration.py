"""Desk B from ratings to a table that degrades as strongly as readers said, with simulated readers."""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medqdeg.degradations import degrade, load_severities, physical_dose
from medqdeg.utils.people.exporting import export
from medqdeg.utils.people.items import ItemSet
from medqdeg.utils.people.opening import DeskRequest, open_sitting
from medqdeg.utils.people.verifying import verify

from .made_set import item_set, picture, read_all

CUTS = (0.5, 1.4, 2.2)
"""Where the simulated readers, on average, begin to see, are hampered, and give up."""


@pytest.fixture(scope="module")
def items() -> ItemSet:
    return item_set(24, side=24)


def rates(items: ItemSet, path: Path, reader: str, seed: int, careless: bool = False) -> Path:
    """A simulated reader whose thresholds lie a little beside the others'."""
    sitting, _ = open_sitting(DeskRequest("calibrate", reader, cells=("gaussian_noise:CT",)), items, path)
    rng = random.Random(seed)
    own = rng.gauss(0, 0.1)
    of_image = {trial.item_id: random.Random(trial.item_id).gauss(0, 0.1) for trial in sitting.trials}

    def answer(position: int, phase: str) -> Mapping[str, Any]:
        trial = sitting.trials[position]
        s = trial.s or 0.0
        noise = math.log(1 / max(rng.random(), 1e-9) - 1) / 4
        at = s + own + of_image[trial.item_id] + noise
        rating = sum(at > cut for cut in CUTS) if s else 0
        return {"rating": rng.randrange(4) if careless else rating, "seconds": 4.0}

    read_all(sitting, answer)
    sitting.close()
    sitting.store.close()
    return path


def test_three_readers_give_a_table(items: ItemSet, tmp_path: Path) -> None:
    stores = [rates(items, tmp_path / f"R{n}.sqlite", f"R{n}", n) for n in (1, 2, 3)]
    text = "\n".join(export(stores, tmp_path / "out"))
    assert "3 readers, 288 ratings" in text
    written = (tmp_path / "out" / "severities.yaml").read_text()
    for line in ("75% see a change at", "non-diagnostic at", "L1 = "):
        assert line in text
        assert line in written
    assert all(verify(store).head in written for store in stores)
    table = load_severities(tmp_path / "out" / "severities.yaml")
    paper = load_severities()
    sigma = [table.lookup("gaussian_noise", level, "CT")["relative_sigma"].value for level in ("L1", "L2")]
    assert 0 < sigma[0] < sigma[1]
    # The readers' 75% of "seen" lies .27 beyond their cut (slope 4), L2 midway between 1.4 and 2.2 or below.
    for level, s, off in (("L1", CUTS[0] + math.log(3) / 4, 0.2), ("L2", 1.8, 0.5)):
        low, high = (physical_dose("gaussian_noise", max(0.05, at), "CT").value for at in (s - off, s + off))
        value = table.lookup("gaussian_noise", level, "CT")["relative_sigma"].value
        assert low < value < high
    assert table.lookup("gaussian_noise", "L1", "MRI") == paper.lookup("gaussian_noise", "L1", "MRI")
    assert table.lookup("gaussian_blur", "L1", "CT") == paper.lookup("gaussian_blur", "L1", "CT")
    image = np.repeat(picture(5, 96)[..., None], 3, axis=2)
    made = degrade(image, "gaussian_noise", 1, seed="a", modality="CT", severities=tmp_path / "out" / "severities.yaml")
    assert made.shape == image.shape
    with (tmp_path / "out" / "ratings.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 288


def test_two_readers_or_a_careless_one_give_none(items: ItemSet, tmp_path: Path) -> None:
    stores = [rates(items, tmp_path / f"R{n}.sqlite", f"R{n}", n) for n in (1, 2)]
    text = "\n".join(export(stores, tmp_path / "two"))
    assert "2 readers: a severity table needs 3" in text
    assert not (tmp_path / "two" / "severities.yaml").exists()
    assert (tmp_path / "two" / "ratings.csv").exists()
    careless = rates(items, tmp_path / "R3.sqlite", "R3", 3, careless=True)
    text = "\n".join(export([*stores, careless], tmp_path / "three"))
    assert "more than 20% of the catch trials wrong (R3 9 of 20)" in text
    assert not (tmp_path / "three" / "severities.yaml").exists()
