"""How well a score tells right answers from wrong ones: AUROC with a clustered interval, and AUGRC.

AUROC A is the chance that a right answer has a higher score than a wrong one. An item of credit c counts as c of a
right and 1 - c of a wrong answer. With V the share of the other class that an item is placed rightly against (a right
one above, a wrong one below, ties half), item i moves A by

    c (V_right - A) / sum c + (1 - c) (V_wrong - A) / sum (1 - c)

(placement values: DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988; summed over clusters as in Obuchowski,
Biometrics 53, 1997). Few wrong answers say little, and near 1 the error is understated, so one pseudo-cluster with
A = 1/2 is added to the m clusters that differ (`share_intervals.differing_clusters` of the majority vote) and the
interval is taken on the logit:

    a = (m A + .5) / (m + 1),   v = (m (m se^2 + (A - a)^2) + (.5 - a)^2) / ((m + 1) m),
    logit a -+ t_{m-1} sqrt(v) / (a (1 - a)).

Where the rarer class has fewer than three clusters' worth of answers off its most common score (with few votes nearly
all wrong answers may have the same), the error knows nothing of the rest, and two pseudo-clusters, at 0 and at 1, take
the place of the one.

AUGRC is the area under the generalised risk-coverage curve, the mean over thresholds of the share of all items that are
answered and wrong (Traub et al., "Overcoming common flaws in the evaluation of selective classification systems",
NeurIPS 2024).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from .clustered import Array, ClusteredRatio, student_interval, student_quantile, sums_by_place

FEWEST_DIFFERING = 5
"""Effective clusters with a right, or with a wrong, majority below which AUROC and Brier have no interval."""

FEWEST_DIFFERING_AURC = 20
"""The same of AURC."""


_FEWEST_OFF_THE_MODE = 3


@dataclass(frozen=True)
class ClusteredAuroc:
    """AUROC of one set of items.

    Attributes:
        value: A in [0, 1]; NaN where all answers are right or all are wrong.
        influence: (G,) of each cluster.
        modal: share of the rarer class that has its most common score, in [0, 1].
    """

    value: float
    influence: Array
    modal: float


def clustered_auroc(
    score: Array, credit: Array, clusters: NDArray[np.int64], size: int, weight: Array | None = None
) -> ClusteredAuroc:
    """Return AUROC and the influence of each cluster on it.

    Args:
        score: (n,) scores, equal ones exactly so.
        credit: (n,) credits in [0, 1].
        clusters: (n,) numbers 0..size-1 of the items' clusters.
        size: number of clusters.
        weight: (n,) how many items each counts for; 1 if None.
    """
    weight = np.ones(len(score)) if weight is None else weight
    right, wrong = weight * credit, weight * (1.0 - credit)
    rights, wrongs = right.sum(), wrong.sum()
    if not (rights > 0 and wrongs > 0):
        return ClusteredAuroc(math.nan, np.zeros(size), 1.0)
    _, place = np.unique(score, return_inverse=True)
    right_at, wrong_at = sums_by_place(place, right), sums_by_place(place, wrong)
    below = np.cumsum(wrong_at) - 0.5 * wrong_at
    above = rights - np.cumsum(right_at) + 0.5 * right_at
    found = float(right_at @ below / (rights * wrongs))
    moved = right * (below[place] / wrongs - found) / rights + wrong * (above[place] / rights - found) / wrongs
    rarer = right_at / rights if rights < wrongs else wrong_at / wrongs
    return ClusteredAuroc(found, sums_by_place(clusters, moved, size), float(rarer.max()))


def auroc_interval(auroc: Array, error: Array, differing: Array, modal: Array) -> tuple[Array, Array]:
    """Return the logit interval with pseudo-clusters; NaN where fewer than `FEWEST_DIFFERING` clusters differ.

    Args:
        auroc: (s,) A.
        error: (s,) clustered standard errors.
        differing: (s,) m of the majority vote.
        modal: (s,) of `ClusteredAuroc`.
    """
    m = np.where(np.asarray(differing) >= FEWEST_DIFFERING, differing, np.nan)
    centre = (m * auroc + 0.5) / (m + 1)
    squares = m * (m * np.asarray(error) ** 2 + (auroc - centre) ** 2)
    variance = (squares + (0.5 - centre) ** 2) / ((m + 1) * m)
    alike = m * (1 - modal) < _FEWEST_OFF_THE_MODE
    between = (m * auroc + 1) / (m + 2)
    squares = m * (m * np.asarray(error) ** 2 + (auroc - between) ** 2)
    wider = (squares + between**2 + (1 - between) ** 2) / ((m + 2) * (m + 1))
    centre, variance = np.where(alike, between, centre), np.where(alike, wider, variance)
    reach = student_quantile(m - 1) * np.sqrt(variance) / (centre * (1 - centre))
    return special.expit(special.logit(centre) - reach), special.expit(special.logit(centre) + reach)


def brier_interval(found: ClusteredRatio, differing: Array) -> tuple[Array, Array]:
    """Return Student's interval of a Brier score, min(m, G_eff) - 1 degrees of freedom, within [0, 1].

    NaN where fewer than `FEWEST_DIFFERING` clusters differ. (With G_eff - 1 it covers 87% where few are wrong.)

    Args:
        found: ratios of sums of `calibration.brier_terms`.
        differing: (s,) m of the majority vote.
    """
    smaller = np.minimum(differing, found.effective)
    freedom = np.where(np.asarray(differing) >= FEWEST_DIFFERING, smaller - 1, np.nan)
    return student_interval(found.estimate, found.error, freedom, (0.0, 1.0))


def augrc(auroc: Array, accuracy: Array) -> Array:
    """Return AUGRC = (1 - A) a (1 - a) + (1 - a)^2 / 2 from AUROC A and the majority accuracy a.

    In [0, 1/2], lower is better. Where all answers are right it is 0, where all are wrong 1/2, though A does not exist.
    """
    spread = accuracy * (1 - accuracy)
    return np.where(spread > 0, (1 - np.nan_to_num(auroc)) * spread, 0.0) + (1 - accuracy) ** 2 / 2 + 0 * accuracy
