"""Up to which severity a model may be trusted: a condition that holds there and at every smaller severity.

Severities are tested from the smallest up and the first failure ends it, so that no correction for their number is
needed. A severity passes where the worse end of a 95% interval keeps the promise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .clustered import Array, ClusteredRatio, bound_without_spread, clustered_change, clustered_ratio
from .share_intervals import share_intervals

MARGIN = 0.05
"""How much accuracy may be lost where no least accuracy is given."""


def accuracy_holds(accuracy: ClusteredRatio, margin: float = MARGIN) -> NDArray[np.bool_]:
    """Return at which severities no more accuracy than a margin is lost since severity 0, with 95% confidence.

    By the lower end of the interval of the paired, clustered change; where too few source questions change for one
    (`clustered.FEWEST_CHANGING`), by the upper end of the mean of what single source questions lose, gains left out,
    and at least by what no loss among as many leaves open (`clustered.bound_without_spread`).

    Args:
        accuracy: one row per severity, 0 first, on the same clusters.
        margin: of accuracy, in (0, 1).

    Returns:
        (S,) flags; the first is true.
    """
    number = len(accuracy.estimate)
    clean = _rows(accuracy, np.zeros(number, dtype=np.int64))
    low, _ = clustered_change(clean, accuracy).interval((-1.0, 1.0))
    loss = np.maximum(np.nan_to_num(clean.own - accuracy.own), 0.0) * accuracy.sizes
    _, unseen = bound_without_spread(np.zeros(number), accuracy.effective, (0.0, 1.0))
    most = np.fmax(share_intervals(clustered_ratio(loss, accuracy.sizes)).high, unseen)
    held: NDArray[np.bool_] = np.where(np.isfinite(low), low, -most) >= -margin
    held[0] = True
    return held


def largest_held(severities: Array, held: NDArray[np.bool_], *, clean_counts: bool = False) -> float | None:
    """Return the largest severity up to which a condition holds at all of the grid's; None where not established.

    Args:
        severities: (S,) ascending, 0 first.
        held: (S,) whether it holds.
        clean_counts: whether 0 is an answer, where the condition says something of clean images by themselves.
    """
    number = len(held) if held.all() else int(np.argmin(held))
    return float(severities[number - 1]) if number > (0 if clean_counts else 1) else None


def _rows(found: ClusteredRatio, rows: NDArray[np.int64]) -> ClusteredRatio:
    return ClusteredRatio(
        *(part[rows] for part in (found.sums, found.sizes, found.items, found.estimate, found.influence))
    )
