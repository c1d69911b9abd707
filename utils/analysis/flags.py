"""What a run's flags are worth: trials that say that the image does not allow an answer (`not_diagnostic`).

A flag is right where the evidence is gone and false where it is there. Which it is, is known of clean images (L0) and
of phantoms that were judged (`evidence`: "survives" or "gone"); what is undecided counts in its level alone. Every
figure is a mean over items of the share of their answered trials, or a ratio of such means:

- *coverage*: share of the trials that do not flag; *selective_accuracy*: share right among those;
- *false_flag_rate* (L0, survives), *hit_rate* (gone), *flag_rate* (L1, L2): share of the trials that flag;
- *effective_reliability*: mean of 1 for a right answer without a flag, -1/(K - 1) for a wrong or unread one, 0 for a
  flag; guessing earns 0, so a flag pays where the model would be right less often than by chance, and costs nothing
  where it would guess (after Whitehead et al., "Reliable visual question answering", ECCV 2022, with a cost of
  1/(K - 1));
- *difference*: hit rate minus false-flag rate; *auroc*: of an item's share of flagged trials, gone against not gone.

Beside each stands what a model would get that always flags, and what this one would get if it never did. Where it gave
N in place of a letter its answer is not known, and counts as a guess.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..dataset.taxonomy import CLEAN, GONE, LEVELS
from ..scoring.confidence import ABSTAINED, MISSING
from ..scoring.flag_share import flag_share
from ..scoring.level_summary import weight_of
from ..scoring.records import cluster_of
from . import change_estimates as changing
from . import level_estimates as leveled
from .cell_ratios import CellRatios, Estimates, estimates
from .runs.run import Run
from .statistics.bootstrap import SMALL
from .statistics.clustered import ratio_interval
from .statistics.share_intervals import differing_clusters

Array = NDArray[np.float64]

SURVIVES: Final = "survives"
SETS: tuple[str, ...] = (*LEVELS, SURVIVES, GONE)
"""The sets of items that figures are of: the levels, and what the evidence says."""

CONTRASTS: Mapping[str, tuple[str, str]] = {f"{GONE}_against_{other}": (other, GONE) for other in (CLEAN, SURVIVES)}
"""Name -> the set whose flags are false, and the one whose flags are hits."""

FLAGS: tuple[str, ...] = (
    *("run", "set", "figure", "estimate", "low", "high", "bound", "reason"),
    *("always_flag", "never_flag", "n", "clusters", "small"),
)
"""Columns of the table `flags`: one row per run, set (or contrast) and figure; none for runs that could not flag."""

_RATES = {CLEAN: "false_flag_rate", SURVIVES: "false_flag_rate", GONE: "hit_rate"}
_DECIMALS = 9


@dataclass(frozen=True)
class _Items:
    """The items of a run whose trials could flag, (n,) each.

    Attributes:
        flagged: share of the answered trials that flag.
        right: share that does not flag and is right.
        reliability: effective reliability.
        unflagged_reliability: what it would be without flags.
        unflagged_accuracy: what the accuracy would be without flags.
        clusters: number of each item's cluster.
        size: clusters.
        weight: how many items of the whole set each stands for.
        sets: name of `SETS` -> places of its items.
    """

    flagged: Array
    right: Array
    reliability: Array
    unflagged_reliability: Array
    unflagged_accuracy: Array
    clusters: NDArray[np.int64]
    size: int
    weight: Array
    sets: Mapping[str, NDArray[np.int64]]


def flag_rows(run: Run) -> Iterator[dict[str, Any]]:
    """Yield the rows of `flags` of a run; none where its trials could not flag."""
    records = [record for record in (*run.records, *run.gone) if flag_share(record) is not None]
    if not records:
        return
    items = _items(records)
    ratios = CellRatios(items.sets, items.clusters, items.size, items.weight)
    figures = list(_figures(items, ratios))
    for place, name in enumerate(items.sets):
        for figure, found, always, never in figures:
            shown = _RATES.get(name, figure) if figure == "flag_rate" else figure
            yield _row(run.name, name, shown, found, place, always, float(never[place]))
    for name, (before, after) in CONTRASTS.items():
        if before in items.sets and after in items.sets:
            yield _row(run.name, name, "difference", _difference(items, ratios, before, after), 0, 0.0, 0.0)
            yield _row(run.name, name, "auroc", _auroc(items, before, after), 0, 0.5, 0.5)


def _items(records: Sequence[Mapping[str, Any]]) -> _Items:
    flagged, right, reliability, unflagged_reliability, unflagged_accuracy = np.array(list(map(_trials, records))).T
    names = [cluster_of(record) for record in records]
    number = {name: place for place, name in enumerate(sorted(set(names)))}
    sets = {name: np.array(_places(records, name), dtype=np.int64) for name in SETS}
    return _Items(
        flagged=flagged,
        right=right,
        reliability=reliability,
        unflagged_reliability=unflagged_reliability,
        unflagged_accuracy=unflagged_accuracy,
        clusters=np.array([number[name] for name in names], dtype=np.int64),
        size=len(number),
        weight=np.array([weight_of(record) for record in records]),
        sets={name: places for name, places in sets.items() if len(places)},
    )


def _places(records: Iterable[Mapping[str, Any]], name: str) -> list[int]:
    def belongs(record: Mapping[str, Any]) -> bool:
        if name in LEVELS:
            return bool(record["level"] == name)
        return record.get("evidence") == name and record["level"] != CLEAN

    return [place for place, record in enumerate(records) if belongs(record)]


def _trials(record: Mapping[str, Any]) -> tuple[float, ...]:
    """Return the first five columns of `_Items` of one record."""
    pairs = [
        (letter, flag is True)
        for letter, flag in zip(record["letters"], record["not_diagnostic"], strict=True)
        if letter != MISSING
    ]
    t, k, answer = len(pairs), record["k"], record["answer"]
    flagged = sum(flag for _, flag in pairs)
    right = sum(letter == answer and not flag for letter, flag in pairs)
    reliability = (right - (t - flagged - right) / (k - 1)) / t
    would_be_right = sum(1 / k if letter == ABSTAINED else float(letter == answer) for letter, _ in pairs)
    return (
        flagged / t,
        right / t,
        reliability,
        (would_be_right - (t - would_be_right) / (k - 1)) / t,
        would_be_right / t,
    )


def _figures(items: _Items, ratios: CellRatios) -> Iterator[tuple[str, Estimates, float, Array]]:
    """Yield each figure of every set, what it is if all trials flag, and if none does."""
    nothing = np.zeros(ratios.number)
    yield "flag_rate", leveled.shares(ratios, items.flagged), 1.0, nothing
    yield "coverage", leveled.shares(ratios, 1.0 - items.flagged), 0.0, nothing + 1.0
    accuracy = leveled.shares_of(ratios, items.right, 1.0 - items.flagged)
    yield "selective_accuracy", accuracy, math.nan, ratios.mean(items.unflagged_accuracy).estimate
    reliability = ratios.mean(items.reliability)
    found = estimates(
        reliability, ratio_interval(reliability, (-1.0, 1.0)), n=ratios.count(np.isfinite(items.reliability))
    )
    yield "effective_reliability", found, 0.0, ratios.mean(items.unflagged_reliability).estimate


def _difference(items: _Items, ratios: CellRatios, before: str, after: str) -> Estimates:
    rates, number = ratios.mean(items.flagged), ratios.count(np.isfinite(items.flagged))
    first, second = ([list(items.sets).index(name)] for name in (before, after))
    earlier, later = changing.rows_of(rates, first), changing.rows_of(rates, second)
    sizes = changing.smaller(earlier, later, (number[first], number[second]))
    return changing.mean_change(earlier, later, sizes, (-1.0, 1.0))


def _auroc(items: _Items, before: str, after: str) -> Estimates:
    both = np.concatenate([items.sets[before], items.sets[after]])
    credit = np.full(len(items.flagged), np.nan)
    credit[items.sets[before]], credit[items.sets[after]] = 0.0, 1.0
    ratios = CellRatios({"both": both}, items.clusters, items.size, items.weight)
    differing = differing_clusters(ratios.mean(credit))
    return leveled.aurocs(ratios, [both], items.flagged, credit, items.clusters, differing).estimates()


def _row(run: str, name: str, figure: str, found: Estimates, place: int, always: float, never: float) -> dict[str, Any]:
    return {
        **{"run": run, "set": name, "figure": figure},
        **{"estimate": _number(found.values[place]), "low": _number(found.low[place])},
        **{"high": _number(found.high[place]), "bound": bool(found.bound[place]), "reason": found.reasons[place]},
        **{"always_flag": always, "never_flag": _number(never)},
        **{"n": int(found.n[place]), "clusters": int(found.clusters[place])},
        "small": bool(found.effective[place] < SMALL),
    }


def _number(value: float) -> float:
    return round(float(value), _DECIMALS) + 0.0  # no minus zero
