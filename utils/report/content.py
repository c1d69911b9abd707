"""The content of a report as data frames: one function per frame, and all of them by name.

Every frame is made from an `Analysis`; pages, figures, tables and the terminal only lay them out. Numbers are
fractions. `small` marks fewer than 30 source questions. `origin` tells runs analysed here from published results,
which have no intervals and no item counts.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..analysis.analyse import Analysis
from ..analysis.item_table import OVERALL
from ..analysis.metrics import Scope
from ..analysis.standing import ranked_with
from ..analysis.tables import overall
from ..dataset.taxonomy import (
    CAPABILITIES,
    CLEAN,
    DEGRADATIONS,
    LEVELS,
    MODALITIES,
    SKILLS,
    TASKS,
    UNLABELLED,
    capability_of,
    degradation_category,
    task_of,
)
from .paper_tables import (
    DUNNING_KRUGER,
    FIGURE_5,
    OURS,
    PAPER_TABLE,
    dunning_kruger_within,
    figure_5,
    table_2,
    table_3,
    table_6,
)

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

_SHIFTS = ("calibration_shift", "shift_above_guesser")
_HEADLINE = ("accuracy", "agreement_gap", "readable_share", "confidence", *_SHIFTS, "unread_rate")
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
            *(f"{name}{end}" for name in _HEADLINE for end in ("", "_low", "_high")),
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
        "Shift is confidence minus accuracy. Published values are read off the paper's plot, to about ±0.002.",
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
        f"than 0.02, and it is above 0.02 at the end, all by 95% intervals; matched: {MATCHED_MEANING}.",
        ("model", "comparison", "verdict", "verdict_reason", "p"),
    ),
    "operating_points": FrameKind(
        "Operating points",
        "An item is answered where the top share reaches the threshold, which keeps the error among the answered below "
        "the risk on clean images with 90% confidence; the rest goes to a person. Silent failures are answered and "
        "wrong, of all items. Judged by five folds of source questions.",
        ("model", "level", "figure", *_INTERVAL, *_SIZE, "threshold", "risk", "statement"),
    ),
    "severity_curves": FrameKind(
        "By level",
        "One row per run, level and figure, with what a guesser would score (empty where it has no such value).",
        ("model", "level", "figure", *_INTERVAL, *_SIZE, "guesser"),
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
        "Items by vote level: mean top share against share right.",
        ("model", "level", "vote_level", "score", *_INTERVAL, *_SIZE),
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
        "Pairs that are not compared",
        "Two runs and the reason why they are not compared.",
        ("first", "second", "reason"),
    ),
    "dunning_kruger_between": FrameKind(
        "Dunning-Kruger effect between models",
        "The less accurate has the larger shift (the paper's rule), or the larger confidence, which does not contain "
        "the accuracy.",
        ("first", "second", "level", "paper_rule", "less_accurate_more_confident"),
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


def report_frames(analysis: Analysis, *, published: bool = False) -> dict[str, pd.DataFrame]:
    """Return every frame of `FRAMES`; one that the input cannot fill is empty but has its columns.

    Args:
        analysis: of `medqdeg.utils.analysis.analyse.analyse`, of `SCOPE` or more.
        published: whether the paper's models stand beside the runs, where the paper states what a frame holds.
    """
    with_published: Mapping[str, Callable[..., pd.DataFrame]] = {
        **{"table_6": table_6, "table_2": table_2, "table_3": table_3, "figure_5": figure_5},
        **{"dunning_kruger": dunning_kruger_within, "rank_change": rank_change},
        "confidence_accuracy": confidence_accuracy,
    }
    of_runs: Mapping[str, Callable[[Analysis], pd.DataFrame]] = {
        **{"headline": headline, "severity_curves": severity_curves, "modality": modality, "hierarchy": hierarchy},
        **{"degradation_drop": degradation_drop, "reliability": reliability, "risk_coverage": risk_coverage},
        **{"paired": paired, "refused_pairs": refused_pairs, "dunning_kruger_between": dunning_kruger_between},
        **{"other_results": other_results, "verdicts": verdicts, "operating_points": operating_points},
        "notes": functools.partial(notes, published=published),
    }
    return {
        name: (
            with_published[name](analysis, published=published) if name in with_published else of_runs[name](analysis)
        )
        for name in FRAMES
    }


def headline(analysis: Analysis) -> pd.DataFrame:
    """Return each run's accuracy, confidence and shift at each level, with the guesser's."""
    figures = overall(analysis.tables["figures"]).set_index(["run", "level", "figure"])
    standing = analysis.standing
    rows = []
    for node in overall(analysis.tables["nodes"]).to_dict("records"):
        row = {**node, "model": node["run"]}
        row |= {name: ", ".join(sorted(json.loads(node[name]), key=int)) for name in ("trials", "options")}
        row |= {"not_ranked": standing[node["run"]].not_ranked, "not_published": standing[node["run"]].not_published}
        for name in _HEADLINE:
            found = figures.loc[(node["run"], node["level"], name)]
            row |= {name: found["estimate"], f"{name}_low": found["low"], f"{name}_high": found["high"]}
        rows.append(row)
    return _frame("headline", rows)


def verdicts(analysis: Analysis) -> pd.DataFrame:
    """Return the verdict on each run's steps from L0."""
    chosen = overall(analysis.tables["dunning_kruger"])
    return _frame("verdicts", chosen.assign(model=chosen["run"]))


def operating_points(analysis: Analysis) -> pd.DataFrame:
    """Return each run's operating point by level."""
    chosen = analysis.tables["operating_points"]
    return _frame("operating_points", chosen.assign(model=chosen["run"]))


def severity_curves(analysis: Analysis) -> pd.DataFrame:
    """Return accuracy, confidence and shift by level, with the guesser's."""
    chosen = overall(analysis.tables["figures"])
    chosen = chosen[chosen["figure"].isin(CORE)]
    nodes = overall(analysis.tables["nodes"]).set_index(["run", "level"])
    column = {"accuracy": "guesser_accuracy", "confidence": "guesser_confidence", "calibration_shift": "guesser_shift"}
    guesser = [nodes.at[(row.run, row.level), column[row.figure]] for row in chosen.itertuples()]
    return _frame("severity_curves", chosen.assign(model=chosen["run"], guesser=guesser))


def modality(analysis: Analysis) -> pd.DataFrame:
    """Return accuracy, confidence and shift by modality and level."""
    chosen = _axis(analysis, "modality")
    return _frame(
        "modality", _in_order(chosen.assign(model=chosen["run"], modality=chosen["node"]), "modality", MODALITIES)
    )


def degradation_drop(analysis: Analysis) -> pd.DataFrame:
    """Return the matched changes of accuracy, confidence and shift by degradation, from L0 to L1 and to L2."""
    table = analysis.tables["changes"]
    comparisons = [f"{CLEAN}_to_{level}" for level in LEVELS[1:]]
    chosen = table[
        (table["axis"] == "degradation")
        & (table["pairing"] == "matched")
        & table["figure"].isin(CORE)
        & table["comparison"].isin(comparisons)
    ]
    chosen = chosen.assign(
        model=chosen["run"],
        degradation=chosen["node"],
        category=[degradation_category(node) for node in chosen["node"]],
    )
    return _frame("degradation_drop", _in_order(chosen, "degradation", tuple(DEGRADATIONS)))


def hierarchy(analysis: Analysis) -> pd.DataFrame:
    """Return accuracy, confidence and shift of every capability, task and skill at every level."""
    parts = []
    for tier, order in (("capability", CAPABILITIES), ("task", TASKS), ("skill", SKILLS)):
        chosen = _axis(analysis, tier)
        nodes = chosen["node"]
        chosen = chosen.assign(
            model=chosen["run"],
            tier=tier,
            node_name=nodes,
            capability=[_capability(tier, node) for node in nodes],
            task=[None if tier == "capability" else node if tier == "task" else task_of(node) for node in nodes],
            skill=list(nodes) if tier == "skill" else None,
        )
        parts.append(_in_order(chosen, "node_name", (*order, UNLABELLED)))
    return _frame("hierarchy", pd.concat(parts, ignore_index=True))


def confidence_accuracy(analysis: Analysis, *, published: bool) -> pd.DataFrame:
    """Return confidence and accuracy of each model at each level where both are known."""
    frame = figure_5(analysis, published=published).dropna(subset=["accuracy", "confidence"])
    nodes = overall(analysis.tables["nodes"]).assign(model=lambda table: table["run"], origin="this report")
    guesser = nodes[["model", "origin", "level", "guesser_accuracy", "guesser_confidence"]]
    return _frame("confidence_accuracy", frame.merge(guesser, on=["model", "origin", "level"], how="left"))


def reliability(analysis: Analysis) -> pd.DataFrame:
    """Return the reliability of all items by run and level."""
    table = overall(analysis.tables["reliability"])
    return _frame("reliability", table.assign(model=table["run"]))


def risk_coverage(analysis: Analysis) -> pd.DataFrame:
    """Return the risk-coverage curve of all items by run and level."""
    table = overall(analysis.tables["risk_coverage"])
    return _frame("risk_coverage", table.assign(model=table["run"]))


def rank_change(analysis: Analysis, *, published: bool) -> pd.DataFrame:
    """Return the ranks by accuracy at L0 and at L2 of the models that have both.

    Beside published models only runs on the published items have a rank; without such a run the published have none.
    """
    not_ranked, with_published = ranked_with(analysis.standing, published=published)
    table = table_6(analysis, published=with_published)
    table = table[(table["origin"] != OURS) | ~table["model"].isin(not_ranked)]
    wide = table.pivot_table(index=["model", "origin"], columns="column", values="accuracy", sort=False)
    if not {LEVELS[0], LEVELS[-1]} <= set(wide.columns):
        return _frame("rank_change", [])
    wide = wide.dropna(subset=[LEVELS[0], LEVELS[-1]]).reset_index()
    ranks = {level: wide[level].rank(ascending=False, method="min").astype(int) for level in (LEVELS[0], LEVELS[-1])}
    wide = wide.assign(
        accuracy_l0=wide[LEVELS[0]],
        accuracy_l2=wide[LEVELS[-1]],
        rank_l0=ranks[LEVELS[0]],
        rank_l2=ranks[LEVELS[-1]],
        rank_change=ranks[LEVELS[-1]] - ranks[LEVELS[0]],
    )
    return _frame("rank_change", wide.sort_values(["rank_l0", "model"], ignore_index=True))


def paired(analysis: Analysis) -> pd.DataFrame:
    """Return the differences of runs on the same items, each with a sentence that says whether it is within noise."""
    table = overall(analysis.tables["models"])
    chosen = table[table["figure"].isin(CORE)]
    within = (chosen["low"] <= 0) & (chosen["high"] >= 0)
    return _frame(
        "paired",
        chosen.assign(within_noise=within, statement=[_statement(row) for row in chosen.itertuples()]),
    )


def refused_pairs(analysis: Analysis) -> pd.DataFrame:
    """Return the pairs that are not compared, with the reason."""
    return _frame(
        "refused_pairs",
        [
            {"first": pair.first, "second": pair.second, "reason": pair.refused}
            for pair in analysis.pairs
            if pair.refused is not None
        ],
    )


def dunning_kruger_between(analysis: Analysis) -> pd.DataFrame:
    """Return whether the less accurate of two compared runs has the larger shift, by level."""
    return _frame("dunning_kruger_between", overall(analysis.tables["models_dunning_kruger"]))


def other_results(analysis: Analysis) -> pd.DataFrame:
    """Return the numbers of other tasks in the same results files."""
    others = analysis.collection.other_results
    return _frame(
        "other_results", [{name: getattr(other, name) for name in FRAMES["other_results"].columns} for other in others]
    )


def notes(analysis: Analysis, *, published: bool = False) -> pd.DataFrame:
    """Return what was amiss with the input, what may have moved a difference, and who has no rank, one line each."""
    collection = analysis.collection
    rows = [{"model": "", "note": note} for note in collection.warnings]
    rows += [{"model": run.name, "note": note} for run in collection.runs for note in run.warnings]
    for pair in analysis.pairs:
        rows += [{"model": "", "note": f"{pair.first} and {pair.second}: {note}"} for note in pair.notes]
    for run, standing in analysis.standing.items():
        if len(collection.runs) > 1 and standing.not_ranked:
            rows.append({"model": run, "note": f"not ranked beside the other runs: {standing.not_ranked}"})
        if published and standing.not_published:
            rows.append({"model": run, "note": f"{DIFFERENT_ITEMS}, so no rank among them: {standing.not_published}"})
        elif published and standing.unread:
            rows.append({"model": run, "note": f"not ranked among the published models: {standing.unread}"})
    return _frame("notes", rows)


def _axis(analysis: Analysis, axis: str) -> pd.DataFrame:
    table = analysis.tables["figures"]
    return table[(table["axis"] == axis) & table["figure"].isin(CORE)]


def _capability(tier: str, node: str) -> str:
    if tier == "capability":
        return node
    return capability_of(node) if tier == "skill" else _CAPABILITY_OF_TASK.get(node, node)


_CAPABILITY_OF_TASK = {task_of(skill): capability_of(skill) for skill in SKILLS}


def _in_order(table: pd.DataFrame, column: str, order: tuple[str, ...]) -> pd.DataFrame:
    """Sort the rows of each run by the benchmark's order of nodes; names that are not in it come last."""
    place = {name: number for number, name in enumerate(order)}
    runs = {name: number for number, name in enumerate(dict.fromkeys(table["model"]))}
    keys = table.assign(
        _run=table["model"].map(runs), _place=table[column].map(lambda name: place.get(name, len(place)))
    )
    return keys.sort_values(["_run", "_place"], kind="stable", ignore_index=True)


def _statement(row: object) -> str:
    """Return what a paired difference means, in words, with its numbers."""
    what = {"accuracy": "accuracy", "confidence": "confidence", "calibration_shift": "Calibration Shift"}[row.figure]
    if np.isnan(row.low):
        return f"{row.level}: too few source questions to compare the {what} of {row.first} and {row.second}"
    interval = f"{row.estimate:+.3f} [{row.low:+.3f}, {row.high:+.3f}]"
    few = f"; only {row.clusters} source questions" if row.small else ""
    if row.low <= 0 <= row.high:
        return f"{row.level}: the {what} of {row.first} and {row.second} differ by {interval}, within noise{few}"
    more, less = (row.first, row.second) if row.estimate > 0 else (row.second, row.first)
    return f"{row.level}: the {what} of {more} is larger than that of {less}, {interval} (first minus second){few}"


def _frame(name: str, rows: pd.DataFrame | list[dict[str, object]]) -> pd.DataFrame:
    columns = list(FRAMES[name].columns)
    if isinstance(rows, pd.DataFrame):
        return rows.reindex(columns=columns).reset_index(drop=True)
    return pd.DataFrame(rows, columns=columns)
