"""Which runs may be ranked: by accuracy beside each other, and among the published models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..dataset.composition import PAPER_CLEAN_ITEMS, PAPER_DEGRADED_ITEMS
from ..dataset.taxonomy import CLEAN, LEVELS, SOURCES
from ..scoring.level_summary import much_unread
from .model_pairs import Asked
from .panels import by_people
from .runs.run import Run

PEOPLE = "people, not a model"
"""Why a run that people answered has no rank."""


@dataclass(frozen=True)
class Standing:
    """What keeps a run from being ranked.

    Attributes:
        unread: why its figures say little, or None.
        other_items: how its items differ from those that the others are ranked on, or None.
        not_published: how its items differ from those of the published results, or None.
        people: that people answered, or None.
    """

    unread: str | None
    other_items: str | None
    not_published: str | None
    people: str | None = None

    @property
    def not_ranked(self) -> str | None:
        """Why it has no rank beside the other runs, or None."""
        return self.people or self.unread or self.other_items

    @property
    def not_ranked_among_published(self) -> str | None:
        """Why it has no rank among the published models, or None."""
        return self.people or self.unread or self.not_published


def standings(runs: Sequence[Run], asked: Iterable[Asked] | None = None) -> dict[str, Standing]:
    """Return run -> its standing.

    A rank compares models on the same items, and reads answers. Ranked are the readable runs on the items that most of
    them share; where two sets of items are shared by equally many, those of the published results, else of the first.

    Args:
        runs: to be ranked.
        asked: what each was asked, where that is at hand.
    """
    items = {own.run: frozenset(own.items) for own in (map(Asked.of, runs) if asked is None else asked)}
    unread = {run.name: reason_unread(run.records) for run in runs}
    not_published = {run.name: reason_not_published(run) for run in runs}
    people = {run.name: PEOPLE if by_people(run.records) else None for run in runs}
    readable = [name for name in unread if unread[name] is None and people[name] is None]
    shared = Counter(items[name] for name in readable)
    chosen = max(
        readable,
        key=lambda name: (shared[items[name]], not_published[name] is None, -readable.index(name)),
        default=None,
    )
    return {
        run.name: Standing(
            unread[run.name],
            _difference(items[run.name], items[chosen], chosen) if chosen is not None else None,
            not_published[run.name],
            people[run.name],
        )
        for run in runs
    }


def ranked_with(standing: Mapping[str, Standing], *, published: bool) -> tuple[dict[str, str], bool]:
    """Return run -> why it has no rank, for those that have none, and whether the published models are ranked too.

    The published models are ranked where a run is on their items; else the runs are ranked beside each other alone.
    """
    among = published and any(own.not_ranked_among_published is None for own in standing.values())
    reasons = {run: own.not_ranked_among_published if among else own.not_ranked for run, own in standing.items()}
    return {run: reason for run, reason in reasons.items() if reason}, among


def reason_unread(records: Sequence[Mapping[str, Any]]) -> str | None:
    """Return, in words, at which levels too many trials hold no readable answer; None where none does."""
    high = much_unread(records)
    return f"unread: {', '.join(f'{rate:.1%} at {level}' for level, rate in high.items())}" if high else None


def reason_not_published(run: Run) -> str | None:
    """Return, in words, how a run's items differ from those of the published results; None where they do not.

    The published items themselves are not at hand; those that are not theirs are known by their sources, by ids that
    only `medqdeg build` makes, or by their number.
    """
    foreign = sorted({record["source"] for record in run.records} - set(SOURCES))
    if foreign:
        more = f" and {len(foreign) - 3} more" if len(foreign) > 3 else ""
        return f"items of {', '.join(foreign[:3])}{more}"
    if any(record["item_id"].startswith(f"{record['source']}:") for record in run.records):
        return "items of a set that medqdeg built"
    counts = Counter(record["level"] for record in run.records)
    expected = {level: PAPER_CLEAN_ITEMS if level == CLEAN else PAPER_DEGRADED_ITEMS for level in LEVELS}
    differ = [
        f"{counts[level]:,} of {expected[level]:,} at {level}"
        for level in run.levels
        if counts[level] != expected[level]
    ]
    return f"not all published items: {', '.join(differ)}" if differ else None


def _difference(own: frozenset[Any], ranked: frozenset[Any], example: str) -> str | None:
    if own == ranked:
        return None
    return f"other items than {example}: {len(own - ranked):,} only here, {len(ranked - own):,} only there"
