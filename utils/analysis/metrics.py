"""The figures of a node: what each is, its range, and how it comes from the items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        meaning: one phrase, as the documentation prints it.
        bounds: smallest and largest possible value.
        kind: "mean" of a number of each item, "difference" of two such means, or "calibration", a function of the tie
            groups of a score.
        biased: whether noise raises it, so that few items make it look worse.
    """

    meaning: str
    bounds: tuple[float, float] = (0.0, 1.0)
    kind: Literal["mean", "difference", "calibration"] = "mean"
    biased: bool = False


FIGURES: Mapping[str, Figure] = {
    "accuracy": Figure("share of the trials whose letter is the answer; unread is wrong"),
    "majority_vote": Figure("credit of the most frequent letter, ties shared"),
    "confidence": Figure(
        "the run's confidence: 1 - H / log K of the votes or of the exact probabilities, or as stated"
    ),
    "calibration_shift": Figure("confidence minus accuracy", (-1.0, 1.0)),
    "shift_above_guesser": Figure("Calibration Shift minus that of a guesser with the same T and K", (-2.0, 2.0)),
    "confidence_james_stein": Figure("confidence from James-Stein shares: less biased by few votes"),
    "shift_james_stein": Figure("confidence_james_stein minus accuracy", (-1.0, 1.0)),
    "agreement": Figure("chance-corrected agreement of pairs of votes, unbiased for every T >= 2", (-1.0, 1.0)),
    "unread_rate": Figure("share of the answered trials from which no letter can be read"),
    "missing_rate": Figure("share of the requested trials whose request failed"),
    "shift_unread_dropped": Figure("Calibration Shift if unread votes are left out, not spread", (-1.0, 1.0)),
    "unread_effect": Figure("shift_unread_dropped minus calibration_shift", (-2.0, 2.0), "difference"),
    "top_share": Figure("largest vote share, largest exact probability, or the stated confidence: a probability"),
    "top_share_gap": Figure("top_share minus majority_vote: overconfidence on the scale of probabilities", (-1.0, 1.0)),
    "brier": Figure("Brier score of top_share against majority_vote"),
    "ece": Figure("expected calibration error of top_share over the vote levels", kind="calibration", biased=True),
    "auroc": Figure("area under the ROC curve of top_share, right against wrong majority", kind="calibration"),
    "aurc": Figure("area under the risk-coverage curve of top_share, ties averaged", kind="calibration"),
    "confidence_auroc": Figure("as auroc, ranked by confidence", kind="calibration"),
    "confidence_aurc": Figure("as aurc, ranked by confidence", kind="calibration"),
}
"""Name -> figure, in the order in which they are printed."""

MEANS: tuple[str, ...] = tuple(name for name, figure in FIGURES.items() if figure.kind == "mean")
CALIBRATION: tuple[str, ...] = tuple(name for name, figure in FIGURES.items() if figure.kind == "calibration")


@dataclass(frozen=True)
class Scope:
    """What part of an analysis is computed; each number of it is the same as in the whole.

    Attributes:
        figures: names of `FIGURES`, for every cell of a run.
        changes: those among them whose changes between levels are computed.
        axes: of the curves and of the differences between runs; None for every axis.
    """

    figures: tuple[str, ...]
    changes: tuple[str, ...]
    axes: tuple[str, ...] | None = None


WHOLE = Scope(tuple(FIGURES), tuple(FIGURES))
"""Everything."""

CLIFFS: tuple[str, ...] = ("accuracy", "confidence", "calibration_shift")
"""Figures of which the cliff is reported."""
