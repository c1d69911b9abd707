"""The record of one item: everything that a later analysis needs, kept in lmms-eval's samples file.

lmms-eval drops the document itself from its samples, so the record repeats what identifies and places the item.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, cast

from ..dataset import taxonomy
from .answers import (
    AnswerWithConfidence,
    AnswerWithFlag,
    LetterProbabilities,
    Reading,
    is_failed_probabilities,
    is_missing_trial,
    read_answer_and_confidence,
    read_answer_and_flag,
    read_answer_or_flag,
    read_probabilities,
    read_reply,
)
from .answers.reading import OPTION_NAMED
from .confidence import ABSTAINED, MISSING, UNREAD, VoteScores, score_votes
from .elicitation import ABSTAIN, EXACT, FLAG, VERBALIZED, VOTES, score_probabilities, score_stated

if TYPE_CHECKING:
    from typing_extensions import NotRequired

SCHEMA_VERSION = 3
"""2 added the elicitation and what only one of them has (`probabilities` ... `invalid`); 3 optional fields, which
records of before lack: `cluster_id`, `read_as`, `severity`, `weight`, `confidence_unstated_as_guess`,
`not_diagnostic`, `evidence`, `degradation_origin`, and those of people's answers."""

EVIDENCE = ("survives", "undecided", "gone", "void")
"""What a phantom's image still shows of the answer: all of it, something in between, nothing, or nothing even clean."""

PERSON = "person"
"""`respondent` of records whose answers people gave."""


class ItemRecord(TypedDict):
    """One item with its votes and scores.

    `elicitation` is "votes", "verbalized" or "exact"; `scoring.elicitation` says what the scores mean in each.
    `letters` has one entry per trial, in order: an option letter, "unread", "missing" or "abstained"; `trials` counts
    those that are not missing, `distinct_replies` the different texts among them, `empty_replies` those without any
    text. The scores are those of the votes, which abstained trials do not cast. They are None where no trial casts one,
    where the item is `invalid` or where scoring failed (`error` then says how).

    `read_as` says of each entry of `letters` how it was read, one of `medqdeg.utils.scoring.answers.TIERS`, None where
    nothing was read; `letters_without_named` leaves the last tier out again.
    `confidence_scale` is there in records of a wrapped task: what the entropy of its votes is relative to, "log K" or,
    where the number of possible answers is open, "log T". Accuracy and majority vote are then the task's own scores.
    `severity` is there where `level` is the label of a series, such as "S1.50".
    `not_diagnostic` is there where trials could flag the image, beside a letter or instead of one: an entry for each
    of `letters`, True where the reply says that the image does not allow an answer, False where it says that it does,
    None where it says neither or the trial is missing.
    `evidence` is there in records of phantoms that were judged (`medqdeg.utils.evidence`): one of `EVIDENCE`.

    `degradation_origin` is there where the image was bad when it was taken: "real", or "real, level not known" for one
    that stands at L1 only because nothing says how bad it is. All others are clean, or degraded by the package.

    `respondent` is "person" where people answered, and absent where a model did. `reader` (codes), `session` (from 1)
    and `seconds` (picture to answer, None where it is not known) then have one entry per trial; all of one `reader` in
    the run of a reader, different ones in the run of a panel.

    Verbalized: `stated` has one entry per trial, a confidence in [0, 1] or None; `stated_missing` counts the answered
    trials without a number, `stated_out_of_range` those with one that is no probability ("150%"). Else None, 0, 0.

    `cluster_id` is what standard errors count as one: items of one source question, or of one image that serves
    several questions. Records of earlier versions lack it; `cluster_of` knows what stands for it.

    `confidence_unstated_as_guess`, verbalized only, is the mean stated confidence with 1/K for a trial without letter
    or number (`scoring.elicitation.StatedScores`). `weight` is there where the run is a subset: how many items of the
    whole set the item stands for.

    Exact: the item is asked once, so `letters` is empty and `trials` is 1 (0 if the request failed).
    `letter_mass` in [0, 1] is the probability that the reply begins with an option letter, `probabilities` the K
    letters' shares of it, in the order of `options`, summing to 1. `invalid` marks an item whose letters have less
    mass than the run demands: it has no scores and is counted nowhere but there. Else None, None, False.
    """

    schema: int
    item_id: str
    source_question_id: str
    source_question_rule: str
    cluster_id: NotRequired[str]
    level: str
    modality: str
    degradation: str | None
    skill: str
    source: str
    k: int
    options: list[str]
    answer: str
    elicitation: str
    letters: list[str]
    trials: int
    missing_rate: float | None
    distinct_replies: int
    empty_replies: int
    stated: list[float | None] | None
    stated_missing: int
    stated_out_of_range: int
    probabilities: list[float] | None
    letter_mass: float | None
    invalid: bool
    accuracy: float | None
    majority_vote: float | None
    confidence: float | None
    calibration_shift: float | None
    unread_rate: float | None
    error: str | None
    confidence_unstated_as_guess: NotRequired[float | None]
    weight: NotRequired[float]
    read_as: NotRequired[list[str | None]]
    severity: NotRequired[float]
    confidence_scale: NotRequired[str]
    respondent: NotRequired[str]
    reader: NotRequired[list[str]]
    session: NotRequired[list[int]]
    seconds: NotRequired[list[float | None]]
    not_diagnostic: NotRequired[list[bool | None]]
    evidence: NotRequired[str]
    degradation_origin: NotRequired[str]


def letters_without_named(record: Mapping[str, Any]) -> list[str]:
    """Return a record's `letters` as they were read without the last tier, options named in a sentence.

    Args:
        record: an `ItemRecord`; one of schema 1 or 2 was read without that tier.
    """
    letters, tiers = record["letters"], record.get("read_as")
    if not isinstance(tiers, list) or len(tiers) != len(letters):
        return list(letters)
    return [UNREAD if tier == OPTION_NAMED else letter for letter, tier in zip(letters, tiers, strict=True)]


def cluster_of(entry: Mapping[str, Any]) -> str:
    """Return the cluster of an item or of its record: the source question where no other is stated."""
    stated = entry.get("cluster_id")
    return stated if isinstance(stated, str) and stated else entry["source_question_id"]


def score_item(
    doc: Mapping[str, Any],
    replies: Sequence[str],
    elicitation: str = VOTES,
    stated_apart: Sequence[float | None] | None = None,
    out_of_range: int = 0,
) -> ItemRecord:
    """Read the replies of all trials of one item and score them.

    Args:
        doc: a row of the data set that `medqdeg.utils.dataset` makes; images are not needed.
        replies: the T raw replies, in the order of the trials. Replies that are letters' probabilities
            (`medqdeg.utils.scoring.answers.probabilities`) make the elicitation exact, whatever was asked for.
        elicitation: "votes" or "verbalized"; or "flag" or "abstain", which are votes whose replies may say that the
            image allows no answer, beside a letter or instead of one.
        stated_apart: verbalized, where confidences do not stand in the replies but beside them, as in the column of a
            sheet: one entry a trial, a number in [0, 1] or None.
        out_of_range: of these, how many None stand for a number that is no probability.

    Returns:
        The record. Never raises on any reply: text that holds no answer is an unread vote, a failed request is a
        missing trial.
    """
    found = next(filter(None, map(read_probabilities, replies)), None)
    if found is not None:
        return _exact_record(doc, found)
    if any(map(is_failed_probabilities, replies)):
        return _record(doc, elicitation=EXACT, missing_rate=1.0, **_score_fields(None))
    options = dict(zip(doc["letters"], doc["options"], strict=True))
    answered = [reply for reply in replies if not is_missing_trial(reply)]
    fields: dict[str, Any] = {}
    if elicitation == VERBALIZED:
        read: Sequence[AnswerWithConfidence | Reading | None]
        if stated_apart is None:
            both = [
                None if is_missing_trial(reply) else read_answer_and_confidence(reply, options) for reply in replies
            ]
            stated = [None if one is None else one.confidence for one in both]
            outside = sum(one is not None and one.out_of_range for one in both)
            read = both
        else:
            read = [None if is_missing_trial(reply) else read_reply(reply, options) for reply in replies]
            stated = [None if one is None else number for one, number in zip(read, stated_apart, strict=True)]
            outside = min(out_of_range, sum(number is None for number in stated))
        letters = [MISSING if one is None else one.letter or UNREAD for one in read]
        read_as = [None if one is None else one.read_as for one in read]
        without = sum(one is not None and number is None for one, number in zip(read, stated, strict=True))
        fields = {"stated": stated, "stated_missing": without - outside, "stated_out_of_range": outside}
        of_stated = score_stated(letters, stated, list(options), doc["answer"])
        as_guess = None if of_stated is None else of_stated.confidence_unstated_as_guess
        scores: VoteScores | None = of_stated
        fields["confidence_unstated_as_guess"] = as_guess
    elif elicitation in (FLAG, ABSTAIN):
        elicitation, flagged = VOTES, _read_flags(replies, options, elicitation)
        letters = [_vote(one) for one in flagged]
        read_as = [None if one is None else one.read_as for one in flagged]
        fields = {"not_diagnostic": [None if one is None else one.not_diagnostic for one in flagged]}
        scores = score_votes(letters, list(options), doc["answer"])
    else:
        found_in = [None if is_missing_trial(reply) else read_reply(reply, options) for reply in replies]
        letters = [MISSING if one is None else one.letter or UNREAD for one in found_in]
        read_as = [None if one is None else one.read_as for one in found_in]
        scores = score_votes(letters, list(options), doc["answer"])
    return _record(
        doc,
        elicitation=elicitation,
        letters=letters,
        read_as=read_as,
        trials=len(answered),
        missing_rate=(len(replies) - len(answered)) / len(replies) if replies else None,
        distinct_replies=len(set(answered)),
        empty_replies=sum(not reply.strip() for reply in answered),
        **fields,
        **_score_fields(scores),
    )


def _read_flags(replies: Sequence[str], options: Mapping[str, str], elicitation: str) -> list[AnswerWithFlag | None]:
    read = read_answer_and_flag if elicitation == FLAG else read_answer_or_flag
    return [None if is_missing_trial(reply) else read(reply, options) for reply in replies]


def _vote(one: AnswerWithFlag | None) -> str:
    if one is None:
        return MISSING
    return ABSTAINED if one.instead else one.letter or UNREAD


def _exact_record(doc: Mapping[str, Any], found: LetterProbabilities) -> ItemRecord:
    options = list(doc["letters"])
    if set(found.masses) != set(options):
        raise ValueError(f"the probabilities are of {sorted(found.masses)}, the item's options {options}")
    shares = found.renormalised()
    probabilities = [shares[letter] for letter in options]
    scores = None if found.invalid else score_probabilities(probabilities, found.total, options, doc["answer"])
    return _record(
        doc,
        elicitation=EXACT,
        trials=1,
        missing_rate=0.0,
        distinct_replies=1,
        probabilities=probabilities,
        letter_mass=found.total,
        invalid=found.invalid,
        **_score_fields(scores),
    )


def failed_record(doc: Mapping[str, Any], error: Exception, elicitation: str = VOTES) -> ItemRecord:
    """Return the record of an item whose scoring raised: identified, without scores, with the error's text."""
    if elicitation in (FLAG, ABSTAIN):
        return _record(
            doc, elicitation=VOTES, not_diagnostic=[], error=f"{type(error).__name__}: {error}", **_score_fields(None)
        )
    return _record(doc, elicitation=elicitation, error=f"{type(error).__name__}: {error}", **_score_fields(None))


def _record(doc: Mapping[str, Any], **fields: Any) -> ItemRecord:
    nothing = {
        "letters": [],
        "read_as": [],
        "trials": 0,
        "missing_rate": None,
        "distinct_replies": 0,
        "empty_replies": 0,
        "stated": None,
        "stated_missing": 0,
        "stated_out_of_range": 0,
        "probabilities": None,
        "letter_mass": None,
        "invalid": False,
        "error": None,
    }
    values = {**_identity(doc), **nothing, **fields}
    names = [name for name in ItemRecord.__annotations__ if name in values]  # optional fields may be absent
    return cast("ItemRecord", {name: values[name] for name in names})


def _score_fields(scores: VoteScores | None) -> dict[str, float | None]:
    names = ("accuracy", "majority_vote", "confidence", "calibration_shift", "unread_rate")
    return {name: getattr(scores, name) if scores else None for name in names}


def _identity(doc: Mapping[str, Any]) -> dict[str, Any]:
    of_series = doc["level"] not in (*taxonomy.LEVELS, taxonomy.GONE)
    evidence = _evidence(doc)
    return {
        "schema": SCHEMA_VERSION,
        "item_id": doc["item_id"],
        "source_question_id": doc["source_question_id"],
        "source_question_rule": doc["source_question_rule"],
        "cluster_id": cluster_of(doc),
        "level": doc["level"],
        "modality": doc["modality"],
        "degradation": doc["degradation"],
        "skill": doc["skill"],
        "source": doc["source"],
        "k": len(doc["letters"]),
        "options": list(doc["letters"]),
        "answer": doc["answer"],
        **({"weight": doc["weight"]} if doc.get("weight") is not None else {}),
        **({"severity": taxonomy.severity_of(doc["level"])} if of_series else {}),
        **({"evidence": evidence} if evidence else {}),
        **({"degradation_origin": doc["degradation_origin"]} if doc.get("degradation_origin") else {}),
    }


def _evidence(doc: Mapping[str, Any]) -> str | None:
    """Return what a phantom's file says of its evidence; other data sets say nothing."""
    if '"evidence"' not in (extra := doc.get("extra") or ""):
        return None
    found = json.loads(extra).get("evidence")
    return found if found in EVIDENCE else None
