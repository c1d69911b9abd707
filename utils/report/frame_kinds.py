"""What the frames of a report are: name, heading, meaning and columns of each, in the report's order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from ..analysis.item_table import OVERALL
from ..analysis.metrics import Scope
from ..dataset.taxonomy import TASKS
from .paper_tables import DUNNING_KRUGER, FIGURE_5, PAPER_TABLE

CORE = ("accuracy", "confidence", "calibration_shift")
"""The figures that the report follows through levels and nodes."""

NODE_FIGURES = (
    *CORE,
    *("agreement_gap", "readable_share", "shift_above_guesser", "shift_james_stein", "ece", "auroc", "unread_rate"),
)
"""The figures that the page offers for every node."""

DIFFERENT_ITEMS = "the items are not those of the published models"

CONFIDENT = 0.8
"""Confidence from which an answer counts as confident."""

SCOPE = Scope(NODE_FIGURES, (*CORE, "agreement_gap"), (OVERALL,))
"""What part of an analysis a report needs."""

MOST_FLIPPED = 200
"""Flipped items that a page or a printed table shows; the CSV file has all."""

_SHIFTS = ("calibration_shift", "shift_above_guesser")
HEADLINE = ("accuracy", "agreement_gap", "readable_share", "confidence", *_SHIFTS, "unread_rate")
_INTERVAL = ("estimate", "low", "high")
_SIZE = ("n", "clusters", "small")


MATCHED_MEANING = "each degraded item against the clean item of its source question (their mean where it has several)"
"""What a matched change from L0 compares."""


@dataclass(frozen=True)
class FrameKind:
    """A frame of the report.

    Attributes:
        title: its heading.
        meaning: what a row is, and how to read it, in a sentence or two.
        columns: its columns, in order.
    """

    title: str
    meaning: str
    columns: tuple[str, ...]


FRAMES: Mapping[str, FrameKind] = {
    "headline": FrameKind(
        "Headline",
        "Each row is one run at one severity. The agreement gap is overconfidence that a calibrated model does not "
        "show: how often two readable votes on an item agree, minus how often one is right; readable is the share of "
        "pairs that it is about. The shift is the paper's, confidence minus accuracy. The guesser votes uniformly with "
        "the same T and K; its confidence is "
        "what few votes alone give, its shift what an honest guesser shows. Unread is the share of answered trials "
        "without a readable answer, which count as wrong and uncertain: from 10% at a level on, a run is not ranked.",
        (
            *("model", "level", "n", "clusters", "small", "elicitation", "trials", "options"),
            *(f"{name}{end}" for name in HEADLINE for end in ("", "_low", "_high")),
            *("guesser_accuracy", "guesser_confidence", "guesser_shift", "not_ranked", "not_published"),
        ),
    ),
    "table_6": FrameKind("Accuracy by level (Table 6)", "Plain change from L0.", PAPER_TABLE),
    "table_2": FrameKind(
        "Accuracy by task, L1 and L2 (Table 2)",
        "The average is the macro mean of the six tasks; plain change from L0.",
        PAPER_TABLE,
    ),
    "table_3": FrameKind(
        "Accuracy by degradation category, L1 and L2 (Table 3)",
        f"The average is the micro mean over items. Change from L0 (ours): {MATCHED_MEANING}; the paper does not say "
        "how its changes are computed.",
        PAPER_TABLE,
    ),
    "figure_5": FrameKind(
        "Accuracy, confidence and Calibration Shift by level (Figure 5)",
        "Shift is confidence minus accuracy. Published values are read off the paper's plot, to about ±0.2 points.",
        FIGURE_5,
    ),
    "dunning_kruger": FrameKind(
        "Dunning-Kruger effect within models",
        "The paper's rule: accuracy falls from L0 while the shift holds or grows. It looks at a row's estimates, the "
        "verdict on the shift at its intervals; a calibrated model meets both where votes are few. "
        f"Plain: level against level, as in the paper. Matched: {MATCHED_MEANING}.",
        DUNNING_KRUGER,
    ),
    "verdicts": FrameKind(
        "Does overconfidence hold or grow as images get worse?",
        "From L0. Supported: accuracy falls, also among readable votes, the agreement gap does not shrink by more "
        f"than 2 points, and it is above 2 points at the end, all by 95% intervals; p: twice the largest of these "
        f"claims' one-sided ones, since all must hold. Changes are matched: {MATCHED_MEANING}.",
        (
            *("model", "comparison", "verdict", "verdict_reason", "p"),
            *(f"{name}_change{end}" for name in ("accuracy", "gap") for end in ("", "_low", "_high")),
        ),
    ),
    "operating_points": FrameKind(
        "Operating points",
        "An item is answered where its top share (share of the votes for the most frequent letter) reaches the "
        "threshold, which keeps the error among the answered below the risk on clean images with 90% confidence; the "
        "rest goes to a person. No threshold: none is shown to do so, for want of items or for too many sure mistakes; "
        "what remains above any threshold, at L2 too, stands under risk and coverage. Silent failures are answered and "
        "wrong, of all items. Each item is judged by the threshold of the other four fifths of the source questions.",
        ("model", "level", "figure", *_INTERVAL, *_SIZE, "threshold", "risk", "statement"),
    ),
    "flags": FrameKind(
        "What the flags are worth",
        'A flag says that the image does not allow an answer. Of L0 and of phantoms whose evidence "survives" it is '
        'false, of those whose evidence is "gone" it is a hit. Effective reliability: right 1, flagged 0, wrong '
        "-1/(K - 1), so that guessing earns 0. Beside: what a model that always flags gets, and what this one would "
        "get if it never did.",
        ("model", "set", "figure", *_INTERVAL, "always_flag", "never_flag", *_SIZE),
    ),
    "severity_curves": FrameKind(
        "By level",
        "One row per run, level and figure, with what a guesser would score (empty where it has no such value).",
        ("model", "level", "figure", *_INTERVAL, *_SIZE, "guesser"),
    ),
    "readers": FrameKind(
        "Readers and models",
        "The mean of a panel with a 95% interval for readers and questions like these (OR-Hillis; of fewer than three "
        "readers, for these alone), each reader, and all of them minus a model on the items that both answered. "
        "Accuracy compares whatever was asked for; confidence and shift only with models that state their confidence.",
        (
            *("panel", "who", "against", "comparison", "level", "figure", *_INTERVAL, "method", "n", "clusters"),
            *("reason", "kind"),
        ),
    ),
    "modality": FrameKind(
        "By modality",
        "One row per run, level, modality and figure.",
        ("model", "level", "modality", "figure", *_INTERVAL, *_SIZE),
    ),
    "degradation_drop": FrameKind(
        "Change by degradation",
        f"Matched: {MATCHED_MEANING}.",
        ("model", "degradation", "category", "comparison", "figure", *_INTERVAL, "p", *_SIZE),
    ),
    "typical_drop": FrameKind(
        "Is MedQ-Deg's drop typical?",
        "The same model's change from clean images, on MedQ-Deg and on wrapped tasks: all items, in points; matched: "
        f"{MATCHED_MEANING}. A wrapped task's accuracy is its own score; where its answers are open, confidence is "
        "relative to log T: compare its change, not its height.",
        ("model", "benchmark", "comparison", "figure", *_INTERVAL, *_SIZE),
    ),
    "real_images": FrameKind(
        "On real and on simulated images",
        "Items that every run answered: images that were bad when they were taken, and simulated degradations of the "
        "same levels (of all levels, where that of a real image is not known).",
        ("model", "images", "figure", *_INTERVAL, *_SIZE),
    ),
    "real_ranks": FrameKind(
        "Do simulated degradations rank models as real ones do?",
        "Rank correlations between the runs' values on real and on simulated images: 1 is the same order, -1 the "
        "reverse. Intervals speak of other items and the same models.",
        (
            *("figure", "statistic", "correlation", "correlation_low", "correlation_high"),
            *("runs", "n_real", "n_simulated", "small", "reason"),
        ),
    ),
    "curves": FrameKind(
        "Where accuracy falls as severity grows",
        "Of a series of severities (1 as severe as L1, 2 as L2). s10, s50: where 10% and 50% of the accuracy above "
        "chance are lost, empty beyond the last severity; ratio = s10 / s50; a cliff where its interval lies above 0.5 "
        "on the severity and on the physical parameter. Trusted: accuracy is as asked there and at every smaller "
        "severity, with 95% confidence; empty where not established.",
        (
            *("model", "degradation", "modality", "cliff", "cliff_reason", "stop", "parameter"),
            *(
                f"{name}{end}"
                for name in ("s10", "s50", "ratio", "ratio_physical", "ratio_to_l2")
                for end in ("", "_low", "_high")
            ),
            *("accuracy_asked", "trusted_up_to", "trusted_answers_up_to", "n", "clusters", "small"),
        ),
    ),
    "curve_points": FrameKind(
        "Points of the curves",
        "One row per run, degradation, modality, severity and figure; pooled curves go by rank and have no dose.",
        (
            *("model", "degradation", "modality", "severity", "rank", "parameter", "value", "unit", "figure"),
            *(*_INTERVAL, *_SIZE),
        ),
    ),
    "hierarchy": FrameKind(
        "Capabilities, tasks and skills",
        "One row per run, level, node and figure. `tier` is the node's axis; `task`, `capability` are those above it.",
        ("model", "level", "tier", "capability", "task", "skill", "figure", *_INTERVAL, *_SIZE),
    ),
    "confidence_accuracy": FrameKind(
        "Confidence against accuracy",
        "One row per model and level; the guesser has the run's T and K. Calibrated is confidence equal to accuracy.",
        (
            *("model", "origin", "level", "accuracy", "accuracy_low", "accuracy_high"),
            *("confidence", "confidence_low", "confidence_high", "small", "guesser_accuracy", "guesser_confidence"),
        ),
    ),
    "reliability": FrameKind(
        "Reliability",
        "Items by the share of the votes for the most frequent letter, neighbouring shares put together until they "
        "hold ten source questions: mean top share against share right.",
        ("model", "level", "score_from", "score_to", "score", *_INTERVAL, *_SIZE),
    ),
    "risk_coverage": FrameKind(
        "Risk and coverage",
        "Error rate among the share of items on which the run is most confident.",
        ("model", "level", "coverage", *_INTERVAL, *_SIZE),
    ),
    "rank_change": FrameKind(
        "Ranks at L0 and L2",
        "Rank 1 is the most accurate of all rows; equal accuracies share the better rank. A positive change is a loss. "
        "Only models on the same items whose answers can be read are ranked; the notes name the others.",
        ("model", "origin", "accuracy_l0", "accuracy_l2", "rank_l0", "rank_l2", "rank_change"),
    ),
    "paired": FrameKind(
        "Paired differences",
        "First minus second, item by item. Within noise: the 95% interval holds 0. Intervals are not corrected for "
        "the number of pairs.",
        ("first", "second", "level", "figure", *_INTERVAL, "p", *_SIZE, "within_noise", "statement"),
    ),
    "refused_pairs": FrameKind(
        "Pairs that are not compared, or by accuracy alone",
        "Two runs and the reason why they are not compared, or why only their accuracy is.",
        ("first", "second", "reason"),
    ),
    "dunning_kruger_between": FrameKind(
        "Dunning-Kruger effect between models",
        "The less accurate has the larger shift (the paper's rule), or the larger confidence, which does not contain "
        "the accuracy.",
        ("first", "second", "level", "paper_rule", "less_accurate_more_confident"),
    ),
    "against": FrameKind(
        "Against the version before",
        "New minus old on the same items, each item against itself. Intervals are not corrected for the number of "
        "rows.",
        ("model", "before", "level", "axis", "node", "figure", *_INTERVAL, "p", *_SIZE),
    ),
    "flipped": FrameKind(
        "Items that flipped",
        "Items whose majority of votes went from right to wrong, or back, those whose share of right votes moved most "
        "first. Some flip by chance alone: an item with votes near one half does so often. "
        f"Shown are {MOST_FLIPPED} at most; the CSV file has all.",
        ("model", "before", "level", "item_id", "flip", "modality", "degradation", "accuracy_before", "accuracy"),
    ),
    "findings": FrameKind(
        "What the paper found, what the runs show",
        "Each claim is put as a number whose sign it fixes. As claimed: the run's 95% interval lies on the claimed "
        "side of 0; the reverse: on the other side; not decided: 0 is within. Published numbers have no interval: how "
        "many of a group's models have the sign. Changes are "
        f"matched for the runs ({MATCHED_MEANING}) and plain for published models.",
        ("finding", "number", "model", "origin", *_INTERVAL, "n", "reading", "note"),
    ),
    "published_groups": FrameKind(
        "The published models in three groups",
        "Accuracy over L1 and L2. The macro mean gives the six tasks the same weight (table 2), the micro mean every "
        "item (tables 3 and 6). Medical models are far behind by the one and close by the other; treatment is the "
        "weakest task.",
        ("group", "models", "macro", "micro", *TASKS),
    ),
    "other_results": FrameKind(
        "Other benchmarks in the same results",
        "Numbers of other lmms-eval tasks of the same models, as lmms-eval wrote them.",
        ("model", "task", "metric", "value", "stderr"),
    ),
    "notes": FrameKind(
        "What to know about the input",
        "What was amiss with a file or a run (empty: the input as a whole).",
        ("model", "note"),
    ),
}
"""Name -> frame, in the report's order."""


def framed(name: str, rows: pd.DataFrame | list[dict[str, object]]) -> pd.DataFrame:
    """Return rows as the frame of that name: its columns in their order, and nothing else."""
    columns = list(FRAMES[name].columns)
    if isinstance(rows, pd.DataFrame):
        return rows.reindex(columns=columns).reset_index(drop=True)
    return pd.DataFrame(rows, columns=columns)
