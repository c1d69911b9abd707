"""From reviewers' verdicts to decisions: out if more say so than not; ties go to an adjudicator who knows no vote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..base.errors import InputError
from .desks import BLIND, VERDICT
from .plans import MAIN, REVIEW
from .readings import Reading, one_plan, read_desks
from .verdicts import KEEP, VERDICTS

PairKey = tuple[str, str]
"""Clean item and degradation."""

KEPT, EXCLUDED = "keep", "exclude"
"""What `medqdeg build --review` reads in the column `decision`."""


@dataclass
class Votes:
    """What was said of a pair.

    Attributes:
        item_id: of the clean item.
        degradation: the name.
        given: reader -> the verdict's body; an adjudicator's is not among them.
        answerable: reader -> the blind answer, where there was a blind step.
        adjudicator: the adjudicator's verdict, where there is one.
    """

    item_id: str
    degradation: str
    given: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    answerable: dict[str, str] = field(default_factory=dict)
    adjudicator: Mapping[str, Any] | None = None

    @property
    def out(self) -> int:
        """How many readers say anything but keep."""
        return sum(body["verdict"] != VERDICTS[KEEP] for body in self.given.values())

    @property
    def decision(self) -> str | None:
        """`KEPT` or `EXCLUDED`; None where nobody voted, or the votes are even and nobody adjudicated."""
        out, kept = self.out, len(self.given) - self.out
        if out != kept:
            return EXCLUDED if out > kept else KEPT
        if self.adjudicator is None:
            return None
        return KEPT if self.adjudicator["verdict"] == VERDICTS[KEEP] else EXCLUDED


def reviews(paths: Sequence[Path]) -> tuple[list[Reading], list[Reading]]:
    """Return the readings of a review, and those of its adjudication.

    Raises:
        InputError: as `readings.read_desks`; no review; or several plans.
    """
    found = read_desks(paths).get(REVIEW, [])
    ordinary = [one for one in found if one.plan.config.get("pairs") is None]
    adjudication = [one for one in found if one.plan.config.get("pairs") is not None]
    plan = one_plan(ordinary)
    if adjudication and one_plan(adjudication).set_sha256 != plan.set_sha256:
        raise InputError(f"{adjudication[0].path} adjudicates another set")
    if len({one.reader for one in adjudication}) > 1:
        raise InputError("one person adjudicates: give the store of one")
    if both := {one.reader for one in ordinary} & {one.reader for one in adjudication}:
        raise InputError(f"{min(both)} reviewed these pairs and cannot adjudicate them")
    return ordinary, adjudication


def votes_of(ordinary: Sequence[Reading], adjudication: Sequence[Reading] = ()) -> list[Votes]:
    """Return the votes on every pair that somebody judged, ordered by item and degradation."""
    found: dict[PairKey, Votes] = {}
    for reading in ordinary:
        for trial, body in reading.answered(VERDICT, MAIN):
            key = (trial.item_id, str(trial.degradation))
            found.setdefault(key, Votes(*key)).given[reading.reader] = body
        for trial, body in reading.answered(BLIND, MAIN):
            key = (trial.item_id, str(trial.degradation))
            if key in found:
                found[key].answerable[reading.reader] = body["answerable"]
    for reading in adjudication:
        for trial, body in reading.answered(VERDICT, MAIN):
            key = (trial.item_id, str(trial.degradation))
            if key in found:
                found[key].adjudicator = body
    return [found[key] for key in sorted(found)]


def tied_pairs(paths: Sequence[Path], adjudicator: str) -> list[PairKey]:
    """Return the pairs on which reviewers are even.

    Args:
        paths: the reviewers' stores.
        adjudicator: code of who is to decide, none of the reviewers.

    Raises:
        InputError: there is no tie, or the adjudicator is one of the reviewers.
    """
    ordinary, _ = reviews(paths)
    if adjudicator in {one.reader for one in ordinary}:
        raise InputError(f"{adjudicator} reviewed these pairs and cannot adjudicate them")
    tied = [(one.item_id, one.degradation) for one in votes_of(ordinary) if one.decision is None]
    if not tied:
        raise InputError("no pair is tied: there is nothing to adjudicate")
    return tied
