"""Plans: the same everywhere, nothing too close together, and a study that is counterbalanced exactly."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest

from medqdeg.degradations import largest_severity
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.people.items import ItemSet
from medqdeg.utils.people.opening import DeskRequest, plan_of
from medqdeg.utils.people.planning import REVIEW_GAP, STUDY_GAP, cells_of, trials_of
from medqdeg.utils.people.plans import spread, trials_sha256, with_repeats

from .made_set import DEGRADATIONS, item_set


@pytest.fixture(scope="module")
def items() -> ItemSet:
    return item_set(90)


def test_a_review_shows_every_pair_once_with_repeats_and_sentinels_apart(items: ItemSet) -> None:
    plan = plan_of(DeskRequest("review", "R1"), items)
    orders = []
    for reader in ("R1", "R2", "R3"):
        trials = trials_of(plan, items, reader, 1)
        assert [trial.position for trial in trials] == list(range(len(trials)))
        roles = Counter(trial.role for trial in trials)
        assert roles == {"main": 180, "sentinel": 9, "repeat": 9}
        mains = [(trial.item_id, trial.degradation) for trial in trials if trial.role == "main"]
        assert sorted(mains) == sorted((f"q{number}", name) for number in range(90) for name in DEGRADATIONS)
        assert Counter(trial.detail for trial in trials if trial.role == "sentinel") == {"unchanged": 5, "destroyed": 4}
        for trial in trials:
            if trial.role == "repeat":
                assert trial.repeat_of is not None
                first = trials[trial.repeat_of]
                assert replace(first, position=trial.position, role="repeat", repeat_of=first.position) == trial
                assert trial.position - first.position >= REVIEW_GAP
        places: dict[str, int] = {}
        near = 0
        for trial in trials:
            near += trial.position - places.get(trial.item_id, -REVIEW_GAP) < REVIEW_GAP
            places[trial.item_id] = trial.position
        assert near <= 2  # only where nothing else is left at the end
        orders.append(mains)
    assert orders[0] != orders[1] != orders[2]


def test_three_sessions_cross_every_question_with_every_level_for_every_reader(items: ItemSet) -> None:
    plan = plan_of(DeskRequest("study", "R1", limit=60), items)
    seen: dict[str, Counter[tuple[str, str]]] = {}
    for reader in ("R1", "R2", "R3"):
        levels: dict[str, list[str]] = {}
        for session in (1, 2, 3):
            trials = trials_of(plan, items, reader, session)
            mains = [trial for trial in trials if trial.role == "main"]
            assert len(mains) == 60
            assert Counter(trial.level for trial in mains) == {"L0": 20, "L1": 20, "L2": 20}
            questions = [items.doc(trial.level, trial.item_id)["cluster_id"] for trial in mains]
            assert len(set(questions)) == 60  # no cluster twice in a session
            practice = [trial for trial in trials if trial.role == "practice"]
            assert len(practice) == (10 if session == 1 else 0)
            assert not {items.doc(one.level, one.item_id)["cluster_id"] for one in practice} & set(questions)
            for question, trial in zip(questions, mains, strict=True):
                levels.setdefault(question, []).append(trial.level)
            repeats = [trial for trial in trials if trial.role == "repeat"]
            assert len(repeats) == 3
            for trial in repeats:
                assert trial.repeat_of is not None
                assert trial.position - trial.repeat_of >= STUDY_GAP
                assert (trials[trial.repeat_of].item_id, trials[trial.repeat_of].level) == (trial.item_id, trial.level)
        assert {tuple(sorted(each)) for each in levels.values()} == {("L0", "L1", "L2")}
        for question, each in levels.items():
            seen.setdefault(question, Counter()).update((str(place), level) for place, level in enumerate(each))
    # In every session, the three readers see the three levels of each question.
    assert {count for counter in seen.values() for count in counter.values()} == {1}


def test_a_calibration_rates_every_step_with_catch_trials(items: ItemSet) -> None:
    plan = plan_of(DeskRequest("calibrate", "R1", cells=("gaussian_noise:CT", "MRI")), items)
    cells = [tuple(cell) for cell in plan.config["cells"]]
    assert ("gaussian_noise", "CT") in cells
    assert ("bias_field", "MRI") in cells
    trials = trials_of(plan, items, "R1", 1)
    own = [one for one in trials if (one.degradation, one.modality) == ("gaussian_noise", "CT")]
    assert len({one.item_id for one in own}) == 4
    of_one = [one for one in own if one.item_id == own[0].item_id]
    assert sorted(one.s or 0 for one in of_one if one.role == "main") == [round(0.15 * n, 2) for n in range(1, 21)]
    assert Counter(one.s for one in of_one if one.role == "catch") == {0.0: 2, 3.0: 2}
    for one in trials:
        assert one.s is not None
        assert one.s <= largest_severity(str(one.degradation), one.modality)
    assert sum(a.item_id == b.item_id for a, b in itertools.pairwise(trials)) <= 2


def test_cells_that_are_not_there_are_named(items: ItemSet) -> None:
    for text, said in (("noise", "give DEGRADATION"), ("gaussian_noise:Dermoscopy", "no such cell"), ("CT:CT", "give")):
        with pytest.raises(InputError, match=said):
            cells_of(items, [text])
    with pytest.raises(InputError, match="needs its cells"):
        plan_of(DeskRequest("calibrate", "R1"), items)
    with pytest.raises(InputError, match="reader's number"):
        trials_of(plan_of(DeskRequest("study", "R"), items), items, "R", 1)
    with pytest.raises(InputError, match="--session 4"):
        trials_of(plan_of(DeskRequest("study", "R1"), items), items, "R1", 4)


_ELSEWHERE = """
import sys
sys.path.insert(0, sys.argv[1])
from tests.utils.people.made_set import item_set
from medqdeg.utils.people.opening import DeskRequest, plan_of
from medqdeg.utils.people.planning import trials_of
from medqdeg.utils.people.plans import trials_sha256
items = item_set(12)
plan = plan_of(DeskRequest("review", "R7", seed=4), items)
print(plan.sha256, trials_sha256(trials_of(plan, items, "R7", 1)))
"""


def test_another_process_makes_the_same_plan(repository: object) -> None:
    items = item_set(12)
    plan = plan_of(DeskRequest("review", "R7", seed=4), items)
    own = f"{plan.sha256} {trials_sha256(trials_of(plan, items, 'R7', 1))}"
    done = subprocess.run(
        [sys.executable, "-c", _ELSEWHERE, str(repository)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[0] == own


def test_spreading_and_repeating() -> None:
    entries = [f"{group}{number}" for group in "abcdef" for number in range(4)]
    order = spread(entries, lambda entry: entry[0], 5)
    assert sorted(order) == sorted(entries)
    places = {group: [place for place, entry in enumerate(order) if entry[0] == group] for group in "abcdef"}
    assert all(b - a >= 5 for own in places.values() for a, b in itertools.pairwise(own))
    singles = list("abcdefghij")
    out = with_repeats(singles, 3, 8, lambda _: True, str, str, 1)
    placed = {again: {entry: place for place, (entry, each) in enumerate(out) if each == again} for again in (0, 1)}
    assert len(placed[1]) == 3
    assert all(place - placed[0][entry] >= 8 for entry, place in placed[1].items())
    assert [entry for entry, again in out if not again] == singles
    assert with_repeats(singles, 3, 40, lambda _: True, str, str, 1) == [(one, False) for one in singles]
