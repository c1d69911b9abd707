"""What each desk shows of a trial, and which answers it takes. Nothing here is hidden by the page: it never gets it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..base.errors import InputError
from ..dataset.taxonomy import CLEAN, LEVELS
from .items import ItemSet, Pair
from .pictures import PictureBook, Shown
from .plans import CALIBRATE, PRACTICE, REVIEW, SENTINEL, STUDY, Plan, Trial
from .verdicts import VERDICTS

BLIND, VERDICT, ANSWER = "blind", "verdict", "answer"

ANSWERABLE = {"y": "yes", "n": "no", "?": "unsure"}
AFFECTED = ("", "L1", "L2", "both")
RATINGS = ("no change", "seen", "hampers the diagnosis", "non-diagnostic")
"""Of a calibration, by their number."""

_LONGEST_NOTE = 500
_LONGEST_SECONDS = 1e6


def phases(plan: Plan) -> tuple[str, ...]:
    """Return the steps of each trial."""
    if plan.desk == REVIEW:
        return (VERDICT,) if plan.config.get("fast") else (BLIND, VERDICT)
    return (ANSWER,)


class Desk:
    """One desk: trials to screens, and answers to what is recorded.

    Args:
        plan: the desk's plan.
        items: the set.
        book: which hands the pictures out.
    """

    def __init__(self, plan: Plan, items: ItemSet, book: PictureBook) -> None:
        self.plan, self.items, self.book = plan, items, book
        self._pairs = {(pair.item_id, pair.degradation): pair for pair in items.pairs()} if plan.desk == REVIEW else {}

    def content(self, trial: Trial, phase: str) -> dict[str, Any]:
        """Return what the browser may know of a step."""
        doc = self._doc(trial)
        content: dict[str, Any] = {
            "question": doc["question"],
            "options": list(zip(doc["letters"], doc["options"], strict=True)),
            "sets": [
                [{"label": label, "image": self.book.name(shown)} for label, shown in panes]
                for panes in self._panes(trial, phase)
            ],
        }
        if self.plan.desk == REVIEW and phase == VERDICT:
            content["degradation"] = str(trial.degradation).replace("_", " ")
            content["modality"] = trial.modality
        if self.plan.desk == CALIBRATE:
            content["clean"] = self.book.name(Shown(CLEAN, trial.item_id))
        if self.plan.desk == STUDY:
            content["practice"] = trial.role == PRACTICE
        return content

    def shown(self, trial: Trial, phase: str) -> list[str]:
        """Return the names of all pictures of a step, in an order that tells nothing."""
        names = [self.book.name(shown) for panes in self._panes(trial, phase) for _, shown in panes]
        if self.plan.desk == CALIBRATE:
            names.append(self.book.name(Shown(CLEAN, trial.item_id)))
        return sorted(set(names))

    def key(self, trial: Trial) -> str:
        """Return the right answer, for the verdict's `K`."""
        return str(self._doc(trial)["answer"])

    def checked(self, trial: Trial, phase: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is recorded of an answer.

        Raises:
            InputError: it is none that this step takes.
        """
        checks: dict[str, Callable[[Trial, Mapping[str, Any]], dict[str, Any]]] = {
            REVIEW: _blind if phase == BLIND else _verdict,
            STUDY: self._letter,
            CALIBRATE: _rating,
        }
        return {"position": trial.position, "phase": phase, **checks[self.plan.desk](trial, body), **_manner(body)}

    def _letter(self, trial: Trial, body: Mapping[str, Any]) -> dict[str, Any]:
        letter, confidence = body.get("letter"), body.get("confidence")
        letters = self._doc(trial)["letters"]
        if letter not in letters:
            raise InputError(f"the letter must be one of {', '.join(letters)}")
        if isinstance(confidence, bool) or not isinstance(confidence, int) or not 0 <= confidence <= 100:
            raise InputError("the confidence must be a whole number from 0 to 100")
        return {"letter": letter, "confidence": confidence, "not_diagnostic": body.get("not_diagnostic") is True}

    def _doc(self, trial: Trial) -> Mapping[str, Any]:
        return self.items.doc(trial.level or CLEAN, trial.item_id)

    def _panes(self, trial: Trial, phase: str) -> list[list[tuple[str, Shown]]]:
        """Return one list of labelled pictures for each that is to be seen at once."""
        if self.plan.desk == REVIEW:
            pair = self._pairs[trial.item_id, str(trial.degradation)]
            labels = ("L2",) if phase == BLIND else LEVELS
            count = self.items.images_of(CLEAN, pair.item_id)
            return [
                [("" if phase == BLIND else label, _of_pair(trial, pair, label, number)) for label in labels]
                for number in range(count)
            ]
        if self.plan.desk == CALIBRATE:
            return [[("", Shown(CLEAN, trial.item_id, 0, trial.degradation, trial.s or 0.0))]]
        count = self.items.images_of(trial.level, trial.item_id)
        return [
            [
                (f"{number + 1} of {count}" if count > 1 else "", Shown(trial.level, trial.item_id, number))
                for number in range(count)
            ]
        ]


def _of_pair(trial: Trial, pair: Pair, level: str, number: int) -> Shown:
    if trial.role == SENTINEL and level != CLEAN:
        return Shown(CLEAN, pair.item_id, number, spoilt=trial.detail)
    return Shown(level, pair.levels[level], number)


def _blind(trial: Trial, body: Mapping[str, Any]) -> dict[str, Any]:
    if body.get("answerable") not in ANSWERABLE.values():
        raise InputError(f"answerable must be one of {', '.join(ANSWERABLE.values())}")
    return {"answerable": body["answerable"]}


def _verdict(trial: Trial, body: Mapping[str, Any]) -> dict[str, Any]:
    verdict, affected, note = body.get("verdict"), body.get("affected", ""), body.get("note", "")
    if verdict not in VERDICTS.values():
        raise InputError(f"the verdict must be one of {', '.join(VERDICTS.values())}")
    if affected not in AFFECTED:
        raise InputError(f"the level must be one of {', '.join(AFFECTED[1:])}, or none")
    if not isinstance(note, str) or len(note) > _LONGEST_NOTE:
        raise InputError(f"a note has at most {_LONGEST_NOTE} characters")
    return {"verdict": verdict, "affected": affected, "note": note.encode("utf-8", "replace").decode()}


def _rating(trial: Trial, body: Mapping[str, Any]) -> dict[str, Any]:
    rating = body.get("rating")
    if isinstance(rating, bool) or not isinstance(rating, int) or not 0 <= rating < len(RATINGS):
        raise InputError(f"the rating must be 0 to {len(RATINGS) - 1}")
    return {"rating": rating}


def _manner(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the answer came about: seconds since the picture, window and level, zoom, looks at other pictures."""
    seconds = body.get("seconds")
    manner: dict[str, Any] = {"seconds": None}
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 <= seconds < _LONGEST_SECONDS:
        manner["seconds"] = round(float(seconds), 3)
    view = body.get("view")
    if isinstance(view, Mapping):
        kept = {str(name)[:20]: value for name, value in list(view.items())[:12] if isinstance(value, bool | int)}
        if kept:
            manner["view"] = kept
    return manner
