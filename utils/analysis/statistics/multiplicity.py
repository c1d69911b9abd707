"""Many nodes tested at once: which differences remain, and how far a small node's figure is shrunk.

False discovery rate (Benjamini and Hochberg, JRSS B 57, 1995): of J p-values, q_(i) = min over j >= i of p_(j) J / j.
The p-values must be Student's: a bootstrap's smallest one, 1 / (R + 1), lets none of forty nodes pass.

Empirical-Bayes shrinkage (Morris, "Parametric empirical Bayes inference", JASA 78, 1983) of figures y with variances v
towards their mean: tau^2 solves sum (y - mu)^2 / (v + tau^2) = J - 1 (0 if there is no such), mu weighted by
w = 1 / (v + tau^2),

    B = (J - 3) / (J - 1) v / (v + tau^2),   theta = y - B (y - mu),
    var = v (1 - B (1 - w / sum w)) + 2 B^2 (y - mu)^2 / (J - 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

Array = NDArray[np.float64]

LEVEL = 0.05
"""The false discovery rate at which a node's verdict is put into words."""

FEWEST_QUESTIONS = 5
"""Source questions below which a node has no p-value."""

FEWEST_NODES = 6
"""Nodes below which nothing is shrunken."""


def q_values(p: Array) -> Array:
    """Return Benjamini and Hochberg's q of each p-value; NaN where p is NaN, which counts for nothing."""
    p = np.asarray(p, dtype=float)
    q = np.full_like(p, np.nan)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    scaled = p[order] * len(order) / np.arange(1, len(order) + 1)
    q[order] = np.minimum.accumulate(scaled[::-1])[::-1]
    return np.minimum(q, 1.0)


@dataclass(frozen=True)
class Shrunken:
    """Figures drawn towards the mean of their family.

    Attributes:
        estimate: (J,) theta.
        error: (J,) standard errors.
        between: tau^2, the variance between the nodes.
    """

    estimate: Array
    error: Array
    between: float


def shrunken(y: Array, variance: Array) -> Shrunken:
    """Return the empirical-Bayes figures of a family of at least four.

    Args:
        y: (J,) figures.
        variance: (J,) their squared standard errors, above 0.

    Raises:
        ValueError: for fewer than four figures, or a variance that is not above 0.
    """
    y, variance = np.asarray(y, dtype=float), np.asarray(variance, dtype=float)
    number = len(y)
    if number < 4 or not (variance > 0).all():
        raise ValueError(f"shrinkage needs four figures with variances above 0, got {number}")
    between = _between(y, variance)
    weight = 1 / (variance + between)
    mean = float(weight @ y / weight.sum())
    part = (number - 3) / (number - 1) * variance * weight
    spread = variance * (1 - part * (1 - weight / weight.sum())) + 2 * part**2 * (y - mean) ** 2 / (number - 3)
    return Shrunken(y - part * (y - mean), np.sqrt(spread), between)


def _between(y: Array, variance: Array) -> float:
    def excess(between: float) -> float:
        weight = 1 / (variance + between)
        mean = weight @ y / weight.sum()
        return float(weight @ (y - mean) ** 2) - (len(y) - 1)

    if excess(0.0) <= 0:
        return 0.0
    # Here the weighted sum is at most sum (y - mean)^2 / far = 1 / 2, whatever the own variances.
    far = 2 * float(((y - y.mean()) ** 2).sum())
    return float(optimize.brentq(excess, 0.0, far, xtol=1e-14))
