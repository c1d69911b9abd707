"""Which of the items enter the set and how each is degraded: stratified sampling to a wanted mix.

The order in which items are taken from a stratum follows from a hash of the seed, the source and the item's id, not
from the order in which they were read; and an item that is added to the input moves few others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ....degradations.seeding import generator
from ...base.errors import InputError, one_line
from ...base.suggestions import did_you_mean
from ...dataset import taxonomy
from ...dataset.composition import (
    MOST_DEGRADATIONS,
    PAPER_CLEAN_ITEMS,
    PAPER_DEGRADATIONS,
    PAPER_DEGRADED_ITEMS,
    PAPER_SKILLS,
    counted,
    quotas,
    spread_degradations,
)
from ..item import SourceItem
from .clusters import rank
from .image_quality import asks_for_image_quality

ALL = "all"


@dataclass(frozen=True)
class Mix:
    """What a set should be made of. Weights are proportions; what they add up to does not matter.

    Attributes:
        clean_items: how many; None takes all.
        pairs_per_item: mean number of degradations of an item, 1 to 3.
        skills: weight of each fine-grained skill. Skills that are not named, and unlabelled items, fill up what the
            named ones leave.
        modalities: weight of each modality within a skill; empty: as the input has them.
        degradations: weight of each degradation; one that is not named is not used.
    """

    clean_items: int | None = PAPER_CLEAN_ITEMS
    pairs_per_item: float = PAPER_DEGRADED_ITEMS / PAPER_CLEAN_ITEMS
    skills: Mapping[str, float] = field(default_factory=lambda: dict(PAPER_SKILLS))
    modalities: Mapping[str, float] = field(default_factory=dict)
    degradations: Mapping[str, float] = field(default_factory=lambda: dict(PAPER_DEGRADATIONS))

    def as_dict(self) -> dict[str, Any]:
        """Return the mix as its YAML file would say it."""
        return {
            "clean_items": ALL if self.clean_items is None else self.clean_items,
            "pairs_per_item": self.pairs_per_item,
            "skills": dict(self.skills),
            "modalities": dict(self.modalities),
            "degradations": dict(self.degradations),
        }


@dataclass(frozen=True)
class Chosen:
    """One item of the set to be.

    Attributes:
        item: the clean item.
        names: its degradations, one to three; none where degrading the image changes the right answer.
        spares: its other degradations, in the order in which they take the place of one that the gate rejects.
    """

    item: SourceItem
    names: tuple[str, ...]
    spares: tuple[str, ...]


@dataclass(frozen=True)
class Selection:
    """The chosen items in the order of the set, and wanted against got: for each axis, name -> both numbers."""

    chosen: tuple[Chosen, ...]
    deviation: Mapping[str, Mapping[str, Mapping[str, int]]]


def load_mix(path: Path) -> Mix:
    """Read a mix from YAML: any of `clean_items` (a number or "all"), `pairs_per_item`, `skills`, `modalities`,
    `degradations` (name: weight, or a list of names of equal weight). What is left out is as in the paper.

    Raises:
        InputError: the file cannot be read, or a name or number in it cannot be used.
    """
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not valid YAML ({one_line(error)})") from None
    known = Mix().as_dict()
    if not isinstance(given, Mapping) or (unknown := [key for key in given if key not in known]):
        what, hint = "no mapping", ""
        if isinstance(given, Mapping):
            what, hint = f"the unknown key {unknown[0]!r}", did_you_mean(unknown[0], known)
        raise InputError(f"{path}: {what}; {hint}known are {', '.join(known)}")
    try:
        return Mix(**{key: _READERS[key](value) for key, value in given.items()})
    except (InputError, TypeError, ValueError) as error:
        raise InputError(f"{path}: {one_line(error)}") from None


def _clean_items(value: Any) -> int | None:
    if value == ALL:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InputError(f"clean_items: {value!r} is neither a number above 0 nor {ALL!r}")
    return value


def _pairs(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= MOST_DEGRADATIONS:
        raise InputError(f"pairs_per_item: {value!r} is not from 1 to {MOST_DEGRADATIONS}")
    return float(value)


def _weights(axis: str, canonical: Any) -> Any:
    def read(value: Any) -> dict[str, float]:
        given = dict.fromkeys(value, 1) if isinstance(value, list) else value
        if not isinstance(given, Mapping) or not given:
            raise InputError(f"{axis}: give a list of names, or name: weight")
        for name, weight in given.items():
            if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < float("inf"):
                raise InputError(f"{axis}: {name}: {weight!r} is not a weight of 0 or more")
        weights = {canonical(str(name)): weight for name, weight in given.items()}
        if not any(weights.values()):
            raise InputError(f"{axis}: all weights are 0")
        return weights

    return read


_READERS = {
    "clean_items": _clean_items,
    "pairs_per_item": _pairs,
    "skills": _weights("skills", taxonomy.skill),
    "modalities": _weights("modalities", taxonomy.modality),
    "degradations": _weights("degradations", taxonomy.degradation),
}


def select(items: Sequence[SourceItem], mix: Mix, seed: int | str) -> Selection:
    """Choose items and their degradations.

    Where a stratum has too few items, all of them are taken and the others make up for it in proportion.

    Args:
        items: no two of the same source and id; any order.
        mix: what is wanted.
        seed: decides everything that is left open.

    Raises:
        InputError: no item can be degraded in a way that the mix names.
    """
    names = {modality: _allowed(modality, mix) for modality in taxonomy.MODALITIES}
    usable = sorted((item for item in items if names[item.modality]), key=lambda item: rank(item, seed, "order"))
    if not usable:
        raise InputError("no item is left that any degradation of the mix applies to")
    total = len(usable) if mix.clean_items is None else min(mix.clean_items, len(usable))
    by_skill: dict[str, list[SourceItem]] = {}
    for item in usable:
        by_skill.setdefault(item.skill, []).append(item)
    taken: list[SourceItem] = []
    for skill, number in _filled(mix.skills, {name: len(group) for name, group in by_skill.items()}, total).items():
        taken += _of_modalities(by_skill[skill], number, mix.modalities)
    taken.sort(key=lambda item: rank(item, seed, "order"))
    chosen = tuple(
        Chosen(item, given, _spares(item, names[item.modality], given, mix, seed) if given else ())
        for item, given in zip(taken, _degradations(taken, names, mix, seed), strict=True)
    )
    return Selection(chosen, _deviation(chosen, mix, total))


def _degradations(
    taken: Sequence[SourceItem], names: Mapping[str, Sequence[str]], mix: Mix, seed: int | str
) -> list[tuple[str, ...]]:
    """Return the degradations of each item; none of those that ask how good the image is."""
    degraded = [place for place, item in enumerate(taken) if not asks_for_image_quality(item)]
    allowed = [names[taken[place].modality] for place in degraded]
    most = sum(min(MOST_DEGRADATIONS, len(each)) for each in allowed)
    pairs = max(len(degraded), min(most, round(len(taken) * mix.pairs_per_item)))
    weights = {name: weight for name, weight in mix.degradations.items() if weight > 0}
    given: list[tuple[str, ...]] = [()] * len(taken)
    if degraded:
        spread = spread_degradations(allowed, pairs, weights, generator(seed, "build", "degradations"))
        for place, chosen in zip(degraded, spread, strict=True):
            given[place] = chosen
    return given


def _allowed(modality: str, mix: Mix) -> tuple[str, ...]:
    return tuple(name for name in taxonomy.degradations_for(modality) if mix.degradations.get(name, 0) > 0)


def _spares(
    item: SourceItem, allowed: Sequence[str], given: Sequence[str], mix: Mix, seed: int | str
) -> tuple[str, ...]:
    """Return what is left of `allowed`, drawn one after the other with the mix's weights."""
    left = [name for name in allowed if name not in given]
    rng = generator(seed, "build", "\x1f".join(("spares", item.source, item.source_id)))
    # The first of independent waiting times with these rates is a weighted draw, and so is each next one.
    waits = {name: rng.standard_exponential() / mix.degradations[name] for name in left}
    return tuple(sorted(left, key=waits.__getitem__))


def _filled(weights: Mapping[str, float], available: Mapping[str, int], total: int) -> dict[str, int]:
    """Share out `total` by weight among what is available; keys without a weight come last, as the input has them."""
    got = dict.fromkeys(sorted(available), 0)
    for by in ({key: weights.get(key, 0) for key in got}, {key: available[key] for key in got}):
        while True:
            open_keys = {key: by[key] for key in got if by[key] > 0 and got[key] < available[key]}
            missing = total - sum(got.values())
            if not open_keys or not missing:
                break
            for key, share in quotas(open_keys, missing).items():
                got[key] += min(share, available[key] - got[key])
    return {key: number for key, number in got.items() if number}


def _of_modalities(group: Sequence[SourceItem], number: int, weights: Mapping[str, float]) -> list[SourceItem]:
    if not weights:
        return list(group[:number])
    room = _filled(weights, Counter(item.modality for item in group), number)
    taken = []
    for item in group:
        if room.get(item.modality, 0):
            room[item.modality] -= 1
            taken.append(item)
    return taken


def _deviation(chosen: Sequence[Chosen], mix: Mix, total: int) -> dict[str, dict[str, dict[str, int]]]:
    got_skills = Counter(each.item.skill for each in chosen)
    got_names = counted([each.names for each in chosen])
    wanted_skills = quotas(mix.skills, total)
    wanted_names = quotas(mix.degradations, sum(got_names.values()))
    wanted_items = total if mix.clean_items is None else mix.clean_items
    size = {
        "clean items": {"wanted": wanted_items, "got": len(chosen)},
        "pairs": {"wanted": round(wanted_items * mix.pairs_per_item), "got": sum(got_names.values())},
    }
    return {
        "size": size,
        "skill": _both({**dict.fromkeys((*taxonomy.SKILLS, *sorted(got_skills)), 0), **wanted_skills}, got_skills),
        "degradation": _both(wanted_names, got_names),
        "modality": _both(
            quotas(mix.modalities, total) if mix.modalities else {}, Counter(each.item.modality for each in chosen)
        ),
    }


def _both(wanted: Mapping[str, int], got: Mapping[str, int]) -> dict[str, dict[str, int]]:
    return {name: {"wanted": number, "got": got.get(name, 0)} for name, number in wanted.items()}
