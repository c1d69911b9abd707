"""One run's items as columns: the numbers of each item, its cluster, its level and its node on every axis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..scoring.confidence import MISSING, UNREAD
from ..scoring.elicitation import EXACT, VERBALIZED, VOTES
from ..scoring.level_summary import AXES
from ..scoring.records import cluster_of
from .statistics import calibration, estimators

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
        trials: (n,) answered trials.
        vote_levels: number T of steps into which the scores are grouped for the ECE.
        elicitation: "votes", "verbalized" or "exact".
        guesser: "confidence", "shift", "james_stein", "top_share" -> (n,) exact expectations for a guesser.
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


def elicitation_of(record: Mapping[str, Any]) -> str:
    """Return how a record's confidence was elicited; records of schema 1 know votes only."""
    return record.get("elicitation") or VOTES


def item_table(records: Sequence[Mapping[str, Any]]) -> ItemTable:
    """Build the table of a run's records, all of one elicitation.

    Raises:
        ValueError: without records, or where elicitations are mixed.
    """
    kinds = {elicitation_of(record) for record in records}
    if len(kinds) != 1:
        raise ValueError(f"a table needs records of one elicitation, got {sorted(kinds)}")
    (elicitation,) = kinds
    counts, unread = _counts(records)
    k = np.array([record["k"] for record in records])
    columns = vote_columns(counts, unread, k, np.array([_answer(record) for record in records]))
    for name in ("accuracy", "majority_vote", "confidence", "calibration_shift", "unread_rate", "missing_rate"):
        columns[name] = np.array([_number(record[name]) for record in records])
    trials = np.array([record["trials"] for record in records])
    if elicitation == EXACT:
        _use_probabilities(columns, records, counts.shape[1], k)
    elif elicitation == VERBALIZED:
        columns["top_share"] = columns["confidence"]
        for name in ("confidence_james_stein", "shift_unread_dropped"):
            columns[name] = np.full(len(records), np.nan)
    guesser = guesser_columns(elicitation, k, trials)
    complete_columns(columns, guesser)
    if any(open_number := [record.get("confidence_scale") == OPEN_SCALE for record in records]):
        # Against chance nothing can be said where nobody knows how many answers are possible.
        for name in ("confidence_james_stein", "shift_james_stein", "agreement", "shift_above_guesser"):
            columns[name] = np.where(open_number, np.nan, columns[name])
    requested = Counter(len(record["letters"]) for record in records).most_common(1)[0][0]

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
        levels=np.array([record["level"] for record in records], dtype=object),
        nodes=_nodes(records),
        k=k,
        trials=trials,
        vote_levels=requested if elicitation == VOTES and requested else _FINE_LEVELS,
        elicitation=elicitation,
        guesser=guesser,
    )


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


def _counts(records: Sequence[Mapping[str, Any]]) -> tuple[Array, Array]:
    counts = np.zeros((len(records), max(record["k"] for record in records)))
    unread = np.zeros(len(records))
    for row, record in enumerate(records):
        place = {letter: column for column, letter in enumerate(record["options"])}
        for letter in record["letters"]:
            if letter == UNREAD:
                unread[row] += 1
            elif letter != MISSING:
                counts[row, place[letter]] += 1
    return counts, unread


def _answer(record: Mapping[str, Any]) -> int:
    return record["options"].index(record["answer"])


def _use_probabilities(
    columns: dict[str, Array], records: Sequence[Mapping[str, Any]], width: int, k: NDArray[np.int64]
) -> None:
    """Put what exact probabilities say in the place of what votes say; there is no sampling to correct for."""
    probabilities = np.full((len(records), width), np.nan)
    for row, record in enumerate(records):
        if record.get("probabilities") and record["confidence"] is not None:
            probabilities[row] = 0.0
            probabilities[row, : record["k"]] = record["probabilities"]
    known = np.isfinite(probabilities[:, 0])
    columns["top_share"] = np.where(known, probabilities.max(axis=1), np.nan)
    columns["agreement"] = estimators.agreement_of_probabilities(probabilities, k)
    columns["confidence_james_stein"] = np.where(known, columns["confidence"], np.nan)
    columns["shift_unread_dropped"] = np.full(len(records), np.nan)


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)
