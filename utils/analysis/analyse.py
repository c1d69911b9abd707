"""The whole analysis of a collection of runs."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pandas as pd

from ..base.cores import usable_cores
from . import tables
from .cell_sums import CellFigures, CellSums
from .changes import level_changes
from .item_table import ItemTable, item_table
from .metrics import WHOLE, Scope
from .model_pairs import Asked, model_differences, notes_on_pairing, reason_against_pairing
from .runs.run import Collection
from .standing import Standing, standings
from .statistics.bootstrap import ClusterBootstrap


@dataclass(frozen=True)
class Pair:
    """Two runs.

    Attributes:
        first: name of a run.
        second: name of another one.
        refused: why they were not compared item by item; None if they were.
        notes: what may have moved the difference, one phrase each.
    """

    first: str
    second: str
    refused: str | None
    notes: tuple[str, ...] = ()


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
        standing: run -> what keeps it from being ranked.
    """

    collection: Collection
    replicates: int
    seed: int
    tables: Mapping[str, pd.DataFrame]
    pairs: Sequence[Pair]
    item_tables: Mapping[str, ItemTable]
    standing: Mapping[str, Standing]


def analyse(collection: Collection, replicates: int = 1000, seed: int = 0, scope: Scope = WHOLE) -> Analysis:
    """Compute the figures of every node of every run, the changes between levels, and the differences between runs.

    Args:
        collection: of `medqdeg.utils.analysis.runs.reading.read_runs`.
        replicates: of the cluster bootstrap; fewer than 200 give rough intervals.
        seed: of the bootstrap. Runs on the same source questions get the same draws, so that they pair.
        scope: what is left out is missing in the tables.
    """
    item_tables = {run.name: item_table(run.records) for run in collection.runs}
    one = functools.partial(_analyse_run, replicates=replicates, seed=seed, scope=scope)
    with ThreadPoolExecutor(usable_cores()) as pool:  # most of the work is done outside the interpreter's lock
        analysed = list(pool.map(one, item_tables, item_tables.values()))
    rows = {name: [own[name] for own, _ in analysed if name in own] for name in tables.TABLES}
    found = {name: figures for name, (_, figures) in zip(item_tables, analysed, strict=True)}
    pairs = []
    asked = [Asked.of(run) for run in collection.runs] if len(collection.runs) > 1 else []
    for first, second in itertools.combinations(asked, 2):
        refused = reason_against_pairing(first, second)
        notes = notes_on_pairing(first, second) if refused is None else ()
        pairs.append(Pair(first.run, second.run, refused, notes))
        if refused is None:
            one_side, other_side = ((side.run, found[side.run]) for side in (first, second))
            differences, effects = tables.model_rows(
                one_side, other_side, model_differences(one_side[1], other_side[1])
            )
            rows["models"].append(pd.DataFrame(differences))
            rows["models_dunning_kruger"].append(pd.DataFrame(effects))
    frames = {name: _frame(rows[name], columns) for name, columns in tables.TABLES.items()}
    return Analysis(collection, replicates, seed, frames, pairs, item_tables, standings(collection.runs))


def _analyse_run(
    run: str, table: ItemTable, *, replicates: int, seed: int, scope: Scope
) -> tuple[dict[str, pd.DataFrame], CellFigures]:
    sums = CellSums(table, ClusterBootstrap(len(table.cluster_ids), replicates, seed).draws())
    metrics, curves = sums.calibration(scope.figures, scope.axes)
    figures = CellFigures(sums.cells, {**sums.means(scope.figures), **metrics})
    figure_table = pd.DataFrame(tables.figure_rows(run, figures))
    changing = {name: found for name, found in figures.figures.items() if name in scope.changes}
    changes = _frame([pd.DataFrame(tables.change_rows(run, level_changes(sums, changing)))], tables.TABLES["changes"])
    reliability, risk_coverage = tables.curve_rows(run, curves)
    frames = {
        "nodes": pd.DataFrame(tables.node_rows(run, table, sums.items)),
        "figures": figure_table,
        "changes": changes,
        "dunning_kruger": pd.DataFrame(tables.dunning_kruger_rows(run, figure_table, changes)),
        "cliffs": pd.DataFrame(tables.cliff_rows(run, changes)),
        "reliability": pd.DataFrame(reliability),
        "risk_coverage": pd.DataFrame(risk_coverage),
        "items": tables.item_rows(run, table),
    }
    return frames, figures.for_differences(scope.axes)


def _frame(parts: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    filled = [part for part in parts if len(part)]
    frame: pd.DataFrame = pd.DataFrame(columns=list(columns))
    if filled:
        frame = pd.concat(filled, ignore_index=True)[list(columns)]
    return frame
