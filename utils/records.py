"""The record of one item: everything that a later analysis needs, kept in lmms-eval's samples file.

lmms-eval drops the document itself from its samples, so the record repeats what identifies and places the item.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from .answers import is_missing_trial, read_answer
from .confidence import MISSING, UNREAD, VoteScores, score_votes

SCHEMA_VERSION = 1


class ItemRecord(TypedDict):
    """One item with its votes and scores.

    `letters` has one entry a trial, in order: an option letter, "unread" or "missing"; `trials` counts those that
    are not missing, `distinct_replies` the different texts among them, `empty_replies` those without any text. The
    scores are None where every trial is missing or where scoring failed (`error` then says how).
    """

    schema: int
    item_id: str
    source_question_id: str
    source_question_rule: str
    level: str
    modality: str
    degradation: str | None
    skill: str
    source: str
    k: int
    options: list[str]
    answer: str
    letters: list[str]
    trials: int
    missing_rate: float | None
    distinct_replies: int
    empty_replies: int
    accuracy: float | None
    majority_vote: float | None
    confidence: float | None
    calibration_shift: float | None
    unread_rate: float | None
    error: str | None


def score_item(doc: Mapping[str, Any], replies: Sequence[str]) -> ItemRecord:
    """Read the replies of all trials of one item and score them.

    Args:
        doc: a row of the data set that `medqdeg.utils.dataset` makes; images are not needed.
        replies: the T raw replies, in the order of the trials.

    Returns:
        The record. Never raises on any reply: text that holds no answer is an unread vote, a failed request is a
        missing trial.
    """
    options = dict(zip(doc["letters"], doc["options"], strict=True))
    letters = [MISSING if is_missing_trial(reply) else read_answer(reply, options) or UNREAD for reply in replies]
    scores = score_votes(letters, list(options), doc["answer"])
    answered = [reply for reply, letter in zip(replies, letters, strict=True) if letter != MISSING]
    return ItemRecord(
        **_identity(doc),
        letters=letters,
        trials=len(answered),
        missing_rate=(len(letters) - len(answered)) / len(letters) if letters else None,
        distinct_replies=len(set(answered)),
        empty_replies=sum(not reply.strip() for reply in answered),
        **_score_fields(scores),
        error=None,
    )


def failed_record(doc: Mapping[str, Any], error: Exception) -> ItemRecord:
    """Return the record of an item whose scoring raised: identified, without scores, with the error's text."""
    return ItemRecord(
        **_identity(doc),
        letters=[],
        trials=0,
        missing_rate=None,
        distinct_replies=0,
        empty_replies=0,
        **_score_fields(None),
        error=f"{type(error).__name__}: {error}",
    )


def _score_fields(scores: VoteScores | None) -> dict[str, float | None]:
    names = ("accuracy", "majority_vote", "confidence", "calibration_shift", "unread_rate")
    return {name: getattr(scores, name) if scores else None for name in names}


def _identity(doc: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "schema": SCHEMA_VERSION,
        "item_id": doc["item_id"],
        "source_question_id": doc["source_question_id"],
        "source_question_rule": doc["source_question_rule"],
        "level": doc["level"],
        "modality": doc["modality"],
        "degradation": doc["degradation"],
        "skill": doc["skill"],
        "source": doc["source"],
        "k": len(doc["letters"]),
        "options": list(doc["letters"]),
        "answer": doc["answer"],
    }
