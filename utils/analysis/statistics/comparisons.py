"""Differences between levels and between models, item by item where the items correspond.

L0 and L1 hold different mixes of items: a clean item counts once, its degraded versions one to three times. The plain
difference of two means (the paper's) therefore moves with the mix; the matched one compares each degraded item with its
own clean version and does not. All changes are "later minus earlier".
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Verdict = Literal["supported", "contradicted", "undecided"]


def unit_means(values: Array, units: NDArray[np.int64], chosen: NDArray[np.bool_]) -> Array:
    """Return, for every item, the mean value of the chosen items of its unit; NaN where there is none.

    Args:
        values: (n,) values, NaN where an item has none.
        units: (n,) numbers 0..u-1 of the unit of each item; negative for an item without one.
        chosen: (n,) which items to average.
    """
    use = chosen & np.isfinite(values) & (units >= 0)
    size = int(units.max(initial=-1)) + 1
    count = np.bincount(units[use], minlength=size)
    total = np.bincount(units[use], weights=values[use], minlength=size)
    means = np.append(np.divide(total, count, out=np.full(size, np.nan), where=count > 0), np.nan)
    return means[np.where(units >= 0, units, size)]


def matched_change(
    values: Array, units: NDArray[np.int64], before: NDArray[np.bool_], after: NDArray[np.bool_]
) -> Array:
    """Return, for each item of `after`, its value minus the mean of its unit's items of `before`; NaN elsewhere.

    From L0 the unit is the source question; between L1 and L2 it is the source question and the degradation.
    """
    return np.where(after, values - unit_means(values, units, before), np.nan)


def matched_cliff(
    values: Array,
    questions: NDArray[np.int64],
    pairs: NDArray[np.int64],
    clean: NDArray[np.bool_],
    mild: NDArray[np.bool_],
    severe: NDArray[np.bool_],
) -> Array:
    """Return, for each severe item, (L2 - L1) - (L1 - L0) with its own mild and clean version; NaN elsewhere.

    For accuracy a negative mean says that the loss from L1 to L2 is larger than that from L0 to L1.

    Args:
        values: (n,) values, NaN where an item has none.
        questions: (n,) numbers of the source questions.
        pairs: (n,) numbers of (source question, degradation); negative for clean items.
        clean, mild, severe: (n,) which items are of L0, L1, L2.
    """
    middle = unit_means(values, pairs, mild)
    first = unit_means(values, questions, clean)
    return np.where(severe, (values - middle) - (middle - first), np.nan)


def cliff(clean: Array, mild: Array, severe: Array) -> Array:
    """Return (L2 - L1) - (L1 - L0) of three levels' figures: the plain form of `matched_cliff`."""
    return (severe - mild) - (mild - clean)


def cliff_verdict(low: float, high: float) -> Literal["larger", "smaller", "undecided"] | None:
    """Return whether accuracy falls more from L1 to L2 than from L0 to L1, by the cliff's interval."""
    if math.isnan(low) or math.isnan(high):
        return None
    return "larger" if high < 0 else "smaller" if low > 0 else "undecided"


def dunning_kruger_verdict(accuracy_change: tuple[float, float], shift_change: tuple[float, float]) -> Verdict | None:
    """Return whether the intra-model Dunning-Kruger effect is beyond the noise.

    The paper's rule is a yes or no about the estimates: accuracy falls while Calibration Shift holds or grows. Here the
    95% intervals decide: "supported" where accuracy falls (interval below 0) and the shift grows (above 0);
    "contradicted" where accuracy does not fall (interval at or above 0) or the shift falls (below 0); "undecided"
    otherwise; None where an interval is missing.

    Args:
        accuracy_change: lower and upper end of the interval of Acc(Lx) - Acc(L0).
        shift_change: the same of the shift.
    """
    if any(math.isnan(end) for end in (*accuracy_change, *shift_change)):
        return None
    if accuracy_change[0] >= 0 or shift_change[1] < 0:
        return "contradicted"
    return "supported" if accuracy_change[1] < 0 and shift_change[0] > 0 else "undecided"


def inter_model_dunning_kruger(accuracy: tuple[float, float], shift: tuple[float, float]) -> bool | None:
    """Return the paper's rule for two models on the same items: the less accurate one has the larger shift.

    Since the shift contains -Acc, a difference in accuracy alone favours "yes"; the difference of confidence beside it
    does not.

    Args:
        accuracy: of both models.
        shift: of both models.
    """
    if any(math.isnan(value) for value in (*accuracy, *shift)):
        return None
    return (accuracy[0] - accuracy[1]) * (shift[0] - shift[1]) < 0
