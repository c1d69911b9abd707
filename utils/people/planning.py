"""The trials of one reader at each desk, from a plan and a set."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...degradations import MODALITIES, largest_severity, list_degradations
from ..base.errors import InputError
from ..dataset.taxonomy import CLEAN, LEVELS
from .items import ItemSet, Pair
from .plans import (
    CALIBRATE,
    CATCH,
    MAIN,
    PRACTICE,
    REPEAT,
    REVIEW,
    SENTINEL,
    STUDY,
    Plan,
    Trial,
    shuffled,
    spread,
    with_repeats,
)
from .sentinels import KINDS

REVIEW_GAP, STUDY_GAP = 15, 40
"""Places between two pairs of one item, and between a repeat and its first showing; in a study between repeats."""
REPEAT_SHARE = SENTINEL_SHARE = 0.05
CATCH_SHARE = 0.15
PRACTICE_ITEMS = 10
SESSIONS = len(LEVELS)
MOST_OPTIONS = 10
"""Letters beyond J are keys of the desk."""


def trials_of(plan: Plan, items: ItemSet, reader: str, session: int) -> list[Trial]:
    """Return what a reader reads in a session; the same call gives the same trials on every machine.

    Raises:
        InputError: the set has nothing for this desk, or the session is none of the desk's.
    """
    makers = {REVIEW: _review, STUDY: _study, CALIBRATE: _calibration}
    if not 1 <= session <= (SESSIONS if plan.desk == STUDY else 1):
        raise InputError(f"--session {session}: the desk {plan.desk} has {SESSIONS if plan.desk == STUDY else 1}")
    trials = makers[plan.desk](plan, items, reader, session)
    if not trials:
        raise InputError(f"the set has nothing for the desk {plan.desk}")
    return [replace(trial, position=place) for place, trial in enumerate(trials)]


def _placed(entries: Sequence[tuple[Trial, bool]]) -> list[Trial]:
    """Give repeats their role and the position of what they repeat."""
    first = {id(trial): place for place, (trial, again) in enumerate(entries) if not again}
    return [
        replace(trial, role=REPEAT, repeat_of=first[id(trial)]) if again else trial
        for place, (trial, again) in enumerate(entries)
    ]


def reviewed_pairs(plan: Plan, items: ItemSet) -> list[Pair]:
    """Return the pairs of a review: all of the set, so many by the seed, or those that the plan names."""
    pairs = items.pairs()
    if (only := plan.config.get("pairs")) is not None:
        wanted = {tuple(pair) for pair in only}
        return [pair for pair in pairs if (pair.item_id, pair.degradation) in wanted]
    limit = plan.config.get("limit")
    if limit is None or limit >= len(pairs):
        return pairs
    chosen = shuffled(pairs, lambda pair: pair.name, plan.seed, "limit")[:limit]
    return sorted(chosen, key=lambda pair: (pair.item_id, pair.degradation))


def _review(plan: Plan, items: ItemSet, reader: str, session: int) -> list[Trial]:
    pairs = reviewed_pairs(plan, items)
    question = {pair.item_id: pair.question for pair in pairs}
    mains = [Trial(0, MAIN, pair.item_id, "", pair.modality, pair.degradation) for pair in pairs]
    wanted = round(SENTINEL_SHARE * len(mains))
    sources = shuffled(mains, _name, plan.seed, "sentinel")[: max(wanted, min(2, len(mains)))]
    sentinels = [
        replace(trial, role=SENTINEL, detail=KINDS[number % len(KINDS)]) for number, trial in enumerate(sources)
    ]
    mixed = shuffled([*mains, *sentinels], _name, plan.seed, reader, session)

    def group(trial: Trial) -> str:
        return question[trial.item_id]

    order = spread(mixed, group, REVIEW_GAP)
    repeats = round(REPEAT_SHARE * len(mains))
    salt = (plan.seed, reader, session)
    return _placed(with_repeats(order, repeats, REVIEW_GAP, lambda t: t.role == MAIN, _name, group, *salt))


def reader_number(reader: str) -> int:
    """Return the number at the end of a reader's code, on which the counterbalancing rests.

    Raises:
        InputError: there is none.
    """
    found = re.search(r"\d+$", reader)
    if found is None:
        raise InputError(f"--reader {reader}: in a reader study the code ends in the reader's number, such as R1")
    return int(found[0])


def _study(plan: Plan, items: ItemSet, reader: str, session: int) -> list[Trial]:
    clusters: dict[str, list[Pair]] = {}
    for pair in items.pairs():
        if len(items.doc(CLEAN, pair.item_id)["letters"]) <= MOST_OPTIONS:
            clusters.setdefault(pair.cluster, []).append(pair)
    names = shuffled(clusters, str, plan.seed, "cluster")
    chosen = [shuffled(clusters[name], lambda pair: pair.name, plan.seed, "pair")[0] for name in names]
    limit = plan.config["limit"]
    turn = reader_number(reader) + session
    mains = [_at_level(pair, LEVELS[(group + turn) % len(LEVELS)], MAIN) for group, pair in enumerate(chosen[:limit])]
    practice = [
        _at_level(pair, LEVELS[group % len(LEVELS)], PRACTICE)
        for group, pair in enumerate(chosen[limit : limit + PRACTICE_ITEMS])
    ]
    salt = (plan.seed, reader, session)
    order = shuffled(mains, _name, *salt)
    repeats = round(REPEAT_SHARE * len(mains))
    entries = with_repeats(order, repeats, STUDY_GAP, lambda _: True, _name, _name, *salt)
    before: list[tuple[Trial, bool]] = [(trial, False) for trial in practice] if session == 1 else []
    return _placed([*before, *entries])


def _at_level(pair: Pair, level: str, role: str) -> Trial:
    degradation = None if level == CLEAN else pair.degradation
    return Trial(0, role, pair.levels[level], level, pair.modality, degradation)


def grid(step: float, stop: float) -> list[float]:
    """Return the severities step, 2 step ... up to the stop, rounded to hundredths."""
    return [round(step * number, 2) for number in range(1, int(stop / step + 1e-9) + 1)]


def cells_of(items: ItemSet, wanted: Iterable[str]) -> list[tuple[str, str]]:
    """Return (degradation, modality) of the cells that a calibration is asked for.

    Args:
        items: the set; a modality without a clean item has no cell.
        wanted: texts such as "gaussian_noise", "CT" or "gaussian_noise:CT".

    Raises:
        InputError: one of them names no degradation, no modality, or a cell that the set has not.
    """
    there = sorted({doc["modality"] for doc in items.clean()} & set(MODALITIES))
    found: list[tuple[str, str]] = []
    for text in wanted:
        first, _, second = text.partition(":")
        parts = [part.strip() for part in (first, second) if part.strip()]
        degradations = [part for part in parts if part in list_degradations()]
        modalities = [name for part in parts for name in MODALITIES if name.casefold() == part.casefold()]
        if (
            len(degradations) + len(modalities) != len(parts)
            or not parts
            or max(map(len, (degradations, modalities))) > 1
        ):
            raise InputError(f"--cell {text!r}: give DEGRADATION, MODALITY or DEGRADATION:MODALITY")
        of_modalities = [name for name in (modalities or there) if name in there]
        cells = [
            (name, modality)
            for modality in of_modalities
            for name in (degradations or list_degradations(modality))
            if name in list_degradations(modality)
        ]
        if not cells:
            raise InputError(f"--cell {text!r}: the set has no such cell; it has {', '.join(there)}")
        found += cells
    return sorted(set(found))


def _calibration(plan: Plan, items: ItemSet, reader: str, session: int) -> list[Trial]:
    config: Mapping[str, Any] = plan.config
    trials: list[Trial] = []
    clean = [doc for doc in items.clean() if items.images_of(CLEAN, doc["item_id"]) == 1]
    for degradation, modality in config["cells"]:
        of_modality = [doc for doc in clean if doc["modality"] == modality]
        own = shuffled(of_modality, lambda doc: doc["item_id"], plan.seed, degradation, modality)
        one_per_cluster = list({doc["cluster_id"]: doc for doc in reversed(own)}.values())[::-1]
        stop = min(largest_severity(degradation, modality), config["most"])
        severities = grid(config["step"], stop)
        catches = max(2, round(CATCH_SHARE / (1 - CATCH_SHARE) * len(severities)))
        for doc in one_per_cluster[: config["images"]]:
            for s in severities:
                trials.append(Trial(0, MAIN, doc["item_id"], "", modality, degradation, s))
            for number in range(catches):
                s = 0.0 if number % 2 == 0 else stop
                trials.append(Trial(0, CATCH, doc["item_id"], "", modality, degradation, s, detail=str(number)))
    order = shuffled(trials, _name, plan.seed, reader, session)
    return spread(order, lambda trial: trial.item_id, 3)


def _name(trial: Trial) -> str:
    return "\x1f".join(map(str, (trial.role, trial.item_id, trial.level, trial.degradation, trial.s, trial.detail)))
