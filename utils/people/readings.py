"""Stores read back for evaluation: what each reader answered, checked and without what is no part of the evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..base.errors import InputError
from . import store as stores
from .plans import Plan, Trial
from .sitting import Step, standing_answers
from .verifying import intact


@dataclass(frozen=True)
class Reading:
    """One reader's session.

    Attributes:
        path: of the store.
        head: hash of the store's last event.
        plan: of the desk.
        reader: the code.
        session: from 1.
        trials: in order.
        answers: (position, phase) -> the standing answer.
        display: whether every display check was passed; None where there was none.
    """

    path: Path
    head: str
    plan: Plan
    reader: str
    session: int
    trials: Sequence[Trial]
    answers: Mapping[Step, Mapping[str, Any]]
    display: bool | None

    def answered(self, phase: str, *roles: str) -> Iterator[tuple[Trial, Mapping[str, Any]]]:
        """Yield the answered trials of some roles, in order, with the answer to a phase."""
        for trial in self.trials:
            body = self.answers.get((trial.position, phase))
            if body is not None and trial.role in roles:
                yield trial, body


def read_desks(paths: Sequence[Path]) -> dict[str, list[Reading]]:
    """Return desk -> all readings of some stores, by reader and session.

    Raises:
        InputError: a store was changed or is none, or two hold the same reader's session.
    """
    found: dict[str, list[Reading]] = {}
    seen: dict[tuple[str, str, str, int], Path] = {}
    for path in dict.fromkeys(paths):
        head = intact(path).head
        connection = stores.connect(path)
        try:
            events = list(stores.read_events(connection))
            for desk, (plan, _) in stores.read_plans(connection).items():
                for (reader, session), trials in stores.read_trials(connection, desk).items():
                    key = (desk, plan.sha256, reader, session)
                    if key in seen:
                        raise InputError(f"{path} and {seen[key]} both hold {reader}, session {session}: give one")
                    seen[key] = path
                    answers = standing_answers(events, desk, reader, session)
                    checks = [
                        event.content()["passed"]
                        for event in events
                        if (event.desk, event.reader, event.session, event.kind)
                        == (desk, reader, session, "display_check")
                    ]
                    bodies = {step: answer.body for step, answer in answers.items()}
                    display = all(checks) if checks else None
                    found.setdefault(desk, []).append(
                        Reading(path, head, plan, reader, session, trials, bodies, display)
                    )
        finally:
            connection.close()
    for readings in found.values():
        readings.sort(key=lambda one: (one.reader, one.session))
    return found


def one_plan(readings: Sequence[Reading]) -> Plan:
    """Return the plan that all readings share.

    Raises:
        InputError: there are none, or they follow different plans.
    """
    if not readings:
        raise InputError("the stores hold nothing of this desk")
    first = readings[0]
    for other in readings:
        if other.plan.sha256 != first.plan.sha256:
            raise InputError(
                f"{first.path} and {other.path} follow different plans: give all readers the same set, seed and options"
            )
    return first.plan
