"""One evaluation run, as everything that analyses it sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Run:
    """One model on one family of tasks, from one or several folders' files.

    Attributes:
        name: unique among the runs read together: the model's name, with the task family or the date where needed.
        model: the model's name as the harness gives it.
        integration: the harness's `--model`; empty if unknown.
        model_args: the harness's `--model_args`; empty if unknown.
        family: the tasks' common name, "medqdeg" for medqdeg_l0 to medqdeg_l2.
        date: of the first results file; empty if unknown.
        levels: the levels present, in order.
        records: one `medqdeg.utils.scoring.records.ItemRecord` an item, of any schema, by level and item id.
        series: likewise, those of a series of severities ("S1.50"); their clean items are in `records`.
        conditions: `level_summary.run_conditions` of the records, and what the results file says of each task:
            `conditions.CONDITIONS`, None where it does not say.
        warnings: one line each.
        paths: the files read.
        origin: how the run came about, as its files say: some of `origin.ORIGIN`.
        gone: records of the level "gone" (phantoms without evidence), which only the flags are asked about.
    """

    name: str
    model: str
    integration: str
    model_args: str
    family: str
    date: str
    levels: tuple[str, ...]
    records: tuple[Mapping[str, Any], ...]
    conditions: Mapping[str, Any]
    warnings: tuple[str, ...]
    paths: tuple[Path, ...]
    origin: Mapping[str, str] = field(default_factory=dict)
    series: tuple[Mapping[str, Any], ...] = ()
    gone: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class OtherResult:
    """A number of another task in the same results files."""

    model: str
    task: str
    metric: str
    value: float
    stderr: float | None
    path: Path


@dataclass(frozen=True)
class Collection:
    """What a set of paths holds.

    Attributes:
        runs: by name.
        other_results: numbers of other tasks.
        warnings: lines that belong to no run, e.g. a file that could not be read.
    """

    runs: tuple[Run, ...]
    other_results: tuple[OtherResult, ...] = field(default=())
    warnings: tuple[str, ...] = field(default=())
