"""Planned errors against simulated studies, vote noise against enumeration, and the worked example."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from medqdeg.utils.analysis.statistics import planning, signal_world, vote_noise
from medqdeg.utils.analysis.statistics.clustered import clustered_change, clustered_ratio


def test_worked_example() -> None:
    assert planning.standard_error(0.368, 300) == pytest.approx(0.0212, abs=5e-5)
    assert planning.detectable(0.368, 300) == pytest.approx(0.0595, abs=5e-5)
    assert planning.calls(300, 2, 3) == 4500
    assert planning.power(0.368, 300, planning.detectable(0.368, 300)) == pytest.approx(0.8, abs=1e-3)
    needed = planning.questions_needed(0.368, 0.0595)
    assert planning.detectable(0.368, needed) <= 0.0595 < planning.detectable(0.368, needed - 1)


@pytest.mark.parametrize("trials", [2, 3, 5])
def test_vote_noise_is_the_variance_over_all_votes(trials: int) -> None:
    p = np.array([0.5, 0.3, 0.2])
    noise = vote_noise.VoteNoise(*vote_noise.vote_noise(p[None])[:, 0])
    accuracy, gap, chances = [], [], []
    for votes in itertools.product(range(3), repeat=trials):
        counts = np.bincount(votes, minlength=3)
        chances.append(np.prod(p[list(votes)]))
        accuracy.append(counts[0] / trials)
        gap.append((counts * (counts - 1)).sum() / (trials * (trials - 1)) - counts[0] / trials)
    chances = np.array(chances)
    for figure, values in (("accuracy", np.array(accuracy)), ("gap", np.array(gap))):
        variance = chances @ values**2 - (chances @ values) ** 2
        assert noise.at(figure, trials) == pytest.approx(variance)


@pytest.mark.parametrize("trials", [4, 6])
def test_estimated_vote_noise_is_unbiased(trials: int) -> None:
    p = np.array([0.5, 0.3, 0.15, 0.05])  # the last is unread
    total = np.zeros(4)
    for votes in itertools.product(range(4), repeat=trials):
        counts = np.bincount(votes, minlength=4)
        found = vote_noise.estimated_vote_noise(
            counts[None, :3], counts[3:].astype(float), np.array([3]), np.zeros(1, dtype=int)
        )
        total += np.prod(p[list(votes)]) * found[:, 0]
    assert total == pytest.approx(vote_noise.vote_noise(p[None, :3])[:, 0])


def test_one_vote_says_nothing_of_its_noise() -> None:
    found = vote_noise.estimated_vote_noise(np.eye(2), np.zeros(2), np.full(2, 2), np.zeros(2, dtype=int))
    assert np.isnan(found).all()
    few = vote_noise.estimated_vote_noise(np.array([[1.0, 2]]), np.zeros(1), np.array([2]), np.zeros(1, dtype=int))
    assert np.isfinite(few).all()


@pytest.mark.parametrize(("accuracy", "gap"), [((0.7, 0.5), (0.0, 0.1)), ((0.9, 0.6), (0.05, 0.0))])
def test_the_signal_world_has_what_was_assumed(accuracy: tuple[float, float], gap: tuple[float, float]) -> None:
    world = signal_world.signal_world(signal_world.Assumptions(accuracy, gap, options={2: 0.3, 4: 0.7}), 60_000)
    for p, right, over in ((world.clean[0], *_first(accuracy, gap)), (world.degraded[0][0], accuracy[1], gap[1])):
        assert p[:, 0].mean() == pytest.approx(right, abs=0.01)
        assert ((p**2).sum(axis=1) - p[:, 0]).mean() == pytest.approx(over, abs=0.01)
        assert p.sum(axis=1) == pytest.approx(np.ones(len(p)))
    assert (world.clean[0][world.k == 2][:, 2:] == 0).all()


def _first(accuracy: tuple[float, float], gap: tuple[float, float]) -> tuple[float, float]:
    return accuracy[0], gap[0]


def test_what_no_model_has_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no model has accuracy 0.9 with an agreement gap of 0.4"):
        signal_world.signal_world(signal_world.Assumptions((0.9, 0.5), (0.4, 0.0)), 1000)


ASSUMED = signal_world.Assumptions((0.7, 0.5), (0.02, 0.1))


@pytest.mark.parametrize("trials", [2, 3, 10])
def test_planned_errors_are_those_of_simulated_studies(trials: int) -> None:
    unit, _ = planning.world_unit(signal_world.signal_world(ASSUMED, 100_000))
    questions, studies = 200, 120
    world = signal_world.signal_world(ASSUMED, questions * studies, seed=9)
    found = {"accuracy": [], "gap": []}
    for study in range(studies):
        for figure, change in _changes(world, slice(study * questions, (study + 1) * questions), trials, study).items():
            found[figure].append(change.estimate[0])
    for figure, values in found.items():
        assert planning.standard_error(unit.at(figure, trials), questions) == pytest.approx(np.std(values), rel=0.2)


def test_two_models_share_what_a_question_is() -> None:
    one, two = planning.world_unit(signal_world.signal_world(ASSUMED, 40_000, models=2))
    assert two is not None
    for figure in ("accuracy", "gap"):
        assert one.at(figure, 10) < two.at(figure, 10) < math.sqrt(2) * 1.05 * one.at(figure, 10)
    assert math.isnan(one.at("gap", 1))


def test_a_pilot_foretells_other_numbers_of_trials() -> None:
    unit, _ = planning.world_unit(signal_world.signal_world(ASSUMED, 100_000))
    questions = 84
    world = signal_world.signal_world(ASSUMED, questions * 30, seed=4)
    ratios: dict[tuple[str, int], list[float]] = {}
    for study in range(30):
        part = slice(study * questions, (study + 1) * questions)
        changes = _changes(world, part, 5, study)
        d = world.degradations[part]
        clusters = np.concatenate([np.arange(questions), np.repeat(np.arange(questions), d)])
        counts = _votes(world, part, 5, study)
        noise = vote_noise.estimated_vote_noise(
            counts, np.zeros(len(counts)), np.full(len(counts), 4), np.zeros(len(counts), dtype=int)
        )
        clean = np.arange(len(clusters)) < questions
        errors = {figure: float(change.error[0]) for figure, change in changes.items()}
        pilot = planning.pilot_unit(errors, questions, 5, noise, clean, ~clean, clusters)
        for figure, trials in itertools.product(errors, (3, 5, 20)):
            ratios.setdefault((figure, trials), []).append(pilot.at(figure, trials) / unit.at(figure, trials))
    for key, found in ratios.items():
        assert np.median(found) == pytest.approx(1, abs=0.08), key


def _votes(world: signal_world.World, part: slice, trials: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng([seed, trials])
    d = world.degradations[part]
    degraded = np.stack([p[part] for p in world.degraded[0]], axis=1)
    rows = [degraded[question, version] for question in range(len(d)) for version in range(d[question])]
    return rng.multinomial(trials, np.concatenate([world.clean[0][part], np.array(rows)])).astype(float)


def _changes(world: signal_world.World, part: slice, trials: int, seed: int) -> dict[str, object]:
    counts, d = _votes(world, part, trials, seed), world.degradations[part]
    questions = len(d)
    owner = np.repeat(np.arange(questions), d)
    accuracy = counts[:, 0] / trials
    gap = (counts * (counts - 1)).sum(axis=1) / (trials * (trials - 1)) - accuracy
    found = {}
    for figure, values in (("accuracy", accuracy), ("gap", gap)):
        later = np.bincount(owner, weights=values[questions:], minlength=questions)
        found[figure] = clustered_change(
            clustered_ratio((values[:questions] * d)[None], d[None].astype(float)),
            clustered_ratio(later[None], d[None].astype(float)),
        )
    return found
