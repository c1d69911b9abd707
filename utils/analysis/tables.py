"""The tidy tables of an analysis: one row per figure, with its interval."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..dataset.taxonomy import LEVELS
from ..scoring.level_summary import AXES, dunning_kruger
from .cell_ratios import Estimates
from .cell_sums import COVERAGES, Cell, Curves, Replicates
from .changes import CLIFF, MATCHED, PLAIN, Change
from .clinical_rows import OPERATING_POINTS, RECALIBRATION
from .contrasts import COLUMNS as CONTRASTS
from .families import family_p, family_q, family_shrunken
from .flags import FLAGS
from .item_table import OVERALL, ItemTable
from .metrics import FIGURES, MEANS
from .panels import PANELS
from .run_estimates import RunEstimates, run_difference
from .statistics.bootstrap import SMALL
from .statistics.clustered import effective_number, sums_by_place
from .statistics.comparisons import cliff_verdict, dunning_kruger_verdict, inter_model_dunning_kruger
from .verdict_rows import NodeVerdict

_PLACE = ("level", "axis", "node")
_INTERVAL = ("estimate", "low", "high")
SHRUNKEN = ("shrunken", "shrunken_low", "shrunken_high")
_SIZE = ("n", "clusters", "small")

TABLES: Mapping[str, tuple[str, ...]] = {
    "nodes": (
        *("run", *_PLACE, "n", "n_scored", "clusters", "effective", "small", "elicitation", "trials", "options"),
        *("guesser_accuracy", "guesser_confidence", "guesser_james_stein", "guesser_top_share", "guesser_shift"),
    ),
    "figures": ("run", *_PLACE, "figure", *_INTERVAL, "bound", "reason", *SHRUNKEN, *_SIZE),
    "changes": ("run", "comparison", "pairing", "axis", "node", "figure", *_INTERVAL, "p", "q", "reason", *_SIZE),
    "dunning_kruger": (
        *("run", "comparison", "axis", "node", "verdict", "verdict_form", "verdict_reason", "p", "q"),
        *("paper_rule", "rule_matched", "verdict_paper_shift", "verdict_paper_shift_plain"),
    ),
    "operating_points": OPERATING_POINTS,
    "recalibration": RECALIBRATION,
    "flags": FLAGS,
    "contrasts": CONTRASTS,
    "cliffs": ("run", "axis", "node", "pairing", "verdict"),
    "reliability": ("run", *_PLACE, "vote_level", "score", *_INTERVAL, *_SIZE),
    "risk_coverage": ("run", *_PLACE, "coverage", *_INTERVAL, *_SIZE),
    "models": ("first", "second", *_PLACE, "figure", *_INTERVAL, "p", "q", "reason", *_SIZE),
    "models_dunning_kruger": ("first", "second", *_PLACE, "paper_rule", "less_accurate_more_confident"),
    "panels": PANELS,
    "items": (
        *("run", "level", "item_id", "source_question_id", *AXES, "k", "trials", "weight"),
        *MEANS,
        *("guesser_confidence", "guesser_james_stein", "guesser_top_share", "guesser_shift"),
    ),
}
"""Table -> its columns; `docs/analysis.md` says what each holds."""

DECIMALS = 9  # beyond these, sums in another order differ from machine to machine


def overall(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table that are about all items."""
    rows: pd.DataFrame = table[table["axis"] == OVERALL]
    return rows


def node_rows(run: str, table: ItemTable, items: Mapping[Cell, NDArray[np.int64]]) -> Iterable[dict[str, Any]]:
    """Yield the rows of `nodes`."""
    for cell, chosen in items.items():
        scored = chosen[np.isfinite(table.columns["accuracy"][chosen])]
        sizes = sums_by_place(table.clusters[chosen], table.weight[chosen])
        effective = float(effective_number(sizes))
        yield {
            **{"run": run, "level": cell.level, "axis": cell.axis, "node": cell.node},
            **{"n": len(chosen), "n_scored": len(scored), "clusters": int((sizes > 0).sum())},
            **{"effective": _number(effective), "small": effective < SMALL},
            "elicitation": table.elicitation,
            "trials": _mix(table.trials[chosen]),
            "options": _mix(table.k[chosen]),
            "guesser_accuracy": _mean(1.0 / table.k[scored], table.weight[scored]),
            **{
                f"guesser_{name}": _mean(values[scored], table.weight[scored]) for name, values in table.guesser.items()
            },
        }


def figure_rows(run: str, found: RunEstimates, names: Iterable[str]) -> Iterable[dict[str, Any]]:
    """Yield the rows of `figures`."""
    families = [(cell.level, cell.axis) for cell in found.cells]
    for name in names:
        metric = found.metric(name)
        drawn = family_shrunken(metric, families, FIGURES[name].bounds)
        for place, (cell, row) in enumerate(zip(found.cells, estimate_rows(metric), strict=True)):
            yield {
                **{"run": run, "level": cell.level, "axis": cell.axis, "node": cell.node, "figure": name, **row},
                **{key: _number(values[place]) for key, values in zip(SHRUNKEN, drawn, strict=True)},
            }


def change_rows(run: str, changes: Iterable[Change]) -> Iterable[dict[str, Any]]:
    """Yield the rows of `changes`."""
    for change in changes:
        rows = _tested(change.estimates, [axis for axis, _ in change.nodes], correctable=change.correctable)
        for (axis, node), row in zip(change.nodes, rows, strict=True):
            yield {
                **{"run": run, "comparison": change.comparison, "pairing": change.pairing},
                **{"axis": axis, "node": node, "figure": change.figure, **row},
            }


def dunning_kruger_rows(
    run: str,
    figures: pd.DataFrame,
    changes: pd.DataFrame,
    verdicts_of: Mapping[tuple[str, str, str], NodeVerdict],
) -> Iterable[dict[str, Any]]:
    """Yield the rows of `dunning_kruger` from the run's rows of `figures` and `changes` and its verdicts.

    `verdicts_of` maps (comparison, axis, node) to the verdict. `paper_rule` compares the levels' figures, as the paper
    does; it needs the node at L0 and is missing on the axes that clean items do not have. `rule_matched` asks the same
    of the matched changes.
    """
    level_scores = {
        (row.level, row.axis, row.node, row.figure): row.estimate
        for row in figures[figures["figure"].isin(("accuracy", "calibration_shift"))].itertuples()
    }
    wanted = changes[changes["figure"].isin(("accuracy", "calibration_shift")) & (changes["comparison"] != CLIFF)]
    ends: dict[tuple[str, ...], tuple[float, float]] = {
        (row.comparison, row.axis, row.node, row.pairing, row.figure): (row.low, row.high)
        for row in wanted.itertuples()
    }
    estimates: dict[tuple[str, ...], float] = {
        (row.comparison, row.axis, row.node, row.pairing, row.figure): row.estimate
        for row in wanted.itertuples()
        if not np.isnan(row.estimate)
    }
    for comparison, axis, node in dict.fromkeys(key[:3] for key in ends):
        before, after = comparison.split("_to_")
        if before != LEVELS[0]:
            continue
        scores = [
            {name: level_scores.get((level, axis, node, name)) for name in ("accuracy", "calibration_shift")}
            for level in (before, after)
        ]
        known = all(value is not None and not np.isnan(value) for score in scores for value in score.values())
        verdicts = {
            pairing: dunning_kruger_verdict(accuracy, shift)
            for pairing in (PLAIN, MATCHED)
            if (accuracy := ends.get((comparison, axis, node, pairing, "accuracy"))) is not None
            and (shift := ends.get((comparison, axis, node, pairing, "calibration_shift"))) is not None
        }
        accuracy_change = estimates.get((comparison, axis, node, MATCHED, "accuracy"))
        shift_change = estimates.get((comparison, axis, node, MATCHED, "calibration_shift"))
        own = verdicts_of.get((comparison, axis, node))
        yield {
            **{"run": run, "comparison": comparison, "axis": axis, "node": node},
            "verdict": None if own is None else own.verdict.word,
            "verdict_form": None if own is None else own.verdict.form,
            "verdict_reason": None if own is None else own.verdict.because,
            "p": math.nan if own is None else _number(own.p),
            "q": math.nan if own is None else _number(own.q),
            "paper_rule": dunning_kruger(*scores) if known else None,
            "rule_matched": None
            if accuracy_change is None or shift_change is None
            else _rule_of_changes(accuracy_change, shift_change),
            "verdict_paper_shift": verdicts.get(MATCHED),
            "verdict_paper_shift_plain": verdicts.get(PLAIN),
        }


def _rule_of_changes(accuracy_change: float, shift_change: float) -> bool:
    """Return the paper's rule of changes: accuracy falls while the shift holds or grows."""
    return accuracy_change < 0 <= shift_change


def cliff_rows(run: str, changes: pd.DataFrame) -> Iterable[dict[str, Any]]:
    """Yield the rows of `cliffs` from the run's rows of `changes`."""
    for row in changes[(changes["comparison"] == CLIFF) & (changes["figure"] == "accuracy")].itertuples():
        yield {
            **{"run": run, "axis": row.axis, "node": row.node, "pairing": row.pairing},
            "verdict": cliff_verdict(row.low, row.high),
        }


def curve_rows(run: str, curves: Mapping[Cell, Curves]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of `reliability` and of `risk_coverage`."""
    reliability, risk_coverage = [], []
    for cell, curve in curves.items():
        place = {"run": run, "level": cell.level, "axis": cell.axis, "node": cell.node}
        effective = curve.clusters.astype(float)
        rows = _rows(Replicates(curve.credit, curve.count, curve.clusters, effective), (0.0, 1.0))
        for level, score, row in zip(curve.levels, curve.score, rows, strict=True):
            reliability.append({**place, "vote_level": round(float(level), DECIMALS), "score": _number(score), **row})
        size = np.full(len(COVERAGES), curve.cell_n), np.full(len(COVERAGES), curve.cell_clusters)
        rows = _rows(Replicates(curve.risk, *size, size[1].astype(float)), (0.0, 1.0))
        for coverage, row in zip(COVERAGES, rows, strict=True):
            risk_coverage.append({**place, "coverage": round(float(coverage), DECIMALS), **row})
    return reliability, risk_coverage


def model_rows(
    first: tuple[str, RunEstimates], second: tuple[str, RunEstimates], names: Iterable[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of `models` and of `models_dunning_kruger` of a pair of runs on the same items."""
    found, effects = [], []
    cells = first[1].cells
    families = [(cell.level, cell.axis) for cell in cells]
    for name in names:
        estimates, correctable = run_difference(name, first[1], second[1])
        for cell, row in zip(cells, _tested(estimates, families, correctable=correctable), strict=True):
            place = {"level": cell.level, "axis": cell.axis, "node": cell.node}
            found.append({"first": first[0], "second": second[0], **place, "figure": name, **row})
    scores = {
        name: np.stack([run.metric(name).values for _, run in (first, second)])
        for name in ("accuracy", "confidence", "calibration_shift")
    }
    for column, cell in enumerate(cells):
        accuracy, confidence, shift = (tuple(scores[name][:, column]) for name in scores)
        effects.append(
            {
                **{"first": first[0], "second": second[0], "level": cell.level, "axis": cell.axis, "node": cell.node},
                "paper_rule": inter_model_dunning_kruger(accuracy, shift),
                # The shift contains -Acc; the same question asked of the confidence alone does not.
                "less_accurate_more_confident": inter_model_dunning_kruger(accuracy, confidence),
            }
        )
    return found, effects


def item_rows(run: str, table: ItemTable) -> pd.DataFrame:
    """Return the rows of `items`."""
    questions = np.array(table.question_ids, dtype=object)
    rows: pd.DataFrame = pd.DataFrame(
        {
            "run": run,
            "level": table.levels,
            "item_id": table.item_ids,
            "source_question_id": questions[table.questions],
            **{axis: table.nodes[axis] for axis in AXES},
            "k": table.k,
            "trials": table.trials,
            "weight": table.weight,
            **{name: np.round(table.columns[name], DECIMALS) for name in MEANS},
            **{f"guesser_{name}": np.round(values, DECIMALS) for name, values in table.guesser.items()},
        }
    )
    return rows


def estimate_rows(found: Estimates) -> list[dict[str, Any]]:
    """Return estimate, interval, what it is, and sizes of each row of some estimates."""
    return [
        {
            **{"estimate": _number(value), "low": _number(found.low[row]), "high": _number(found.high[row])},
            **{"bound": bool(found.bound[row]), "reason": found.reasons[row]},
            **{"n": int(found.n[row]), "clusters": int(found.clusters[row])},
            "small": bool(found.effective[row] < SMALL),
        }
        for row, value in enumerate(found.values)
    ]


def _tested(found: Estimates, families: Sequence[object], *, correctable: bool) -> list[dict[str, Any]]:
    """Return `estimate_rows` with p and q; q where p can be corrected, among the rows of the same family."""
    p = family_p(found) if correctable else found.p
    q = family_q(found, families) if correctable else np.full(len(p), np.nan)
    return [{**row, "p": _number(p[place]), "q": _number(q[place])} for place, row in enumerate(estimate_rows(found))]


def _rows(replicates: Replicates, bounds: tuple[float, float]) -> Sequence[dict[str, Any]]:
    low, high = replicates.intervals(bounds)
    return [
        {
            **{"estimate": _number(value), "low": _number(low[row]), "high": _number(high[row])},
            **{"n": int(replicates.n[row]), "clusters": int(replicates.clusters[row])},
            "small": bool(replicates.effective[row] < SMALL),
        }
        for row, value in enumerate(replicates.values[:, 0])
    ]


def _number(value: float) -> float:
    return round(float(value), DECIMALS) + 0.0  # no minus zero


def _mean(values: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    return _number(np.average(values, weights=weight)) if len(values) else float("nan")


def _mix(values: NDArray[np.int64]) -> str:
    return json.dumps({str(value): count for value, count in sorted(Counter(values.tolist()).items())})
