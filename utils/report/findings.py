"""What the paper found, what the published tables bear out, and what one's own runs show.

Each finding is a number whose sign the paper claims. A run's number comes with its interval and is read against the
claim: "as claimed" or "the reverse" where the interval lies on one side of 0, else "not decided". What the paper's
tables state has no interval, so it is read by its sign alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..analysis.analyse import Analysis
from ..analysis.changes import CLIFF, MATCHED
from ..analysis.published.results import GROUPS, PublishedModel, published_calibration, published_models
from ..analysis.tables import overall
from ..dataset.taxonomy import CAPABILITY_TREE, CLEAN, LEVELS, TASKS
from .frame_kinds import framed
from .paper_tables import OURS, PUBLISHED

AS_CLAIMED, REVERSE, NOT_DECIDED = "as claimed", "the reverse", "not decided"

_WORST = LEVELS[-1]
_STEP = f"{CLEAN}_to_{_WORST}"

_Rows = Callable[[Analysis], Iterable[dict[str, Any]]]


@dataclass(frozen=True)
class Finding:
    """A claim of the paper as a number with a sign.

    Attributes:
        claim: in words.
        number: what the number is.
        sign: which sign the claim gives it: -1 or 1.
        of_runs: rows (model, estimate, low, high, n) of the runs.
        of_published: the number of a published model, or None where the paper does not print it.
        note: what to know when reading it.
    """

    claim: str
    number: str
    sign: int
    of_runs: _Rows
    of_published: Callable[[PublishedModel], float | None] = lambda model: None
    note: str = ""


def _changes(comparison: str, figure: str) -> _Rows:
    def rows(analysis: Analysis) -> Iterator[dict[str, Any]]:
        table = overall(analysis.tables["changes"])
        chosen = table[
            (table["comparison"] == comparison) & (table["pairing"] == MATCHED) & (table["figure"] == figure)
        ]
        yield from _as_rows(chosen)

    return rows


def _contrasts(axis: str) -> _Rows:
    def rows(analysis: Analysis) -> Iterator[dict[str, Any]]:
        table = analysis.tables["contrasts"]
        chosen = table[(table["axis"] == axis) & (table["figure"] == "accuracy")]
        yield from _as_rows(chosen.assign(n=chosen["n_first"] + chosen["n_second"]))

    return rows


def _as_rows(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for row in table.to_dict("records"):
        yield {"model": row["run"], **{str(name): row[name] for name in ("estimate", "low", "high", "n")}}


def _loss(model: PublishedModel) -> float:
    return model.accuracy[_WORST] - model.accuracy[CLEAN]


def _shift_growth(model: PublishedModel) -> float | None:
    levels = published_calibration().get(model.name)
    ends = [levels[level].calibration_shift for level in (CLEAN, _WORST)] if levels else [None]
    return None if None in ends else float(ends[1] or 0) - float(ends[0] or 0)


def _bend(model: PublishedModel) -> float:
    first, second, third = (model.accuracy[level] for level in LEVELS)
    return (third - second) - (second - first)


def _reasoning_loss(model: PublishedModel) -> float:
    reasoning, perception = (
        np.mean([model.tasks[task].change for task in CAPABILITY_TREE[capability]])
        for capability in ("Clinical Reasoning", "Medical Perception")
    )
    return float(reasoning - perception)


def _artefact_loss(model: PublishedModel) -> float:
    changes = {name: stated.change for name, stated in model.categories.items()}
    return float(np.mean([changes["artifacts"], changes["motion_interference"]]) - changes["intensity_jitter"])


FINDINGS: tuple[Finding, ...] = (
    Finding(
        "accuracy falls as images get worse",
        "accuracy at L2 minus L0",
        -1,
        _changes(_STEP, "accuracy"),
        _loss,
    ),
    Finding(
        "the shift grows while accuracy falls (AI Dunning-Kruger effect)",
        "Calibration Shift at L2 minus L0",
        1,
        _changes(_STEP, "calibration_shift"),
        _shift_growth,
        "Published: read off figure 5, 18 models. A calibrated model's shift grows too where votes are few; the next "
        "row does not have that fault.",
    ),
    Finding(
        "overconfidence grows",
        "agreement gap at L2 minus L0",
        1,
        _changes(_STEP, "agreement_gap"),
        note="The paper does not print votes, from which it could be computed.",
    ),
    Finding(
        "the loss accelerates (a cliff)",
        "accuracy's step from L1 to L2 minus that from L0 to L1",
        -1,
        _changes(CLIFF, "accuracy"),
        _bend,
        "A smooth curve does so as well wherever L2 is more than twice as strong as L1: three points cannot show a "
        "cliff. Run a series (medqdeg_curve).",
    ),
    Finding(
        "artefacts and motion cost more than intensity",
        "change of accuracy under artefacts and motion minus that under intensity; below 0, they cost more",
        -1,
        _contrasts("degradation_category"),
        _artefact_loss,
        "Published: table 3, the two categories weighted alike.",
    ),
    Finding(
        "reasoning loses more than perception",
        "change of accuracy in reasoning minus that in perception; below 0, reasoning loses more",
        -1,
        _contrasts("capability"),
        _reasoning_loss,
        "Published: table 2, tasks weighted alike. It says the reverse of the text: the three reasoning tasks lose "
        "less. Near chance there is less to lose.",
    ),
)
"""In the paper's order."""


def findings(analysis: Analysis, *, published: bool) -> pd.DataFrame:
    """Return a row per finding and run, and per finding and group of published models."""
    rows: list[dict[str, Any]] = []
    for finding in FINDINGS:
        of = {"finding": finding.claim, "number": finding.number, "note": finding.note}
        for row in finding.of_runs(analysis):
            rows.append({**of, "origin": OURS, **row, "reading": _reading(finding.sign, row["low"], row["high"])})
        if published:
            rows += [{**of, **row} for row in _published(finding)]
    return framed("findings", rows)


def _published(finding: Finding) -> Iterator[dict[str, Any]]:
    for group, label in GROUPS.items():
        values = [finding.of_published(model) for model in published_models() if model.group == group]
        known = [value for value in values if value is not None]
        if known:
            agree = sum(value * finding.sign > 0 for value in known)
            yield {
                **{"model": f"{label} ({len(known)} models)", "origin": PUBLISHED},
                **{"estimate": round(float(np.mean(known)), 9), "low": np.nan, "high": np.nan, "n": len(known)},
                "reading": f"{AS_CLAIMED} by {agree} of {len(known)}",
            }


def _reading(sign: int, low: float, high: float) -> str:
    if math.isnan(low) or low <= 0 <= high:
        return NOT_DECIDED
    return AS_CLAIMED if (low > 0) == (sign > 0) else REVERSE


def published_groups(analysis: Analysis, *, published: bool) -> pd.DataFrame:
    """Return the three groups of published models, averaged both ways, and by task.

    `macro` is table 2's mean of six tasks, `micro` the mean over items of L1 and L2 (tables 3 and 6); fractions.
    """
    rows = []
    for group, label in GROUPS.items() if published else ():
        models = [model for model in published_models() if model.group == group]
        rows.append(
            {
                **{"group": label, "models": len(models)},
                "macro": _mean(model.task_average.accuracy for model in models),
                "micro": _mean(model.category_average.accuracy for model in models),
                **{task: _mean(model.tasks[task].accuracy for model in models) for task in TASKS},
            }
        )
    return framed("published_groups", rows)


def _mean(values: Iterable[float]) -> float:
    return round(float(np.mean(list(values))), 9)
