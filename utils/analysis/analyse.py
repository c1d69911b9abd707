"""The whole analysis of a collection of runs."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ..runs.run import Collection
from ..statistics.bootstrap import ClusterBootstrap
from . import tables
from .cells import CellFigures, CellSums
from .changes import level_changes
from .figures import WHOLE, Scope
from .item_table import ItemTable, item_table
from .model_pairs import Asked, model_differences, reason_against_pairing


@dataclass(frozen=True)
class Pair:
    """Two runs, and why they were not compared item by item (None if they were)."""

    first: str
    second: str
    refused: str | None


@dataclass(frozen=True)
class Analysis:
    """Everything that was computed.

    Attributes:
        collection: what was read.
        replicates: number of bootstrap replicates.
        seed: of the bootstrap.
        tables: a data frame for each of `medqdeg.utils.analysis.tables.TABLES`.
        pairs: every pair of runs.
        item_tables: run -> its items as columns.
    """

    collection: Collection
    replicates: int
    seed: int
    tables: Mapping[str, pd.DataFrame]
    pairs: Sequence[Pair]
    item_tables: Mapping[str, ItemTable]


def analyse(collection: Collection, replicates: int = 1000, seed: int = 0, scope: Scope = WHOLE) -> Analysis:
    """Compute the figures of every node of every run, the changes between levels, and the differences between runs.

    Args:
        collection: of `medqdeg.utils.runs.reading.read_runs`.
        replicates: of the cluster bootstrap; fewer than 200 give rough intervals.
        seed: of the bootstrap. Runs on the same source questions get the same draws, so that they pair.
        scope: what is left out is missing in the tables.
    """
    rows: dict[str, list[Any]] = defaultdict(list)
    found: dict[str, CellFigures] = {}
    item_tables = {run.name: item_table(run.records) for run in collection.runs}
    for name, table in item_tables.items():
        found[name] = _analyse_run(name, table, replicates, seed, scope, rows)
    pairs = []
    asked = [Asked.of(run) for run in collection.runs] if len(collection.runs) > 1 else []
    for first, second in itertools.combinations(asked, 2):
        refused = reason_against_pairing(first, second)
        pairs.append(Pair(first.run, second.run, refused))
        if refused is None:
            sides = [(side.run, found[side.run]) for side in (first, second)]
            differences, effects = tables.model_rows(*sides, model_differences(sides[0][1], sides[1][1]))
            rows["models"].append(pd.DataFrame(differences))
            rows["models_dunning_kruger"].append(pd.DataFrame(effects))
    frames = {name: _frame(rows[name], columns) for name, columns in tables.TABLES.items()}
    return Analysis(collection, replicates, seed, frames, pairs, item_tables)


def _analyse_run(
    run: str, table: ItemTable, replicates: int, seed: int, scope: Scope, rows: dict[str, list[Any]]
) -> CellFigures:
    sums = CellSums(table, ClusterBootstrap(len(table.cluster_ids), replicates, seed).draws())
    metrics, curves = sums.calibration(scope.figures, scope.axes)
    figures = CellFigures(sums.cells, {**sums.means(scope.figures), **metrics})
    figure_table = pd.DataFrame(tables.figure_rows(run, figures))
    changing = {name: found for name, found in figures.figures.items() if name in scope.changes}
    changes = pd.DataFrame(tables.change_rows(run, level_changes(sums, changing)))
    reliability, risk_coverage = tables.curve_rows(run, curves)
    rows["nodes"].append(pd.DataFrame(tables.node_rows(run, table, sums.items)))
    rows["figures"].append(figure_table)
    if len(changes):
        rows["changes"].append(changes)
        rows["dunning_kruger"].append(pd.DataFrame(tables.dunning_kruger_rows(run, figure_table, changes)))
        rows["cliffs"].append(pd.DataFrame(tables.cliff_rows(run, changes)))
    rows["reliability"].append(pd.DataFrame(reliability))
    rows["risk_coverage"].append(pd.DataFrame(risk_coverage))
    rows["items"].append(tables.item_rows(run, table))
    return figures.for_differences(scope.axes)


def _frame(parts: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True)[list(columns)] if filled else pd.DataFrame(columns=list(columns))
