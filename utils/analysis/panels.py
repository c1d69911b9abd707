"""Panels of readers: what people score on average, and how models differ from them.

A run whose records all name one reader is that reader's; the readers of one task family are a panel. Their mean comes
with an interval for readers and source questions like these (`statistics.reader_panel`). Against a model each reader is
compared on the items that both answered, since in a counterbalanced study no reader sees all of them. Accuracy compares
whatever was asked for; confidence only with models that stated theirs as people do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..dataset.taxonomy import CLEAN
from ..scoring.elicitation import VERBALIZED
from ..scoring.records import PERSON
from .item_table import ALL, OVERALL, ItemTable
from .metrics import ACROSS_ELICITATIONS, FIGURES
from .model_pairs import item_identity
from .runs.run import Run
from .statistics.clustered import sums_by_place
from .statistics.reader_panel import Jackknifed, PanelMean, jackknifed_ratios, panel_mean

Array = NDArray[np.float64]

PANEL_FIGURES = ("accuracy", "confidence", "calibration_shift")
PANELS: tuple[str, ...] = (
    *("panel", "reader", "against", "comparison", "level", "figure", "estimate", "low", "high"),
    *("freedom", "method", "readers", "n", "clusters", "reason"),
)
"""Columns of the table `panels`."""

_DECIMALS = 9


def reader_of(records: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the code of the one person who gave all answers of a run; None for models and panels."""
    found = {
        code if record.get("respondent") == PERSON else None
        for record in records
        for code in (record.get("reader") or [None])
    }
    return next(iter(found)) if len(found) == 1 else None


def by_people(records: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether people, one or several, gave the answers of a run."""
    return bool(records) and all(record.get("respondent") == PERSON for record in records)


def panels_of(runs: Sequence[Run]) -> dict[str, tuple[Run, ...]]:
    """Return task family -> runs of its readers, one run per reader."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        if reader_of(run.records) is not None:
            found.setdefault(run.family, []).append(run)
    return {family: tuple(own) for family, own in found.items()}


def panel_rows(
    runs: Sequence[Run], item_tables: Mapping[str, ItemTable], figures: pd.DataFrame
) -> Iterator[dict[str, Any]]:
    """Yield the rows of `panels`: the mean of every panel (`reader` is None) and each reader.

    `comparison` is None for the figure of a level and "L0_to_L2" for its change; `against` names the model that is
    subtracted, if any.

    Args:
        runs: all runs, models included.
        item_tables: run -> its items.
        figures: the rows of `figures`, for the readers' own intervals at a level.
    """
    models = [run for run in runs if not by_people(run.records)]
    for family, readers in panels_of(runs).items():
        panel = _Panel(family, readers, item_tables)
        yield from panel.rows(None, PANEL_FIGURES, figures)
        for model in models:
            stated = item_tables[model.name].elicitation == VERBALIZED
            yield from panel.rows(model, PANEL_FIGURES if stated else ACROSS_ELICITATIONS, figures)


@dataclass(frozen=True)
class _Sums:
    """One figure of each reader at one level, by source question: (R, G) sums and sizes, (R,) items."""

    sums: Array
    sizes: Array
    items: NDArray[np.int64]


class _Panel:
    """The readers of one family."""

    def __init__(self, family: str, readers: Sequence[Run], tables: Mapping[str, ItemTable]) -> None:
        self.family = family
        self.readers = readers
        self.tables = tables
        names = sorted({name for run in readers for name in tables[run.name].cluster_ids})
        self.cluster = {name: place for place, name in enumerate(names)}
        self.levels = sorted({level for run in readers for level in run.levels})

    def rows(self, model: Run | None, names: Sequence[str], figures: pd.DataFrame) -> Iterator[dict[str, Any]]:
        """Yield the figures of every level and their changes from L0, or the differences to a model."""
        for name in names:
            at = {level: self._at(level, name, model) for level in self.levels}
            for level, (own, theirs) in at.items():
                found = _minus(own, theirs)
                place = {"against": None if model is None else model.name, "comparison": None, "level": level}
                wide = 1 if model is None else 2
                yield from self._with_mean(found, own, {**place, "figure": name}, figures, wide)
            for level in self.levels:
                if level == CLEAN or CLEAN not in at:
                    continue
                place = {"against": None if model is None else model.name, "comparison": f"{CLEAN}_to_{level}"}
                place |= {"level": level, "figure": name}
                found = _minus(*at[level]).minus(_minus(*at[CLEAN]))
                yield from self._with_mean(found, at[level][0], place, figures, 2 if model is None else 4)

    def _at(self, level: str, name: str, model: Run | None) -> tuple[_Sums, _Sums | None]:
        """Return the readers' sums at a level and those of a model on the same items of each reader."""
        own, theirs = [], []
        for run in self.readers:
            table = self.tables[run.name]
            values = np.where(table.levels == level, table.columns[name], np.nan)
            if model is None:
                own.append(self._sums(table, values))
                continue
            other = _on_the_items_of(run, model, self.tables[model.name].columns[name])
            both = np.isfinite(values) & np.isfinite(other)
            own.append(self._sums(table, np.where(both, values, np.nan)))
            theirs.append(self._sums(table, np.where(both, other, np.nan)))
        return _stacked(own), _stacked(theirs) if model is not None else None

    def _sums(self, table: ItemTable, values: Array) -> tuple[Array, Array, int]:
        known = np.isfinite(values)
        place = np.array([self.cluster[name] for name in table.cluster_ids])[table.clusters[known]]
        sums = sums_by_place(place, values[known] * table.weight[known], len(self.cluster))
        return sums, sums_by_place(place, table.weight[known], len(self.cluster)), int(known.sum())

    def _with_mean(
        self, found: Jackknifed, sizes: _Sums, place: Mapping[str, Any], figures: pd.DataFrame, wide: int
    ) -> Iterator[dict[str, Any]]:
        """Yield the mean over readers and each reader; `wide` is the range of the figure in its own ranges."""
        low, high = FIGURES[place["figure"]].bounds
        bounds = (low, high) if wide == 1 else ((low - high) * wide / 2, (high - low) * wide / 2)
        mean = panel_mean(found, bounds)
        clusters = (sizes.sizes > 0).any(axis=0).sum()
        if not np.isfinite(mean.estimate):
            return
        yield self._row(None, mean, place, int(sizes.items.sum()), int(clusters))
        for number, run in enumerate(self.readers):
            one = panel_mean(Jackknifed(found.estimates[[number]], found.left_out[[number]]), bounds)
            if not one.readers:
                continue
            if wide == 1:
                one = _own_interval(one, run.name, place, figures)
            yield self._row(run.name, one, place, int(sizes.items[number]), int((sizes.sizes[number] > 0).sum()))

    def _row(
        self, reader: str | None, found: PanelMean, place: Mapping[str, Any], n: int, clusters: int
    ) -> dict[str, Any]:
        return {
            **{"panel": self.family, "reader": reader, **place},
            **{name: round(getattr(found, name), _DECIMALS) + 0.0 for name in ("estimate", "low", "high")},
            **{"freedom": round(found.freedom, 3), "method": found.method, "readers": found.readers},
            **{"n": n, "clusters": clusters, "reason": found.reason},
        }


def _stacked(parts: Sequence[tuple[Array, Array, int]]) -> _Sums:
    return _Sums(
        np.stack([sums for sums, _, _ in parts]),
        np.stack([sizes for _, sizes, _ in parts]),
        np.array([items for _, _, items in parts]),
    )


def _minus(own: _Sums, theirs: _Sums | None) -> Jackknifed:
    found = jackknifed_ratios(own.sums, own.sizes)
    return found if theirs is None else found.minus(jackknifed_ratios(theirs.sums, theirs.sizes))


def _on_the_items_of(reader: Run, model: Run, values: Array) -> Array:
    """Return a model's values on a reader's items, in the reader's order; NaN where the model has none."""
    held = dict(zip(map(item_identity, model.records), values, strict=True))
    found: Array = np.array([held.get(item_identity(record), np.nan) for record in reader.records], dtype=float)
    return found


def _own_interval(one: PanelMean, run: str, place: Mapping[str, Any], figures: pd.DataFrame) -> PanelMean:
    """Return a reader's figure with the interval that `figures` has of it: two would contradict each other."""
    chosen = figures[
        (figures["run"] == run)
        & (figures["level"] == place["level"])
        & (figures["axis"] == OVERALL)
        & (figures["node"] == ALL)
        & (figures["figure"] == place["figure"])
    ]
    if chosen.empty:
        return one
    row = chosen.iloc[0]
    reason = row["reason"] if isinstance(row["reason"], str) else None
    return PanelMean(row["estimate"], row["low"], row["high"], np.nan, one.method, one.readers, reason)
