"""Questions of a simulated study with assumed accuracies and agreement gaps.

An item's evidence for option k is s [k = Y] + noise, of which a share rho is common to all versions of a question (and
to two models); the model answers with softmax(kappa evidence). kappa = s is calibrated, above it overconfident; s and
kappa are solved for the assumed accuracy and gap.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from .clustered import Array

QUESTIONS = 250_000
"""Simulated questions."""

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
    shares: Array = p / p.sum(axis=1, keepdims=True)
    return shares


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
