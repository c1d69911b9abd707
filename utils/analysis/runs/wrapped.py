"""Records of `medqdeg wrap`: another task under the same protocol, read as a run beside MedQ-Deg's own.

Its answers are whatever the task asks for. The options of a record are the answers that occur, filled up to the K that
the record states; accuracy is the task's own score, not a comparison of letters.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ...base.errors import one_line
from ...dataset import taxonomy
from ...scoring.confidence import MISSING, UNREAD
from ...scoring.elicitation import VOTES
from ...wrapping.votes import LOG_T, Votes
from ...wrapping.votes import RECORD as WRAPPED_RECORD

__all__ = ["LOG_T", "WRAPPED_RECORD", "read_wrapped"]

_NO_ANSWER = "(another answer)"
_TOLERANCE = 1e-6


def read_wrapped(record: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]] | str:
    """Return a wrapped task's record as an `ItemRecord`, its scores computed anew, or a phrase that says why not.

    Returns:
        The record, and a phrase for each recorded score that differs from the computed one by more than rounding. Still
        to be checked like any other (`validation.record_fault`).
    """
    try:
        return _read(record)
    except KeyError as error:
        return f"no {error.args[0]}"
    except (TypeError, AttributeError, ValueError, OverflowError, ZeroDivisionError) as error:
        return f"damaged ({one_line(error, 120)})"


def _read(record: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]] | str:
    if record.get("schema") != 2:
        return f"a wrapped task's record of schema {record.get('schema')!r}; 2 is read: run the task again"
    votes = [str(vote) for vote in record["votes"]]
    correct = [float(score) for score in record["correct"]]
    if any(not 0.0 <= score <= 1.0 for score in correct):
        return "a score of the task is not in 0 to 1"
    if len(correct) != len(votes) - votes.count(MISSING):
        return "votes and scores do not agree"
    options, k = _options(record, votes), int(record["k"])
    right = record["right_vote"]
    scores: dict[str, float | None] = dict.fromkeys(("accuracy", "confidence", "majority_vote", "unread_rate"))
    if correct:
        own = Votes(tuple(votes), tuple(map(str, record["options"])), k, record["k_rule"], right)
        answered = [vote for vote in votes if vote != MISSING]
        scores = {
            "accuracy": math.fsum(correct) / len(correct),
            "confidence": own.confidence(),
            "majority_vote": _majority(answered, correct),
            "unread_rate": answered.count(UNREAD) / len(answered),
        }
    differing = []
    for name in ("accuracy", "confidence"):
        recorded, value = record[name], scores[name]
        if (recorded is None) != (value is None) or (value is not None and abs(recorded - value) > _TOLERANCE):
            differing.append(f"{name} {recorded}, not {value}")
    accuracy, confidence = scores["accuracy"], scores["confidence"]
    shift = None if accuracy is None or confidence is None else confidence - accuracy
    item = str(record["item_id"])
    return {
        "schema": 3,
        "item_id": item,
        "source_question_id": item,
        "source_question_rule": "column",  # the wrapped task's own id, the same at every level
        "cluster_id": item,
        "level": record["level"],
        "modality": record["modality"] or taxonomy.UNLABELLED,
        "degradation": record["degradation"],
        "skill": taxonomy.UNLABELLED,
        "source": str(record["task"]),
        "k": len(options),
        "options": options,
        "answer": right if right in options else options[-1],
        "elicitation": VOTES,
        "letters": votes,
        "trials": len(correct),
        "missing_rate": votes.count(MISSING) / len(votes) if votes else None,
        "distinct_replies": record["distinct_replies"],
        "empty_replies": 0,
        **{"stated": None, "stated_missing": 0, "stated_out_of_range": 0},
        **{"probabilities": None, "letter_mass": None, "invalid": False},
        **scores,
        "calibration_shift": shift,
        "error": record["error"],
        **({} if record["level"] in taxonomy.LEVELS else {"severity": taxonomy.severity_of(record["level"])}),
        "confidence_scale": record["confidence_scale"] or LOG_T,
    }, differing


def _options(record: Mapping[str, Any], votes: list[str]) -> list[str]:
    """Return the answers that occur, filled up to K; one that nobody gave stands last where the right one is open."""
    right = record["right_vote"]
    given = [str(option) for option in record["options"]]
    given += [vote for vote in dict.fromkeys(votes) if vote not in (*given, MISSING, UNREAD)]
    if right is not None and right not in given:
        given.append(str(right))
    wanted = max(int(record["k"]), len(given) + (right is None), 2)
    return given + [f"{_NO_ANSWER} {number}" for number in range(1, wanted - len(given) + 1)]


def _majority(answered: list[str], correct: list[float]) -> float:
    """Return the task's mean score of the most frequent answers; unread replies are none."""
    counts = Counter(vote for vote in answered if vote != UNREAD)
    if not counts:
        return 0.0
    top = max(counts.values())
    chosen = [score for vote, score in zip(answered, correct, strict=True) if counts.get(vote) == top]
    return math.fsum(chosen) / len(chosen)
