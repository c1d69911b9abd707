"""One run's items as columns: the numbers of each item, its cluster, its level and its node on every axis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..scoring.confidence import ABSTAINED
from ..scoring.elicitation import EXACT, VERBALIZED, VOTES
from ..scoring.level_summary import AXES
from ..scoring.records import cluster_of
from .item_answers import ItemAnswers, item_answers
from .statistics import calibration, estimators
from .statistics.agreement_gap import reason_without_gap

Array = NDArray[np.float64]

OVERALL = "overall"
ALL = "all"
"""The axis and the node of a whole level."""


OPEN_SCALE = "log T"
"""The `confidence_scale` of items whose number of possible answers is open."""

_FINE_LEVELS = 10
"""Levels of a score that is not made of votes: tenths."""


@dataclass(frozen=True)
class ItemTable:
    """The items of one run.

    Attributes:
        columns: figure -> (n,) values, NaN where an item has none.
        item_ids: (n,) as the data set names them.
        questions: (n,) number of each item's source question, by which items are matched.
        question_ids: source questions, in alphabetical order.
        clusters: (n,) number of each item's cluster, which is resampled as one: a source question, or all those that
            are connected by shared images.
        cluster_ids: clusters, in alphabetical order.
        pairs: (n,) number of each degraded item's (source question, degradation); -1 for clean items.
        levels: (n,) "L0", "L1" or "L2".
        nodes: axis -> (n,) node, None where the axis does not apply.
        k: (n,) numbers of options.
        trials: (n,) answered trials that cast a vote.
        vote_levels: number T of steps into which the scores are grouped for the ECE.
        elicitation: "votes", "verbalized" or "exact".
        guesser: "confidence", "shift", "james_stein", "top_share" -> (n,) exact expectations for a guesser.
        answers: votes, probabilities and stated confidences, and the terms of the agreement gap.
        weight: (n,) how many items of the whole set each stands for; 1 unless the run is a subset.
        without_gap: level -> why its votes have no agreement gap, for the levels that have none.
    """

    columns: Mapping[str, Array]
    item_ids: NDArray[np.object_]
    questions: NDArray[np.int64]
    question_ids: tuple[str, ...]
    clusters: NDArray[np.int64]
    cluster_ids: tuple[str, ...]
    pairs: NDArray[np.int64]
    levels: NDArray[np.object_]
    nodes: Mapping[str, NDArray[np.object_]]
    k: NDArray[np.int64]
    trials: NDArray[np.int64]
    vote_levels: int
    elicitation: str
    guesser: Mapping[str, Array]
    answers: ItemAnswers
    weight: Array
    without_gap: Mapping[str, str]


def elicitation_of(record: Mapping[str, Any]) -> str:
    """Return how a record's confidence was elicited; records of schema 1 know votes only."""
    return record.get("elicitation") or VOTES


def item_table(records: Sequence[Mapping[str, Any]], *, greedy: bool = False) -> ItemTable:
    """Build the table of a run's records, all of one elicitation.

    Args:
        records: of the run.
        greedy: whether it is known to have decoded greedily, so that its votes do not vary.

    Raises:
        ValueError: without records, or where elicitations are mixed.
    """
    kinds = {elicitation_of(record) for record in records}
    if len(kinds) != 1:
        raise ValueError(f"a table needs records of one elicitation, got {sorted(kinds)}")
    (elicitation,) = kinds
    requested = Counter(len(record["letters"]) for record in records).most_common(1)[0][0]
    answers = item_answers(records, elicitation, requested)
    k = answers.k
    columns = vote_columns(answers.counts, answers.unread, k, answers.answer)
    for name in ("accuracy", "majority_vote", "confidence", "calibration_shift", "unread_rate", "missing_rate"):
        columns[name] = np.array([record[name] for record in records], dtype=float)  # None is NaN
    trials = np.array([record["trials"] - record["letters"].count(ABSTAINED) for record in records])
    if elicitation == EXACT:
        _use_probabilities(columns, answers)
    elif elicitation == VERBALIZED:
        _use_stated(columns, answers, trials)
    guesser = guesser_columns(elicitation, k, trials)
    complete_columns(columns, guesser)
    if any(open_number := [record.get("confidence_scale") == OPEN_SCALE for record in records]):
        # Against chance nothing can be said where nobody knows how many answers are possible.
        for name in ("confidence_james_stein", "shift_james_stein", "agreement", "shift_above_guesser"):
            columns[name] = np.where(open_number, np.nan, columns[name])
    columns["readable_share"] = answers.gap.readable
    levels = np.array([record["level"] for record in records], dtype=object)

    questions, question_ids = _numbered([record["source_question_id"] for record in records])
    clusters, cluster_ids = _numbered([cluster_of(record) for record in records])
    pair_keys = [
        (record["source_question_id"], record["degradation"]) if record["degradation"] else None for record in records
    ]
    pair_number = {pair: place for place, pair in enumerate(sorted({pair for pair in pair_keys if pair}))}
    return ItemTable(
        columns=columns,
        item_ids=np.array([record["item_id"] for record in records], dtype=object),
        questions=questions,
        question_ids=question_ids,
        clusters=clusters,
        cluster_ids=cluster_ids,
        pairs=np.array([-1 if pair is None else pair_number[pair] for pair in pair_keys]),
        levels=levels,
        nodes=_nodes(records),
        k=k,
        trials=trials,
        vote_levels=requested if elicitation == VOTES and requested else _FINE_LEVELS,
        elicitation=elicitation,
        guesser=guesser,
        answers=answers,
        weight=np.array([record.get("weight", 1.0) for record in records]),
        without_gap=levels_without_gap(answers, levels, greedy=greedy),
    )


def levels_without_gap(answers: ItemAnswers, levels: NDArray[np.object_], *, greedy: bool = False) -> dict[str, str]:
    """Return level -> why its votes have no agreement gap, for the levels that have none."""
    if answers.elicitation != VOTES:
        return {}
    found = {
        level: reason_without_gap(answers.counts[levels == level], answers.unread[levels == level], greedy=greedy)
        for level in sorted(set(levels))
    }
    return {level: reason for level, reason in found.items() if reason}


def _numbered(names: Sequence[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return the place of each name among the different ones, which come in alphabetical order."""
    different = sorted(set(names))
    place = {name: number for number, name in enumerate(different)}
    return np.array([place[name] for name in names], dtype=np.int64), tuple(different)


def vote_columns(counts: Array, unread: Array, k: NDArray[np.int64], answer: NDArray[np.int64]) -> dict[str, Array]:
    """Return what votes alone say of each item.

    Args:
        counts: (n, K_max) votes for each option.
        unread: (n,) unread votes.
        k: (n,) numbers of options.
        answer: (n,) place of the right option.

    Returns:
        Column -> (n,) values; NaN where an item has no vote at all.
    """
    read = counts.sum(axis=1)
    trials = read + unread
    with np.errstate(invalid="ignore", divide="ignore"):
        inside = np.arange(counts.shape[1]) < k[:, None]
        shares = np.where(inside, (counts + (unread / k)[:, None]) / trials[:, None], 0.0)
        right = counts[np.arange(len(counts)), answer]
        top = counts.max(axis=1)
        leaders = ((counts == top[:, None]) & inside).sum(axis=1)
        confidence = np.where(trials > 0, estimators.plug_in_confidence(shares, k), np.nan)
        read_confidence = estimators.plug_in_confidence(counts / read[:, None], k)
        return {
            "accuracy": right / trials,
            "majority_vote": np.where(trials > 0, np.where((right == top) & (top > 0), 1.0 / leaders, 0.0), np.nan),
            "confidence": confidence,
            "calibration_shift": confidence - right / trials,
            "confidence_james_stein": np.where(
                trials > 0, estimators.james_stein_confidence(shares, k, np.maximum(trials, 1)), np.nan
            ),
            "agreement": estimators.agreement(counts, unread, k),
            "unread_rate": unread / trials,
            "shift_unread_dropped": np.where(read > 0, read_confidence - right / read, np.nan),
            "top_share": np.where(trials > 0, shares.max(axis=1), np.nan),
        }


def guesser_columns(elicitation: str, k: NDArray[np.int64], trials: NDArray[np.int64]) -> dict[str, Array]:
    """Return each item's exact expectations for a guesser.

    Of votes: uniform votes. Of exact probabilities: even ones, so C = 0. A guesser that states its confidence and is
    honest says 1/K.
    """
    chance = 1.0 / k
    if elicitation == VOTES:
        names = {"confidence": "plug_in", "james_stein": "james_stein", "top_share": "top_share"}
        found = {name: estimators.guesser_expectations(estimator, k, trials) for name, estimator in names.items()}
    else:
        confidence = chance if elicitation == VERBALIZED else np.zeros(len(k))
        found = {"confidence": confidence, "james_stein": confidence, "top_share": chance}
    return {**found, "shift": found["confidence"] - chance}


def complete_columns(columns: dict[str, Array], guesser: Mapping[str, Array]) -> None:
    """Add the columns that follow from others."""
    for name in ("confidence_unstated_as_guess", "shift_unstated_as_guess"):
        columns.setdefault(name, np.full(len(columns["accuracy"]), np.nan))
    columns["shift_above_guesser"] = columns["calibration_shift"] - guesser["shift"]
    columns["shift_james_stein"] = columns["confidence_james_stein"] - columns["accuracy"]
    columns["top_share_gap"] = columns["top_share"] - columns["majority_vote"]
    columns["brier"] = calibration.brier_terms(columns["top_share"], columns["majority_vote"])


_PLACED_BY = ("skill", "degradation", "modality", "source")


def _nodes(records: Sequence[Mapping[str, Any]]) -> dict[str, NDArray[np.object_]]:
    kinds: dict[tuple[Any, ...], int] = {}  # few: records are placed by what they share with many others
    kind = [kinds.setdefault(values, len(kinds)) for values in map(itemgetter(*_PLACED_BY), records)]
    examples: list[Any] = [dict(zip(_PLACED_BY, values, strict=True)) for values in kinds]
    nodes = {OVERALL: [ALL] * len(examples), **{axis: list(map(node_of, examples)) for axis, node_of in AXES.items()}}
    return {axis: np.array(found, dtype=object)[kind] for axis, found in nodes.items()}


def _use_probabilities(columns: dict[str, Array], answers: ItemAnswers) -> None:
    """Replace what votes say by what exact probabilities say; there is no sampling to correct for."""
    probabilities = answers.probabilities
    known = np.isfinite(probabilities[:, 0])
    columns["top_share"] = np.where(known, probabilities.max(axis=1), np.nan)
    columns["agreement"] = estimators.agreement_of_probabilities(probabilities, answers.k)
    columns["confidence_james_stein"] = np.where(known, columns["confidence"], np.nan)
    columns["shift_unread_dropped"] = np.full(len(known), np.nan)


def _use_stated(columns: dict[str, Array], answers: ItemAnswers, trials: NDArray[np.int64]) -> None:
    """Replace what votes say by what the trials with a letter and a number state.

    Computed anew from the trials, since records of earlier versions count an unusable trial as 1/K.
    """
    said, right, usable = answers.gap.agree, answers.gap.right, answers.gap.weight
    with np.errstate(invalid="ignore", divide="ignore"):
        columns["confidence"] = np.where(usable > 0, said / usable, np.nan)
        columns["calibration_shift"] = np.where(usable > 0, (said - right) / usable, np.nan)
        as_guess = (said + (trials - usable) / answers.k) / trials
    columns["confidence_unstated_as_guess"] = as_guess
    columns["shift_unstated_as_guess"] = as_guess - columns["accuracy"]
    columns["top_share"] = columns["confidence"]
    for name in ("confidence_james_stein", "shift_unread_dropped"):
        columns[name] = np.full(len(trials), np.nan)
