"""The mean of a panel of readers, with an interval that holds for other readers and other questions of the same kind.

Readers differ, and they answer the same questions, so that neither the questions nor the readers alone say how sure
their mean is. Obuchowski and Rockette ("Hypothesis testing of diagnostic accuracy for multiple readers and multiple
tests", Communications in Statistics - Simulation and Computation 24, 1995) take each reader's figure theta_r, whatever
it is, and the covariance that the shared questions give two readers' figures, here by a jackknife over the G source
questions:

    Cov_rs = (G - 1) / G sum_g (theta_r(-g) - mean) (theta_s(-g) - mean),   Cov2 = mean of Cov_rs over r != s
    MS = sum_r (theta_r - mean)^2 / (R - 1),   Var(mean) = (MS + R max(Cov2, 0)) / R

with Student's t of df = (MS + R max(Cov2, 0))^2 (R - 1) / MS^2 (Hillis, "A comparison of denominator degrees of freedom
methods for multiple observer ROC analysis", Statistics in Medicine 26, 2007). `benchmarks/readers.py` measures the
coverage. Two readers do not say how readers differ: their interval takes them as they are, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]

RANDOM_READERS = "OR-Hillis"
FIXED_READERS = "these readers only"
"""How an interval comes about: for readers like these, or for no others than these."""

FEWEST_READERS = 3

_NO_ERROR = 1e-14  # a variance of 0 comes out as a rounding error
_TAIL = 0.975


@dataclass(frozen=True)
class Jackknifed:
    """One figure of several readers, with what it is without each source question.

    Attributes:
        estimates: (R,) figures; NaN where a reader has none.
        left_out: (R, G) figures without one source question; NaN where nothing remains.
    """

    estimates: Array
    left_out: Array

    def minus(self, other: Jackknifed) -> Jackknifed:
        """Return the readers' differences; both are of the same source questions, in the same order."""
        return Jackknifed(self.estimates - other.estimates, self.left_out - other.left_out)

    def covariance(self) -> Array:
        """Return the (R, R) jackknife covariances of the readers' figures."""
        questions = self.left_out.shape[1]
        apart = self.left_out - self.left_out.mean(axis=1, keepdims=True)
        found: Array = (questions - 1) / questions * (apart @ apart.T)
        return found


def jackknifed_ratios(sums: Array, sizes: Array) -> Jackknifed:
    """Return each reader's ratio of sums, such as a mean over the items that the reader saw.

    Args:
        sums: (R, G) what each source question adds to the numerator.
        sizes: (R, G) what it adds to the denominator; 0 where the reader has not seen it.
    """
    sums, sizes = np.asarray(sums, dtype=float), np.asarray(sizes, dtype=float)
    whole, of = sums.sum(axis=1, keepdims=True), sizes.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return Jackknifed((whole / of)[:, 0], np.where(of - sizes > 0, (whole - sums) / (of - sizes), np.nan))


@dataclass(frozen=True)
class PanelMean:
    """The mean of a figure over readers.

    Attributes:
        estimate: NaN without readers.
        low: lower end of the 95% interval within the figure's range; NaN without one.
        high: upper end, likewise.
        freedom: degrees of freedom, up to infinity; NaN without an interval.
        method: `RANDOM_READERS` or `FIXED_READERS`.
        readers: that have the figure.
        reason: why there is no interval; None where there is one.
    """

    estimate: float
    low: float
    high: float
    freedom: float
    method: str
    readers: int
    reason: str | None = None


def panel_mean(found: Jackknifed, bounds: tuple[float, float] = (-np.inf, np.inf)) -> PanelMean:
    """Return the mean over the readers that have the figure, with its 95% interval.

    Args:
        found: of each reader.
        bounds: the figure's range.
    """
    usable = np.isfinite(found.estimates) & np.isfinite(found.left_out).all(axis=1)
    figures = found.estimates[usable]
    readers = len(figures)
    method = RANDOM_READERS if readers >= FEWEST_READERS else FIXED_READERS
    if not readers:
        return PanelMean(np.nan, np.nan, np.nan, np.nan, method, 0, "no reader has this figure")
    mean = float(figures.mean())
    covariance = Jackknifed(figures, found.left_out[usable]).covariance()
    if readers < FEWEST_READERS:
        variance, freedom = float(covariance.mean()), float(found.left_out.shape[1] - 1)
    else:
        variance, freedom = _hillis(figures, covariance)
    if not (variance > _NO_ERROR and freedom > 0):
        return PanelMean(mean, np.nan, np.nan, np.nan, method, readers, "neither readers nor questions differ")
    reach = float(special.stdtrit(freedom, _TAIL)) * np.sqrt(variance)
    low, high = max(mean - reach, bounds[0]), min(mean + reach, bounds[1])
    return PanelMean(mean, float(low), float(high), freedom, method, readers)


def _hillis(figures: Array, covariance: Array) -> tuple[float, float]:
    """Return variance and degrees of freedom of the mean of three or more readers."""
    readers = len(figures)
    spread = float(figures.var(ddof=1))
    shared = float((covariance.sum() - np.trace(covariance)) / (readers * (readers - 1)))
    both = spread + readers * max(shared, 0.0)
    if spread <= _NO_ERROR:
        return both / readers, np.inf
    return both / readers, both**2 * (readers - 1) / spread**2
