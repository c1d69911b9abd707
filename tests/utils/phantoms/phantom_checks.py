"""What the tests of several modalities share: the second table of rules, scenes and images of a wanted kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from scipy import ndimage

from medqdeg.utils.phantoms.question import Generator, Scene


def check_rules(generator: Generator, skills: set[str], rules: dict[str, Callable[[Any], str | None]]) -> None:
    """Every answer is found within few tries and follows by a second, independent table of rules."""
    assert {question.skill for question in generator.questions} == skills
    assert {question.name for question in generator.questions} == set(rules)
    rng = np.random.default_rng(5)
    scenes = [generator.sample_scene(rng) for _ in range(1500)]
    for question in generator.questions:
        given = [question.answer(scene) for scene in scenes]
        assert given == [rules[question.name](scene) for scene in scenes], question.name
        assert set(given) - {None} == set(question.answers), question.name
        assert min(given.count(answer) for answer in question.answers) >= 12, question.name


def check_answers(generator: Generator, scene: Scene, parts: Mapping[str, str | None]) -> None:
    """Every question's answer to a scene holds the expected part of a text; None where it cannot be asked."""
    assert {question.name for question in generator.questions} == set(parts)
    for question in generator.questions:
        answer, part = question.answer(scene), parts[question.name]
        if part is None:
            assert answer is None, question.name
        else:
            assert answer in question.answers
            assert part in answer, question.name


def scenes_with(generator: Generator, count: int, seed: int, **wanted: object) -> list[Scene]:
    """Sample scenes that have the wanted values: each one value or a set of them; a missing key is "absent"."""
    allowed = {key: value if isinstance(value, set) else {value} for key, value in wanted.items()}
    found, rng = [], np.random.default_rng(seed)
    while len(found) < count:
        scene = generator.sample_scene(rng)
        if all(scene.get(key, "absent") in values for key, values in allowed.items()):
            found.append(scene)
    return found


def drawn(generator: Generator, wanted: Callable[[Scene], bool], count: int = 20) -> Iterator[tuple[Scene, np.ndarray]]:
    """Yield scenes of the wanted kind with their images as float64 in [0, 1]."""
    rng = np.random.default_rng(7)
    found = 0
    while found < count:
        scene = generator.sample_scene(rng)
        if wanted(scene):
            yield scene, generator.draw(scene, np.random.default_rng(found)) / 255.0
            found += 1


def components(mask: np.ndarray, smallest: int, largest: int = 1 << 20) -> int:
    """Count the connected components whose area in pixels lies within bounds."""
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    areas = np.bincount(labels.ravel())[1:]
    return int(np.sum((areas >= smallest) & (areas <= largest)))
