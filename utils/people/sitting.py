"""One reader at one desk: where the reader is, what comes next, what was answered. All of it is in the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ..base.errors import InputError
from .chain import Event
from .desks import Desk, phases
from .plans import STUDY, Plan, Trial, trials_sha256
from .store import Store

WASHOUT_DAYS = 28
"""Between two sessions of a reader study, in which the same questions come again."""

Step = tuple[int, str]
"""Position and phase."""


@dataclass
class Answered:
    """The standing answer to a step.

    Attributes:
        seq: number of the event that holds it.
        body: of the event.
    """

    seq: int
    body: Mapping[str, Any]


def standing_answers(events: Sequence[Event], desk: str, reader: str, session: int) -> dict[Step, Answered]:
    """Return the answers of a reader's session, corrections applied, in the order in which they were first given."""
    found: dict[Step, Answered] = {}
    for event in events:
        if (event.desk, event.reader, event.session) == (desk, reader, session) and event.kind in ("answer", "correct"):
            body = event.content()
            found[body["position"], body["phase"]] = Answered(event.seq, body)
    return found


class Sitting:
    """A reader's session from one start of the desk to its end.

    Every answer is in the store, on the disk, before a method returns.

    Args:
        store: open for writing.
        plan: of the desk.
        trials: of the reader's session, in order.
        desk: which shows them.
        reader: the reader's code.
        session: from 1.
        opened: what else the first event says, such as an overridden washout.
    """

    def __init__(
        self,
        store: Store,
        plan: Plan,
        trials: Sequence[Trial],
        desk: Desk,
        reader: str,
        session: int,
        opened: Mapping[str, Any] | None = None,
    ) -> None:
        self.store, self.plan, self.trials, self.desk = store, plan, trials, desk
        self.reader, self.session = reader, session
        self.steps: list[Step] = [(trial.position, phase) for trial in trials for phase in phases(plan)]
        events = store.events()
        own = [event for event in events if (event.desk, event.reader, event.session) == self._who()]
        self.answers = standing_answers(own, *self._who())
        self.number = 1 + sum(event.kind == "open" for event in own)
        self._seen = {_step_of(event) for event in own if event.kind == "shown"}
        self._last: Step | None = None
        self._undone = False
        self._reopened: Step | None = None
        self._nonce: str | None = None
        self._censored: set[Step] = set()
        self.display: bool | None = None
        self.paused = False
        hashes = {"plan": plan.sha256, "trials": trials_sha256(trials)}
        self._append(("open", {**hashes, "sitting": self.number, **(opened or {})}))

    def _who(self) -> tuple[str, str, int]:
        return self.plan.desk, self.reader, self.session

    def _append(self, *happened: tuple[str, Mapping[str, Any]]) -> list[Event]:
        return self.store.append(*self._who(), happened)

    @property
    def step(self) -> Step | None:
        """The step to be answered now; None where all are."""
        if self._reopened is not None:
            return self._reopened
        return next((step for step in self.steps if step not in self.answers), None)

    @property
    def done(self) -> int:
        """How many trials are answered in all their phases."""
        return sum((trial.position, self.steps[-1][1]) in self.answers for trial in self.trials)

    def show(self) -> Step | None:
        """Record that the page gets the current step, and return it.

        A step that was shown before has no usable time: how long the reader saw it is not known.
        """
        step = self.step
        if step is not None and not self.paused and self.display is not None:
            self._append(*self._showing(step))
        return step

    def _showing(self, step: Step) -> list[tuple[str, Mapping[str, Any]]]:
        again = step in self._seen
        if again:
            self._censored.add(step)
        self._seen.add(step)
        return [("shown", {"position": step[0], "phase": step[1], "again": again})]

    def answer(self, position: int, phase: str, body: Mapping[str, Any]) -> None:
        """Record an answer to the current step; the next one counts as shown.

        Args:
            position: which trial the reader saw.
            phase: which of its steps.
            body: as the page sends it. The same `nonce` again is the same answer, sent twice.

        Raises:
            StaleError: another step is current, as where a second window has answered.
            InputError: no answer that the desk takes.
        """
        step, nonce = (position, phase), body.get("nonce")
        if isinstance(nonce, str) and nonce == self._nonce:
            return
        if step != self.step or self.paused or self.display is None:
            raise StaleError("this was answered in another window; here is what comes next")
        trial = self.trials[position]
        content = self.desk.checked(trial, phase, body)
        if step in self._censored:
            content["seconds"] = None
        earlier = self.answers.get(step)
        kind = "answer"
        if earlier is not None:
            kind, content = "correct", {**content, "corrects": earlier.seq}
        following = self._following(step)
        events: list[tuple[str, Mapping[str, Any]]] = [(kind, content)]
        if following is not None:
            events += self._showing(following)
        added = self._append(*events)
        self.answers[step] = Answered(added[0].seq, content)
        self._reopened, self._last, self._nonce = None, step, nonce if isinstance(nonce, str) else None
        self._undone = earlier is not None

    def _following(self, step: Step) -> Step | None:
        return next((other for other in self.steps if other not in self.answers and other != step), None)

    def undo(self) -> bool:
        """Open the last answer of this sitting again; False where there is none that can be changed.

        A blind answer stands once the degradation was named, and only the last answer can be changed, once.
        """
        if self._last is None or self._undone or self._reopened is not None or self.paused:
            return False
        if self._last[1] != self.steps[-1][1]:
            return False
        self._reopened = self._last
        self._append(*self._showing(self._last))
        return True

    def pause(self, on: bool) -> None:
        """Record a pause or its end; the time of what lies on the desk is lost with it."""
        if on == self.paused:
            return
        self.paused = on
        self._append(("pause", {"on": on}))
        if on and self.step is not None:
            self._censored.add(self.step)

    def reveal(self, position: int, phase: str) -> str:
        """Record that the reader asked for the key, and return it.

        Raises:
            StaleError: the step is not the current one, or has no key to give.
        """
        if (position, phase) != self.step or phase != "verdict":
            raise StaleError("there is no key to this step")
        self._append(("shown", {"position": position, "phase": phase, "key": True}))
        return self.desk.key(self.trials[position])

    def record_display(self, passed: bool, body: Mapping[str, Any]) -> None:
        """Record a display check; a failed one marks the sitting."""
        self._append(("display_check", {"passed": passed, **body}))
        self.display = passed

    def close(self) -> str:
        """Record the end of the sitting and return the hash of that event."""
        return self._append(("close", {"answered": self.done, "of": len(self.trials)}))[-1].hash

    def upcoming(self, count: int) -> list[Step]:
        """Return the steps behind the current one."""
        left = [step for step in self.steps if step not in self.answers and step != self.step]
        return left[:count]


class StaleError(Exception):
    """What the page answers is not what lies on the desk."""


def _step_of(event: Event) -> Step:
    body = event.content()
    return body["position"], body["phase"]


def choose_session(store: Store, plan: Plan, sessions: int, reader: str, trials_of_session: Sequence[int]) -> int:
    """Return the first session that the reader has not finished; the last where all are.

    Args:
        store: with the reader's answers.
        plan: of the desk.
        sessions: how many the desk has.
        reader: the reader's code.
        trials_of_session: number of trials that each has.
    """
    events = store.events()
    for session in range(1, sessions + 1):
        answered = standing_answers(events, plan.desk, reader, session)
        if len(answered) < trials_of_session[session - 1] * len(phases(plan)):
            return session
    return sessions


def check_washout(store: Store, plan: Plan, reader: str, session: int, today: date) -> int | None:
    """Return the days since the reader's session before, None where there is none to wait for, or this one has begun.

    Raises:
        InputError: there are fewer than `WASHOUT_DAYS`.
    """
    if plan.desk != STUDY:
        return None
    own = [
        (event.session, (today - date.fromisoformat(event.at[:10])).days)
        for event in store.events()
        if (event.desk, event.reader, event.kind) == (plan.desk, reader, "answer")
    ]
    days = [ago for of, ago in own if of < session]
    if not days or any(of == session for of, _ in own):  # a session that has begun goes on
        return None
    if min(days) < WASHOUT_DAYS:
        raise InputError(
            f"{reader} answered the session before {min(days)} days ago; the same questions come again, so wait "
            f"{WASHOUT_DAYS} days, or give --override-washout REASON, which is recorded"
        )
    return min(days)
