"""Checks of a record of a samples file: the shipped JSON Schema, what it cannot say, and scores computed anew.

Types, ranges and what is required stand in `medqdeg/utils/scoring/record.schema.json` (`schema_check`); here is what a
schema cannot say: the answer is an option, the counts agree, the scores follow from the letters.

Files come from anywhere: cut, edited, merged, made by other versions. Nothing here raises on any JSON value.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any

from ...base.errors import InputError
from ...dataset import taxonomy
from ...dataset.taxonomy import GONE, LEVELS
from ...scoring.confidence import ABSTAINED, MISSING, UNREAD, VoteScores, score_votes
from ...scoring.elicitation import EXACT, VERBALIZED, VOTES, StatedScores, score_probabilities, score_stated
from .schema_check import TOLERANCE, is_unicode, schema_fault, short

OLDEST_SCHEMA, NEWEST_SCHEMA = 1, 3
"""Versions of a record that this reader knows."""

_SCORES = ("accuracy", "majority_vote", "confidence", "calibration_shift", "unread_rate")
_TEXTS = (
    "item_id",
    "source_question_id",
    "source_question_rule",
    "modality",
    "skill",
    "source",
    "error",
    "cluster_id",
    "confidence_scale",
)
_LISTS_OF_TEXTS = ("options", "reader", "read_as")
_WHOLE = ("k", "trials", "distinct_replies", "empty_replies", "stated_missing", "stated_out_of_range", "schema")
_LISTS = ("reader", "session", "seconds", "not_diagnostic")


def record_fault(record: Mapping[str, Any]) -> str | None:
    """Return, in one phrase, why a record cannot be analysed; None where it can."""
    if (schema := record.get("schema")) is not None and isinstance(schema, int) and schema > NEWEST_SCHEMA:
        return f"schema {short(schema)} is newer than this medqdeg knows ({OLDEST_SCHEMA} to {NEWEST_SCHEMA})"
    return schema_fault(record) or _fault(record)


def _fault(record: Mapping[str, Any]) -> str | None:
    return (
        _fault_of_values(record)
        or _fault_of_votes(record)
        or _fault_of_scores(record)
        or _fault_of_elicitation(record)
        or _fault_of_lists(record)
        or _fault_of_names(record["skill"], record["degradation"])
    )


def _fault_of_values(record: Mapping[str, Any]) -> str | None:
    """What JSON Schema lets pass: half characters, whole numbers written as 4.0, levels that are none."""
    get = record.get
    if not is_unicode("".join(filter(None, map(get, _TEXTS)))):  # seldom, so the field is looked for only now
        return f"{next(name for name in _TEXTS if not is_unicode(get(name) or ''))} is no Unicode text"
    for name in _LISTS_OF_TEXTS:
        if not is_unicode("".join(filter(None, get(name, ())))):
            return f"{name} holds no Unicode text"
    if float in map(type, map(get, _WHOLE)):
        name = next(name for name in _WHOLE if isinstance(get(name), float))
        return f"{name} is {record[name]}, written as a fraction"
    if record["level"] in (*LEVELS, GONE):
        return None
    if not _is_of_series(record["level"]):
        return f"unknown level {short(record['level'])}"
    return f"{short(record['level'])} of no degradation" if record["degradation"] is None else None


@functools.lru_cache(maxsize=256)
def _is_of_series(label: str) -> bool:
    try:
        return taxonomy.severity_label(label) == label and label not in LEVELS
    except InputError:
        return False


def _fault_of_votes(record: Mapping[str, Any]) -> str | None:
    options, letters = record["options"], record["letters"]
    if len(options) != record["k"]:
        return f"k is {record['k']}, but there are {len(options)} options"
    if record["answer"] not in options:
        return f"the answer {short(record['answer'])} is not among the options"
    if strange := sorted(set(letters) - {*options, UNREAD, MISSING, ABSTAINED}):
        return f"unknown votes {short(strange[:3])}"
    answered = len(letters) - letters.count(MISSING)
    if record.get("elicitation") != EXACT and record["error"] is None and record["trials"] != answered:
        return f"trials is {record['trials']}, but {answered} letters are not missing"
    if any(record[name] > record["trials"] for name in ("distinct_replies", "empty_replies")):
        return "more distinct or empty replies than trials"
    return None


def _fault_of_scores(record: Mapping[str, Any]) -> str | None:
    names: tuple[str, ...] = _SCORES
    if _elicitation(record) == VERBALIZED and record["accuracy"] is not None:
        # Without a usable trial there is no stated confidence; the letters are scored all the same.
        names = tuple(name for name in names if name not in ("confidence", "calibration_shift"))
        if (record["confidence"] is None) != (record["calibration_shift"] is None):
            return "a confidence without a shift, or the other way round"
    if len({record[name] is None for name in names}) > 1:
        return "some scores are missing and others are not"
    return None


def _fault_of_elicitation(record: Mapping[str, Any]) -> str | None:
    mass, stated, probabilities = (record.get(name) for name in ("letter_mass", "stated", "probabilities"))
    if stated is not None and len(stated) != len(record["letters"]):
        return "the entries of stated do not agree with the letters"
    if probabilities is not None:
        if len(probabilities) != record["k"]:
            return "the probabilities do not agree with k"
        if abs(math.fsum(probabilities) - 1.0) > TOLERANCE:
            return "the probabilities do not sum to 1"
    if _elicitation(record) == EXACT and record["accuracy"] is not None and (probabilities is None or mass is None):
        return "scores without probabilities"
    return None


def _fault_of_lists(record: Mapping[str, Any]) -> str | None:
    for name in _LISTS:
        if name in record and len(record[name]) != len(record["letters"]):
            return f"the entries of {name} do not agree with the letters"
    flags = record.get("not_diagnostic", ())
    if any(letter == MISSING and flag is not None for letter, flag in zip(record["letters"], flags, strict=False)):
        return "not_diagnostic says something of a missing trial"
    given = flags or [None] * len(record["letters"])
    if any(letter == ABSTAINED and flag is not True for letter, flag in zip(record["letters"], given, strict=True)):
        return "an abstained trial does not say that the image allows no answer"
    return None


@functools.lru_cache(maxsize=4096)
def _fault_of_names(skill: str, degradation: str | None) -> str | None:
    try:
        taxonomy.capability_of(skill)
        if degradation is not None:
            taxonomy.degradation_category(degradation)
    except InputError as error:
        return str(error)
    return None


def recomputed(record: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
    """Return a record with the scores that its own letters, stated numbers or probabilities give.

    What cannot be recomputed stays as recorded: a record without scores because scoring failed or the item is invalid,
    and the confidence of one that has a scale of its own (`confidence_scale`).

    Args:
        record: one without a fault (`record_fault`).

    Returns:
        The record, and a phrase for each recorded score that differs by more than rounding, with both values.
    """
    if record["error"] is not None or record.get("invalid"):
        return record, []
    scores = _own_scores(record)
    expected: dict[str, float | None] = {name: getattr(scores, name, None) for name in _SCORES}
    if _elicitation(record) != EXACT:
        letters = record["letters"]
        expected["missing_rate"] = letters.count(MISSING) / len(letters) if letters else None
    if record.get("confidence_scale") is not None and record["confidence"] is not None and scores is not None:
        expected["confidence"] = record["confidence"]
        expected["calibration_shift"] = record["confidence"] - scores.accuracy
    if isinstance(scores, StatedScores):
        as_guess = scores.confidence_unstated_as_guess
        if "confidence_unstated_as_guess" not in record and _same(record["confidence"], as_guess):
            # A record of before, in which a trial that states nothing counts as a guess.
            record = {**record, **{name: expected[name] for name in ("confidence", "calibration_shift")}}
        expected["confidence_unstated_as_guess"] = as_guess
    differing = [
        f"{name} {short(record[name])}, not {short(value)}"
        for name, value in expected.items()
        if name in record and not _same(record[name], value)
    ]
    return {**record, **expected}, differing


def _own_scores(record: Mapping[str, Any]) -> VoteScores | None:
    options, answer, elicitation = record["options"], record["answer"], _elicitation(record)
    if elicitation == EXACT:
        probabilities = record.get("probabilities")
        if probabilities is None:
            return None
        total = math.fsum(probabilities)  # 1 but for rounding
        if not math.isclose(total, 1.0, abs_tol=1e-9):
            probabilities = [share / total for share in probabilities]
        return score_probabilities(list(map(_clipped, probabilities)), _clipped(record["letter_mass"]), options, answer)
    if elicitation == VERBALIZED:
        stated = record.get("stated") or [None] * len(record["letters"])
        numbers = [None if number is None else _clipped(number) for number in stated]
        return score_stated(record["letters"], numbers, options, answer)
    count = record["letters"].count
    return _scores_of(tuple(map(count, options)), count(UNREAD), count(ABSTAINED), options.index(answer))


def _clipped(share: float) -> float:
    return min(1.0, max(0.0, share))


def _same(recorded: float | None, value: float | None) -> bool:
    if recorded is None or value is None:
        return recorded is value
    return abs(recorded - value) <= TOLERANCE


@functools.lru_cache(maxsize=65_536)  # votes repeat from item to item
def _scores_of(counts: tuple[int, ...], unread: int, abstained: int, answer: int) -> VoteScores | None:
    """Return the scores of so many votes for each option, which do not depend on the votes' order."""
    options = list(map(str, range(len(counts))))
    votes = [option for option, count in zip(options, counts, strict=True) for _ in range(count)]
    return score_votes([*votes, *[UNREAD] * unread, *[ABSTAINED] * abstained], options, options[answer])


def _elicitation(record: Mapping[str, Any]) -> Any:
    stated = record.get("elicitation")
    return VOTES if stated is None else stated
