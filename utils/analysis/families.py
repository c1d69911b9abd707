"""Multiplicity over the nodes of an axis: q-values, and figures shrunk towards the axis' mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .cell_ratios import Estimates
from .statistics.bootstrap import SMALL
from .statistics.clustered import student_interval
from .statistics.multiplicity import FEWEST_NODES, FEWEST_QUESTIONS, q_values, shrunken

Array = NDArray[np.float64]


def places_by(keys: Sequence[object]) -> Mapping[object, list[int]]:
    """Return key -> the places that have it, in order of appearance."""
    found: dict[object, list[int]] = {}
    for place, key in enumerate(keys):
        found.setdefault(key, []).append(place)
    return found


def family_p(found: Estimates) -> Array:
    """Return the p-values that count: NaN where a node has fewer than five source questions."""
    return np.where(found.clusters >= FEWEST_QUESTIONS, found.p, np.nan)


def family_q(found: Estimates, axes: Sequence[object]) -> Array:
    """Return q of each row among the rows of its axis.

    Args:
        found: one metric in one comparison and pairing.
        axes: of the rows.
    """
    p, q = family_p(found), np.full(len(axes), np.nan)
    for places in places_by(axes).values():
        q[places] = q_values(p[places])
    return q


def family_shrunken(
    found: Estimates, families: Sequence[object], bounds: tuple[float, float]
) -> tuple[Array, Array, Array]:
    """Return each row's figure drawn towards its family's mean, with its 95% interval within the metric's range.

    NaN in families of fewer than six nodes, in those whose nodes all have thirty source questions or more, and in
    nodes without a standard error or with fewer than five source questions, whose error is not known well enough.

    Args:
        found: one metric.
        families: of the rows: level and axis.
        bounds: range of the metric.
    """
    centre, low, high = (np.full(len(families), np.nan) for _ in range(3))
    known = np.isfinite(found.values) & (np.nan_to_num(found.errors) > 0) & (found.clusters >= FEWEST_QUESTIONS)
    for places in places_by(families).values():
        own = np.array([place for place in places if known[place]], dtype=np.intp)
        if len(own) < FEWEST_NODES or not (found.effective[places] < SMALL).any():
            continue
        drawn = shrunken(found.values[own], found.errors[own] ** 2)
        centre[own] = drawn.estimate
        ends = student_interval(drawn.estimate, drawn.error, found.effective[own] - 1, bounds)
        low[own], high[own] = ends
    return centre, low, high
