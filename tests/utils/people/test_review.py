"""Desk A from the first verdict to the table that `medqdeg build --review` reads, with simulated readers."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.building.make.degrading import DegradedPair, MadeImage
from medqdeg.utils.building.make.gate import Limits, judge, read_review
from medqdeg.utils.people.decisions import tied_pairs
from medqdeg.utils.people.exporting import export
from medqdeg.utils.people.items import ItemSet
from medqdeg.utils.people.opening import DeskRequest, open_sitting
from medqdeg.utils.people.plans import SENTINEL, Trial
from medqdeg.utils.people.sentinels import KINDS, spoilt

from .made_set import item_set, picture, read_all

Judge = Callable[[Trial], str]


@pytest.fixture(scope="module")
def items() -> ItemSet:
    return item_set(20)


def review(items: ItemSet, path: Path, reader: str, judge: Judge, **more: Any) -> Path:
    """A simulated reader says of every pair what `judge` says."""
    sitting, _ = open_sitting(DeskRequest("review", reader, **more), items, path)

    def answer(position: int, phase: str) -> Mapping[str, Any]:
        if phase == "blind":
            return {"answerable": "unsure", "seconds": 3.0}
        return {"verdict": judge(sitting.trials[position]), "seconds": 5.0, "note": "=1+1", "affected": "L2"}

    read_all(sitting, answer)
    sitting.close()
    sitting.store.close()
    return path


def careful(trial: Trial) -> str:
    """Sees what is broken, and takes the noise of every fourth question for too strong."""
    if trial.role == SENTINEL:
        return "too weak" if trial.detail == "unchanged" else "no longer answerable"
    return "too strong" if trial.degradation == "gaussian_noise" and int(trial.item_id[1:]) % 4 == 0 else "keep"


def always_keep(trial: Trial) -> str:
    return "keep"


def test_three_readers_decide_and_the_build_reads_it(items: ItemSet, tmp_path: Path) -> None:
    stores = [
        review(items, tmp_path / "R1.sqlite", "R1", careful),
        review(items, tmp_path / "R2.sqlite", "R2", careful),
        review(items, tmp_path / "R3.sqlite", "R3", always_keep),
    ]
    lines = export(stores, tmp_path / "out")
    text = "\n".join(lines)
    assert "40 pairs, 3 readers (R1, R2, R3): 35 kept, 5 out, 0 tied" in text
    for wanted in ("AC1", "Fleiss kappa", "Krippendorff alpha", 'specific agreement on "out"', "AC2"):
        assert wanted in text
    # Of R1 and R3: P_a = 35/40, pi = 5/80, so that kappa is (.875 - .8828) / .1172.
    assert "two by two (kappa): R1 and R2 1.00, R1 and R3 -0.07, R2 and R3 -0.07" in text
    assert "changed on the way" not in text
    assert "R1: 40 pairs; sentinels refused 2 of 2" in text
    assert "R3: 40 pairs; sentinels refused 0 of 2" in text
    decisions = read_review(tmp_path / "out" / "review.csv")
    wanted_out = {(f"q{number}", "gaussian_noise") for number in (0, 4, 8, 12, 16)}
    assert {pair for pair, decision in decisions.items() if decision == "exclude"} == wanted_out
    assert len(decisions) == 40
    with (tmp_path / "out" / "review.csv").open(newline="") as file:
        rows = {(row["item_id"], row["degradation"]): row for row in csv.DictReader(file)}
    assert rows["q0", "gaussian_noise"]["verdicts"] == "too strong: 2; keep: 1"
    assert rows["q0", "gaussian_noise"]["notes"].startswith("'=1+1")  # no formula
    with (tmp_path / "out" / "votes.csv").open(newline="") as file:
        votes = list(csv.DictReader(file))
    assert len(votes) == 3 * (40 + 2 + 2)
    assert {row["answerable"] for row in votes} == {"unsure"}
    assert (tmp_path / "out" / "agreement.txt").read_text().splitlines() == lines


def test_who_always_keeps_is_caught_by_twenty_sentinels(tmp_path: Path) -> None:
    """20 sentinels are those of 400 pairs: 200 questions with two degradations."""
    many = item_set(200, side=6)
    sloppy = review(many, tmp_path / "a.sqlite", "R1", always_keep, fast=True)
    good = review(many, tmp_path / "b.sqlite", "R2", careful, fast=True)
    text = "\n".join(export([sloppy, good], tmp_path / "out"))
    assert "R1: 400 pairs; sentinels refused 0 of 20 [0.00, 0.17]" in text
    assert "R1 kept pairs that were made to fail" in text
    assert "R2 kept pairs" not in text


def test_who_changes_on_the_way_is_named(items: ItemSet, tmp_path: Path) -> None:
    def drifting(trial: Trial) -> str:
        return "too strong" if trial.position > 22 else "keep"

    store = review(items, tmp_path / "a.sqlite", "R1", drifting, fast=True)
    text = "\n".join(export([store], tmp_path / "out"))
    assert "R1 changed on the way, though the order is random: out in " in text


def test_ties_go_to_an_adjudicator_who_sees_only_them(items: ItemSet, tmp_path: Path) -> None:
    stores = [
        review(items, tmp_path / "R1.sqlite", "R1", careful),
        review(items, tmp_path / "R2.sqlite", "R2", always_keep),
    ]
    text = "\n".join(export(stores, tmp_path / "out"))
    assert "35 kept, 0 out, 5 tied" in text
    assert len(read_review(tmp_path / "out" / "review.csv")) == 35  # what is tied is left to the gate
    for reader in ("R1", "R2"):
        with pytest.raises(InputError, match="cannot adjudicate"):
            tied_pairs(stores, reader)
    pairs = tied_pairs(stores, "R9")
    assert pairs == [(f"q{number}", "gaussian_noise") for number in (0, 12, 16, 4, 8)]
    judged = review(
        items, tmp_path / "R9.sqlite", "R9", lambda trial: "keep" if trial.item_id == "q4" else "too weak", pairs=pairs
    )
    text = "\n".join(export([*stores, judged], tmp_path / "out"))
    assert "36 kept, 4 out, 0 tied" in text
    assert read_review(tmp_path / "out" / "review.csv")["q4", "gaussian_noise"] == "keep"
    with pytest.raises(InputError, match="no pair is tied"):
        tied_pairs([stores[0]], "R9")


def test_stores_that_do_not_belong_together(items: ItemSet, tmp_path: Path) -> None:
    first = review(items, tmp_path / "a.sqlite", "R1", careful)
    other = review(items, tmp_path / "b.sqlite", "R2", careful, seed=1)
    with pytest.raises(InputError, match="different plans"):
        export([first, other], tmp_path / "out")
    same = review(items, tmp_path / "c.sqlite", "R1", careful)
    with pytest.raises(InputError, match="both hold R1"):
        export([first, same], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_changed_store_is_not_exported(items: ItemSet, tmp_path: Path) -> None:
    from .test_store import tampered

    path = review(items, tmp_path / "a.sqlite", "R1", careful)
    tampered(path, "UPDATE event SET body = replace(body, 'too strong', 'too weak')")
    with pytest.raises(InputError, match="was changed after it was written"):
        export([path], tmp_path / "out")


@pytest.mark.parametrize("kind", KINDS)
def test_the_gate_refuses_every_sentinel(kind: str) -> None:
    """They fail by construction: no limit of the gate lets them pass, on phantoms as on noise."""
    from PIL import Image

    from medqdeg.utils.phantoms.planning import plan_suite
    from medqdeg.utils.phantoms.suite import draw_phantom

    pictures = [picture(3, 96), *(draw_phantom(item, 0).image for item in plan_suite(7, 0, "balanced"))]
    for grey in pictures:
        clean = np.repeat(grey[..., None], 3, axis=2) if grey.ndim == 2 else grey
        made = spoilt(clean, kind)
        assert made.shape == clean.shape
        assert made.dtype == np.uint8
        images = (MadeImage(Image.fromarray(made), b"", {}, ""),)
        pair = DegradedPair("gaussian_noise", {"L1": images, "L2": images})
        assert judge((MadeImage(Image.fromarray(clean), b"", {}, ""),), pair, Limits()).decision == "exclude"


def test_a_build_takes_what_the_readers_decided(tmp_path: Path) -> None:
    from medqdeg.utils.building.plan.planning import BuildRequest
    from medqdeg.utils.building.running import build
    from medqdeg.utils.dataset.loading import load_level
    from medqdeg.utils.dataset.location import LocalFolder
    from medqdeg.utils.dataset.taxonomy import LEVELS

    from ..building.phantom_source import front

    out, wanted = tmp_path / "set", BuildRequest(("phantoms=6",), part_items=6)

    def loaded() -> ItemSet:
        return ItemSet({level: load_level("test", level, LocalFolder(out)) for level in LEVELS})

    build(wanted, out, front())
    before = loaded()
    unwanted = before.pairs()[1]

    def judges(trial: Trial) -> str:
        return (
            "too strong" if (trial.item_id, trial.degradation) == (unwanted.item_id, unwanted.degradation) else "keep"
        )

    stores = [review(before, tmp_path / f"{reader}.sqlite", reader, judges, fast=True) for reader in ("R1", "R2", "R3")]
    export(stores, tmp_path / "review")
    build(wanted, out, front(), review=tmp_path / "review" / "review.csv")
    assert {pair.name for pair in before.pairs()} - {pair.name for pair in loaded().pairs()} == {unwanted.name}
