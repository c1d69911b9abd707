"""The note on replies that are all equal: raised where nothing was sampled, not where a model is certain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from medqdeg.utils.scoring.identical_replies import sampling_suspicion

OPTIONS = "ABCD"
TRIALS = 10


def _record(letters: list[str], texts: list[str] | None = None) -> dict[str, Any]:
    return {"letters": letters, "trials": len(letters), "distinct_replies": len(set(texts or letters))}


def _sampling_world(rng: np.random.Generator, items: int, certain: float) -> list[dict[str, Any]]:
    """A model that is certain of some items (probability 0.9999) and draws the others from a distribution."""
    records = []
    for _ in range(items):
        sure = np.full(4, 1e-4 / 3)
        sure[0] = 1 - 1e-4
        shares = sure if rng.random() < certain else rng.dirichlet(np.ones(4))
        records.append(_record(list(rng.choice(list(OPTIONS), TRIALS, p=shares / shares.sum()))))
    return records


def _greedy_world(rng: np.random.Generator, items: int, noise: float) -> list[dict[str, Any]]:
    """A model that does not sample: one reply per item, and now and then a batch that changes some trials."""
    records = []
    for _ in range(items):
        first, second = rng.choice(list(OPTIONS), 2, replace=False)
        changed = rng.integers(1, TRIALS) if rng.random() < noise else 0
        records.append(_record([second] * changed + [first] * (TRIALS - changed)))
    return records


@pytest.mark.parametrize("items", [84, 408, 5000])
@pytest.mark.parametrize("certain", [0.0, 0.4, 0.6, 0.75])
def test_a_model_that_samples_and_is_certain_of_most_items_is_not_suspected(items: int, certain: float) -> None:
    suspected = sum(
        sampling_suspicion(_sampling_world(np.random.default_rng([7, seed]), items, certain)) is not None
        for seed in range(40 if items < 1000 else 4)
    )
    assert suspected == 0


@pytest.mark.parametrize("items", [20, 84, 408, 5000])
@pytest.mark.parametrize("noise", [0.0, 0.002, 0.02])
def test_an_integration_that_does_not_sample_is_suspected(items: int, noise: float) -> None:
    worlds = 40 if items < 1000 else 4
    suspected = sum(
        sampling_suspicion(_greedy_world(np.random.default_rng([8, seed]), items, noise)) is not None
        for seed in range(worlds)
    )
    assert suspected >= 0.95 * worlds


def test_at_the_largest_noise_the_suspicion_holds_but_for_the_stated_level() -> None:
    worlds = [_greedy_world(np.random.default_rng([9, seed]), 200, 0.05) for seed in range(400)]
    missed = sum(sampling_suspicion(world) is None for world in worlds)
    assert missed <= 400 * 0.01 + 3 * (400 * 0.01 * 0.99) ** 0.5


def test_the_note_says_how_probable() -> None:
    note = sampling_suspicion([_record(["B"] * 10)] * 39 + [_record(["B"] * 9 + ["A"])])
    assert note is not None
    assert "identical on 39 of 40 items, and the votes differ on 1" in note
    assert "p = 0.87" in note  # 1 - 0.95 ** 40


def test_one_trial_or_texts_that_differ_say_nothing() -> None:
    assert sampling_suspicion([_record(["B"])] * 50) is None
    assert sampling_suspicion([]) is None
    texts = [f"because {number}, B" for number in range(10)]
    assert sampling_suspicion([_record(["B"] * 10, texts)] * 50) is None
