"""Do s50, R and the verdict on cliffs keep their promise? Simulated models whose curves are known.

    nice python benchmarks/severity_curves.py [--runs 400] [--part tuned|held-out]

A world is the share of the accuracy above chance that is left at severity s, and how items lose it: `steps`, each item
at a severity of its own, the same for half of a source question's items; `graded`, all items alike; `wavering`, as
steps, but a quarter of the items forget and recall from severity to severity. K is mixed from 2 to 5, source questions
have one to three items, T = 10 votes. s50 is compared with that of straight lines through the true accuracies at the
grid's severities ("lines"), which is what is estimated, and with that of the true curve ("curve").

`tuned` are the worlds on which the rules were made (what a steep step leaves open came of the last of them); nothing
was changed after `held-out` had been run.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from medqdeg.utils.analysis.statistics.bootstrap import ClusterBootstrap
from medqdeg.utils.analysis.statistics.cliffs import Shape, shape
from medqdeg.utils.analysis.statistics.clustered import clustered_ratio, effective_number
from medqdeg.utils.analysis.statistics.falling_curves import crossings
from medqdeg.utils.analysis.statistics.trusted import accuracy_holds, largest_held

GRID = np.array([0, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3])
SEED = 20261128
TRIALS = 10
MARGIN = 0.05


def logistic(centre: float, width: float, floor: float = 0.0) -> Callable[[np.ndarray], np.ndarray]:
    """A cliff: all but `floor` is lost around a centre."""
    return lambda s: floor + (1 - floor) * (1 + np.exp(-centre / width)) / (1 + np.exp((s - centre) / width))


@dataclass(frozen=True)
class World:
    """A known curve and how items follow it.

    Attributes:
        left: severity -> share of the accuracy above chance that is left; 1 at 0.
        items: "steps", "graded" or "wavering".
        known: accuracy above chance at 0, as a share of what there is above chance.
        cliff: whether the true R is above 0.5 (moderate ones included).
    """

    left: Callable[[np.ndarray], np.ndarray]
    items: str = "steps"
    known: float = 0.8
    cliff: bool = False


TUNED: Mapping[str, World] = {
    "linear": World(lambda s: 1 - 0.3 * s),
    "quadratic": World(lambda s: 1 - 0.1 * s**2),
    "sharp cliff": World(logistic(1.3, 0.08), cliff=True),
    "moderate cliff": World(logistic(1.5, 0.25), cliff=True),
    "early collapse": World(lambda s: np.exp(-s / 0.7)),
    "sharp cliff, floor": World(logistic(2.2, 0.1, 0.3), "wavering", 0.7, cliff=True),
}
HELD_OUT: Mapping[str, World] = {
    "linear, graded": World(lambda s: 1 - 0.25 * s, "graded", 0.7),
    "linear, wavering": World(lambda s: 1 - 0.33 * s, "wavering", 0.6),
    "quadratic, graded": World(lambda s: 1 - 0.11 * s**2, "graded", 0.9),
    "quadratic, wavering": World(lambda s: 1 - 0.2 * s**2 * (s < 2) - 0.8 * (s >= 2), "wavering"),
    "power 1.5": World(lambda s: 1 - 0.18 * s**1.5, "steps", 0.65),
    "sharp cliff, graded": World(logistic(0.85, 0.05), "graded", cliff=True),
    "sharp cliff, high floor": World(logistic(1.83, 0.06, 0.4), "steps", 0.6, cliff=True),
    "sharp cliff, early": World(logistic(0.6, 0.04, 0.1), "wavering", 0.75, cliff=True),
    "flat, then a line": World(lambda s: 1 - np.clip((s - 1) / 1.5, 0, 1), "wavering", cliff=True),
    "hardly any": World(lambda s: 1 - 0.03 * s, "wavering"),
}


def draw(world: World, questions: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return (n, S) accuracies from T votes and (n,) source questions, with (n,) chances in the last column."""
    cluster = np.repeat(np.arange(questions), rng.integers(1, 4, questions))
    number = len(cluster)
    chance = 1 / rng.integers(2, 6, number)
    left = world.left(GRID)

    def shared(size: int) -> np.ndarray:
        own, of_question = rng.random((number, size)), rng.random((questions, size))[cluster]
        return np.where(rng.random((number, 1)) < 0.5, of_question, own)

    able = shared(1) < world.known
    if world.items == "graded":
        p = chance[:, None] + (1 - chance[:, None]) * world.known * left
    else:
        limit = np.repeat(shared(1), len(GRID), axis=1)
        if world.items == "wavering":
            limit = np.where(rng.random((number, 1)) < 0.25, rng.random((number, len(GRID))), limit)
        knows = able & (limit < left)
        p = np.where(knows, 1.0, chance[:, None])
    return np.column_stack([rng.binomial(TRIALS, p) / TRIALS, chance]), cluster


def judged(world: World, questions: int, rng: np.random.Generator, replicates: int) -> tuple[Shape, float]:
    """Return the shape of one simulated curve, and the severity up to which it is trusted (-1: not established)."""
    values, cluster = draw(world, questions, rng)
    sums = np.zeros((questions, values.shape[1]))
    np.add.at(sums, cluster, values)
    sizes = np.bincount(cluster, minlength=questions).astype(float)
    draws = ClusterBootstrap(questions, replicates, int(rng.integers(2**31))).draws().astype(float)
    means = (sums.T @ draws) / (sizes @ draws)
    above = means[:-1] - means[-1]
    weights = np.full(len(GRID), sizes.sum())
    found = shape(GRID, GRID, above, weights, float(effective_number(sizes)))
    accuracy = clustered_ratio(sums[:, :-1].T, np.broadcast_to(sizes, (len(GRID), questions)))
    held = largest_held(GRID, accuracy_holds(accuracy, MARGIN))
    return found, -1.0 if held is None else held


def truths(world: World) -> tuple[float, float]:
    """Return s50 of the lines through the grid, and of the curve; infinity beyond the last severity."""
    lines = float(crossings(GRID, world.left(GRID)[None], 0.5).place[0])
    if world.left(GRID[-1:])[0] > 0.5:
        return lines, np.inf
    return lines, float(brentq(lambda s: world.left(np.array([s]))[0] - 0.5, 0, GRID[-1]))


def truly_trusted(world: World) -> float:
    """Return the largest severity of the grid at which no more than the margin is lost."""
    chance = np.mean(1 / np.arange(2, 6))
    loss = (1 - chance) * world.known * (1 - world.left(GRID))
    return float(GRID[np.flatnonzero(loss <= MARGIN + 1e-9)[-1]])


def main() -> None:
    """Print one row per world and number of source questions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--replicates", type=int, default=500)
    parser.add_argument("--part", choices=("tuned", "held-out"), default="tuned")
    parser.add_argument("--questions", type=int, nargs="+", default=[50, 100, 150, 400])
    asked = parser.parse_args()
    started = time.perf_counter()
    print("| world | questions | s50 (lines, curve) | covers lines | curve | half-width | cliff yes | no "
          "| trusted too far | trusted, mean (true) |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|")
    for place, (name, world) in enumerate((TUNED if asked.part == "tuned" else HELD_OUT).items()):
        lines, curve = truths(world)
        limit = truly_trusted(world)
        for questions in asked.questions:
            rng = np.random.default_rng([SEED, place, questions, asked.part == "tuned"])
            found = [judged(world, questions, rng, asked.replicates) for _ in range(asked.runs)]
            shapes = [one for one, _ in found]
            trusted = np.array([held for _, held in found])
            covers = [
                100 * np.mean([one.s50.low <= truth <= one.s50.high for one in shapes]) for truth in (lines, curve)
            ]
            widths = [(one.s50.high - one.s50.low) / 2 for one in shapes]
            words = [100 * np.mean([one.cliff == word for one in shapes]) for word in ("yes", "no")]
            print(
                f"| {name} | {questions} | {lines:.2f}, {curve:.2f} | {covers[0]:.1f} | {covers[1]:.1f} "
                f"| {np.median(widths):.2f} | {words[0]:.1f} | {words[1]:.1f} | {100 * np.mean(trusted > limit):.1f} "
                f"| {np.mean(np.maximum(trusted, 0)):.2f} ({limit:g}) |",
                flush=True,
            )
    print(f"{time.perf_counter() - started:.0f} s, {asked.runs} runs each, {asked.replicates} replicates")


if __name__ == "__main__":
    main()
