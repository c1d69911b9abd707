"""Ratings 0 to 3 against severity: a cumulative logistic curve with lapses.

For a reader's ratings at severity s, k = 1, 2, 3 and thresholds tau_1 < tau_2 < tau_3,

    P(rating >= k) = (1 - lapse) F(slope (s - tau_k)) + lapse (4 - k) / 4,   F(x) = 1 / (1 + exp(-x)),

so that tau_k is where half of the attentive ratings are k or more (McCullagh, "Regression models for ordinal data",
Journal of the Royal Statistical Society B 42, 1980; lapses as in Wichmann and Hill, Perception & Psychophysics 63,
2001). Each member of one factor has thresholds of its own; those of the other factor move all three alike. Slope and
lapse are common. The fit is a posterior mode under priors so wide that they only keep what the ratings do not fix, such
as a threshold that nobody reached, from running away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

Array = NDArray[np.float64]
Places = NDArray[np.integer[Any]]

RATINGS = 4
_THRESHOLDS = RATINGS - 1
_STEP = 1e-4  # of the numerical second derivatives

# Mean and standard deviation of the priors: tau_1, log of the steps between thresholds, shifts, log slope, logit lapse.
_FIRST = (1.0, 1.5)
_STEPS = (np.log(0.7), 0.9)
_SHIFT = (0.0, 1.5)
_SLOPE = (np.log(4.0), 0.7)
_LAPSE = (special.logit(0.03), 1.2)


@dataclass(frozen=True)
class Fit:
    """A fitted model.

    Attributes:
        thresholds: (g, 3) of each member of the factor that has its own.
        shifts: (h,) of each member of the other factor, summing to 0.
        slope: per unit of severity.
        lapse: share of the ratings that do not look at the picture.
        mean_error: (3,) sampling variances of the mean threshold over the g members.
        mean_error_at: (3,) the same of the mean threshold plus `offset / slope`.
    """

    thresholds: Array
    shifts: Array
    slope: float
    lapse: float
    mean_error: Array
    mean_error_at: Array


def fit(s: Array, ratings: Places, own: Places, other: Places, offset: Array) -> Fit:
    """Fit the model.

    Args:
        s: (n,) severities.
        ratings: (n,) 0 to 3.
        own: (n,) place 0..g-1 in the factor that has thresholds of its own, such as readers.
        other: (n,) place 0..h-1 in the factor that moves all thresholds, such as images.
        offset: (3,) logits at which a threshold is wanted, 0 for the median.
    """
    model = _Model(np.asarray(s, dtype=float), np.asarray(ratings), np.asarray(own), np.asarray(other))
    found = optimize.minimize(model.loss, model.start(), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    at = found.x
    covariance = np.linalg.pinv(_second_derivatives(model, at), hermitian=True)
    thresholds, shifts, slope, lapse = model.unpacked(at)
    medians = _gradients(model, at, np.zeros(_THRESHOLDS))
    wanted = _gradients(model, at, offset)
    return Fit(
        thresholds,
        shifts,
        slope,
        lapse,
        np.einsum("ki,ij,kj->k", medians, covariance, medians),
        np.einsum("ki,ij,kj->k", wanted, covariance, wanted),
    )


class _Model:
    """Loss and gradient over one vector: tau_1 and two log steps per member, h - 1 shifts, log slope, logit lapse."""

    def __init__(self, s: Array, ratings: Places, own: Places, other: Places) -> None:
        self.s, self.ratings, self.own, self.other = s, ratings, own, other
        self.g, self.h = int(own.max()) + 1, int(other.max()) + 1
        parts = [
            *([_FIRST] * self.g + [_STEPS] * 2 * self.g),
            *([_SHIFT] * (self.h - 1) + [_SLOPE, _LAPSE]),
        ]
        self.mean, self.spread = np.array(parts).T
        # Shifts sum to 0: the last one is minus the sum of the others.
        self.contrast = np.vstack([np.eye(self.h - 1), -np.ones(self.h - 1)])

    def start(self) -> Array:
        """Return the priors' means."""
        start: Array = self.mean.copy()
        return start

    def unpacked(self, at: Array) -> tuple[Array, Array, float, float]:
        """Return thresholds, shifts, slope and lapse."""
        g = self.g
        steps = np.exp(at[g : 3 * g].reshape(g, 2))
        thresholds = at[:g, None] + np.hstack([np.zeros((g, 1)), np.cumsum(steps, axis=1)])
        shifts = self.contrast @ at[3 * g : 3 * g + self.h - 1]
        return thresholds, shifts, float(np.exp(at[-2])), float(special.expit(at[-1]))

    def loss(self, at: Array) -> tuple[float, Array]:
        """Return minus the log posterior and its gradient."""
        thresholds, shifts, slope, lapse = self.unpacked(at)
        apart = self.s[:, None] - thresholds[self.own] - shifts[self.other][:, None]
        curve = special.expit(slope * apart)
        whole = np.hstack([np.ones((len(apart), 1)), curve, np.zeros((len(apart), 1))])
        rows = np.arange(len(apart))
        attentive = whole[rows, self.ratings] - whole[rows, self.ratings + 1]
        likelihood = np.maximum((1 - lapse) * attentive + lapse / RATINGS, 1e-300)
        # d likelihood / d (slope * apart) at the lower and at the upper end of the rating.
        steep = np.zeros_like(curve)
        lower, upper = self.ratings > 0, self.ratings < _THRESHOLDS
        places = self.ratings
        density = curve * (1 - curve)
        steep[rows[lower], places[lower] - 1] = density[rows[lower], places[lower] - 1]
        steep[rows[upper], places[upper]] -= density[rows[upper], places[upper]]
        steep *= ((1 - lapse) / likelihood)[:, None]
        by_threshold = np.zeros((self.g, _THRESHOLDS))
        np.add.at(by_threshold, self.own, -slope * steep)
        by_shift = np.bincount(self.other, weights=-slope * steep.sum(axis=1), minlength=self.h)
        steps = np.exp(at[self.g : 3 * self.g].reshape(self.g, 2))
        later = np.cumsum(by_threshold[:, ::-1], axis=1)[:, ::-1]
        gradient = np.concatenate(
            [
                later[:, 0],
                (later[:, 1:] * steps).ravel(),
                self.contrast.T @ by_shift,
                [(steep * apart).sum() * slope],
                [((1 / RATINGS - attentive) / likelihood).sum() * lapse * (1 - lapse)],
            ]
        )
        prior = (at - self.mean) / self.spread
        return float(-np.log(likelihood).sum() + (prior**2).sum() / 2), -gradient + prior / self.spread


def _second_derivatives(model: _Model, at: Array) -> Array:
    size = len(at)
    found = np.empty((size, size))
    for place in range(size):
        step = np.zeros(size)
        step[place] = _STEP
        found[place] = (model.loss(at + step)[1] - model.loss(at - step)[1]) / (2 * _STEP)
    symmetric: Array = (found + found.T) / 2
    return symmetric


def _gradients(model: _Model, at: Array, offset: Array) -> Array:
    """Return (3, p) derivatives of the mean threshold plus offset / slope."""

    def wanted(point: Array) -> Array:
        thresholds, _, slope, _ = model.unpacked(point)
        found: Array = thresholds.mean(axis=0) + offset / slope
        return found

    columns = []
    for place in range(len(at)):
        step = np.zeros(len(at))
        step[place] = _STEP
        columns.append((wanted(at + step) - wanted(at - step)) / (2 * _STEP))
    found: Array = np.stack(columns, axis=1)
    return found
