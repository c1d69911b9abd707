"""The figures of a level that have an interval of their own kind: shares, Brier score, AUROC, calibration error, gap.

Where a figure has an estimate but no interval, the reason stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .cell_ratios import CellRatios, Estimates, estimates, too_few_differ
from .statistics import calibration, calibration_error, discrimination
from .statistics.agreement_gap import GapTerms
from .statistics.bootstrap import SMALL
from .statistics.clustered import ClusteredRatio, standard_error, sums_by_place
from .statistics.share_intervals import differing_clusters, share_intervals

Array = NDArray[np.float64]

ONLY_A_POINT = "biased upward, so there is no interval"
NOT_RELIABLE = "no interval of it was found reliable"
_SAME_SCORE = 9  # decimals: scores that differ by less are one tie group


def shares(ratios: CellRatios, values: Array) -> Estimates:
    """Return the means of a column of shares, with the intervals of `share_intervals`."""
    found = ratios.mean(values)
    ends = share_intervals(found)
    return estimates(found, (ends.low, ends.high), n=ratios.count(np.isfinite(values)), bound=ends.bound)


def shares_of(ratios: CellRatios, numerators: Array, denominators: Array) -> Estimates:
    """Return the ratios of two columns' sums, the first a part of the second."""
    found = ratios.ratio(numerators, denominators)
    ends = share_intervals(found)
    return estimates(found, (ends.low, ends.high), n=ratios.count(np.isfinite(numerators)), bound=ends.bound)


def brier(ratios: CellRatios, values: Array, differing: Array) -> Estimates:
    """Return the means of `calibration.brier_terms`."""
    found = ratios.mean(values)
    reasons = _few(differing, discrimination.FEWEST_DIFFERING, found.estimate)
    ends = discrimination.brier_interval(found, differing)
    return estimates(found, ends, n=ratios.count(np.isfinite(values)), reasons=reasons)


def majority_differing(ratios: CellRatios, credit: Array) -> Array:
    """Return m of the majority vote of every cell."""
    return differing_clusters(ratios.mean(credit))


def _few(differing: Array, fewest: float, estimate: Array) -> dict[int, str]:
    known = np.isfinite(estimate)
    return {
        int(place): too_few_differ(float(differing[place])) for place in np.flatnonzero((differing < fewest) & known)
    }


@dataclass(frozen=True)
class Aurocs:
    """AUROC of every cell with the influence of every source question.

    Attributes:
        values: (s,) A, NaN where all answers are right or all wrong.
        influence: (s, G).
        items: the numbers behind it.
        n: (s,) items.
        differing: (s,) m of the majority vote.
        modal: (s,) of `discrimination.ClusteredAuroc`.
    """

    values: Array
    influence: Array
    items: ClusteredRatio
    n: NDArray[np.int64]
    differing: Array
    modal: Array

    @property
    def errors(self) -> Array:
        """(s,) clustered standard errors."""
        return standard_error(self.influence, self.items.clusters)

    def estimates(self) -> Estimates:
        """Return them with their logit intervals."""
        ends = discrimination.auroc_interval(self.values, self.errors, self.differing, self.modal)
        reasons = _few(self.differing, discrimination.FEWEST_DIFFERING, self.values)
        found = estimates(self.items, ends, n=self.n, reasons=reasons)
        return _with_values(found, self.values, self.errors)


def aurocs(
    ratios: CellRatios,
    items: Sequence[NDArray[np.int64]],
    score: Array,
    credit: Array,
    clusters: NDArray[np.int64],
    differing: Array,
) -> Aurocs:
    """Return AUROC of a score in every cell.

    Args:
        ratios: of the cells.
        items: the places of each cell's items.
        score, credit: (n,) NaN in an item without.
        clusters: (n,) numbers of the items' source questions.
        differing: (cells,) m of the majority vote.
    """
    known = np.isfinite(score) & np.isfinite(credit)
    values, influence = np.full(len(items), np.nan), np.zeros((len(items), ratios.size))
    modal = np.ones(len(items))
    rounded = np.round(score, _SAME_SCORE)
    for place, rows in enumerate(items):
        use = rows[known[rows]]
        if len(use):
            found = discrimination.clustered_auroc(
                rounded[use], credit[use], clusters[use], ratios.size, ratios.weight[use]
            )
            values[place], influence[place], modal[place] = found.value, found.influence, found.modal
    behind = ratios.mean(np.where(known, credit, np.nan))
    return Aurocs(values, influence, behind, ratios.count(known), differing, modal)


def calibration_errors(
    ratios: CellRatios,
    items: Sequence[NDArray[np.int64]],
    score: Array,
    credit: Array,
    clusters: NDArray[np.int64],
    trials: int | None,
    differing: Array,
) -> Estimates:
    """Return the debiased calibration error of every cell.

    Args:
        ratios, items, score, credit, clusters, differing: as in `aurocs`.
        trials: T of the votes behind the score; None where there are none.
    """
    known = np.isfinite(score) & np.isfinite(credit)
    behind = ratios.mean(np.where(known, credit, np.nan))
    effective = behind.effective
    values, low, high = (np.full(len(items), np.nan) for _ in range(3))
    reasons: dict[int, str] = {}
    for place, rows in enumerate(items):
        use = rows[known[rows]]
        bins = calibration_error.score_bins(score[use], trials)
        found = calibration_error.binned_gaps(score[use], credit[use], bins, clusters[use], ratios.weight[use])
        if found is None:
            continue
        values[place] = found.estimate
        if effective[place] < SMALL:
            reasons[place] = f"fewer than {SMALL} source questions"
        elif differing[place] < calibration_error.FEWEST_DIFFERING:
            reasons[place] = too_few_differ(float(differing[place]))
        else:
            low[place], high[place] = calibration_error.calibration_error_interval(found, float(differing[place]))
    nothing = np.full(len(items), np.nan)
    return _with_values(estimates(behind, (low, high), n=ratios.count(known), reasons=reasons), values, nothing)


def points(behind: Estimates, values: Array, reason: str) -> Estimates:
    """Return figures without interval, for the same items as others."""
    nothing = np.full(len(values), np.nan)
    reasons = tuple(reason if np.isfinite(value) else None for value in values)
    bound = np.zeros(len(values), dtype=bool)
    return Estimates(
        values, nothing, nothing, behind.n, behind.clusters, behind.effective, bound, reasons, nothing, nothing
    )


def augrcs(found: Aurocs) -> Array:
    """Return AUGRC of every cell."""
    return discrimination.augrc(found.values, found.items.estimate)


def expected_calibration_errors(
    items: Sequence[NDArray[np.int64]], score: Array, credit: Array, weight: Array, steps: int
) -> Array:
    """Return the ECE over vote levels (or tenths) of every cell.

    Args:
        items, score, credit: as in `aurocs`.
        weight: (n,) how many items each counts for.
        steps: number T of steps between 0 and 1.
    """
    known = np.isfinite(score) & np.isfinite(credit)
    values = np.full(len(items), np.nan)
    for place, rows in enumerate(items):
        use = rows[known[rows]]
        if len(use):
            level = calibration.vote_levels(np.round(score[use], _SAME_SCORE), steps)
            count, right, said = (
                sums_by_place(level, weight[use] * part) for part in (np.ones(len(use)), credit[use], score[use])
            )
            values[place] = calibration.expected_calibration_error(count, right, said)
    return values


def gaps(ratios: CellRatios, terms: GapTerms, levels: Sequence[str], reasons: Mapping[str, str]) -> Estimates:
    """Return the agreement gaps; cells of a level that has none get its reason.

    Args:
        ratios: of the cells.
        terms: of the items.
        levels: (cells,) level of each cell.
        reasons: level -> why its votes have no gap.
    """
    found = ratios.gap(terms)
    result = estimates(found.ratio, found.interval(), n=ratios.count(np.isfinite(terms.weight)))
    for reason in set(reasons.values()):
        result = result.without(reason, np.array([reasons.get(level) == reason for level in levels]))
    return result


def _with_values(found: Estimates, values: Array, errors: Array) -> Estimates:
    return replace(found, values=values, errors=errors)
