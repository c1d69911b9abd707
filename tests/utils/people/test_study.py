"""Desk C from answers to runs that are analysed beside models, with simulated readers."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from medqdeg.utils.analysis.analyse import analyse
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.people.exporting import export
from medqdeg.utils.people.items import ItemSet
from medqdeg.utils.people.opening import DeskRequest, open_sitting

from .made_set import item_set, read_all

Mind = Callable[[Mapping[str, Any]], tuple[str, int]]
"""A simulated reader: from the item, the answer known, to letter and confidence."""

LIMIT = 60


@pytest.fixture(scope="module")
def items() -> ItemSet:
    return item_set(70, degradations=1, side=6)


def knows(share: float, seed: int) -> Mind:
    """Right with this probability, and says so."""
    rng = random.Random(seed)

    def mind(doc: Mapping[str, Any]) -> tuple[str, int]:
        wrong = [letter for letter in doc["letters"] if letter != doc["answer"]]
        return (doc["answer"] if rng.random() < share else rng.choice(wrong)), round(100 * share)

    return mind


def guesses(seed: int) -> Mind:
    rng = random.Random(seed)
    return lambda doc: (rng.choice(doc["letters"]), round(100 / len(doc["letters"])))


def study(
    items: ItemSet, path: Path, reader: str, mind: Mind, sessions: tuple[int, ...] = (1, 2, 3), seed: int = 0
) -> Path:
    for session in sessions:
        request = DeskRequest("study", reader, limit=LIMIT, session=session, seed=seed)
        sitting, _ = open_sitting(request, items, path, clock=lambda month=session: datetime(2026, 2 * month, 3))

        def answer(position: int, phase: str, sitting: Any = sitting) -> Mapping[str, Any]:
            trial = sitting.trials[position]
            letter, confidence = mind(items.doc(trial.level, trial.item_id))
            flagged = trial.level == "L2"
            return {"letter": letter, "confidence": confidence, "not_diagnostic": flagged, "seconds": 6.5}

        read_all(sitting, answer)
        sitting.close()
        sitting.store.close()
    return path


def records_of(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line)["medqdeg"] for path in run.glob("*samples*") for line in path.read_text().splitlines()]


def test_three_readers_become_four_runs(items: ItemSet, tmp_path: Path) -> None:
    minds = {"R1": knows(1.0, 1), "R2": knows(0.75, 2), "R3": guesses(3)}
    stores = [study(items, tmp_path / f"{reader}.sqlite", reader, mind) for reader, mind in minds.items()]
    text = "\n".join(export(stores, tmp_path / "out", items))
    assert "3 readers, 540 answers: 4 runs" in text
    assert "R1, session 1: 60 of 60 answered; the same letter again 3 of 3" in text
    runs = {path.name: path for path in (tmp_path / "out" / "runs").iterdir()}
    assert set(runs) == {"Reader__R1", "Reader__R2", "Reader__R3", "Panel__of__3__readers"}
    perfect = records_of(runs["Reader__R1"])
    assert len(perfect) == 180
    assert {record["accuracy"] for record in perfect} == {1.0}
    assert {(record["respondent"], *record["reader"]) for record in perfect} == {("person", "R1")}
    assert {tuple(record["session"]) for record in perfect} == {(1,), (2,), (3,)}
    assert {record["not_diagnostic"][0] for record in perfect if record["level"] == "L2"} == {True}
    assert {record["seconds"][0] for record in perfect} <= {6.5}
    panel = records_of(runs["Panel__of__3__readers"])
    assert len(panel) == 180
    assert {tuple(record["reader"]) for record in panel} == {("R1", "R2", "R3")}
    singles = {
        (record["level"], record["item_id"], name): record["letters"][0]
        for name in ("R1", "R2", "R3")
        for record in records_of(runs[f"Reader__{name}"])
    }
    for record in panel:
        assert record["letters"] == [singles[record["level"], record["item_id"], name] for name in record["reader"]]


def test_the_runs_are_analysed_as_models_are(items: ItemSet, tmp_path: Path) -> None:
    stores = [study(items, tmp_path / f"R{n}.sqlite", f"R{n}", knows(0.8, n)) for n in (1, 2)]
    export(stores, tmp_path / "out", items)
    collection = read_runs([tmp_path / "out" / "runs"])
    assert len(collection.runs) == 3
    analysis = analyse(collection, replicates=50)
    assert analysis is not None
    with (tmp_path / "out" / "imrmc.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    right = [int(row["score"]) for row in rows if row["readerID"] == "Reader R1" and row["score"] != "0.5"]
    accuracy = [record["accuracy"] for record in records_of(tmp_path / "out" / "runs" / "Reader__R1")]
    assert sum(right) == sum(accuracy)
    with pytest.raises(InputError, match="is there already"):
        export(stores, tmp_path / "out", items)


@pytest.mark.slow
def test_a_guesser_who_says_so_has_no_shift(tmp_path: Path) -> None:
    """4,320 answers: the standard error of the shift is .007."""
    many = item_set(LIMIT, degradations=1, side=6)
    readers = [f"R{number}" for number in range(1, 25)]
    stores = [study(many, tmp_path / f"{reader}.sqlite", reader, guesses(n)) for n, reader in enumerate(readers)]
    export(stores, tmp_path / "out", many)
    records = [record for reader in readers for record in records_of(tmp_path / "out" / "runs" / f"Reader__{reader}")]
    shifts = [record["calibration_shift"] for record in records]
    assert len(shifts) == 4320
    assert abs(sum(shifts) / len(shifts)) < 0.02


def test_one_session_has_no_panel_and_says_why(items: ItemSet, tmp_path: Path) -> None:
    stores = [study(items, tmp_path / f"R{n}.sqlite", f"R{n}", knows(0.9, n), sessions=(1,)) for n in (1, 2, 3)]
    text = "\n".join(export(stores, tmp_path / "out", items))
    assert "no run of a panel" in text
    assert len(list((tmp_path / "out" / "runs").iterdir())) == 3


def test_practice_and_repeats_count_nowhere(items: ItemSet, tmp_path: Path) -> None:
    store = study(items, tmp_path / "a.sqlite", "R1", knows(0.9, 1), sessions=(1,))
    export([store], tmp_path / "out", items)
    assert len(records_of(tmp_path / "out" / "runs" / "Reader__R1")) == LIMIT
    with (tmp_path / "out" / "answers.csv").open(newline="") as file:
        roles = [row["role"] for row in csv.DictReader(file)]
    assert (roles.count("practice"), roles.count("repeat"), roles.count("main")) == (10, 3, LIMIT)


def test_the_set_is_needed_and_must_be_the_one(items: ItemSet, tmp_path: Path) -> None:
    store = study(items, tmp_path / "a.sqlite", "R1", knows(0.9, 1), sessions=(1,))
    with pytest.raises(InputError, match="--data"):
        export([store], tmp_path / "out")
    with pytest.raises(InputError, match="not the set that was read"):
        export([store], tmp_path / "out", item_set(69, degradations=1, side=6))
    assert not (tmp_path / "out").exists()


def test_the_next_session_waits_28_days(items: ItemSet, tmp_path: Path) -> None:
    path = study(items, tmp_path / "a.sqlite", "R1", knows(0.9, 1), sessions=(1,))
    request = DeskRequest("study", "R1", limit=LIMIT)

    def on(day: date, wanted: DeskRequest = request, answers: int = 0) -> int:
        clock = datetime.combine(day, datetime.min.time())
        sitting, _ = open_sitting(wanted, items, path, clock=lambda: clock)
        read_all(sitting, lambda *_: {"letter": "A", "confidence": 50}, most=answers)
        sitting.store.close()
        return sitting.session

    with pytest.raises(InputError, match=r"27 days ago.*wait 28"):
        on(date(2026, 3, 2))
    overridden = DeskRequest("study", "R1", limit=LIMIT, washout_overridden="leaves on Friday")
    assert on(date(2026, 3, 2), overridden) == 2
    assert on(date(2026, 3, 3)) == 2
    sitting, _ = open_sitting(request, items, path, clock=lambda: datetime(2026, 3, 4))
    opened = [event.content() for event in sitting.store.events() if event.kind == "open" and event.session == 2]
    sitting.store.close()
    assert opened[0]["washout_overridden"] == "leaves on Friday"
    assert opened[1]["days_since"] == 28
    assert on(date(2026, 3, 2), overridden, answers=2) == 2
    assert on(date(2026, 3, 2)) == 2  # begun, it goes on
