"""Checks of a record of a samples file: types and ranges, and scores computed anew from the letters.

`medqdeg/utils/scoring/record.schema.json` says the same of types and ranges for other programs; a test holds them
together. What a schema cannot say (the answer is an option, the counts agree) is here alone.

Files come from anywhere: cut, edited, merged, made by other versions. Nothing here raises on any JSON value.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

from ...base.errors import InputError, one_line
from ...dataset import taxonomy
from ...dataset.taxonomy import LEVELS
from ...scoring.confidence import MISSING, UNREAD, VoteScores, score_votes
from ...scoring.elicitation import EXACT, VERBALIZED, VOTES, StatedScores, score_probabilities, score_stated
from ...scoring.records import PERSON

OLDEST_SCHEMA, NEWEST_SCHEMA = 1, 3
"""Versions of a record that this reader knows."""

_TEXTS = ("item_id", "source_question_id", "source_question_rule", "level", "modality", "skill", "source", "answer")
_RANGES: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(("accuracy", "majority_vote", "confidence", "unread_rate", "missing_rate"), (0.0, 1.0)),
    "calibration_shift": (-1.0, 1.0),
}
_COUNTS = ("trials", "distinct_replies", "empty_replies")
_LATER_COUNTS = ("stated_missing", "stated_out_of_range")
_OPTIONAL_TEXTS = ("cluster_id", "confidence_scale")
_MOST_OPTIONS, _MOST_TRIALS = 1000, 1_000_000
_TOLERANCE = 1e-6  # a score is written with all its digits; one that was rounded on the way is still the same


def record_fault(record: Mapping[str, Any]) -> str | None:
    """Return, in one phrase, why a record cannot be analysed; None where it can."""
    try:
        return _fault(record)
    except KeyError as error:
        return f"no {error.args[0]}"
    except (TypeError, AttributeError, ValueError, OverflowError) as error:
        return f"damaged ({one_line(error, 120)})"


def _fault(record: Mapping[str, Any]) -> str | None:
    return (
        _fault_of_schema(record.get("schema"))
        or _fault_of_texts(record)
        or _fault_of_options(record)
        or _fault_of_trials(record)
        or _fault_of_numbers(record)
        or _fault_of_elicitation(record)
        or _fault_of_optional(record)
        or _fault_of_names(record["skill"], record["degradation"])
    )


def _fault_of_schema(schema: Any) -> str | None:
    if schema is not None and (not _is_whole(schema) or not OLDEST_SCHEMA <= schema <= NEWEST_SCHEMA):
        return (
            f"schema {_short(schema)} is none that this medqdeg knows ({OLDEST_SCHEMA} to {NEWEST_SCHEMA}); "
            "a newer one may be needed"
        )
    return None


def _fault_of_texts(record: Mapping[str, Any]) -> str | None:
    for name in _TEXTS:
        if not isinstance(record[name], str):
            return f"{name} is no text"
    for name in (*_TEXTS, "degradation", "error"):
        value = record[name]
        if value is None and name in ("degradation", "error"):
            continue
        if not isinstance(value, str):
            return f"{name} is no text"
        if not _is_unicode(value):
            return f"{name} is no Unicode text"
    if record["level"] not in LEVELS:
        return f"unknown level {_short(record['level'])}"
    return None


def _fault_of_options(record: Mapping[str, Any]) -> str | None:
    options, k = record["options"], record["k"]
    if not isinstance(options, list) or not all(isinstance(option, str) and _is_unicode(option) for option in options):
        return "the options are no list of texts"
    if not _is_whole(k) or len(options) != k or not 2 <= k <= _MOST_OPTIONS or len(set(options)) != k:
        return "the options do not agree with k"
    if record["answer"] not in options:
        return f"the answer {_short(record['answer'])} is not among the options"
    return None


def _fault_of_trials(record: Mapping[str, Any]) -> str | None:
    letters = record["letters"]
    if not isinstance(letters, list) or not all(isinstance(letter, str) for letter in letters):
        return "the letters are no list of texts"
    if strange := sorted(set(letters) - {*record["options"], UNREAD, MISSING}):
        return f"unknown votes {_short(strange[:3])}"
    for name in (*_COUNTS, *(name for name in _LATER_COUNTS if name in record)):
        if not _is_whole(record[name]) or not 0 <= record[name] <= _MOST_TRIALS:
            return f"{name} is {_short(record[name])}, no number of trials"
    answered = len(letters) - letters.count(MISSING)
    if record.get("elicitation") != EXACT and record["error"] is None and record["trials"] != answered:
        return f"trials is {record['trials']}, but {answered} letters are not missing"
    if any(record[name] > record["trials"] for name in ("distinct_replies", "empty_replies")):
        return "more distinct or empty replies than trials"
    return None


def _fault_of_numbers(record: Mapping[str, Any]) -> str | None:
    for name, (low, high) in _RANGES.items():
        value = record[name]
        if value is None:
            continue
        if not _is_number(value):
            return f"{name} is no number"
        if not low - _TOLERANCE <= value <= high + _TOLERANCE:
            return f"{name} is {_short(value)}, not in {low:g} to {high:g}"
    names = ["accuracy", "majority_vote", "confidence", "calibration_shift", "unread_rate"]
    if _elicitation(record) == VERBALIZED and record["accuracy"] is not None:
        # Without a usable trial there is no stated confidence; the letters are scored all the same.
        names = [name for name in names if name not in ("confidence", "calibration_shift")]
        if (record["confidence"] is None) != (record["calibration_shift"] is None):
            return "a confidence without a shift, or the other way round"
    weight = record.get("weight", 1.0)
    if not _is_number(weight) or not 0 < weight <= _MOST_TRIALS:
        return f"weight is {_short(weight)}, no number above 0"
    scores = [record[name] for name in names]
    if any(score is None for score in scores) and any(score is not None for score in scores):
        return "some scores are missing and others are not"
    return None


def _fault_of_elicitation(record: Mapping[str, Any]) -> str | None:
    elicitation = _elicitation(record)
    if elicitation not in (VOTES, VERBALIZED, EXACT):
        return f"unknown elicitation {_short(elicitation)}"
    if not isinstance(record.get("invalid", False), bool):
        return "invalid is neither true nor false"
    mass, stated, probabilities = (record.get(name) for name in ("letter_mass", "stated", "probabilities"))
    if mass is not None and not _is_share(mass):
        return "letter_mass is no probability"
    if stated is not None:
        if not isinstance(stated, list) or len(stated) != len(record["letters"]):
            return "the stated confidences do not agree with the letters"
        if not all(each is None or _is_share(each) for each in stated):
            return "a stated confidence is no probability"
    if probabilities is not None:
        if not isinstance(probabilities, list) or len(probabilities) != record["k"]:
            return "the probabilities do not agree with k"
        if not all(map(_is_share, probabilities)) or abs(math.fsum(probabilities) - 1.0) > _TOLERANCE:
            return "the probabilities are none"
    if elicitation == EXACT and record["accuracy"] is not None and (probabilities is None or mass is None):
        return "scores without probabilities"
    return None


def _fault_of_optional(record: Mapping[str, Any]) -> str | None:
    for name in _OPTIONAL_TEXTS:
        value = record.get(name, "")
        if not isinstance(value, str) or not _is_unicode(value):
            return f"{name} is no text"
    as_guess = record.get("confidence_unstated_as_guess")
    if as_guess is not None and not _is_share(as_guess):
        return "confidence_unstated_as_guess is not in 0 to 1"
    if not isinstance(record.get("severity", 0), int | float) or not _is_number(record.get("severity", 0)):
        return "severity is no number"
    read_as = record.get("read_as", [])
    if not isinstance(read_as, list) or not all(tier is None or isinstance(tier, str) for tier in read_as):
        return "read_as is no list of texts"
    return _fault_of_people(record) or _fault_of_flags(record)


def _fault_of_people(record: Mapping[str, Any]) -> str | None:
    if record.get("respondent") not in (None, PERSON, "model"):
        return f"unknown respondent {_short(record['respondent'])}"
    kinds: Mapping[str, Callable[[Any], bool]] = {
        "reader": lambda each: isinstance(each, str) and _is_unicode(each),
        "session": lambda each: _is_whole(each) and 1 <= each <= _MOST_TRIALS,
        "seconds": lambda each: each is None or (_is_number(each) and 0 <= each <= 1e9),
    }
    for name, holds in kinds.items():
        if name in record:
            entries = record[name]
            if not isinstance(entries, list) or not all(map(holds, entries)):
                return f"{name} is damaged"
            if len(entries) != len(record["letters"]):
                return f"{name} does not agree with the letters"
    return None


def _fault_of_flags(record: Mapping[str, Any]) -> str | None:
    if "not_diagnostic" in record:
        flags = record["not_diagnostic"]
        if not isinstance(flags, list) or not all(flag is None or isinstance(flag, bool) for flag in flags):
            return "not_diagnostic is no list of true, false and null"
        if len(flags) != len(record["letters"]):
            return "the entries of not_diagnostic do not agree with the letters"
        if any(letter == MISSING and flag is not None for letter, flag in zip(record["letters"], flags, strict=True)):
            return "not_diagnostic says something of a missing trial"
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


_SCORES = ("accuracy", "majority_vote", "confidence", "calibration_shift", "unread_rate", "missing_rate")


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
    expected: dict[str, float | None] = {name: getattr(scores, name, None) for name in _SCORES[:-1]}
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
        f"{name} {_short(record[name])}, not {_short(value)}"
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
    return _scores(tuple(record["letters"]), tuple(options), answer)


def _clipped(share: float) -> float:
    return min(1.0, max(0.0, share))


def _same(recorded: float | None, value: float | None) -> bool:
    if recorded is None or value is None:
        return recorded is value
    return abs(recorded - value) <= _TOLERANCE


_scores = functools.lru_cache(maxsize=65_536)(score_votes)  # votes repeat from item to item


def _elicitation(record: Mapping[str, Any]) -> Any:
    stated = record.get("elicitation")
    return VOTES if stated is None else stated


def _is_number(value: Any) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return math.isfinite(value) if isinstance(value, float) else abs(value) <= 1e15


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_share(value: Any) -> bool:
    return _is_number(value) and -_TOLERANCE <= value <= 1.0 + _TOLERANCE


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _short(value: Any) -> str:
    """Return a value for a message; numbers of many digits and deep lists are not written out."""
    if isinstance(value, int) and abs(value) >= 10**9:
        return "a number of many digits"
    return one_line(repr(value) if isinstance(value, str | int | float | bool | None) else _plain(value), 60)


def _plain(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return repr(value)
    return f"a {type(value).__name__}"
