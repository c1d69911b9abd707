"""Simulated models whose calibration is known, on clean and degraded versions of the same questions.

Kinds of model; none is the Gaussian signal on which most rules of `medqdeg.utils.analysis.statistics` were chosen
(`benchmarks/coverage.py` says which rules these worlds themselves have shaped):

- `laplace`: evidence for each option with Laplace noise, and the exact posterior;
- `elimination`: wrong options are struck out one by one, the model is even about the rest;
- `sure`: with some probability 97% sure of one option, else even (all or nothing);
- `beta`: one favourite, believed with a probability from Kumaraswamy's distribution;
- `lured`: as beta with a mean belief of 0.9, but right as often as the skill says, whatever the belief;
- `waiting`: each option is waited for, the right one for an exponential time of rate `skill`, others of rate 1, and the
  exact posterior given the times;
- `dirichlet`: probabilities from a Dirichlet distribution, the right option drawn from them.

All but `lured` are calibrated at each level (P(right | p) = p), though a question's versions share the answer and most
of the noise. `waiting` and `dirichlet` were written when all rules stood, and only the part `held-out` uses them.
Overconfidence is the power of the probabilities (p^sharpness). Votes are refused with a probability that differs
between questions. The right option is the first; the vote figures do not see the order.

Arrays have shape (s, n, K): s data sets, n items sorted by question, K options.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

SIZES: Mapping[str, tuple[tuple[int, ...], tuple[float, ...]]] = {
    "one to three": ((1, 2, 3), (0.2, 0.21, 0.59)),
    "unequal": ((1, 2, 4, 8, 16), (0.5, 0.25, 0.13, 0.08, 0.04)),
    "one": ((1,), (1.0,)),
}
"""Degraded versions of a question."""


@dataclass(frozen=True)
class World:
    """A model at one or two levels.

    Attributes:
        kind: a name of `KINDS`.
        skill: at L0 and L2: strength of evidence, share struck out, share sure, mean belief (0 to 1; laplace: above 0;
            waiting: above 1), for dirichlet mean accuracy of a vote above guessing.
        sharpness: at L0 and L2; 1 is calibrated, above it overconfident.
        refusal: mean probability of an unread vote at L0 and L2.
        k: options.
        sizes: a name of `SIZES`.
        shared: probability that a version takes its question's noise, not its own.
    """

    kind: str
    skill: tuple[float, float]
    sharpness: tuple[float, float] = (1.0, 1.0)
    refusal: tuple[float, float] = (0.0, 0.0)
    k: int = 4
    sizes: str = "one to three"
    shared: float = 0.5


@dataclass(frozen=True)
class Drawn:
    """Data sets of one world: (s, n, K) probabilities and (s, n) refusal probabilities at L0 and L2.

    Attributes:
        p: at each level.
        refusal: at each level.
        versions: (G,) degraded versions of each question, the same in every data set.
    """

    p: tuple[np.ndarray, np.ndarray]
    refusal: tuple[np.ndarray, np.ndarray]
    versions: np.ndarray


def draw(
    world: World, data_sets: int, questions: int, rng: np.random.Generator, versions: np.ndarray | None = None
) -> Drawn:
    """Simulate data sets with the same number of versions of each question, drawn unless given."""
    numbers, shares = SIZES[world.sizes]
    versions = rng.choice(numbers, p=shares, size=questions) if versions is None else versions
    width = _WIDTH[world.kind](world.k)
    common = rng.random((data_sets, questions, width))
    blindness = rng.beta(0.5, 1.5, (data_sets, questions)) / 0.25  # mean 1
    own_p, own_refusal = [], []
    for level, repeat in enumerate((np.ones(questions, dtype=int), versions)):
        of = np.repeat(np.arange(questions), repeat)
        own = rng.random((data_sets, len(of), width))
        take = rng.random((data_sets, len(of), width)) < world.shared
        uniform = np.where(take, common[:, of], own)
        p = KINDS[world.kind](uniform, world.skill[level], world.k)
        if world.sharpness[level] != 1:
            p = p ** world.sharpness[level]
            p = p / p.sum(axis=-1, keepdims=True)
        own_p.append(p)
        own_refusal.append(np.minimum(0.95, world.refusal[level] * blindness[:, of]))
    return Drawn((own_p[0], own_p[1]), (own_refusal[0], own_refusal[1]), versions)


def votes(p: np.ndarray, refusal: np.ndarray, trials: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return (s, n, K) readable and (s, n) unread votes."""
    whole = np.concatenate([p * (1 - refusal[..., None]), refusal[..., None]], axis=-1)
    counts = rng.multinomial(trials, whole / whole.sum(axis=-1, keepdims=True))
    return counts[..., :-1].astype(float), counts[..., -1].astype(float)


def _laplace(uniform: np.ndarray, skill: float, k: int) -> np.ndarray:
    noise = np.sign(uniform - 0.5) * -np.log(np.maximum(1 - 2 * np.abs(uniform - 0.5), 1e-12))
    evidence = noise.copy()
    evidence[..., 0] += skill
    ratio = np.exp(np.abs(evidence) - np.abs(evidence - skill))
    return ratio / ratio.sum(axis=-1, keepdims=True)


def _elimination(uniform: np.ndarray, skill: float, k: int) -> np.ndarray:
    kept = np.concatenate([np.ones((*uniform.shape[:-1], 1)), uniform >= skill], axis=-1)
    return kept / kept.sum(axis=-1, keepdims=True)


def _favourite(belief: np.ndarray, right: np.ndarray, which: np.ndarray, k: int) -> np.ndarray:
    """Believe in the right option or in one of the others, the rest sharing what is left."""
    place = np.where(right, 0, 1 + np.minimum((which * (k - 1)).astype(int), k - 2))
    p = np.repeat(((1 - belief) / (k - 1))[..., None], k, axis=-1)
    np.put_along_axis(p, place[..., None], belief[..., None], axis=-1)
    return p


def _sure(uniform: np.ndarray, skill: float, k: int) -> np.ndarray:
    belief = np.where(uniform[..., 0] < skill, 0.97, 1 / k)
    return _favourite(belief, uniform[..., 1] < belief, uniform[..., 2], k)


def _beta(uniform: np.ndarray, skill: float, k: int) -> np.ndarray:
    # A power of a uniform number (Kumaraswamy's distribution) with mean `skill`, from [0, 1] to [1/K, 1].
    belief = 1 / k + (1 - 1 / k) * uniform[..., 0] ** ((1 - skill) / skill)
    return _favourite(belief, uniform[..., 1] < belief, uniform[..., 2], k)


def _lured(uniform: np.ndarray, skill: float, k: int) -> np.ndarray:
    belief = 1 / k + (1 - 1 / k) * uniform[..., 0] ** (0.1 / 0.9)
    return _favourite(belief, uniform[..., 1] < skill, uniform[..., 2], k)


def _waiting(uniform: np.ndarray, skill: float, k: int) -> np.ndarray:
    times = -np.log(np.maximum(uniform, 1e-300))
    times[..., 0] /= skill
    return special.softmax(-(skill - 1) * times, axis=-1)


def _dirichlet(uniform: np.ndarray, skill: float, k: int) -> np.ndarray:
    concentration = (1 - skill) / (skill * k)
    uniform, which = uniform[..., :k], uniform[..., k:]
    # Gamma numbers by inversion; logarithms, since small concentrations give numbers below the smallest float.
    small = (np.log(np.maximum(uniform, 1e-300)) + special.gammaln(concentration + 1)) / concentration
    large = np.log(np.maximum(special.gammaincinv(concentration, uniform), 1e-300))
    p = special.softmax(np.where(small < -20, small, large), axis=-1)
    right = np.minimum((p.cumsum(axis=-1) < which).sum(axis=-1), k - 1)[..., None]
    first = p[..., :1].copy()
    p[..., :1] = np.take_along_axis(p, right, axis=-1)
    np.put_along_axis(p, right, np.where(right > 0, first, p[..., :1]), axis=-1)
    return p


KINDS: Mapping[str, Callable[[np.ndarray, float, int], np.ndarray]] = {
    "laplace": _laplace,
    "elimination": _elimination,
    "sure": _sure,
    "beta": _beta,
    "lured": _lured,
    "waiting": _waiting,
    "dirichlet": _dirichlet,
}
_WIDTH: Mapping[str, Callable[[int], int]] = {
    "laplace": lambda k: k,
    "elimination": lambda k: k - 1,
    "sure": lambda k: 3,
    "beta": lambda k: 3,
    "lured": lambda k: 3,
    "waiting": lambda k: k,
    "dirichlet": lambda k: k + 1,
}
