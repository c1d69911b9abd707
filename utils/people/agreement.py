"""How far readers agree: the coefficients of the field side by side, since each of them alone can mislead.

Where nearly every pair is kept, AC1 is high and kappa low on the same ratings, and neither says whether the readers
name the *same* pairs: the specific agreement on a category does. So all are computed, and printed together.

Each row of `codes` is one rated thing, each column one reader; r_ik readers put row i into category k, r_i rated it.
With weights w (1 on the diagonal; the identity for nominal categories) and r*_ik = sum_l w_kl r_il:

    P_a = mean over rows with r_i >= 2 of sum_k r_ik (r*_ik - 1) / (r_i (r_i - 1))
    pi_k = mean over rows with r_i >= 1 of r_ik / r_i
    AC = (P_a - P_e) / (1 - P_e),  P_e = sum(w) / (q (q - 1)) sum_k pi_k (1 - pi_k)
    kappa: the same with P_e = sum_k pi_k^2

AC1 has nominal weights, AC2 others (Gwet, "Computing inter-rater reliability and its variance in the presence of high
agreement", British Journal of Mathematical and Statistical Psychology 61, 2008; "Handbook of inter-rater reliability",
4th edition, 2014, also for missing ratings). Kappa is that of Fleiss (Psychological Bulletin 76, 1971). Alpha is that
of Krippendorff ("Content analysis", 4th edition, 2018, chapter 12) for nominal data. Specific agreement on category k
is sum_i r_ik (r_ik - 1) / sum_i r_ik (r_i - 1), the chance that another reader says k where one says k: that of two
readers (Cicchetti and Feinstein, Journal of Clinical Epidemiology 43, 1990), over all pairs of them.

Intervals are 95% BCa bootstrap intervals over the clusters of rows (`item_bootstrap`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .item_bootstrap import bca_intervals

Array = NDArray[np.float64]
Codes = NDArray[np.integer[Any]]

MISSING = -1
"""In a table of codes: the reader did not rate."""

REPLICATES = 2000

_SURE = 1e-12  # what is expected by chance is 1: everybody says the same


@dataclass(frozen=True)
class Coefficient:
    """A number with its 95% interval.

    Attributes:
        estimate: NaN where the ratings do not define it, as kappa where everybody always says the same.
        low: lower end; NaN without an interval: fewer than two clusters, or undefined in more than 5% of the
            replicates.
        high: upper end, likewise.
    """

    estimate: float
    low: float
    high: float

    def __str__(self) -> str:
        if np.isnan(self.estimate):
            return "undefined"
        ends = "" if np.isnan(self.low) else f" [{self.low:.3f}, {self.high:.3f}]"
        return f"{self.estimate:.3f}{ends}"


@dataclass(frozen=True)
class Agreement:
    """What several readers' ratings in the same categories have in common.

    Attributes:
        categories: names, in the order of the codes.
        rows: rated things with at least two ratings; the rest says nothing of agreement.
        clusters: of those, what was resampled.
        readers: with at least one rating.
        observed: P_a, the chance that two readers of a row say the same.
        ac1: Gwet's, nominal.
        kappa: Fleiss', nominal.
        alpha: Krippendorff's, nominal.
        ac2: Gwet's with the weights; None without weights.
        specific: agreement on each category, in the order of `categories`.
        said: (q,) pi_k, how often readers say each category.
    """

    categories: tuple[str, ...]
    rows: int
    clusters: int
    readers: int
    observed: Coefficient
    ac1: Coefficient
    kappa: Coefficient
    alpha: Coefficient
    ac2: Coefficient | None
    specific: tuple[Coefficient, ...]
    said: tuple[float, ...]

    def lines(self) -> list[str]:
        """Return everything, one line each, to be printed together."""
        found = [
            f"{self.rows} rated by two or more of {self.readers} readers: they say the same in {self.observed}",
            f"AC1 {self.ac1}, Fleiss kappa {self.kappa}, Krippendorff alpha {self.alpha}",
        ]
        if self.ac2 is not None:
            found.append(f"AC2 {self.ac2} (weights count near misses in part)")
        found += [
            f'specific agreement on "{name}" {on} ({said:.1%} of the ratings)'
            for name, on, said in zip(self.categories, self.specific, self.said, strict=True)
            if said > 0
        ]
        return found


def agreement(
    codes: Codes,
    categories: Sequence[str],
    *,
    rng: np.random.Generator,
    weights: Array | None = None,
    clusters: Codes | None = None,
    replicates: int = REPLICATES,
) -> Agreement:
    """Return every coefficient of some ratings.

    Args:
        codes: (rows, readers) places in `categories`, -1 where missing.
        categories: the q >= 2 names that readers could choose from, used or not: AC1 depends on their number.
        rng: of the bootstrap; the same state gives the same intervals.
        weights: (q, q) in [0, 1], symmetric with 1 on the diagonal, for AC2; see `linear_weights`.
        clusters: (rows,) number of the item that each row belongs to, as where an item has several pairs; rows are
            their own clusters where it is absent.
        replicates: of the bootstrap.

    Raises:
        ValueError: codes, weights or clusters of another shape or range.
    """
    codes = np.asarray(codes)
    q = len(categories)
    if codes.ndim != 2 or codes.dtype.kind not in "iu" or q < 2:
        raise ValueError(f"want a table of whole numbers and two or more categories, got {codes.shape}, {q}")
    if codes.size and not (codes.min() >= MISSING and codes.max() < q):
        raise ValueError(f"codes must be -1 (missing) to {q - 1}, got {codes.min()} to {codes.max()}")
    clusters = np.arange(len(codes)) if clusters is None else np.asarray(clusters)
    if clusters.shape != (len(codes),):
        raise ValueError(f"want one cluster per row, got {clusters.shape} for {len(codes)} rows")
    counts = _counts(codes, q)
    if weights is not None:
        weights = np.asarray(weights, dtype=float)
        if weights.shape != (q, q) or not np.array_equal(weights, weights.T) or not np.all(np.diag(weights) == 1):
            raise ValueError(f"weights must be a symmetric ({q}, {q}) matrix with 1 on the diagonal")
    rated = counts.sum(axis=1) >= 1
    names, place = np.unique(clusters[rated], return_inverse=True)
    terms = _row_terms(counts[rated], weights)
    sums = np.zeros((len(names), terms.shape[1]))
    np.add.at(sums, place.reshape(-1), terms)
    bounds = [(0.0, 1.0), *[(-1.0, 1.0)] * 3, *[(0.0, 1.0)] * q, (-1.0, 1.0)]
    values = bca_intervals(sums, lambda of: _coefficients(of, q, weights), bounds, rng, replicates)
    found = [Coefficient(*map(float, one)) for one in zip(*values, strict=True)]
    pairs = counts.sum(axis=1) >= 2
    said = sums[:, 2 : 2 + q].sum(axis=0) / max(1, int(rated.sum()))
    return Agreement(
        categories=tuple(categories),
        rows=int(pairs.sum()),
        clusters=len(np.unique(clusters[pairs])),
        readers=int((codes != MISSING).any(axis=0).sum()),
        observed=found[0],
        ac1=found[1],
        kappa=found[2],
        alpha=found[3],
        ac2=None if weights is None else found[4 + q],
        specific=tuple(found[4 : 4 + q]),
        said=tuple(float(share) for share in said),
    )


def linear_weights(q: int) -> Array:
    """Return (q, q) weights 1 - |k - l| / (q - 1) of ordered categories: neighbours of three agree by half."""
    place = np.arange(q)
    found: Array = 1 - np.abs(place[:, None] - place) / (q - 1)
    return found


def pairwise_kappa(codes: Codes, categories: int) -> Array:
    """Return (readers, readers) kappa of each two readers, on what both rated; NaN where undefined.

    With two readers Fleiss' kappa is Scott's pi. A pair that stands out above all others may have copied: readers who
    copy a share rho of their answers and else draw them independently have a kappa of rho.

    Args:
        codes: (rows, readers) places 0..q-1, -1 where missing.
        categories: their number q.
    """
    readers = codes.shape[1]
    found = np.full((readers, readers), np.nan)
    for first in range(readers):
        for second in range(first + 1, readers):
            pair = codes[:, [first, second]]
            counts = _counts(pair[(pair != MISSING).all(axis=1)], categories)
            value = _coefficients(_row_terms(counts, None).sum(axis=0, keepdims=True), categories, None)[0, 2]
            found[first, second] = found[second, first] = value
    return found


def _counts(codes: Codes, q: int) -> Array:
    """Return (rows, q) r_ik."""
    found: Array = (codes[:, :, None] == np.arange(q)).sum(axis=1).astype(float)
    return found


def _row_terms(counts: Array, weights: Array | None) -> Array:
    """Return each row's terms of the sums that all coefficients are made of.

    In order: rows with a pair; share of its pairs that agree; q shares of its ratings; q numbers of ratings, of those
    with a pair; pairs that agree, over r_i - 1; q times r_ik (r_ik - 1); q times r_ik (r_i - 1); weighted share.
    """
    size = counts.sum(axis=1, keepdims=True)
    paired = size >= 2
    others = np.where(paired, size - 1, 1)
    same = counts * (counts - 1)
    inside = np.where(paired, counts, 0.0)
    weighted = same if weights is None else counts * (counts @ weights - 1)
    parts = [
        paired.astype(float),
        np.where(paired, same.sum(axis=1, keepdims=True) / (size * others), 0.0),
        counts / size,
        inside,
        np.where(paired, same.sum(axis=1, keepdims=True) / others, 0.0),
        same,
        counts * (size - 1),
        np.where(paired, weighted.sum(axis=1, keepdims=True) / (size * others), 0.0),
    ]
    return np.hstack(parts)


def _coefficients(sums: Array, q: int, weights: Array | None) -> Array:
    """Return (n, 5 + q) P_a, AC1, kappa, alpha, q specific agreements, AC2, of each row of sums."""
    pairs, agree = sums[:, 0], sums[:, 1]
    said, inside = sums[:, 2 : 2 + q], sums[:, 2 + q : 2 + 2 * q]
    coincide = sums[:, 2 + 2 * q]
    same, possible = np.split(sums[:, 3 + 2 * q : 3 + 4 * q], 2, axis=1)
    weighted = sums[:, 3 + 4 * q]
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = agree / pairs
        pi = said / said.sum(axis=1, keepdims=True)
        spread = (pi * (1 - pi)).sum(axis=1) / (q * (q - 1))
        n = inside.sum(axis=1)
        by_chance = (inside * (inside - 1)).sum(axis=1) / (n * (n - 1))
        found = [
            observed,
            _above_chance(observed, q * spread),
            _above_chance(observed, (pi**2).sum(axis=1)),
            _above_chance(coincide / n, by_chance),
            *(same / possible).T,
            _above_chance(weighted / pairs, (q if weights is None else weights.sum()) * spread),
        ]
    return np.stack(found, axis=1)


def _above_chance(observed: Array, by_chance: Array) -> Array:
    sure = by_chance > 1 - _SURE
    found: Array = np.where(sure, np.nan, (observed - by_chance) / np.where(sure, 1.0, 1 - by_chance))
    return found
