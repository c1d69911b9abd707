"""Curves of a run against severity: figures with their bands, the shape of the fall, and how far the model is trusted.

Figures and intervals at each severity are those of a level (`run_estimates`); the shape (`statistics.cliffs`) comes
from replicates of whole source questions, one set of draws for all curves.

Severities do not compare between types: at severity 1 the structural similarity to the clean image lies between 0.39
and 0.97. A pooled curve therefore does not average at equal severities. It goes by rank, the place of a severity among
those of its own curve (0 the clean image, 1 the largest), with straight lines between, and each curve weighs the same,
however many items it has. A rank is no dose, so a pooled curve has no s50 and no verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...degradations import physical_dose
from ...degradations.arguments import PhysicalDose
from .cell_ratios import Estimates
from .cell_sums import Cell, CellSums
from .change_estimates import rows_of
from .item_table import OPEN_SCALE
from .metrics import FIGURES
from .operating import answered_alone
from .run_estimates import RunEstimates
from .runs.run import Run
from .series_items import AXIS, CurveItems, SeriesItems, series_items
from .statistics import operating_points as points
from .statistics.bootstrap import ClusterBootstrap, intervals
from .statistics.cliffs import Shape, no_shape, shape
from .statistics.clustered import ClusteredRatio, effective_number
from .statistics.share_intervals import share_intervals
from .statistics.trusted import MARGIN, accuracy_holds, largest_held

Array = NDArray[np.float64]

CURVE_FIGURES: tuple[str, ...] = ("accuracy", "confidence", "calibration_shift", "agreement_gap")

POOLED = "all"
"""Stands for the degradation or the modality of a pooled curve."""

NOTHING_KNOWN = "accuracy by chance is not known"


@dataclass(frozen=True)
class Curve:
    """One degradation in one modality.

    Attributes:
        items: its severities.
        doses: the physical parameter at each severity but 0; None where the type has none.
        estimates: figure of `CURVE_FIGURES` -> one row per severity.
        shape: of accuracy above chance.
        floor: the accuracy that trust asks for: given, or accuracy on clean images minus `statistics.trusted.MARGIN`.
        trusted: the largest severity up to which accuracy is at least that; None where not established.
        trusted_answers: likewise for the error among answers above the operating threshold; None where not established
            or without a threshold.
        correct: (S,) items whose majority vote is right, ties counted in part.
    """

    items: CurveItems
    doses: tuple[PhysicalDose | None, ...]
    estimates: Mapping[str, Estimates]
    shape: Shape
    floor: float
    trusted: float | None
    trusted_answers: float | None
    correct: Array


@dataclass(frozen=True)
class PooledCurve:
    """Several curves by rank, each weighing the same.

    Attributes:
        degradation, modality: what they share, else `POOLED`.
        curves: how many.
        clusters: their source questions.
        effective: source questions of equal size that would say as much.
        ranks: (r,) from 0, the clean images, to 1.
        severities: (r,) where all curves have the same; else NaN.
        values, low, high: figure -> (r,).
    """

    degradation: str
    modality: str
    curves: int
    clusters: int
    effective: float
    ranks: Array
    severities: Array
    values: Mapping[str, Array]
    low: Mapping[str, Array]
    high: Mapping[str, Array]


@dataclass(frozen=True)
class RunCurves:
    """The curves of a run.

    Attributes:
        curves: by degradation and modality.
        pooled: over the modalities of a degradation, over the degradations of a modality, over everything.
        threshold: what the operating point says.
        risk: largest error among the answers that it may leave.
    """

    curves: tuple[Curve, ...]
    pooled: tuple[PooledCurve, ...]
    threshold: str
    risk: float


def run_curves(
    run: Run, replicates: int = 1000, seed: int = 0, risk: float = points.RISK, floor: float | None = None
) -> RunCurves | None:
    """Compute the curves of a run's series; None where it has none.

    Args:
        run: of `runs.reading.read_runs`.
        replicates: of the cluster bootstrap.
        seed: of the bootstrap.
        risk: r of the operating point.
        floor: the accuracy that trust asks for, in (0, 1]; None for that on clean images minus a margin.
    """
    items = series_items(run) if run.series else None
    if items is None:
        return None
    open_numbers = any(record.get("confidence_scale") == OPEN_SCALE for record in run.series)
    table = items.table
    sums = CellSums(table, ClusterBootstrap(len(table.cluster_ids), replicates, seed).draws())
    found = RunEstimates(table, sums, sums.means(("confidence", "calibration_shift")))
    rows = {cell: row for row, cell in enumerate(found.cells)}
    rows_at = {curve.node: [rows[Cell(level, AXIS, curve.node)] for level in curve.levels] for curve in items.curves}
    estimates = {name: found.metric(name) for name in CURVE_FIGURES}
    drawn = _replicates(found, sums)
    chance = sums.mean(np.where(open_numbers, np.nan, 1.0 / table.k)).values
    accuracy, credit = found.ratio("accuracy"), found.ratios.sums(table.columns["majority_vote"])
    answered, threshold = _answered(items, risk)
    curves = []
    for curve in items.curves:
        own = rows_at[curve.node]
        doses = tuple(_dose(curve, severity) for severity in curve.severities[1:])
        floor_here = float(accuracy.estimate[own[0]]) - MARGIN if floor is None else floor
        ratio = rows_of(accuracy, list(own))
        held = accuracy_holds(ratio) if floor is None else share_intervals(ratio).low >= floor
        severities = np.array(curve.severities)
        safe = None if answered is None else _safe(found, items, own, answered, risk)
        curves.append(
            Curve(
                items=curve,
                doses=doses,
                estimates={name: estimates[name].rows(own) for name in CURVE_FIGURES},
                shape=_shape(curve, doses, drawn["accuracy"][own] - chance[own], ratio, known=not open_numbers),
                floor=floor_here,
                trusted=largest_held(severities, held, clean_counts=floor is not None),
                trusted_answers=None if safe is None else largest_held(severities, safe, clean_counts=True),
                correct=credit[own].sum(axis=1),
            )
        )
    pooled = tuple(_pooled(items.curves, rows_at, drawn, found, accuracy))
    return RunCurves(tuple(curves), pooled, threshold, risk)


def _replicates(found: RunEstimates, sums: CellSums) -> dict[str, Array]:
    """Return figure -> (cells, 1 + R) values in the data and in the replicates."""
    columns, terms = found.table.columns, found.table.answers.gap
    values = {name: sums.mean(columns[name]).values for name in CURVE_FIGURES[:3]}
    weight = sums.mean(terms.weight).values
    gap = np.divide(sums.mean(terms.difference).values, weight, out=np.full_like(weight, np.nan), where=weight > 0)
    without = np.array([level in found.table.without_gap for level in found.levels])
    return {**values, "agreement_gap": np.where(without[:, None], np.nan, gap)}


def _shape(
    curve: CurveItems, doses: Sequence[PhysicalDose | None], above: Array, accuracy: ClusteredRatio, *, known: bool
) -> Shape:
    severities = np.array(curve.severities)
    if not known:
        return no_shape(NOTHING_KNOWN)
    strengths = np.array([0.0, *(np.nan if dose is None else dose.strength for dose in doses)])
    growing = bool((np.diff(strengths) > 0).all())
    return shape(
        severities, strengths if growing else None, above, accuracy.items.sum(axis=1), float(accuracy.effective.min())
    )


def _dose(curve: CurveItems, severity: float) -> PhysicalDose | None:
    try:
        return physical_dose(curve.degradation, severity, curve.modality)
    except ValueError:  # a severity beyond the paper's table: one of one's own
        return None


def _answered(items: SeriesItems, risk: float) -> tuple[NDArray[np.bool_] | None, str]:
    """Return which items of the curves the operating point answers, and what it says."""
    once = items.once
    credit = once.columns["majority_vote"]
    found, answered = answered_alone(once.answers, credit, once.levels, once.clusters, once.cluster_ids, risk)
    if found.threshold is None or answered is None:
        return None, points.no_threshold_sentence(found.bound, risk)
    trials = once.answers.requested if once.elicitation == "votes" else None
    return answered[items.place], points.threshold_text(found.threshold, trials)


def _safe(
    found: RunEstimates, items: SeriesItems, rows: Sequence[int], answered: NDArray[np.bool_], risk: float
) -> NDArray[np.bool_]:
    """Return at which rows the error among the answered is at most the risk by its interval's upper end."""
    table = items.table
    credit = table.columns["majority_vote"]
    wrong = np.where(np.isfinite(credit), 1.0 - credit, 0.0)
    highs = []
    for row in rows:
        chosen = np.zeros(len(credit), dtype=bool)
        chosen[found.items[row]] = True
        chosen &= np.isfinite(credit)
        size = len(table.cluster_ids)
        outcome = points.level_outcome(answered, wrong, table.clusters, size, chosen, table.weight)
        highs.append(outcome.intervals.high[1])
    held: NDArray[np.bool_] = np.array(highs) <= risk
    return held


def _pooled(
    curves: Sequence[CurveItems],
    rows_at: Mapping[str, Sequence[int]],
    drawn: Mapping[str, Array],
    found: RunEstimates,
    accuracy: ClusteredRatio,
) -> Iterator[PooledCurve]:
    groups: dict[tuple[str, str], list[CurveItems]] = {}
    for curve in curves:
        for key in ((curve.degradation, POOLED), (POOLED, curve.modality), (POOLED, POOLED)):
            groups.setdefault(key, []).append(curve)
    for (degradation, modality), group in groups.items():
        if len(group) < 2:
            continue
        finest = max(group, key=lambda curve: len(curve.levels))
        ranks = np.linspace(0.0, 1.0, len(finest.levels))
        same = all(curve.severities == finest.severities for curve in group)
        by_cluster = sum(accuracy.items[rows_at[curve.node][0]] for curve in group)
        effective = float(effective_number(np.asarray(by_cluster)))
        values, low, high = {}, {}, {}
        for name in CURVE_FIGURES:
            means = np.mean([_at_ranks(drawn[name][rows_at[curve.node]], ranks) for curve in group], axis=0)
            number = np.full(len(ranks), effective)
            values[name] = means[:, 0]
            low[name], high[name] = intervals(means[:, 0], means[:, 1:], number, FIGURES[name].bounds)
        severities = np.array(finest.severities) if same else np.full(len(ranks), np.nan)
        clusters = int((np.asarray(by_cluster) > 0).sum())
        yield PooledCurve(degradation, modality, len(group), clusters, effective, ranks, severities, values, low, high)


def _at_ranks(values: Array, ranks: Array) -> Array:
    """Return (r, 1 + R) values at some ranks, on straight lines between the (S, 1 + R) at even ranks."""
    place = ranks * (len(values) - 1)
    before = np.minimum(np.floor(place + 1e-9).astype(np.int64), len(values) - 2)
    share = (place - before)[:, None]
    between: Array = (1 - share) * values[before] + share * values[before + 1]
    return between
