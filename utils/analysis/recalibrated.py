"""Recalibration of a run: what clean images teach, and whether it still holds on degraded ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..dataset.taxonomy import CLEAN
from ..scoring.elicitation import EXACT, VERBALIZED
from .item_answers import ItemAnswers
from .statistics import recalibration as fits
from .statistics.agreement_gap import exact_terms
from .statistics.calibration import brier_terms
from .statistics.clustered import (
    clustered_change,
    clustered_ratio,
    standard_error,
    student_interval,
    sums_by_place,
)
from .statistics.folds import FOLDS, question_folds
from .statistics.gap_intervals import level_gap

Array = NDArray[np.float64]
Interval = tuple[float, float, float]
"""Estimate and both ends, NaN where there is none."""

NOTHING: Interval = (float("nan"),) * 3
METHODS: Mapping[str, str] = {"votes": "calibration slope", "exact": "temperature", "verbalized": "Platt scaling"}


@dataclass(frozen=True)
class LevelRecalibration:
    """One level before and after.

    Attributes:
        n: items.
        slope: calibration slope of the level itself (votes).
        slope_change: from L0 (votes).
        gap_before, gap_after: agreement gap.
        scores: "loss" and "brier", each before and after (exact; verbalized: per trial).
    """

    n: int
    gap_before: Interval
    gap_after: Interval
    slope: Interval = NOTHING
    slope_change: Interval = NOTHING
    scores: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class RunRecalibration:
    """What was fitted on L0 and what it does.

    Attributes:
        method: of `METHODS`.
        parameters: name -> value fitted on all of L0; empty where nothing is fitted.
        reason: why nothing is fitted, or None.
        levels: level -> before and after; L0 by five folds, the others with L0's parameters.
    """

    method: str
    parameters: Mapping[str, float]
    reason: str | None
    levels: Mapping[str, LevelRecalibration]


def recalibration(
    answers: ItemAnswers,
    credit: Array,
    levels: NDArray[np.object_],
    clusters: NDArray[np.int64],
    question_ids: Sequence[str],
    weight: Array,
    without_gap: Mapping[str, str],
) -> RunRecalibration:
    """Fit on L0 and test on every level.

    Args:
        answers, credit, levels, clusters, question_ids, weight: as in `operating.operating_point`.
        without_gap: level -> why its votes have no agreement gap.
    """
    method = METHODS[answers.elicitation]
    known = np.isfinite(answers.gap.weight) & np.isfinite(credit)
    clean = known & (levels == CLEAN)
    reason = without_gap.get(CLEAN) or fits.reason_without_fit(
        len(np.unique(clusters[clean])), float((1 - credit[clean]).sum())
    )
    if reason:
        return RunRecalibration(method, {}, reason, {})
    of = _OfLevels(answers, credit, levels, clusters, question_folds(question_ids), weight, known)
    usable = [level for level in sorted(set(levels[known])) if level not in without_gap]
    return _by_slope(of, usable) if answers.elicitation not in (EXACT, VERBALIZED) else _by_fit(of, usable)


@dataclass(frozen=True)
class _OfLevels:
    answers: ItemAnswers
    credit: Array
    levels: NDArray[np.object_]
    clusters: NDArray[np.int64]
    folds: NDArray[np.int64]
    weight: Array
    known: NDArray[np.bool_]

    @property
    def size(self) -> int:
        return len(self.folds)

    def at(self, level: str) -> NDArray[np.bool_]:
        here: NDArray[np.bool_] = self.known & (self.levels == level)
        return here

    def sums(self, values: Array, chosen: NDArray[np.bool_]) -> Array:
        weighted = (values * self.weight)[chosen]
        return sums_by_place(self.clusters[chosen], weighted, self.size)

    def items(self, chosen: NDArray[np.bool_]) -> Array:
        return self.sums(np.ones(len(self.levels)), chosen)

    def gap(self, chosen: NDArray[np.bool_]) -> Interval:
        terms = self.answers.gap
        agree, right, weight = (self.sums(part, chosen)[None] for part in (terms.agree, terms.right, terms.weight))
        found = level_gap(agree, right, weight, self.items(chosen)[None])
        low, high = found.interval()
        return float(found.ratio.estimate[0]), float(low[0]), float(high[0])

    def interval(self, estimate: float, influence: Array, chosen: NDArray[np.bool_], limit: float) -> Interval:
        found = clustered_ratio(np.zeros((1, self.size)), self.items(chosen)[None])
        error = standard_error(influence[None], found.clusters)
        low, high = student_interval(np.array([estimate]), error, found.effective - 1, (-limit, limit))
        return estimate, float(low[0]), float(high[0])


def _by_slope(of: _OfLevels, levels: Sequence[str]) -> RunRecalibration:
    terms, k = of.answers.gap, of.answers.k
    u, v = terms.agree - terms.weight / k, terms.right - terms.weight / k
    own = {}
    for level in levels:
        chosen = of.at(level)
        own[level] = fits.calibration_slope(of.sums(u, chosen)[None], of.sums(v, chosen)[None], of.items(chosen)[None])
    clean = own[CLEAN]
    slope = float(clean.estimate[0])
    if not np.isfinite(slope):
        return RunRecalibration(METHODS["votes"], {}, "agreement at L0 is no better than chance", {})
    found = {}
    for level in levels:
        chosen = of.at(level)
        items = of.items(chosen)
        if level == CLEAN:
            gap = of.interval(*_folded_slope(of, u, v), chosen, 1.0)
            change = NOTHING
        else:
            own_u, own_v, own_w = (of.sums(part, chosen) for part in (u, v, terms.weight))
            gap = of.interval(*fits.gap_after_slope(own_u, own_v, own_w, slope, clean.influence[0]), chosen, 1.0)
            # U - V is the gap's difference, so the questions whose gap changes are those whose slope does.
            gaps = [
                clustered_ratio(of.sums(u - v, at)[None], of.sums(terms.weight, at)[None], of.items(at)[None])
                for at in (of.at(CLEAN), chosen)
            ]
            freedom = clustered_change(*gaps).freedom
            moved = float(own[level].estimate[0] - slope)
            error = standard_error(own[level].influence - clean.influence, (items[None] > 0).sum(axis=1))
            low, high = student_interval(np.array([moved]), error, freedom)
            change = moved, float(low[0]), float(high[0])
        found[level] = LevelRecalibration(
            int(chosen.sum()),
            of.gap(chosen),
            gap,
            of.interval(float(own[level].estimate[0]), own[level].influence[0], chosen, np.inf),
            change,
        )
    return RunRecalibration(METHODS["votes"], {"slope": slope}, None, found)


def _folded_slope(of: _OfLevels, u: Array, v: Array) -> tuple[float, Array]:
    """Return L0's gap after the slope of the other folds, and its influences."""
    fold, clean = of.folds[of.clusters], of.at(CLEAN)
    after = np.zeros(len(u))
    for number in range(FOLDS):
        others, own = clean & (fold != number), clean & (fold == number)
        slope = of.sums(v, others).sum() / of.sums(u, others).sum()
        after[own] = (slope * (slope * u - v))[own]
    found = clustered_ratio(of.sums(after, clean)[None], of.sums(of.answers.gap.weight, clean)[None])
    return float(found.estimate[0]), found.influence[0]


@dataclass(frozen=True)
class _Scaling:
    """How parameters recalibrate and are fitted; trials are items (exact) or stated trials (verbalized).

    Attributes:
        item: (m,) item of each trial.
        fit: which trials -> fit.
        gap: parameters -> (m,) agree - right and (m,) w.
        score: parameters -> (m,) loss and (m,) Brier terms.
        plain: parameters that change nothing.
        names: of the parameters, as printed, and how they are.
    """

    item: NDArray[np.int64]
    fit: Callable[[NDArray[np.bool_]], fits.Fit]
    gap: Callable[[Array], tuple[Array, Array]]
    score: Callable[[Array], tuple[Array, Array]]
    plain: Array
    printed: Callable[[Array], Mapping[str, float]]
    method: str


def _temperature(of: _OfLevels) -> _Scaling:
    answers = of.answers
    p, answer, mass = answers.probabilities, answers.answer, answers.mass
    rows = np.arange(len(answer))

    def gap(parameters: Array) -> tuple[Array, Array]:
        terms = exact_terms(fits.tempered(p, float(np.exp(parameters[0]))), mass, answer)
        return terms.difference, terms.weight

    def score(parameters: Array) -> tuple[Array, Array]:
        scaled = fits.tempered(p, float(np.exp(parameters[0])))
        return fits.log_likelihood_loss(scaled, answer), brier_terms(scaled.max(axis=1), of.credit)

    return _Scaling(
        rows,
        lambda chosen: fits.fit_temperature(p[chosen], answer[chosen]),
        gap,
        score,
        np.zeros(1),
        lambda parameters: {"temperature": float(np.exp(parameters[0]))},
        METHODS["exact"],
    )


def _platt(of: _OfLevels) -> _Scaling:
    trials = of.answers.stated

    def gap(parameters: Array) -> tuple[Array, Array]:
        return _said(parameters) - trials.right, np.ones(len(trials.right))

    def _said(parameters: Array) -> Array:
        # What changes nothing leaves a stated 0% or 100% as it is.
        same = bool((parameters == np.array([0.0, 1.0])).all())
        return trials.stated if same else fits.platt(trials.stated, parameters)

    def score(parameters: Array) -> tuple[Array, Array]:
        said = _said(parameters)
        of_right = np.where(trials.right > 0, said, 1 - said)
        return -np.log(np.maximum(of_right, 1e-12)), (said - trials.right) ** 2

    return _Scaling(
        trials.item,
        lambda chosen: fits.fit_platt(trials.stated[chosen], trials.right[chosen]),
        gap,
        score,
        np.array([0.0, 1.0]),
        lambda parameters: {"offset": float(parameters[0]), "slope": float(parameters[1])},
        METHODS["verbalized"],
    )


def _by_fit(of: _OfLevels, levels: Sequence[str]) -> RunRecalibration:
    scaling = _temperature(of) if of.answers.elicitation == EXACT else _platt(of)
    cluster, weight = of.clusters[scaling.item], of.weight[scaling.item]
    clean = of.at(CLEAN)[scaling.item]
    if not clean.any():
        return RunRecalibration(scaling.method, {}, "no usable trial at L0", {})
    whole = scaling.fit(clean)
    influence = whole.by_cluster(cluster[clean], of.size)
    fold = of.folds[cluster]
    folded = np.zeros((len(scaling.item), len(scaling.plain)))
    for number in range(FOLDS):
        others = clean & (fold != number)
        folded[clean & (fold == number)] = scaling.fit(others).parameters
    found = {}
    for level in levels:
        chosen = of.at(level)
        here = chosen[scaling.item]

        def by_cluster(values: Array, here: NDArray[np.bool_] = here) -> Array:
            return sums_by_place(cluster[here], (values * weight)[here], of.size)

        def terms(parameters: Array, by_cluster: Callable[[Array], Array] = by_cluster) -> tuple[Array, Array]:
            difference, size = scaling.gap(parameters)
            return by_cluster(difference), by_cluster(size)

        if level == CLEAN:
            difference, size, loss, brier = _per_fold(scaling, folded, here)
            ratio = clustered_ratio(by_cluster(difference)[None], by_cluster(size)[None])
            gap, moved = float(ratio.estimate[0]), ratio.influence[0]
        else:
            gap, moved = fits.gap_after_fit(terms, whole.parameters, influence, of.items(chosen))
            loss, brier = scaling.score(whole.parameters)
        before = scaling.score(scaling.plain)

        def mean(part: Array, here: NDArray[np.bool_] = here) -> float:
            return float(np.average(part[here], weights=weight[here]))

        scores = {"loss": (mean(before[0]), mean(loss)), "brier": (mean(before[1]), mean(brier))}
        found[level] = LevelRecalibration(
            int(chosen.sum()), of.gap(chosen), of.interval(gap, moved, chosen, 1.0), scores=scores
        )
    return RunRecalibration(scaling.method, scaling.printed(whole.parameters), None, found)


def _per_fold(scaling: _Scaling, folded: Array, here: NDArray[np.bool_]) -> tuple[Array, Array, Array, Array]:
    """Return difference, w, loss and Brier terms of L0's trials, each with the parameters of its fold."""
    parts = [np.zeros(len(here)) for _ in range(4)]
    for parameters in np.unique(folded[here], axis=0):
        chosen = here & (folded == parameters).all(axis=1)
        for part, values in zip(parts, (*scaling.gap(parameters), *scaling.score(parameters)), strict=True):
            part[chosen] = values[chosen]
    return parts[0], parts[1], parts[2], parts[3]
