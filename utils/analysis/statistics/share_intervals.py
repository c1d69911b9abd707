"""95% intervals of shares, also where nearly all clusters say the same.

Near 0 and 1 a few clusters carry all that differs, and neither the bootstrap nor Student's interval knows how many more
there could be. Two intervals take turns, by s = min(share, 1 - share) and by m, the effective number of clusters that
say yes or that say no, whichever is smaller:

1. s < 0.2 and m < 5: gamma with W = (m max t + 2 / G_eff) / (m + 2): a bound rather than an interval, marked so;
2. s < 0.2 and 5 <= m < 20: the union of Wilson and gamma with W = max t;
3. s < 0.05: gamma with W = max t;
4. else Wilson.

*gamma* (Fay and Feuer, "Confidence intervals for directly standardized rates", Statistics in Medicine 16, 1997), of the
smaller side: with t_g = X_g / S, y = sum t_g, v = max(se^2, (1 - y) sum t_g^2)

    low = v / (2 y) chi2(.025; 2 y^2 / v),   high = (v + W^2) / (2 (y + W)) chi2(.975; 2 (y + W)^2 / (v + W^2)).

*Wilson* (JASA 22, 1927) with n = share (1 - share) / se^2 and Student's t of max(3, m - 1) degrees of freedom (G_eff -
1 where m < 5). Where no cluster is even half on the smaller side, W is at least 1 / G_eff, what one wholly on it would
add: models that either know or guess answer some clusters wholly wrong, and a sample may hold none of them. The rules
were chosen by simulation, the least W on worlds of `benchmarks/coverage.py` itself; its part `held-out` checks them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from .clustered import Array, ClusteredRatio, bound_without_spread, effective_number, student_quantile

_TINY = 1e-12


@dataclass(frozen=True)
class ShareIntervals:
    """Intervals of some shares.

    Attributes:
        low, high: (s,) ends; NaN where fewer than two clusters hold items.
        bound: (s,) whether it is a bound of rule 1, which covers far more than 95%.
        differing: (s,) m.
    """

    low: Array
    high: Array
    bound: NDArray[np.bool_]
    differing: Array


def differing_clusters(found: ClusteredRatio) -> Array:
    """Return m = min(eff(X), eff(N - X)) of each share: 0 where all say yes, or all say no."""
    yes = np.where(np.abs(found.sums) > _TINY, found.sums, 0.0)
    no = found.sizes - found.sums
    return np.minimum(effective_number(yes), effective_number(np.where(np.abs(no) > _TINY, no, 0.0)))


def share_intervals(found: ClusteredRatio) -> ShareIntervals:
    """Return the interval of each share by the four rules.

    Args:
        found: ratios of sums X_g in [0, N_g].
    """
    mean, error, effective = found.estimate, found.error, found.effective
    m = differing_clusters(found)
    side = np.minimum(mean, 1 - mean)
    rare = side < 0.2
    upside_down = mean > 0.5
    parts = np.where(upside_down[:, None], found.sizes - found.sums, found.sums)
    parts = np.maximum(parts, 0.0) / np.where(found.sizes.sum(axis=1) > 0, found.sizes.sum(axis=1), np.nan)[:, None]
    bound = rare & (m < 5)
    heaviest = parts.max(axis=1, initial=0.0)
    whole = 1 / np.where(effective > 0, effective, np.nan)
    unseen = np.where(heaviest < whole / 2, whole, heaviest)
    weight = np.where(bound, (m * heaviest + 2 * whole) / (m + 2), unseen)
    gamma = _turned(gamma_interval(parts, error, weight), upside_down)
    freedom = np.where((m < 5) & ~rare, effective - 1, np.maximum(3.0, m - 1))
    wilson = wilson_interval(mean, error, student_quantile(freedom))
    alike = error <= _TINY
    widest = bound_without_spread(mean, effective, (0.0, 1.0))
    wilson = (np.where(alike, widest[0], wilson[0]), np.where(alike, widest[1], wilson[1]))
    use_gamma = bound | (side < 0.05) & ~(rare & (m >= 5) & (m < 20))
    both = rare & (m >= 5) & (m < 20)
    low = np.where(use_gamma, gamma[0], np.where(both, np.minimum(gamma[0], wilson[0]), wilson[0]))
    high = np.where(use_gamma, gamma[1], np.where(both, np.maximum(gamma[1], wilson[1]), wilson[1]))
    usable = (found.clusters >= 2) & np.isfinite(mean)
    low, high = (np.where(usable, np.clip(end, 0.0, 1.0), np.nan) for end in (low, high))
    return ShareIntervals(low, high, bound & usable, m)


def gamma_interval(parts: Array, error: Array, weight: Array) -> tuple[Array, Array]:
    """Return Fay and Feuer's interval of y = sum t_g.

    Args:
        parts: (s, G) t_g >= 0, each cluster's part of the share.
        error: (s,) standard error of y.
        weight: (s,) W > 0, the part that one more cluster would add.
    """
    y = parts.sum(axis=1)
    variance = np.maximum(np.nan_to_num(error) ** 2, (1 - y) * (parts**2).sum(axis=1))
    positive = (y > _TINY) & (variance > 0)
    some = np.where(positive, y, 1.0)
    spread = np.where(positive, variance, 1.0)
    low = np.where(positive, spread / (2 * some) * _chi2(0.025, 2 * some**2 / spread), 0.0)
    wider = variance + weight**2
    return low, wider / (2 * (y + weight)) * _chi2(0.975, 2 * (y + weight) ** 2 / wider)


def wilson_interval(mean: Array, error: Array, quantile: Array) -> tuple[Array, Array]:
    """Return Wilson's score interval for n = mean (1 - mean) / error^2 trials; without width where the error is 0."""
    spread = mean * (1 - mean)
    share = np.divide(error**2, spread, out=np.zeros_like(mean), where=spread > 0) * quantile**2  # t^2 / n
    centre = (mean + share / 2) / (1 + share)
    reach = np.sqrt(share * spread + share**2 / 4) / (1 + share)
    return centre - reach, centre + reach


def _chi2(probability: float, freedom: Array) -> Array:
    return np.asarray(2 * special.gammaincinv(freedom / 2, probability), dtype=float)


def _turned(ends: tuple[Array, Array], upside_down: NDArray[np.bool_]) -> tuple[Array, Array]:
    low, high = ends
    return np.where(upside_down, 1 - high, low), np.where(upside_down, 1 - low, high)
