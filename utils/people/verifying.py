"""Whether a store is as it was written: every hash computed anew, every fault named."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..base.errors import InputError, one_line
from . import store as stores
from .chain import START, Event, canonical
from .plans import Plan, Trial, trials_sha256

_MOST = 20


@dataclass(frozen=True)
class Verified:
    """What a look at a store found.

    Attributes:
        events: how many there are.
        head: hash of the last, `chain.START` where there is none.
        faults: one line each, at most 20; empty where the store is as it was written.
    """

    events: int
    head: str
    faults: tuple[str, ...]


def verify(path: Path, head: str | None = None) -> Verified:
    """Check a store: SQLite's own structure, the triggers, the chain, the plans, the trials, and that answers fit them.

    A chain proves that nothing in it was changed, not that nothing was cut off its end: for that give the hash that
    the desk showed, or an export holds.

    Args:
        path: of the store.
        head: a hash that must be in the chain.

    Raises:
        InputError: there is no such file, or it is no store.
    """
    connection = stores.connect(path)
    events: list[Event] = []
    faults: list[str] = []
    try:
        try:
            faults += _of_structure(connection)
            events = list(stores.read_events(connection))
            faults += _of_chain(events)
            plans = stores.read_plans(connection)
            trials = {desk: stores.read_trials(connection, desk) for desk in plans}
            faults += _of_plans(plans, trials, events)
            if head is not None and head not in {event.hash for event in events}:
                faults.append(f"the hash {one_line(head, 70)} is not in the chain: events were cut off or replaced")
        except (sqlite3.Error, ValueError, TypeError) as error:
            faults.append(f"damaged: {one_line(error, 160)}")
    finally:
        connection.close()
    return Verified(len(events), events[-1].hash if events else START, tuple(faults[:_MOST]))


def intact(path: Path) -> Verified:
    """Verify a store that is to be evaluated.

    Raises:
        InputError: it is not as it was written.
    """
    found = verify(path)
    if found.faults:
        raise InputError(f"{path} was changed after it was written: {found.faults[0]} (medqdeg people verify)")
    return found


def _of_structure(connection: sqlite3.Connection) -> Iterator[str]:
    for (line,) in connection.execute("PRAGMA integrity_check(5)"):
        if line != "ok":
            yield f"damaged: {one_line(line, 160)}"
    there = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
    for name, statement in stores.triggers().items():
        if there.get(name) != statement:
            yield f"the trigger {name}, which refuses changes, is missing or altered"


def _of_chain(events: list[Event]) -> Iterator[str]:
    prev = START
    for number, event in enumerate(events, 1):
        if event.seq != number:
            yield f"event {number} is missing (the next is {event.seq})"
            return
        if event.prev != prev:
            yield f"event {number} ({event.kind}) does not follow from event {number - 1}"
        if not _is_intact(event):
            yield f"event {number} ({one_line(event.kind, 20)} of {one_line(event.reader, 20)}) was changed"
        prev = event.hash


def _is_intact(event: Event) -> bool:
    try:
        return event.expected_hash() == event.hash and canonical(event.content()) == event.body
    except (ValueError, TypeError):
        return False


def _of_plans(
    plans: Mapping[str, tuple[Plan, str]],
    trials: Mapping[str, Mapping[tuple[str, int], list[Trial]]],
    events: list[Event],
) -> Iterator[str]:
    for desk, (plan, recorded) in plans.items():
        if plan.sha256 != recorded:
            yield f"the plan of the desk {desk} was changed"
    for event in events:
        if event.kind != "open" or not _is_intact(event):
            continue
        body: dict[str, Any] = json.loads(event.body)
        plan_of = plans.get(event.desk)
        if plan_of is None or body.get("plan") != plan_of[0].sha256:
            yield f"the plan of the desk {event.desk} is not the one that event {event.seq} names"
        own = trials.get(event.desk, {}).get((event.reader, event.session), [])
        if body.get("trials") != trials_sha256(own):
            yield f"the trials of {event.reader}, session {event.session}, are not those that event {event.seq} names"
