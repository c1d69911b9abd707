"""Tables 6, 2 and 3 and figure 5 of the paper (arXiv:2603.07769) for our runs, beside the 40 published models.

A published row holds what the paper states and nothing else: its intervals and item counts are empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..analysis.analyse import Analysis
from ..analysis.cell_sums import Replicates
from ..analysis.changes import MATCHED, PLAIN
from ..analysis.pooled import pooled_categories, pooled_tasks
from ..analysis.published.results import (
    TABLE_2_COLUMNS,
    TABLE_3_COLUMNS,
    PublishedModel,
    Stated,
    published_calibration,
    published_models,
)
from ..analysis.statistics.bootstrap import SMALL
from ..analysis.tables import overall
from ..dataset.taxonomy import CLEAN, LEVELS
from ..scoring.level_summary import dunning_kruger

OURS, PUBLISHED, DIGITISED = "this report", "published", "published, digitised"
"""Where a row is from: runs analysed here, a table of the paper, or values read off its figure 5."""

AVERAGE = "average"
"""The column of tables 2 and 3 before their others: the macro mean of the tasks, the micro mean of the categories."""

PAPER_COLUMNS = (*LEVELS, AVERAGE, *TABLE_2_COLUMNS.values(), *TABLE_3_COLUMNS.values())
"""What a `column` of tables 6, 2 and 3 may be, in the paper's order."""

PAPER_TABLE = (
    *("model", "origin", "group", "column", "accuracy", "low", "high"),
    *("change", "change_low", "change_high", "n", "clusters", "small"),
)
"""Columns of tables 6, 2 and 3 in long form: one row per model and a column of the paper's table."""

FIGURE_5 = (
    *("model", "origin", "level"),
    *(f"{figure}{end}" for figure in ("accuracy", "confidence", "calibration_shift") for end in ("", "_low", "_high")),
    *("n", "clusters", "small"),
)
"""Columns of the calibration by level: one row per model and level."""

DUNNING_KRUGER = (
    *("model", "origin", "comparison", "pairing"),
    *(f"{name}_change{end}" for name in ("accuracy", "confidence", "shift") for end in ("", "_low", "_high")),
    *("paper_rule", "verdict_paper_shift"),
)
"""Columns of the Dunning-Kruger effect within models: one row per model, comparison and pairing."""


def table_6(analysis: Analysis, *, published: bool) -> pd.DataFrame:
    """Return accuracy by level and the plain change from L0 (columns `PAPER_TABLE`; `column` is a level)."""
    figures, changes = (overall(analysis.tables[name]) for name in ("figures", "changes"))
    accuracy = figures[figures["figure"] == "accuracy"].set_index(["run", "level"])
    chosen = changes[(changes["figure"] == "accuracy") & (changes["pairing"] == "plain")]
    steps = chosen.set_index(["run", "comparison"])
    rows = []
    for (run, level), row in accuracy.iterrows():
        key = (run, f"{CLEAN}_to_{level}")
        step = steps.loc[key] if key in steps.index else {}
        rows.append({**_own(run, level, row), **_change(step)})
    if published:
        rows += _published(_by_level)
    return _frame(rows)


def table_2(analysis: Analysis, *, published: bool) -> pd.DataFrame:
    """Return accuracy over L1 and L2 by mid-level task, and the plain change of the task's accuracy from L0.

    Columns `PAPER_TABLE`; `column` is a task or `AVERAGE`, the macro mean of the six, which a run has only where it has
    items of all six. Unlabelled items are in no column.
    """
    rows: list[dict[str, Any]] = []
    for run, table in analysis.item_tables.items():
        pooled = pooled_tasks(table, tuple(TABLE_2_COLUMNS.values()), analysis.replicates, analysis.seed)
        rows += [_pooled_row(run, part.node or AVERAGE, part.accuracy, part.change) for part in pooled]
    if published:
        rows += _published(lambda model: {AVERAGE: model.task_average, **model.tasks})
    return _frame(rows)


def table_3(analysis: Analysis, *, published: bool) -> pd.DataFrame:
    """Return accuracy over L1 and L2 by degradation category, and its matched change from L0.

    Columns `PAPER_TABLE`; `column` is a category or `AVERAGE`, the micro mean: the mean over all items of L1 and L2.
    Clean items have no degradation, so the change of ours is the mean over degraded items of the difference to their
    own clean version. The paper does not say how its changes are computed.
    """
    rows: list[dict[str, Any]] = []
    for run, table in analysis.item_tables.items():
        pooled = pooled_categories(table, tuple(TABLE_3_COLUMNS.values()), analysis.replicates, analysis.seed)
        rows += [_pooled_row(run, part.node or AVERAGE, part.accuracy, part.change) for part in pooled]
    if published:
        rows += _published(lambda model: {AVERAGE: model.category_average, **model.categories})
    return _frame(rows)


def paper_layout(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a long frame of `PAPER_TABLE` as the paper lays it out: one row per model.

    Columns: model, origin, group, and for each column of the paper's table NAME, NAME_low, NAME_high, NAME_change,
    NAME_change_low, NAME_change_high, NAME_n and NAME_small.
    """
    ends = ("low", "high", "change", "change_low", "change_high", "n", "small")
    kept = {"accuracy": "", **{name: f"_{name}" for name in ends}}
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in frame.to_dict("records"):
        key = (row["model"], row["origin"], row["group"])
        rows.setdefault(key, dict(zip(("model", "origin", "group"), key, strict=True))).update(
            {f"{row['column']}{suffix}": row[name] for name, suffix in kept.items()}
        )
    present = set(frame["column"])
    order = [column for column in PAPER_COLUMNS if column in present]
    columns = [f"{column}{suffix}" for column in order for suffix in kept.values()]
    return pd.DataFrame(list(rows.values()), columns=["model", "origin", "group", *columns])


def figure_5(analysis: Analysis, *, published: bool) -> pd.DataFrame:
    """Return accuracy, confidence and Calibration Shift by level (columns `FIGURE_5`)."""
    figures = overall(analysis.tables["figures"])
    rows: list[dict[str, Any]] = []
    for (run, level), group in figures.groupby(["run", "level"], sort=False):
        of = group.set_index("figure")
        row = {"model": run, "origin": OURS, "level": level}
        for name in ("accuracy", "confidence", "calibration_shift"):
            ends = {"": "estimate", "_low": "low", "_high": "high"}
            row |= {f"{name}{suffix}": of.at[name, end] for suffix, end in ends.items()}
        rows.append({**row, **{name: of.at["calibration_shift", name] for name in ("n", "clusters", "small")}})
    if published:
        for model, levels in published_calibration().items():
            for level, read in levels.items():
                values = {name: getattr(read, name) for name in ("accuracy", "confidence", "calibration_shift")}
                rows.append({"model": model, "origin": DIGITISED, "level": level, **values, "small": False})
    return _typed(pd.DataFrame(rows, columns=list(FIGURE_5)))


def dunning_kruger_within(analysis: Analysis, *, published: bool) -> pd.DataFrame:
    """Return whether accuracy falls while the shift holds or grows (columns `DUNNING_KRUGER`), from L0 to L1 and to L2.

    One row per pairing: the changes, the paper's rule applied to them (None where one is missing) and what their
    intervals say. Published models have plain changes only, and no intervals.
    """
    changes = overall(analysis.tables["changes"]).set_index(["run", "comparison", "pairing", "figure"]).sort_index()
    rows = []
    for effect in overall(analysis.tables["dunning_kruger"]).itertuples():
        for pairing, rule, verdict in (
            (PLAIN, effect.paper_rule, effect.verdict_paper_shift_plain),
            (MATCHED, effect.rule_matched, effect.verdict_paper_shift),
        ):
            keys = {name: (effect.run, effect.comparison, pairing, figure) for name, figure in _CHANGING.items()}
            if all(key in changes.index for key in keys.values()):
                row = {"model": effect.run, "origin": OURS, "comparison": effect.comparison, "pairing": pairing}
                for name, key in keys.items():
                    ends = {"": "estimate", "_low": "low", "_high": "high"}
                    row |= {f"{name}_change{suffix}": changes.at[key, end] for suffix, end in ends.items()}
                rows.append({**row, "paper_rule": rule, "verdict_paper_shift": verdict})
    return pd.DataFrame(rows + (_published_effects() if published else []), columns=list(DUNNING_KRUGER))


_CHANGING: Mapping[str, str] = {"accuracy": "accuracy", "confidence": "confidence", "shift": "calibration_shift"}


def _published_effects() -> list[dict[str, Any]]:
    rows = []
    for model, levels in published_calibration().items():
        for level in LEVELS[1:]:
            sides = [
                {name: _or_nan(getattr(levels[place], name)) for name in _CHANGING.values()} for place in (CLEAN, level)
            ]
            known = not any(np.isnan(side[name]) for side in sides for name in ("accuracy", "calibration_shift"))
            changes = {
                f"{short}_change": round(sides[1][name] - sides[0][name], 9) for short, name in _CHANGING.items()
            }
            rows.append(
                {
                    **{"model": model, "origin": DIGITISED, "comparison": f"{CLEAN}_to_{level}", "pairing": PLAIN},
                    **changes,
                    "paper_rule": dunning_kruger(*sides) if known else None,
                    "verdict_paper_shift": None,
                }
            )
    return rows


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value


def _by_level(model: PublishedModel) -> dict[str, Stated]:
    clean = model.accuracy[CLEAN]
    return {
        level: Stated(value, np.nan if level == CLEAN else round(value - clean, 6))
        for level, value in model.accuracy.items()
    }


def _published(columns: Callable[[PublishedModel], Mapping[str, Stated]]) -> Iterator[dict[str, Any]]:
    for model in published_models():
        for column, stated in columns(model).items():
            yield _stated(model.name, model.group, column, stated)


def _pooled_row(run: str, column: str, accuracy: Replicates, change: Replicates | None) -> dict[str, Any]:
    low, high = accuracy.intervals((0.0, 1.0))
    row = {
        **{"estimate": accuracy.values[0, 0], "low": low[0], "high": high[0]},
        **{"n": int(accuracy.n[0]), "clusters": int(accuracy.clusters[0])},
    }
    row["small"] = row["clusters"] < SMALL
    step = {}
    if change is not None:
        low, high = change.intervals((-1.0, 1.0))
        step = {"estimate": change.values[0, 0], "low": low[0], "high": high[0]}
    return {**_own(run, column, row), **_change(step)}


def _own(run: str, column: str, row: Mapping[str, Any]) -> dict[str, Any]:
    ends = {"accuracy": row["estimate"], "low": row["low"], "high": row["high"]}
    size = {name: row[name] for name in ("n", "clusters", "small")}
    return {"model": run, "origin": OURS, "group": OURS, "column": column, **ends, **size}


def _change(step: Mapping[str, Any]) -> dict[str, float]:
    names = {"change": "estimate", "change_low": "low", "change_high": "high"}
    return {name: step[key] if len(step) else np.nan for name, key in names.items()}


def _stated(model: str, group: str, column: str, stated: Stated) -> dict[str, Any]:
    values = {"accuracy": stated.accuracy, "change": stated.change, "small": False}
    return {"model": model, "origin": PUBLISHED, "group": group, "column": column, **values}


def _frame(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    return _typed(pd.DataFrame(list(rows), columns=list(PAPER_TABLE)))


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Give each column one type, however few rows there are; counts that do not exist are <NA>."""
    texts = {"model", "origin", "group", "column", "level"}
    kinds = {"n": "Int64", "clusters": "Int64", "small": "bool"}
    return frame.astype({name: kinds.get(name, "float64") for name in frame.columns if name not in texts})
