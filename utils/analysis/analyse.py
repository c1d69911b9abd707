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
from .cell_sums import CellSums
from .changes import level_changes
from .clinical_rows import operating_rows, recalibration_rows
from .contrasts import contrast_rows
from .flags import flag_rows
from .item_table import ItemTable, item_table
from .metrics import ACROSS_ELICITATIONS, BOOTSTRAPPED, WHOLE, Scope
from .model_pairs import Asked, accuracy_alone, notes_on_pairing, reason_against_pairing
from .operating import RunOperatingPoint, operating_point
from .panels import panel_rows
from .pilot import Pilot, pilot
from .real_degradations import compare_real, real_frames
from .recalibrated import RunRecalibration, recalibration
from .run_estimates import RunEstimates
from .runs.conditions import decodes_greedily
from .runs.run import Collection
from .series_curves import RunCurves, run_curves
from .series_rows import SERIES_TABLES, curve_rows, point_rows, psignifit_rows
from .standing import Standing, standings
from .statistics.bootstrap import ClusterBootstrap
from .statistics.operating_points import RISK
from .verdict_rows import run_verdicts


@dataclass(frozen=True)
class Pair:
    """Two runs.

    Attributes:
        first: name of a run.
        second: name of another one.
        refused: why they were not compared item by item; None if they were.
        notes: what may have moved the difference, one phrase each.
        accuracy_alone: why only their accuracy was compared; None if everything was, or nothing.
    """

    first: str
    second: str
    refused: str | None
    notes: tuple[str, ...] = ()
    accuracy_alone: str | None = None


@dataclass(frozen=True)
class Analysis:
    """Everything that was computed.

    Attributes:
        collection: what was read.
        replicates: number of bootstrap replicates.
        seed: of the bootstrap.
        tables: a data frame for each of `medqdeg.utils.analysis.tables.TABLES`.
        pairs: every pair of runs, but for two of people.
        item_tables: run -> its items as columns.
        standing: run -> what keeps it from being ranked.
        clinical: run -> its operating point, its recalibration, and what a plan needs of it.
        series: run -> its curves, for the runs that have a series of severities.
    """

    collection: Collection
    replicates: int
    seed: int
    tables: Mapping[str, pd.DataFrame]
    pairs: Sequence[Pair]
    item_tables: Mapping[str, ItemTable]
    standing: Mapping[str, Standing]
    clinical: Mapping[str, Clinical]
    series: Mapping[str, RunCurves]


@dataclass(frozen=True)
class Clinical:
    """What matters for using the model in a clinic or for running it again.

    Attributes:
        operating_point: below which confidence a person must look.
        recalibration: what clean images teach.
        pilot: what a plan needs; None without L0 or without a degraded level.
    """

    operating_point: RunOperatingPoint
    recalibration: RunRecalibration
    pilot: Pilot | None


def analyse(
    collection: Collection,
    replicates: int = 1000,
    seed: int = 0,
    scope: Scope = WHOLE,
    risk: float = RISK,
    least_accuracy: float | None = None,
) -> Analysis:
    """Compute the figures of every node of every run, the changes between levels, and the differences between runs.

    Args:
        collection: of `medqdeg.utils.analysis.runs.reading.read_runs`.
        replicates: of the cluster bootstrap; fewer than 200 give rough intervals.
        seed: of the bootstrap. Runs on the same source questions get the same draws, so that they pair.
        scope: what is left out is missing in the tables.
        risk: error among the answered that the operating point is to keep on clean images, in (0, 1).
        least_accuracy: what "trusted up to" asks for, in (0, 1]; None for that on clean images minus 0.05.
    """
    item_tables = {
        run.name: item_table(run.records, greedy=decodes_greedily(run.conditions)) for run in collection.runs
    }
    clinical = {name: _clinical(table, risk) for name, table in item_tables.items()}
    one = functools.partial(_analyse_run, replicates=replicates, seed=seed, scope=scope)
    with ThreadPoolExecutor(usable_cores()) as pool:  # most of the work is done outside the interpreter's lock
        analysed = list(pool.map(one, item_tables, item_tables.values()))
    rows = {name: [own[name] for own, _ in analysed if name in own] for name in tables.TABLES}
    rows["operating_points"] = [pd.DataFrame(operating_rows(run, own.operating_point)) for run, own in clinical.items()]
    rows["recalibration"] = [pd.DataFrame(recalibration_rows(run, own.recalibration)) for run, own in clinical.items()]
    rows["flags"] = [pd.DataFrame(flag_rows(run)) for run in collection.runs]
    found = {name: estimates for name, (_, estimates) in zip(item_tables, analysed, strict=True)}
    pairs = []
    asked = [Asked.of(run) for run in collection.runs]
    for first, second in itertools.combinations(asked, 2):
        if first.people and second.people:
            continue  # colleagues are not set against each other; `panels` has them all
        refused = reason_against_pairing(first, second)
        notes = notes_on_pairing(first, second) if refused is None else ()
        alone = accuracy_alone(first, second) if refused is None else None
        pairs.append(Pair(first.run, second.run, refused, notes, alone))
        if refused is None:
            sides = (first.run, found[first.run]), (second.run, found[second.run])
            names = [name for name in scope.figures if alone is None or name in ACROSS_ELICITATIONS]
            differences, effects = tables.model_rows(*sides, names)
            rows["models"].append(pd.DataFrame(differences))
            rows["models_dunning_kruger"].append(pd.DataFrame(effects if alone is None else []))
    figures = _frame(rows["figures"], tables.TABLES["figures"])
    rows["panels"] = [pd.DataFrame(panel_rows(collection.runs, item_tables, figures))]
    frames = {name: _frame(rows[name], columns) for name, columns in tables.TABLES.items()}
    series = {
        run.name: curves
        for run in collection.runs
        if (curves := run_curves(run, replicates, seed, risk, least_accuracy)) is not None
    }
    if series:
        frames |= _series_frames(series)
    if (real := compare_real(collection.runs, item_tables, replicates, seed)) is not None:
        frames |= real_frames(real)
    standing = standings(collection.runs, asked)
    return Analysis(collection, replicates, seed, frames, pairs, item_tables, standing, clinical, series)


def _series_frames(series: Mapping[str, RunCurves]) -> dict[str, pd.DataFrame]:
    makers = {"curves": curve_rows, "curve_points": point_rows, "psignifit": psignifit_rows}
    return {
        name: _frame([pd.DataFrame(make(run, found)) for run, found in series.items()], SERIES_TABLES[name])
        for name, make in makers.items()
    }


def _analyse_run(
    run: str, table: ItemTable, *, replicates: int, seed: int, scope: Scope
) -> tuple[dict[str, pd.DataFrame], RunEstimates]:
    """Return the run's tables, and what its differences from other runs come from."""
    sums = CellSums(table, ClusterBootstrap(len(table.cluster_ids), replicates, seed).draws())
    wanted = [name for name in BOOTSTRAPPED if name in scope.figures]
    areas, curves = sums.calibration(wanted, scope.axes)
    estimates = RunEstimates(table, sums, {**sums.means(wanted), **areas})
    figures = pd.DataFrame(tables.figure_rows(run, estimates, scope.figures))
    changes = _frame(
        [pd.DataFrame(tables.change_rows(run, level_changes(estimates, scope.changes)))], tables.TABLES["changes"]
    )
    reliability, risk_coverage = tables.curve_rows(run, curves)
    effects = tables.dunning_kruger_rows(run, figures, changes, run_verdicts(estimates))
    frames = {
        "nodes": pd.DataFrame(tables.node_rows(run, table, sums.items)),
        "figures": figures,
        "changes": changes,
        "dunning_kruger": pd.DataFrame(effects),
        "contrasts": pd.DataFrame(contrast_rows(run, table)),
        "cliffs": pd.DataFrame(tables.cliff_rows(run, changes)),
        "reliability": pd.DataFrame(reliability),
        "risk_coverage": pd.DataFrame(risk_coverage),
        "items": tables.item_rows(run, table),
    }
    return frames, estimates.narrowed(estimates.rows(scope.axes))


def _clinical(table: ItemTable, risk: float) -> Clinical:
    credit = table.columns["majority_vote"]
    items = (table.answers, credit, table.levels, table.clusters, table.cluster_ids, table.weight)
    return Clinical(
        operating_point(*items, risk),
        recalibration(*items, table.without_gap),
        pilot(
            *(table.answers, table.columns["accuracy"], table.levels, table.questions, table.clusters),
            table.without_gap,
        ),
    )


def _frame(parts: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    filled = [part for part in parts if len(part)]
    frame: pd.DataFrame = pd.DataFrame(columns=list(columns))
    if filled:
        frame = pd.concat(filled, ignore_index=True)[list(columns)]
    return frame
