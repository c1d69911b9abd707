"""A plan: what is read, in which order, by whom. It follows from its settings and the set, and is never changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any, TypeVar

from .chain import digest

REVIEW, CALIBRATE, STUDY = "review", "calibrate", "study"
DESKS = (REVIEW, CALIBRATE, STUDY)

MAIN, PRACTICE, REPEAT, SENTINEL, CATCH = "main", "practice", "repeat", "sentinel", "catch"
ROLES = (MAIN, PRACTICE, REPEAT, SENTINEL, CATCH)
"""Practice is not evaluated; a repeat shows a main trial again; of sentinels and catch trials the answer is known."""

_Entry = TypeVar("_Entry")


@dataclass(frozen=True)
class Plan:
    """The settings from which every reader's trials follow.

    Attributes:
        desk: one of `DESKS`.
        seed: of every order and choice.
        set_sha256: of the set's texts, see `items.ItemSet.sha256`.
        config: the desk's settings, as JSON can hold them.
    """

    desk: str
    seed: int
    set_sha256: str
    config: Mapping[str, Any]

    @property
    def sha256(self) -> str:
        """What the first event of a session names."""
        return digest(self.desk, self.seed, self.set_sha256, dict(self.config))


@dataclass(frozen=True)
class Trial:
    """One thing to answer.

    Attributes:
        position: from 0, in the reader's session.
        role: one of `ROLES`.
        item_id: of the item; in a review and in a calibration that of the clean one.
        level: of the item in a reader study; of a pair and of a calibration "".
        modality: as in the set.
        degradation: None for a clean item.
        s: severity on the continuous axis, in a calibration; of other desks None.
        repeat_of: position of the trial that is shown again.
        detail: of a sentinel which it is; else "".
    """

    position: int
    role: str
    item_id: str
    level: str
    modality: str
    degradation: str | None
    s: float | None = None
    repeat_of: int | None = None
    detail: str = ""


def trials_sha256(trials: Sequence[Trial]) -> str:
    """Return the hash of a reader's session."""
    return digest([list(astuple(trial)) for trial in trials])


def shuffled(entries: Iterable[_Entry], name: Callable[[_Entry], object], *salt: object) -> list[_Entry]:
    """Return entries in an order that follows from their names and the salt, on every machine alike."""
    return sorted(entries, key=lambda entry: digest(*map(str, salt), str(name(entry))))


def spread(entries: Sequence[_Entry], group: Callable[[_Entry], Hashable], gap: int) -> list[_Entry]:
    """Return entries in nearly their order, such that two of one group lie at least `gap` places apart where it goes.

    Where it does not go (few groups), that whose group lies furthest back comes next.
    """
    left, out = list(entries), list[_Entry]()
    waiting = Counter(map(group, left))
    last: dict[Hashable, int] = {}

    def distance(entry: _Entry) -> int:
        return len(out) - last.get(group(entry), -gap)

    def is_urgent(entry: _Entry) -> bool:
        """Whether its group needs all the places that are left."""
        return waiting[group(entry)] * gap >= len(left)

    most = max(waiting.values(), default=0) * gap
    while left:
        free = (number for number, entry in enumerate(left) if distance(entry) >= gap)
        number = next(free, None)
        if number is None:
            number = max(range(len(left)), key=lambda place: distance(left[place]))
        elif most >= len(left) and not is_urgent(left[number]):
            number = next((other for other in free if is_urgent(left[other])), number)
        entry = left.pop(number)
        last[group(entry)] = len(out)
        waiting[group(entry)] -= 1
        out.append(entry)
    return out


def with_repeats(
    order: Sequence[_Entry],
    count: int,
    gap: int,
    may_repeat: Callable[[_Entry], bool],
    name: Callable[[_Entry], object],
    group: Callable[[_Entry], Hashable],
    *salt: object,
) -> list[tuple[_Entry, bool]]:
    """Insert repeats, each at least `gap` places behind its first showing and from others of its group.

    Args:
        order: what is shown once.
        count: repeats wanted; where the order is too short there are fewer.
        gap: places.
        may_repeat: whether an entry may be shown again.
        name: of an entry, for the choice.
        group: what must not come close to another of it.
        *salt: of the choice.

    Returns:
        The entries, each with whether it is a repeat.
    """
    out = [(entry, False) for entry in order]
    done = 0
    for entry in shuffled(filter(may_repeat, order), name, *salt, "repeat"):
        if done == count:
            break
        first = next(place for place, (other, _) in enumerate(out) if other is entry)
        near = {place for place, (other, _) in enumerate(out) if group(other) == group(entry)}
        places = [
            place
            for place in range(first + gap, len(out) + 1)
            if not any(place - gap < other < place + gap - 1 for other in near)
        ]
        if places:
            out.insert(int(shuffled(places, str, *salt, "place", name(entry))[0]), (entry, True))
            done += 1
    return out
