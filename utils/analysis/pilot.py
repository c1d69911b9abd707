"""A run as a pilot study: the unit of its change and the noise of its votes, which size the next study."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..dataset.taxonomy import CLEAN
from ..scoring.elicitation import EXACT, VERBALIZED
from .cell_ratios import CellRatios
from .change_estimates import matched_columns, matched_terms
from .item_answers import ItemAnswers
from .statistics.clustered import clustered_change
from .statistics.planning import Unit, pilot_unit
from .statistics.vote_noise import VoteNoise, estimated_vote_noise, vote_noise

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Pilot:
    """The step from L0 to a degraded level of one run.

    Attributes:
        level: the degraded level.
        questions: source questions with both.
        trials: T0; None for exact probabilities.
        measured: figure ("accuracy", "gap") -> unit at T0.
        unit: for other numbers of trials; None where one vote per item leaves its noise unknown.
    """

    level: str
    questions: int
    trials: int | None
    measured: Mapping[str, float]
    unit: Unit | None

    def as_json(self) -> dict[str, Any]:
        """Return it as `analysis.json` has it; `from_json` reads it."""
        noise = None if self.unit is None else self.unit.noise
        return {
            "level": self.level,
            "questions": self.questions,
            "trials": self.trials,
            "measured": {name: _rounded(value) for name, value in self.measured.items()},
            "degradations": None if self.unit is None else _rounded(self.unit.degradations),
            "between": {} if self.unit is None else {name: _rounded(v) for name, v in self.unit.between.items()},
            "noise": None if noise is None else {name: _rounded(value) for name, value in vars(noise).items()},
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Pilot:
        """Return what `as_json` wrote."""
        unit = None
        if found["noise"] is not None:
            unit = Unit(found["between"], VoteNoise(**found["noise"]), found["degradations"])
        return cls(found["level"], found["questions"], found["trials"], found["measured"], unit)


def pilot(
    answers: ItemAnswers,
    accuracy: Array,
    levels: NDArray[np.object_],
    questions: NDArray[np.int64],
    clusters: NDArray[np.int64],
    without_gap: Mapping[str, str],
) -> Pilot | None:
    """Return what the run says about its largest step, or None without L0 or without a degraded level.

    Args:
        answers: of the run.
        accuracy: (n,) of its items.
        levels: (n,) level of each item.
        questions: (n,) numbers of the items' source questions.
        clusters: (n,) numbers of their clusters.
        without_gap: level -> why its votes have no agreement gap.
    """
    present = sorted(set(levels))
    if CLEAN not in present or len(present) < 2:
        return None
    level = present[-1]
    clean, degraded = levels == CLEAN, levels == level
    ratios = CellRatios({level: np.arange(len(levels))}, clusters, int(clusters.max()) + 1, np.ones(len(levels)))
    columns = matched_columns(accuracy, questions, clean, degraded)
    errors = {"accuracy": float(clustered_change(*map(ratios.mean, columns)).error[0])}
    if not {CLEAN, level} & set(without_gap) and answers.elicitation != VERBALIZED:
        gaps = [ratios.gap(terms).ratio for terms in matched_terms(answers.gap, questions, clean, degraded)]
        errors["gap"] = float(clustered_change(*gaps).error[0])
    number = int(ratios.mean(columns[1]).clusters[0])
    errors = {name: error for name, error in errors.items() if math.isfinite(error)}
    if number < 2 or not errors:
        return None
    measured = {name: error * math.sqrt(number) for name, error in errors.items()}
    exact = answers.elicitation == EXACT
    noise = (
        _of_probabilities(answers)
        if exact
        else estimated_vote_noise(answers.counts, answers.unread, answers.k, answers.answer)
    )
    trials = math.inf if exact else answers.requested
    unit = None
    if np.isfinite(noise[:, clean | degraded]).all(axis=0).any():
        unit = pilot_unit(errors, number, trials, noise, clean, degraded, questions)
    return Pilot(level, number, None if exact else answers.requested, measured, unit)


def _of_probabilities(answers: ItemAnswers) -> Array:
    """Return the vote noise of votes drawn from exact probabilities, what is on no letter being unread."""
    p = answers.probabilities * answers.mass[:, None]
    rows = np.arange(len(p))
    right = p[rows, answers.answer]
    first = p.copy()
    first[rows, answers.answer] = first[:, 0]
    first[:, 0] = right
    return vote_noise(first)


def _rounded(value: float) -> float:
    return round(float(value), 9)
