"""The figures of a node: what each is, its range, and how it comes from the items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Interval = Literal["bootstrap", "share", "brier", "auroc", "aurc", "gap", "calibration_error", "point"]


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        meaning: one phrase, as the documentation prints it.
        bounds: smallest and largest possible value.
        kind: "mean" of a number of each item, "difference" of two such means, "ratio" of two sums over items, or
            "calibration", a function of the tie groups of a score.
        interval: how its 95% interval comes about: `bootstrap` of source questions, a kind of its own (`share`,
            `brier`, `auroc`, `gap`, `calibration_error`, see `level_estimates`), "aurc" (bootstrap, where enough
            source questions differ) or "point", none.
    """

    meaning: str
    bounds: tuple[float, float] = (0.0, 1.0)
    kind: Literal["mean", "difference", "ratio", "calibration"] = "mean"
    interval: Interval = "bootstrap"


FIGURES: Mapping[str, Figure] = {
    "accuracy": Figure("share of the trials whose letter is the answer; unread is wrong", interval="share"),
    "majority_vote": Figure("credit of the most frequent letter, ties shared", interval="share"),
    "agreement_gap": Figure(
        "share of pairs of readable votes of an item that agree minus share that are right, or stated confidence minus "
        "share right: overconfidence that a calibrated model does not show at any T",
        (-1.0, 1.0),
        "ratio",
        "gap",
    ),
    "readable_share": Figure(
        "share of the pairs of votes (exact: letter mass squared; verbalized: trials) that agreement_gap is about",
        interval="share",
    ),
    "readable_accuracy": Figure("share right among those", kind="ratio", interval="share"),
    "confidence": Figure(
        "the run's confidence: 1 - H / log K of the votes or of the exact probabilities, or as stated"
    ),
    "calibration_shift": Figure("confidence minus accuracy; of stated confidence, of the same trials", (-1.0, 1.0)),
    "confidence_unstated_as_guess": Figure("stated confidence if a trial without letter and number counts as 1/K"),
    "shift_unstated_as_guess": Figure("confidence_unstated_as_guess minus accuracy", (-1.0, 1.0)),
    "shift_above_guesser": Figure("Calibration Shift minus that of a guesser with the same T and K", (-2.0, 2.0)),
    "confidence_james_stein": Figure("confidence from James-Stein shares: less biased by few votes"),
    "shift_james_stein": Figure("confidence_james_stein minus accuracy", (-1.0, 1.0)),
    "agreement": Figure("chance-corrected agreement of pairs of votes, unbiased for every T >= 2", (-1.0, 1.0)),
    "unread_rate": Figure("share of the answered trials from which no letter can be read", interval="share"),
    "missing_rate": Figure("share of the requested trials whose request failed", interval="share"),
    "shift_unread_dropped": Figure("Calibration Shift if unread votes are left out, not spread", (-1.0, 1.0)),
    "unread_effect": Figure("shift_unread_dropped minus calibration_shift", (-2.0, 2.0), "difference"),
    "top_share": Figure("largest vote share, largest exact probability, or the stated confidence: a probability"),
    "top_share_gap": Figure("top_share minus majority_vote: overconfidence on the scale of probabilities", (-1.0, 1.0)),
    "brier": Figure("Brier score of top_share against majority_vote", interval="brier"),
    "calibration_error": Figure(
        "root mean squared calibration error of top_share over the vote levels, without the part that noise adds",
        kind="calibration",
        interval="calibration_error",
    ),
    "ece": Figure("expected calibration error of top_share over the vote levels", kind="calibration", interval="point"),
    "auroc": Figure(
        "area under the ROC curve of top_share, right against wrong majority", kind="calibration", interval="auroc"
    ),
    "augrc": Figure(
        "area under the generalised risk-coverage curve of top_share: answered and wrong, mean over thresholds",
        (0.0, 0.5),
        "calibration",
        "point",
    ),
    "aurc": Figure(
        "area under the risk-coverage curve of top_share, ties averaged", kind="calibration", interval="aurc"
    ),
    "confidence_auroc": Figure("as auroc, ranked by confidence", kind="calibration", interval="auroc"),
    "confidence_aurc": Figure("as aurc, ranked by confidence", kind="calibration", interval="aurc"),
}
"""Name -> figure, in the order in which they are printed."""

MEANS: tuple[str, ...] = tuple(name for name, figure in FIGURES.items() if figure.kind == "mean")
BOOTSTRAPPED: tuple[str, ...] = tuple(
    name for name, figure in FIGURES.items() if figure.interval in ("bootstrap", "aurc")
)
"""Metrics whose intervals come from the bootstrap."""


ACROSS_ELICITATIONS: tuple[str, ...] = ("accuracy",)
"""Metrics that mean the same however confidence was elicited, and at any number of trials."""


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
