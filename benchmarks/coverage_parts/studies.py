"""Does a planned study find what it was planned for, and how far is a subset from the whole benchmark?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from medqdeg.utils.analysis.statistics import planning
from medqdeg.utils.analysis.statistics.signal_world import Assumptions, signal_world
from medqdeg.utils.dataset.subset_plan import Question, subset

from .batches import drawn_levels, matched_pairs
from .worlds import Drawn

CLEAN_ITEMS, PAIRS = 4_306, 10_294
"""MedQ-Deg's clean items, and its degraded ones at each level."""

STUDIES: Mapping[str, tuple[Assumptions, int, int]] = {
    "K 4, 300 questions, T 3": (Assumptions((0.70, 0.62), (0.02, 0.08)), 300, 3),
    "K 4, 300 questions, T 10": (Assumptions((0.70, 0.64), (0.02, 0.07)), 300, 10),
    "K 2, 150 questions, T 5": (Assumptions((0.85, 0.75), (0.0, 0.08), options={2: 1.0}), 150, 5),
    "K 5, 84 questions, T 10": (Assumptions((0.60, 0.45), (0.05, 0.15), options={5: 1.0}), 84, 10),
    "rho .9, 200 questions, T 2": (Assumptions((0.65, 0.57), (0.0, 0.1), rho=0.9), 200, 2),
}


@dataclass
class Power:
    """Predicted and simulated shares of studies whose 95% interval of the change excludes 0."""

    predicted: float
    simulated: float


def powers(name: str, studies: int, seed: int) -> dict[str, Power]:
    """Return figure -> power of one of `STUDIES`."""
    assumptions, questions, trials = STUDIES[name]
    unit, _ = planning.world_unit(signal_world(assumptions, 100_000))
    rng = np.random.default_rng(seed)
    numbers, shares = zip(*assumptions.degradations.items(), strict=True)
    versions = rng.choice(numbers, p=shares, size=questions)
    drawn = _as_drawn(assumptions, studies, versions, seed)
    clean, degraded = drawn_levels(drawn, "votes", trials, rng)
    found = {}
    accuracy, gap = matched_pairs(clean, degraded, versions)
    for figure, change, effect in (
        ("accuracy", accuracy, assumptions.accuracy[1] - assumptions.accuracy[0]),
        ("gap", gap, assumptions.gap[1] - assumptions.gap[0]),
    ):
        predicted = planning.power(unit.at(figure, trials), questions, effect)
        found[figure] = Power(predicted, float(np.mean(change.p_values() < 0.05)))
    return found


def _as_drawn(assumptions: Assumptions, studies: int, versions: np.ndarray, seed: int) -> Drawn:
    questions = len(versions)
    world = signal_world(assumptions, studies * questions, seed)
    shape = (studies, questions, -1)
    clean = world.clean[0].reshape(shape)
    degraded = np.stack([p.reshape(shape) for p in world.degraded[0]], axis=2)
    owner = np.repeat(np.arange(questions), versions)
    number = np.concatenate([np.arange(count) for count in versions])
    refusal = np.zeros((studies, questions)), np.zeros((studies, len(owner)))
    return Drawn((clean, degraded[:, owner, number]), refusal, versions)


def subset_errors(share: float, trials: int, runs: int, seed: int) -> dict[str, float]:
    """Return L0, L2, change -> the size within which 95% of the errors of a subset's accuracy lie.

    The benchmark is as large as MedQ-Deg; what a subset with T votes says is held against the accuracy of the whole
    with infinitely many. Each run is another model, with other questions.
    """
    rng = np.random.default_rng(seed)
    errors: dict[str, list[float]] = {"L0": [], "L2": [], "change": []}
    assumptions = Assumptions((0.65, 0.5), (0.03, 0.1), 0.8, {2: 0.15, 3: 0.1, 4: 0.55, 5: 0.2})
    world = signal_world(assumptions, CLEAN_ITEMS * runs, seed)
    for run in range(runs):
        part = slice(run * CLEAN_ITEMS, (run + 1) * CLEAN_ITEMS)
        number = 1 + rng.multinomial(PAIRS - CLEAN_ITEMS, np.full(CLEAN_ITEMS, 1 / CLEAN_ITEMS)).clip(max=2)
        clean = world.clean[0][part]
        versions = np.stack([p[part] for p in world.degraded[0]], axis=1)
        # Six tasks that explain about an eighth of the variance between questions.
        ease = clean[:, 0] + rng.normal(0, 0.8, CLEAN_ITEMS)
        task = np.digitize(ease, np.quantile(ease, np.arange(1, 6) / 6))
        questions = [
            Question(f"{seed}-{run}-{place}", f"task {task[place]}", tuple("abc"[: number[place]]))
            for place in range(CLEAN_ITEMS)
        ]
        chosen = subset(questions, share)
        rows = np.array([int(one.question_id.rpartition("-")[2]) for one in chosen])
        version = np.array(["abc".index(one.degradation) for one in chosen])
        weight = np.array([one.weight for one in chosen], dtype=float)
        first = rng.multinomial(trials, clean[rows])[:, 0] / trials
        last = rng.multinomial(trials, versions[rows, version])[:, 0] / trials
        present = np.arange(3) < number[:, None]
        truth = clean[:, 0].mean(), versions[..., 0][present].mean()
        matched = np.average(clean[:, 0], weights=number)
        errors["L0"].append(first.mean() - truth[0])
        errors["L2"].append(np.average(last, weights=weight) - truth[1])
        errors["change"].append(np.average(last - first, weights=weight) - (truth[1] - matched))
    return {name: float(np.quantile(np.abs(values), 0.95)) for name, values in errors.items()}
