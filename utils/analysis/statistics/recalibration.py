"""Recalibration by one or two numbers fitted on clean images, and whether they still hold on degraded ones.

**Votes**: no temperature, since raising noisy vote shares to a power overcorrects doubtful items (a calibrated model
then shows a gap of +0.08 at L2 with ten trials, +0.14 with three). Instead the calibration slope b = sum V / sum U
over items, with V = right - w / K, U = agree - w / K of `agreement_gap`: b = 1 is calibrated, below 1 overconfident,
and p' = 1/K + b (p - 1/K) has no gap. The gap that L0's b leaves at Lx is sum b (b U - V) / sum w.

**Exact probabilities**: temperature tau, p' ~ p^(1 / tau), that minimises the negative log-likelihood of the right
letters at L0 (Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017).

**Stated confidence**: Platt scaling on the logit, p' = expit(offset + slope logit p), with a ridge of 1/n towards (0,
1).

What is fitted on L0 has an error of its own that the interval at Lx must hold: its influence is added (votes: through
b; exact: (d gap / d ln tau) (-score_g / (n Hessian))). L0 itself is recalibrated by five folds of source questions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from .clustered import Array, ClusteredRatio, clustered_ratio

FEWEST_QUESTIONS = 30
"""Source questions at L0 below which nothing is fitted."""

TEMPERATURES = (0.1, 10.0)
"""Range of the temperature."""

_SMALLEST = 1e-12  # a probability of 0 for the right letter would make the likelihood 0 at any temperature
_SURE = 1e-3  # a stated 0% or 100% has no logit


def calibration_slope(u: Array, v: Array, items: Array) -> ClusteredRatio:
    """Return b = sum V / sum U of each row; NaN where sum U is not above 0.

    Args:
        u, v: (s, G) sums of agree - w / K and of right - w / K.
        items: (s, G) items behind them.
    """
    return clustered_ratio(v, u, items)


def gap_after_slope(u: Array, v: Array, w: Array, slope: float, slope_influence: Array) -> tuple[float, Array]:
    """Return the gap sum b (b U - V) / sum w of a level after a slope fitted elsewhere, and its influences.

    Args:
        u, v, w: (G,) sums over the level's items.
        slope: b.
        slope_influence: (G,) of each cluster on b.
    """
    found = clustered_ratio((slope * (slope * u - v))[None], w[None])
    by_slope = (2 * slope * u.sum() - v.sum()) / w.sum() if w.sum() > 0 else np.nan
    return float(found.estimate[0]), found.influence[0] + by_slope * slope_influence


def tempered(probabilities: Array, temperature: float) -> Array:
    """Return p^(1 / tau), renormalised; zeros stay zeros.

    Args:
        probabilities: (n, K_max) rows that sum to 1.
        temperature: tau > 0; above 1 flattens.
    """
    with np.errstate(divide="ignore"):
        logs = np.log(probabilities) / temperature
    logs -= logs.max(axis=1, keepdims=True)
    powers = np.exp(logs)
    flattened: Array = powers / powers.sum(axis=1, keepdims=True)
    return flattened


def log_likelihood_loss(probabilities: Array, answer: NDArray[np.int64]) -> Array:
    """Return -log p_Y of each item, p_Y at least 1e-12."""
    return -np.log(np.maximum(probabilities[np.arange(len(answer)), answer], _SMALLEST))


@dataclass(frozen=True)
class Fit:
    """Parameters fitted by minimising a mean loss, and what moves them.

    Attributes:
        parameters: (d,) (ln tau), or (offset, slope).
        influence: (n, d) of each item on the parameters: -Hessian^-1 score_i / n.
    """

    parameters: Array
    influence: Array

    def by_cluster(self, clusters: NDArray[np.int64], size: int) -> Array:
        """Return (size, d) influences of whole clusters."""
        columns = [np.bincount(clusters, weights=column, minlength=size) for column in self.influence.T]
        return np.stack(columns, axis=1)


def fit_temperature(probabilities: Array, answer: NDArray[np.int64]) -> Fit:
    """Return ln tau that minimises the negative log-likelihood, tau in `TEMPERATURES`.

    At an end of the range there is no influence.

    Args:
        probabilities: (n, K_max) rows that sum to 1.
        answer: (n,) place of the right option.
    """
    logs = np.log(np.maximum(probabilities, _SMALLEST))
    inside = probabilities > 0
    rows = np.arange(len(answer))
    ends = np.log(TEMPERATURES)

    def moments(log_temperature: float) -> tuple[Array, Array, Array]:
        inverse = np.exp(-log_temperature)
        scaled = np.where(inside, logs * inverse, -np.inf)
        share = special.softmax(scaled, axis=1)
        mean = (share * logs).sum(axis=1)
        return share, mean, (share * logs**2).sum(axis=1) - mean**2

    def loss(log_temperature: float) -> float:
        inverse = np.exp(-log_temperature)
        scaled = np.where(inside, logs * inverse, -np.inf)
        return float(np.mean(special.logsumexp(scaled, axis=1) - logs[rows, answer] * inverse))

    found = float(optimize.minimize_scalar(loss, bounds=tuple(ends), method="bounded", options={"xatol": 1e-10}).x)
    _, mean, variance = moments(found)
    inverse = np.exp(-found)
    score = inverse * (logs[rows, answer] - mean)  # d loss_i / d ln tau
    hessian = float(np.mean(inverse**2 * variance - score))
    at_end = min(found - ends[0], ends[1] - found) < 1e-6
    influence = np.zeros_like(score) if at_end or not hessian > 0 else -score / hessian / len(answer)
    return Fit(np.array([found]), influence[:, None])


def platt(stated: Array, parameters: Array) -> Array:
    """Return expit(offset + slope logit stated), with stated kept within [0.001, 0.999]."""
    scaled: Array = special.expit(parameters[0] + parameters[1] * special.logit(np.clip(stated, _SURE, 1 - _SURE)))
    return scaled


def fit_platt(stated: Array, right: Array) -> Fit:
    """Return offset and slope that minimise mean loss + ((offset)^2 + (slope - 1)^2) / (2 n).

    Args:
        stated: (n,) stated confidences, one per trial.
        right: (n,) whether the letter is right.
    """
    design = np.stack([np.ones(len(stated)), special.logit(np.clip(stated, _SURE, 1 - _SURE))], axis=1)
    centre, ridge = np.array([0.0, 1.0]), 1.0 / len(stated)

    def loss(parameters: Array) -> tuple[float, Array]:
        linear = design @ parameters
        value = np.mean(np.logaddexp(0.0, linear) - right * linear) + ridge / 2 * ((parameters - centre) ** 2).sum()
        return float(value), design.T @ (special.expit(linear) - right) / len(right) + ridge * (parameters - centre)

    found = optimize.minimize(loss, centre, jac=True, method="BFGS", options={"gtol": 1e-10}).x
    share = special.expit(design @ found)
    hessian = (design * (share * (1 - share))[:, None]).T @ design / len(right) + ridge * np.eye(2)
    score = design * (share - right)[:, None]
    return Fit(found, -np.linalg.solve(hessian, score.T).T / len(right))


def gap_after_fit(
    terms: Callable[[Array], tuple[Array, Array]],
    parameters: Array,
    parameter_influence: Array,
    items: Array,
    step: float = 1e-4,
) -> tuple[float, Array]:
    """Return the gap of a level after parameters fitted elsewhere, and its influences.

    Args:
        terms: parameters -> (G,) sums of agree - right after recalibration, (G,) sums of w.
        parameters: (d,) as fitted.
        parameter_influence: (G, d) of each cluster on them.
        items: (G,) items of the level.
        step: of the numerical derivative.
    """
    difference, weight = terms(parameters)
    found = clustered_ratio(difference[None], weight[None], items[None])
    influence = found.influence[0].copy()
    for place in range(len(parameters)):
        ends = []
        for sign in (1, -1):
            moved = parameters.copy()
            moved[place] += sign * step
            sums, sizes = terms(moved)
            ends.append(sums.sum() / sizes.sum() if sizes.sum() > 0 else np.nan)
        influence += (ends[0] - ends[1]) / (2 * step) * parameter_influence[:, place]
    return float(found.estimate[0]), influence


def reason_without_fit(questions: int, wrong: float) -> str | None:
    """Return, in words, why nothing is fitted; None where something is.

    Args:
        questions: source questions at L0.
        wrong: sum over L0's items of 1 - credit of the majority vote.
    """
    if questions < FEWEST_QUESTIONS:
        return f"fewer than {FEWEST_QUESTIONS} source questions at L0"
    return None if wrong > 0 else "no wrong item at L0"
