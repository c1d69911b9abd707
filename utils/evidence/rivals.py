"""The scene that a wrong answer would need: as near as possible to what the phantom shows.

A rival differs from the true scene in as few fields as the wrong answer allows, so that what tells the two apart is
what the question asks for. Fields depend on each other (no place without a lesion, a position that fits its lobe), and
only the generators know how. So nothing is put together that was not seen together: every pair of values of a rival
occurs in one of `SCENES` drawn scenes. A list counts by its length and by each of its elements, and which fields a
scene has counts as a value.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..phantoms import GENERATORS, Scene
from ..phantoms.question import Question

SCENES = 20_000
"""Drawn scenes of each modality whose pairs of values are known."""

_STREAM = 0xE71D
_NEAREST = 60
"""Drawn scenes with the wrong answer, nearest first, from which rivals are made."""

_FEWEST = 3
"""Drawn scenes of one modality with the wrong answer, below which a rival is none: there is nothing to choose from."""


@dataclass(frozen=True)
class Rival:
    """A scene with a wrong answer.

    Attributes:
        answer: the wrong option's text.
        scene: what would have to be there.
        changed: the fields in which it differs from the true scene.
    """

    answer: str
    scene: Scene
    changed: tuple[str, ...]


def nearest_rival(modality: str, question: Question, scene: Scene, answer: str) -> Rival | None:
    """Return the scene nearest to `scene` whose answer to the question is `answer`.

    Args:
        modality: a key of `GENERATORS`.
        question: what is asked.
        scene: what the phantom shows.
        answer: a wrong option.

    Returns:
        The rival with the fewest changed fields, then with the fewest changed values; None if hardly any drawn scene
        has the answer.
    """
    known = _known_scenes(modality)
    own = frozenset(_parts(scene))
    donors = [place for place, donor in enumerate(known.scenes) if question.answer(donor) == answer]
    if len(donors) < _FEWEST:
        return None
    donors.sort(key=lambda place: (len(own ^ known.parts[place]), place))
    best: tuple[tuple[int, int], Scene] | None = None
    for place in donors[:_NEAREST]:
        rival = _with_own_values(scene, known.scenes[place], question, answer, known)
        cost = len(changed_fields(scene, rival)), len(own ^ frozenset(_parts(rival)))
        if best is None or cost < best[0]:
            best = cost, rival
    assert best is not None
    return Rival(answer, best[1], changed_fields(scene, best[1]))


def changed_fields(scene: Scene, other: Scene) -> tuple[str, ...]:
    """Return the fields in which two scenes differ, those included that only one of them has."""
    return tuple(name for name in dict.fromkeys((*scene, *other)) if scene.get(name) != other.get(name))


def _with_own_values(scene: Scene, donor: Scene, question: Question, answer: str, known: _Known) -> Scene:
    """Give a drawn scene back as many of the true scene's values as leave the wrong answer and a possible scene."""
    rival = dict(donor)
    left = [name for name in changed_fields(scene, donor) if name in scene and name in donor]
    for number in (1, 2):
        for names in itertools.combinations(left, number):
            if all(rival[name] == scene[name] for name in names):
                continue
            tried = {**rival, **{name: scene[name] for name in names}}
            if known.possible(tried) and question.answer(tried) == answer:
                rival = tried
    return rival


Part = tuple[str, str]
"""A field, and one thing that it holds, as text."""


def _parts(scene: Scene) -> Iterator[Part]:
    yield "", " ".join(sorted(scene))  # which fields there are depends on the others' values, too
    for name, value in scene.items():
        if isinstance(value, list):
            yield name, f"{len(value)} long"
            yield from ((name, _text(each)) for each in value)
        else:
            yield name, _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


class _Known:
    """Drawn scenes of a modality, and the pairs of values that occur in them."""

    def __init__(self, modality: str) -> None:
        rng = np.random.default_rng([_STREAM, list(GENERATORS).index(modality)])
        generator = GENERATORS[modality]
        self.scenes: list[Scene] = [generator.sample_scene(rng) for _ in range(SCENES)]
        self.parts = [frozenset(_parts(scene)) for scene in self.scenes]
        self._number: dict[Part, int] = {}
        self._pairs: set[int] = set()
        for scene in self.scenes:
            self._pairs.update(self._pairs_of([self._number.setdefault(p, len(self._number)) for p in _parts(scene)]))

    def possible(self, scene: Scene) -> bool:
        """Whether every pair of the scene's values was seen."""
        numbers = [self._number.get(part, -1) for part in _parts(scene)]
        return min(numbers) >= 0 and self._pairs.issuperset(self._pairs_of(numbers))

    @staticmethod
    def _pairs_of(numbers: list[int]) -> list[int]:
        return [(a << 32) | b if a < b else (b << 32) | a for a, b in itertools.combinations(numbers, 2)]


@functools.lru_cache(maxsize=len(GENERATORS))
def _known_scenes(modality: str) -> _Known:
    return _Known(modality)
