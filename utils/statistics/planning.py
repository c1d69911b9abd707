"""How many questions and trials does it take to see a change?

The standard error of a matched change is unit / sqrt(G) for G source questions, and 2.80 of it (the 97.5% plus the 80%
quantile of the normal distribution) is the change that is found in 80% of studies, the MDE.

A unit has two parts: how much questions differ, which more trials do not lower, and the noise of T votes:

    unit^2(T) = unit^2(infinity) + u(T),   u = (mean sum_d v_xd + mean D^2 v_0) / (mean D)^2,

D degraded versions per question, v_0 and v_xd the vote variance of its clean and its degraded items: p_Y (1 - p_Y) / T of
the accuracy, and with S = sum p^2

    (4 (T - 2) (sum p^3 - S^2) + 2 (S - S^2)) / (T (T - 1)) + p_Y (1 - p_Y) / T - 4 p_Y (p_Y - S) / T

of the agreement gap. The first part comes from simulated questions (`signal_world`) or, for a pilot with T0 trials, from
its own error: unit^2(T) = unit^2(T0) - u(T0) + u(T).

The signal world: an item's evidence for option k is s [k = Y] + noise, of which a share rho is common to all versions of
a question (and to two models); the model answers with softmax(kappa evidence). kappa = s is calibrated, above it
overconfident; s and kappa are solved for the assumed accuracy and gap.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from .clustered import Array
from .estimators import shrunken_shares

QUESTIONS = 250_000
"""Simulated questions."""

DETECTED = float(special.ndtri(0.975) + special.ndtri(0.8))
"""2.80: standard errors of the change that 80% of studies find."""

_FIT_ON = 40_000
_TOLERANCE = 0.005


@dataclass(frozen=True)
class Assumptions:
    """What a study is expected to see.

    Attributes:
        accuracy: at L0 and at the degraded level, in (0, 1).
        gap: agreement gap at L0 and at the degraded level.
        rho: share of the evidence's noise that all versions of a question share, in [0, 1].
        options: K -> share of the questions.
        degradations: D -> share of the questions.
    """

    accuracy: tuple[float, float]
    gap: tuple[float, float] = (0.0, 0.0)
    rho: float = 0.5
    options: Mapping[int, float] = field(default_factory=lambda: {4: 1.0})
    degradations: Mapping[int, float] = field(default_factory=lambda: {1: 0.2, 2: 0.21, 3: 0.59})


@dataclass(frozen=True)
class VoteNoise:
    """Variance of one item's vote-based figures, as coefficients of functions of T.

    Attributes:
        accuracy: p_Y (1 - p_Y).
        cubes: sum p^3 - S^2.
        squares: S - S^2.
        mixed: p_Y (1 - p_Y) - 4 p_Y (p_Y - S).
    """

    accuracy: float
    cubes: float
    squares: float
    mixed: float

    def at(self, figure: str, trials: int) -> float:
        """Return the variance of "accuracy" or "gap" with T votes; the gap needs two."""
        if figure == "accuracy":
            return self.accuracy / trials
        if trials < 2:
            return math.nan
        pairs = trials * (trials - 1)
        return (4 * (trials - 2) * self.cubes + 2 * self.squares) / pairs + self.mixed / trials


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

    def at(self, figure: str, trials: int) -> float:
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


@dataclass(frozen=True)
class Signal:
    """Strength of the evidence and how strongly the model takes it."""

    strength: float
    trust: float


def fitted_signal(accuracy: float, gap: float, noise: Array, k: NDArray[np.int64]) -> Signal:
    """Return the strength and trust with which a model has this accuracy and agreement gap.

    Args:
        accuracy: mean p_Y.
        gap: mean of sum p^2 - p_Y.
        noise: (n, K_max) standard normal numbers, the right option first.
        k: (n,) numbers of options.

    Raises:
        ValueError: where no model of this world has both.
    """

    def missed(parameters: Array) -> Array:
        p = _probabilities(Signal(*np.exp(parameters)), noise, k)
        return np.array([p[:, 0].mean() - accuracy, ((p**2).sum(axis=1) - p[:, 0]).mean() - gap])

    start = np.log([max(0.3, 2.5 * accuracy)] * 2)
    found = optimize.least_squares(missed, start, bounds=(math.log(1e-3), math.log(60.0)), xtol=1e-10)
    if np.abs(found.fun).max() > _TOLERANCE:
        raise ValueError(f"no model has accuracy {accuracy:g} with an agreement gap of {gap:g}")
    return Signal(*np.exp(found.x))


def _probabilities(signal: Signal, noise: Array, k: NDArray[np.int64]) -> Array:
    logits = signal.trust * noise
    logits[:, 0] += signal.trust * signal.strength
    logits[np.arange(noise.shape[1]) >= k[:, None]] = -np.inf
    logits -= logits.max(axis=1, keepdims=True)
    p = np.exp(logits)
    return p / p.sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class World:
    """Simulated questions; the right option is the first.

    Attributes:
        degradations: (n,) D of each question.
        clean: one array per model, (n, K_max) probabilities of the clean item.
        degraded: one list per model with one (n, K_max) array per version; version d exists where D > d.
        k: (n,) numbers of options.
    """

    degradations: NDArray[np.int64]
    clean: list[Array]
    degraded: list[list[Array]]
    k: NDArray[np.int64]


def signal_world(
    assumptions: Assumptions, questions: int = QUESTIONS, seed: int | NDArray[np.int64] = 0, models: int = 1
) -> World:
    """Simulate questions of the signal world.

    Args:
        assumptions: of every model.
        questions: n.
        seed: of `numpy.random.default_rng`.
        models: models on the same questions: what is shared between versions is shared between models.

    Raises:
        ValueError: as `fitted_signal`.
    """
    rng = np.random.default_rng(seed)

    def drawn(mix: Mapping[int, float]) -> NDArray[np.int64]:
        shares = np.array(list(mix.values()), dtype=float)
        return rng.choice(np.array(list(mix)), p=shares / shares.sum(), size=questions)

    k, d = drawn(assumptions.options), drawn(assumptions.degradations)
    width = int(max(assumptions.options))
    fitting = np.random.default_rng(0).standard_normal((_FIT_ON, width))
    kinds = np.resize(np.repeat(list(assumptions.options), _shares(assumptions.options)), _FIT_ON)
    signals = [
        fitted_signal(accuracy, gap, fitting, kinds)
        for accuracy, gap in zip(assumptions.accuracy, assumptions.gap, strict=True)
    ]
    common = rng.standard_normal((questions, width)) * math.sqrt(assumptions.rho)

    def version(signal: Signal) -> Array:
        own = rng.standard_normal((questions, width)) * math.sqrt(1 - assumptions.rho)
        return _probabilities(signal, common + own, k)

    clean = [version(signals[0]) for _ in range(models)]
    degraded = [[version(signals[1]) for _ in range(int(d.max()))] for _ in range(models)]
    return World(d, clean, degraded, k)


def _shares(mix: Mapping[int, float]) -> list[int]:
    total = sum(mix.values())
    return [round(1000 * share / total) for share in mix.values()]


def world_unit(world: World) -> tuple[Unit, Unit | None]:
    """Return the unit of one model's change from L0 to the degraded level and, with two models, of the difference of
    theirs."""
    d = world.degradations
    size = d.mean()
    values = {"accuracy": lambda p: p[:, 0], "gap": lambda p: (p**2).sum(axis=1) - p[:, 0]}
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
        [d**2] + [d > place for place in range(len(world.degraded[0]))],
        size,
    )
    one = Unit({figure: between(found[0]) for figure, found in changes.items()}, noise, float(size))
    if len(world.clean) < 2:
        return one, None
    twice = VoteNoise(*(2 * value for value in (noise.accuracy, noise.cubes, noise.squares, noise.mixed)))
    return one, Unit({figure: between(found[0] - found[1]) for figure, found in changes.items()}, twice, float(size))


def vote_noise(p: Array) -> Array:
    """Return (4, n) coefficients of `VoteNoise` from known probabilities, the right option first."""
    right, squares, cubes = p[:, 0], (p**2).sum(axis=1), (p**3).sum(axis=1)
    spread = right * (1 - right)
    return np.array([spread, cubes - squares**2, squares - squares**2, spread - 4 * right * (right - squares)])


def estimated_vote_noise(counts: Array, unread: Array, k: NDArray[np.int64], answer: NDArray[np.int64]) -> Array:
    """Return (4, n) coefficients of `VoteNoise` from votes: unbiased from four readable trials on.

    With fewer, James-Stein shares stand in for the probabilities; one vote tells nothing, and gives NaN.

    Args:
        counts: (n, K_max) readable votes.
        unread: (n,) unread votes, which neither agree nor are right.
        k: (n,) numbers of options.
        answer: (n,) place of the right option.
    """
    counts = np.asarray(counts, dtype=float)
    trials = counts.sum(axis=1) + unread
    rows = np.arange(len(counts))
    c = counts[rows, answer]

    def falling(values: Array, steps: int) -> Array:
        return np.prod([values - step for step in range(steps)], axis=0)

    with np.errstate(invalid="ignore", divide="ignore"):
        two, three, four = (falling(trials, steps) for steps in (2, 3, 4))
        pairs = falling(counts, 2)
        squares, cubes = pairs.sum(axis=1) / two, falling(counts, 3).sum(axis=1) / three
        square_of_squares = (pairs.sum(axis=1) ** 2 - (pairs**2).sum(axis=1) + falling(counts, 4).sum(axis=1)) / four
        right_squared = falling(c, 2) / two
        right_times_squares = (falling(c, 3) + c * (pairs.sum(axis=1) - falling(c, 2))) / three
        spread = c / trials - right_squared
        unbiased = np.array(
            [
                spread,
                cubes - square_of_squares,
                squares - square_of_squares,
                spread - 4 * (right_squared - right_times_squares),
            ]
        )
    few = (trials >= 2) & (trials < 4)
    if few.any():
        shares = (counts[few] + (unread[few] / k[few])[:, None] * (np.arange(counts.shape[1]) < k[few][:, None])) / (
            trials[few][:, None]
        )
        p = shrunken_shares(shares, k[few], trials[few])
        own = answer[few]
        first = np.take_along_axis(p, own[:, None], axis=1)[:, 0]
        p[np.arange(len(p)), own] = p[:, 0]
        p[:, 0] = first
        unbiased[:, few] = vote_noise(p)
    unbiased[:, trials < 2] = np.nan
    return unbiased


def _aggregated(noises: list[Array], weights: list[Array], size: float) -> VoteNoise:
    total = np.sum([(noise * weight).mean(axis=1) for noise, weight in zip(noises, weights, strict=True)], axis=0)
    return VoteNoise(*(float(value) for value in total / size**2))


def pilot_unit(
    errors: Mapping[str, float],
    questions: int,
    trials: int,
    noise: Array,
    clean: NDArray[np.bool_],
    degraded: NDArray[np.bool_],
    clusters: NDArray[np.int64],
) -> Unit:
    """Return the unit of a pilot's matched change.

    Args:
        errors: figure ("accuracy", "gap") -> standard error of its matched change.
        questions: G, source questions with a clean and a degraded item.
        trials: T0 of the pilot.
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
