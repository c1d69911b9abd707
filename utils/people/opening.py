"""From the command's options to a sitting: the plan, the reader's session, the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ..base.errors import InputError
from .desks import Desk
from .items import ItemSet
from .pictures import PictureBook
from .planning import SESSIONS, cells_of, trials_of
from .plans import REVIEW, STUDY, Plan
from .sitting import Sitting, check_washout, choose_session
from .store import Store, checked_reader

STUDY_ITEMS = 120
CALIBRATION_IMAGES, CALIBRATION_STEP, CALIBRATION_MOST = 4, 0.15, 3.0


@dataclass(frozen=True)
class DeskRequest:
    """What the options say.

    Attributes:
        desk: one of `plans.DESKS`.
        reader: the reader's code.
        seed: of the plan.
        session: from 1; None takes the first that is not finished.
        limit: pairs of a review (None: all), or source questions of a study (None: 120).
        fast: a review without the blind step.
        pairs: (clean item, degradation) of an adjudication; None reviews the set.
        cells: of a calibration, see `planning.cells_of`.
        images: of a calibration, per cell.
        step: of a calibration's severities.
        washout_overridden: why a session comes early, "" where it does not.
    """

    desk: str
    reader: str
    seed: int = 0
    session: int | None = None
    limit: int | None = None
    fast: bool = False
    pairs: Sequence[tuple[str, str]] | None = None
    cells: Sequence[str] = field(default=())
    images: int = CALIBRATION_IMAGES
    step: float = CALIBRATION_STEP
    washout_overridden: str = ""


def plan_of(request: DeskRequest, items: ItemSet) -> Plan:
    """Return the plan that a request asks for.

    Raises:
        InputError: a calibration without cells, or with some that the set has not.
    """
    config: Mapping[str, Any]
    if request.desk == REVIEW:
        pairs = None if request.pairs is None else sorted(map(list, request.pairs))
        config = {"fast": request.fast, "limit": request.limit, "pairs": pairs}
    elif request.desk == STUDY:
        config = {"limit": request.limit or STUDY_ITEMS}
    else:
        if not request.cells:
            raise InputError("a calibration needs its cells: give --cell gaussian_noise:CT, --cell CT ...; repeat it")
        cells = [list(cell) for cell in cells_of(items, request.cells)]
        config = {"cells": cells, "images": request.images, "step": request.step, "most": CALIBRATION_MOST}
    return Plan(request.desk, request.seed, items.sha256, config)


def open_sitting(
    request: DeskRequest,
    items: ItemSet,
    path: Path,
    *,
    times: bool = False,
    clock: Callable[[], datetime] = datetime.now,
) -> tuple[Sitting, PictureBook]:
    """Open a reader's sitting in a store, which is made if need be.

    Args:
        request: what the options say.
        items: the set.
        path: of the store.
        times: record moments rather than days.
        clock: what the time is.

    Raises:
        InputError: an option that cannot be used, another plan in the store, a store in use, a session too early.
    """
    reader = checked_reader(request.reader)
    plan = plan_of(request, items)
    sessions = SESSIONS if plan.desk == STUDY else 1
    first = trials_of(plan, items, reader, request.session or 1)
    store = Store(path, times=times, clock=clock)
    try:
        store.keep_plan(plan)
        session = request.session
        if session is None:
            lengths = [len(trials_of(plan, items, reader, number)) for number in range(1, sessions + 1)]
            session = choose_session(store, plan, sessions, reader, lengths)
        opened: dict[str, Any] = {}
        if request.washout_overridden:
            opened["washout_overridden"] = request.washout_overridden[:200]
        elif (days := check_washout(store, plan, reader, session, clock().date())) is not None:
            opened["days_since"] = days
        trials = first if session == (request.session or 1) else trials_of(plan, items, reader, session)
        trials = store.keep_trials(plan.desk, reader, session, trials)
        book = PictureBook(items)
        sitting = Sitting(store, plan, trials, Desk(plan, items, book), reader, session, opened)
    except BaseException:
        store.close()
        raise
    return sitting, book
