"""Do simulated degradations rank models as real ones do?

The items are those that every run answered. Per run, the mean over items whose images were bad when they were taken
stands beside the mean over simulated ones of the same levels; between runs, Kendall's tau-b and Spearman's rho say
whether the two order the runs alike. Intervals draw whole clusters, jointly for all runs and both kinds, so that they
speak of other items and the same models.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..dataset.built import REAL_UNKNOWN_LEVEL
from ..dataset.taxonomy import CLEAN
from ..scoring.records import cluster_of
from .item_table import ItemTable
from .runs.run import Run
from .statistics.bootstrap import SMALL, Array, ClusterBootstrap, intervals, weighted_sums

FEWEST_RUNS = 3
"""Of two runs a rank correlation is 1 or -1."""

FIGURES = ("accuracy", "confidence", "calibration_shift")
REAL, SIMULATED = "real", "simulated"
REAL_TABLES: Mapping[str, tuple[str, ...]] = {
    "real_degradations": ("run", "kind", "figure", "estimate", "low", "high", "n", "clusters", "small"),
    "real_ranks": (
        "figure",
        "statistic",
        "estimate",
        "low",
        "high",
        "runs",
        "n_real",
        "n_simulated",
        "small",
        "reason",
    ),
}
"""Table -> columns; an analysis has them where a run has real items."""

_Place = tuple[str, str]


@dataclass(frozen=True)
class RealComparison:
    """Real and simulated degradations of the same runs.

    Attributes:
        rows: of the table `real_degradations`.
        ranks: of the table `real_ranks`.
    """

    rows: Sequence[Mapping[str, Any]]
    ranks: Sequence[Mapping[str, Any]]


def compare_real(
    runs: Sequence[Run], tables: Mapping[str, ItemTable], replicates: int, seed: int
) -> RealComparison | None:
    """Compare the runs that have real items; None where none has.

    Args:
        runs: all that are analysed.
        tables: run -> its items.
        replicates: of the cluster bootstrap.
        seed: of the bootstrap.
    """
    places = {run.name: _real_places(run) for run in runs}
    chosen = [run for run in runs if places[run.name]]
    if not chosen:
        return None
    real = set.intersection(*(set(places[run.name]) for run in chosen))
    if not real:  # other items each: every run alone
        chosen = [max(chosen, key=lambda run: len(places[run.name]))]
        real = set(places[chosen[0].name])
    levels = {level for (level, _) in real}
    if any(places[chosen[0].name][place] == REAL_UNKNOWN_LEVEL for place in real):
        levels = {level for run in chosen for level in run.levels if level != CLEAN}
    simulated = set.intersection(*(_simulated_places(run, levels) for run in chosen))
    clusters = {(record["level"], record["item_id"]): cluster_of(record) for record in chosen[0].records}
    draws_of = sorted({clusters[place] for place in real | simulated})
    draws = ClusterBootstrap(len(draws_of), replicates, seed).draws()
    number = {cluster: index for index, cluster in enumerate(draws_of)}
    groups = {REAL: sorted(real), SIMULATED: sorted(simulated)}
    own = {kind: np.array([number[clusters[place]] for place in group], int) for kind, group in groups.items()}
    means = {
        (run.name, kind, figure): _means(tables[run.name], group, figure, own[kind], draws)
        for run in chosen
        for kind, group in groups.items()
        for figure in FIGURES
    }
    rows = []
    for (run_name, kind, figure), found in means.items():
        size = len(set(own[kind].tolist()))
        low, high = _ends(found, size, (-1.0, 1.0) if figure == FIGURES[2] else (0.0, 1.0))
        rows.append(
            {
                **{"run": run_name, "kind": kind, "figure": figure, "estimate": found[0], "low": low, "high": high},
                **{"n": len(groups[kind]), "clusters": size, "small": size < SMALL},
            }
        )
    sizes = {"runs": len(chosen), "n_real": len(real), "n_simulated": len(simulated)}
    fewest = min(len(set(own[kind].tolist())) for kind in groups) if simulated else 0
    return RealComparison(rows, _ranks([run.name for run in chosen], means, fewest, sizes))


def _real_places(run: Run) -> dict[_Place, str]:
    """Return (level, item) -> origin of a run's real items."""
    found = ((record, record.get("degradation_origin")) for record in run.records)
    return {(record["level"], record["item_id"]): origin for record, origin in found if isinstance(origin, str)}


def _simulated_places(run: Run, levels: set[str]) -> set[_Place]:
    return {
        (record["level"], record["item_id"])
        for record in run.records
        if record["level"] in levels and record.get("degradation_origin") is None
    }


def _means(
    table: ItemTable, places: Sequence[_Place], figure: str, clusters: NDArray[np.int64], draws: NDArray[np.uint16]
) -> Array:
    """Return (1 + R,) means of a figure over items: of the data, and of every replicate."""
    at = {place: index for index, place in enumerate(zip(table.levels, table.item_ids, strict=True))}
    values = np.array([table.columns[figure][at[place]] for place in places], float)
    known = ~np.isnan(values)
    size = draws.shape[0]
    sums = np.stack(
        [
            np.bincount(clusters[known], values[known], minlength=size),
            np.bincount(clusters[known], minlength=size).astype(float),
        ]
    )
    total, count = weighted_sums(sums, draws)
    means: Array = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
    return means


def _ranks(
    runs: Sequence[str], means: Mapping[tuple[str, str, str], Array], clusters: int, sizes: Mapping[str, int]
) -> list[dict[str, Any]]:
    reason = None
    if not sizes["n_simulated"]:
        reason = "no simulated item at the levels of the real ones that all runs answered"
    elif len(runs) < FEWEST_RUNS:
        reason = f"{len(runs)} run{'s' if len(runs) != 1 else ''} with the same real items; ranks need {FEWEST_RUNS}"
    if reason is not None:
        empty = dict.fromkeys(("figure", "statistic", "estimate", "low", "high"))
        return [{**empty, **sizes, "small": True, "reason": reason}]
    from scipy import stats  # a quarter of a second, which few runs need

    rows = []
    for figure in FIGURES:
        sides = [np.stack([means[run, kind, figure] for run in runs]) for kind in (REAL, SIMULATED)]
        for name, statistic in (("kendall_tau_b", stats.kendalltau), ("spearman_rho", stats.spearmanr)):
            found = np.array([_correlation(statistic, *pair) for pair in zip(*(side.T for side in sides), strict=True)])
            low, high = _ends(found, clusters, (-1.0, 1.0))
            rows.append(
                {
                    **{"figure": figure, "statistic": name, "estimate": found[0], "low": low, "high": high},
                    **{**sizes, "small": clusters < SMALL, "reason": None},
                }
            )
    return rows


def _correlation(statistic: Any, first: Array, second: Array) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # all runs alike: there is no order, and no correlation
        return float(statistic(first, second).statistic)


def _ends(values: Array, clusters: int, bounds: tuple[float, float]) -> tuple[float, float]:
    if clusters < 2 or np.isnan(values[0]):
        return float("nan"), float("nan")
    low, high = intervals(values[:1], values[None, 1:], np.array([float(clusters)]), bounds)
    return float(low[0]), float(high[0])


def real_frames(found: RealComparison) -> dict[str, pd.DataFrame]:
    """Return the tables of `REAL_TABLES`."""
    rows = {"real_degradations": found.rows, "real_ranks": found.ranks}
    return {name: pd.DataFrame(rows[name], columns=list(columns)) for name, columns in REAL_TABLES.items()}


def real_lines(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """Return what `medqdeg analyze` prints of them: one line per run, and whether the ranks agree."""
    if "real_degradations" not in tables:
        return []
    rows, ranks = tables["real_degradations"], tables["real_ranks"]
    lines = []
    for run, own in rows[rows["figure"] == "accuracy"].groupby("run", sort=False):
        by_kind = own.set_index("kind")
        said = [f"{kind} {_spoken(by_kind.loc[kind])}" for kind in (REAL, SIMULATED) if by_kind.loc[kind, "n"]]
        lines.append(f"{run}: accuracy on degraded images: {', '.join(said)}")
    reasons = ranks["reason"].dropna()
    if len(reasons):
        return [*lines, f"do simulated degradations rank models as real ones do? {reasons.iloc[0]}"]
    row = ranks[(ranks["figure"] == "accuracy") & (ranks["statistic"] == "kendall_tau_b")].iloc[0]
    return [*lines, f"ranks of {row['runs']} runs by accuracy, simulated against real: Kendall's tau-b {_spoken(row)}"]


def _spoken(row: Any) -> str:
    ends = "" if pd.isna(row["low"]) else f" [{row['low']:.3f}, {row['high']:.3f}]"
    few = "*" if row["small"] else ""
    return f"{row['estimate']:.3f}{ends}{few}"
