"""How many questions and trials a study needs to see a change.

The standard error of a matched change is unit / sqrt(G) for G source questions, and 2.80 of it (the 97.5% plus the 80%
quantile of the normal distribution) is the change that is found in 80% of studies, the MDE.

A unit has two parts: how much questions differ, which more trials do not lower, and the noise of T votes
(`vote_noise`):

    unit^2(T) = unit^2(infinity) + u(T),   u = (mean sum_d v_xd + mean D^2 v_0) / (mean D)^2,

with D degraded versions per question, and v_0 and v_xd the vote variance of its clean and its degraded items. The first
part comes from simulated questions (`signal_world`) or, for a pilot with T0 trials, from its own error: unit^2(T) =
unit^2(T0) - u(T0) + u(T).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from .clustered import Array
from .signal_world import World
from .vote_noise import VoteNoise, vote_noise

DETECTED = float(special.ndtri(0.975) + special.ndtri(0.8))
"""2.80: standard errors of the change that 80% of studies find."""


@dataclass(frozen=True)
class Unit:
    """What decides the standard error of a change.

    Attributes:
        between: figure -> unit^2 with infinitely many trials.
        noise: aggregated as u is: (mean sum v_x + mean D^2 v_0) / (mean D)^2.
        degradations: mean D.
    """

    between: Mapping[str, float]
    noise: VoteNoise
    degradations: float

    def at(self, figure: str, trials: float) -> float:
        """Return the unit of a figure with T trials; NaN where it needs more."""
        squared = self.between[figure] + self.noise.at(figure, trials)
        return math.nan if math.isnan(squared) else math.sqrt(max(0.0, squared))


def standard_error(unit: float, questions: float) -> float:
    """Return unit / sqrt(G)."""
    return unit / math.sqrt(questions)


def detectable(unit: float, questions: float) -> float:
    """Return the change that 80% of studies of G questions find."""
    return DETECTED * standard_error(unit, questions)


def questions_needed(unit: float, effect: float) -> int:
    """Return G at which 80% of studies find an effect."""
    return math.ceil((DETECTED * unit / abs(effect)) ** 2)


def power(unit: float, questions: float, effect: float) -> float:
    """Return the share of studies whose 95% interval excludes 0, in the normal approximation."""
    ratio = effect / standard_error(unit, questions)
    edge = special.ndtri(0.975)
    return float(special.ndtr(ratio - edge) + special.ndtr(-ratio - edge))


def calls(questions: float, degradations: float, trials: int) -> int:
    """Return the requests of a study: G (1 + 2 D) T."""
    return round(questions * (1 + 2 * degradations) * trials)


def world_unit(world: World) -> tuple[Unit, Unit | None]:
    """Return the unit of one model's change from L0 to the degraded level and, with two models, of the difference of
    theirs."""
    d = world.degradations
    size = d.mean()
    values: dict[str, Callable[[Array], Array]] = {
        "accuracy": lambda p: p[:, 0],
        "gap": lambda p: (p**2).sum(axis=1) - p[:, 0],
    }
    changes: dict[str, list[Array]] = {figure: [] for figure in values}
    for clean, versions in zip(world.clean, world.degraded, strict=True):
        for figure, of in values.items():
            base = of(clean)
            changes[figure].append(
                np.sum([np.where(d > place, of(p) - base, 0.0) for place, p in enumerate(versions)], axis=0)
            )

    def between(change: Array) -> float:
        residual = change - change.sum() / d.sum() * d
        return float((residual**2).mean() / size**2)

    noise = _aggregated(
        [vote_noise(world.clean[0])] + [vote_noise(p) for p in world.degraded[0]],
        [d**2, *(d > place for place in range(len(world.degraded[0])))],
        size,
    )
    one = Unit({figure: between(found[0]) for figure, found in changes.items()}, noise, float(size))
    if len(world.clean) < 2:
        return one, None
    twice = VoteNoise(*(2 * value for value in (noise.accuracy, noise.cubes, noise.squares, noise.mixed)))
    return one, Unit({figure: between(found[0] - found[1]) for figure, found in changes.items()}, twice, float(size))


def _aggregated(noises: list[Array], weights: Sequence[NDArray[Any]], size: float) -> VoteNoise:
    total = np.sum([(noise * weight).mean(axis=1) for noise, weight in zip(noises, weights, strict=True)], axis=0)
    return VoteNoise(*(float(value) for value in total / size**2))


def pilot_unit(
    errors: Mapping[str, float],
    questions: int,
    trials: float,
    noise: Array,
    clean: NDArray[np.bool_],
    degraded: NDArray[np.bool_],
    clusters: NDArray[np.int64],
) -> Unit:
    """Return the unit of a pilot's matched change.

    Args:
        errors: figure ("accuracy", "gap") -> standard error of its matched change.
        questions: G, source questions with a clean and a degraded item.
        trials: T0 of the pilot; infinity for exact probabilities.
        noise: (4, n) of `estimated_vote_noise`.
        clean, degraded: (n,) the items of L0 and of the degraded level.
        clusters: (n,) numbers of the items' source questions.
    """
    size = int(clusters.max(initial=-1)) + 1
    versions = np.bincount(clusters[degraded], minlength=size)
    here = (versions > 0) & (np.bincount(clusters[clean], minlength=size) > 0)
    d = versions[here].mean()
    known = np.isfinite(noise).all(axis=0)
    total = np.zeros(len(noise))
    for chosen, weight in ((degraded, np.ones(len(clusters))), (clean, versions[clusters].astype(float) ** 2)):
        use = chosen & here[clusters] & known
        lost = (chosen & here[clusters]).sum() / max(use.sum(), 1)  # items without an estimate are as the others
        total += lost * (noise[:, use] * weight[use]).sum(axis=1) / here.sum()
    found = VoteNoise(*(float(value) for value in total / d**2))
    # Few questions can have less variance than their votes alone should give.
    between = {figure: max(0.0, error**2 * questions - found.at(figure, trials)) for figure, error in errors.items()}
    return Unit(between, found, float(d))
