"""Ratios of sums over clusters, with the standard error that clusters of unequal size and weight call for.

Items of one source question rise and fall together, so the question is the unit of chance. With sums X_g over the
items of cluster g, sizes N_g and S = sum N_g the ratio is m = sum X_g / S. Cluster g moves it by

    I_g = (X_g - m N_g) / S / max(0.2, 1 - N_g / S),      se^2 = (G - 1) / G * sum I_g^2,

which is the jackknife's standard error where no cluster holds more than 80% of the items (the change of m when the
cluster is left out is -I_g exactly). A difference of two ratios has the difference of their influences.

Clusters of unequal size count for fewer: eff(z) = (sum z)^2 / sum z^2. Intervals and p-values are Student's with
eff(N) - 1 degrees of freedom. Arrays have shape (s, G): one row per statistic, one column per cluster.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]

CONFIDENCE = 0.95
"""Of every interval."""

FEWEST_CHANGING = 10
"""Effective number of clusters that change below which a change has no interval."""

_LARGEST_PART = 0.8  # the share of all items from which a cluster's influence is no longer blown up
_NO_ERROR = 1e-12
_HALF = 0.5
_FEW_WHOLE = 5.0


def effective_number(sizes: Array) -> Array:
    """Return (sum z)^2 / sum z^2 of each row: how many clusters of equal size say as much.

    Args:
        sizes: (s, G) values of one sign per row.

    Returns:
        (s,) numbers in [1, G]; 0 where all are 0.
    """
    sizes = np.asarray(sizes, dtype=float)
    squares = (sizes**2).sum(axis=-1)
    total = sizes.sum(axis=-1) ** 2
    number: Array = np.divide(total, squares, out=np.zeros_like(squares), where=squares > 0)
    return number


@dataclass(frozen=True)
class ClusteredRatio:
    """Ratios m = sum X_g / sum N_g and what is known of their error.

    Attributes:
        sums: (s, G) X_g.
        sizes: (s, G) N_g.
        items: (s, G) numbers (or weights) of the items behind them, from which G and the effective number follow.
        estimate: (s,) m; NaN where S is 0.
        influence: (s, G) I_g; 0 where a cluster has no items.
    """

    sums: Array
    sizes: Array
    items: Array
    estimate: Array
    influence: Array

    @property
    def clusters(self) -> Array:
        """(s,) clusters G that hold items."""
        number: Array = (self.items != 0).sum(axis=1).astype(float)
        return number

    @property
    def effective(self) -> Array:
        """(s,) effective number of clusters."""
        return effective_number(self.items)

    @property
    def error(self) -> Array:
        """(s,) standard errors; NaN where fewer than two clusters hold items."""
        return standard_error(self.influence, self.clusters)

    @property
    def own(self) -> Array:
        """(s, G) each cluster's own ratio; NaN where it has none."""
        return np.divide(self.sums, self.sizes, out=np.full_like(self.sums, np.nan), where=self.sizes > 0)


def clustered_ratio(sums: Array, sizes: Array, items: Array | None = None) -> ClusteredRatio:
    """Return the ratios of each row.

    Args:
        sums: (s, G) X_g.
        sizes: (s, G) N_g.
        items: (s, G) items behind them where these are not the sizes (the sizes of a ratio may be sums of weights).
    """
    sums, sizes = np.asarray(sums, dtype=float), np.asarray(sizes, dtype=float)
    whole = sizes.sum(axis=1, keepdims=True)
    usable = whole > 0
    whole = np.where(usable, whole, np.nan)
    estimate = sums.sum(axis=1, keepdims=True) / whole
    share = sizes / whole
    influence = np.subtract(sums, estimate * sizes)  # in place from here on: the arrays are large
    influence /= whole
    influence /= np.maximum(1 - _LARGEST_PART, np.subtract(1, share, out=share), out=share)
    return ClusteredRatio(sums, sizes, sizes if items is None else items, estimate[:, 0], influence)


def sums_by_place(place: NDArray[np.integer[Any]], values: Array, size: int = 0) -> Array:
    """Return (size,) sums of (n,) values over equal places 0..size-1; as many as occur where `size` is smaller.

    `np.bincount` with weights, of which NumPy's type annotations say that it counts.
    """
    sums: Array = np.bincount(place, weights=values, minlength=size)  # type: ignore[assignment]
    return sums


def standard_error(influence: Array, clusters: Array) -> Array:
    """Return sqrt((G - 1) / G * sum I_g^2) of each row; NaN where G < 2."""
    g = np.where(np.asarray(clusters) >= 2, clusters, np.nan)
    error: Array = np.sqrt((g - 1) / g * (influence**2).sum(axis=1))
    return error


@dataclass(frozen=True)
class ClusteredChange:
    """Differences "later minus earlier" of two ratios on the same clusters.

    Attributes:
        estimate: (s,) differences.
        error: (s,) standard errors.
        effective: (s,) effective clusters: the smaller number of the two.
        differing: (s,) m = eff(|change_g|) with change_g the cluster's own later minus its own earlier ratio: how many
            clusters of equal size carry the change. A few that change among many that do not say little.
        unseen: (s,) 1 / G_eff, what one cluster that changes wholly would add, where none changes even by half and all
            changes together are below five whole ones; else 0. Models that either know or guess change wholly, and a
            sample without such a cluster has a small error and a change far from the truth.
    """

    estimate: Array
    error: Array
    effective: Array
    differing: Array
    unseen: Array

    @property
    def freedom(self) -> Array:
        """(s,) degrees of freedom min(m, G_eff) - 1; NaN where m < `FEWEST_CHANGING` or G_eff < 2: too little to say.

        NaN too where the standard error is 0, since changes that are all the same say nothing of those unseen.
        """
        enough = (self.differing >= FEWEST_CHANGING) & (self.effective >= 2) & (self.error > _NO_ERROR)
        return np.where(enough, np.minimum(self.differing, self.effective) - 1, np.nan)

    def interval(self, bounds: tuple[float, float]) -> tuple[Array, Array]:
        """Return Student's intervals within the statistic's range, NaN without degrees of freedom."""
        return student_interval(self.estimate, np.hypot(self.error, self.unseen), self.freedom, bounds)

    def p_values(self) -> Array:
        """Return two-sided p-values of "no change"."""
        return two_sided_p(self.estimate, np.hypot(self.error, self.unseen), self.freedom)

    def p_of_at_least(self, null: float) -> Array:
        """Return one-sided p-values of "the change is at least `null`"."""
        return one_sided_p(-self.estimate, np.hypot(self.error, self.unseen), self.freedom, -null)


def clustered_change(earlier: ClusteredRatio, later: ClusteredRatio) -> ClusteredChange:
    """Return the differences later - earlier; both have the same columns (clusters)."""
    clusters = ((earlier.items != 0) | (later.items != 0)).sum(axis=1).astype(float)
    effective = np.minimum(earlier.effective, later.effective)
    return ClusteredChange(
        later.estimate - earlier.estimate,
        standard_error(later.influence - earlier.influence, clusters),
        effective,
        *changing_clusters(later.own - earlier.own, effective),
    )


def changing_clusters(change: Array, effective: Array) -> tuple[Array, Array]:
    """Return m and the unseen part (both of `ClusteredChange`) from each cluster's own change.

    Args:
        change: (s, G) changes, NaN where a cluster has none.
        effective: (s,) effective numbers of clusters.
    """
    size = np.abs(np.nan_to_num(change))
    size = np.where(size > _NO_ERROR, size, 0.0)
    whole = np.where(effective > 0, effective, np.nan)
    none_whole = (size.max(axis=1, initial=0.0) < _HALF) & (size.sum(axis=1) < _FEW_WHOLE)
    return effective_number(size), np.where(none_whole, 1 / whole, 0.0)


def student_quantile(freedom: Array, confidence: float = CONFIDENCE) -> Array:
    """Return Student's two-sided quantile; NaN where the degrees of freedom are not above 0."""
    freedom = np.asarray(freedom, dtype=float)
    quantile = special.stdtrit(np.where(freedom > 0, freedom, np.nan), (1 + confidence) / 2)
    return np.asarray(quantile, dtype=float)


def student_interval(
    estimate: Array, error: Array, freedom: Array, bounds: tuple[float, float] = (-np.inf, np.inf)
) -> tuple[Array, Array]:
    """Return estimate -+ t se, within the statistic's range; NaN where the degrees of freedom are not above 0."""
    reach = student_quantile(freedom) * error
    return np.maximum(estimate - reach, bounds[0]), np.minimum(estimate + reach, bounds[1])


def ratio_interval(found: ClusteredRatio, bounds: tuple[float, float]) -> tuple[Array, Array]:
    """Return Student's interval of each ratio with G_eff - 1 degrees of freedom, within its range.

    Where all clusters say the same it has no width, and a bound takes its place (`bound_without_spread`).

    Returns:
        Two (s,) arrays; NaN where fewer than two clusters hold items.
    """
    effective, error = found.effective, found.error
    low, high = student_interval(found.estimate, error, effective - 1, bounds)
    alike = error <= _NO_ERROR
    widest = bound_without_spread(found.estimate, effective, bounds)
    return np.where(alike, widest[0], low), np.where(alike, widest[1], high)


def bound_without_spread(
    estimate: Array, clusters: Array, bounds: tuple[float, float], confidence: float = CONFIDENCE
) -> tuple[Array, Array]:
    """Return an interval for a statistic on which all clusters agree, from its range [a, b] and their number alone.

    Of G clusters none differed, so with the stated confidence at most a share q = 1 - ((1 - confidence) / 2)^(1/G) of
    all clusters does, and the mean lies within q of the way to a or b.
    """
    with np.errstate(divide="ignore"):
        share = 1.0 - ((1.0 - confidence) / 2) ** (1.0 / np.asarray(clusters, dtype=float))
    return estimate - share * (estimate - bounds[0]), estimate + share * (bounds[1] - estimate)


def one_sided_p(estimate: Array, error: Array, freedom: Array, null: float) -> Array:
    """Return the p-value of "the statistic is at most `null`": the chance of an estimate this far above it.

    Returns:
        (s,) values in [0, 1]; NaN without degrees of freedom or without a standard error.
    """
    freedom, error = np.asarray(freedom, dtype=float), np.asarray(error, dtype=float)
    usable = (freedom > 0) & (error > _NO_ERROR)
    ratio = np.divide(null - estimate, error, out=np.full_like(error, np.nan), where=usable)
    return special.stdtr(np.where(usable, freedom, np.nan), ratio)


def two_sided_p(estimate: Array, error: Array, freedom: Array, null: float = 0.0) -> Array:
    """Return the p-value of "the statistic is `null`", as `one_sided_p`."""
    above = one_sided_p(estimate, error, freedom, null)
    return 2 * np.minimum(above, 1 - above)
