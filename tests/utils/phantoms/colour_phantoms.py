"""What the tests of the colour modalities share: scenes found for every answer, images drawn from seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy import ndimage

from medqdeg.degradations import MODALITIES
from medqdeg.utils.phantoms.question import Generator, Scene
from medqdeg.utils.taxonomy import SKILLS


def check_contract(generator: Generator, skills: set[str], rules: dict[str, Callable[[Any], str | None]]) -> None:
    """Every answer is found within few tries and follows by a second, independent table of rules."""
    assert generator.modality in MODALITIES
    assert {question.skill for question in generator.questions} == skills
    assert skills <= set(SKILLS)
    assert {question.name for question in generator.questions} == set(rules)
    rng = np.random.default_rng(5)
    scenes = [generator.sample_scene(rng) for _ in range(1500)]
    for question in generator.questions:
        given = [question.answer(scene) for scene in scenes]
        assert given == [rules[question.name](scene) for scene in scenes], question.name
        assert set(given) - {None} == set(question.answers), question.name
        assert min(given.count(answer) for answer in question.answers) >= 12, question.name


def check_drawing(generator: Generator) -> None:
    """A scene and a seed give the same bytes, an image of the right shape, and another seed another image."""
    rng = np.random.default_rng(6)
    for seed in range(6):
        scene = generator.sample_scene(rng)
        first, again, other = (generator.draw(scene, np.random.default_rng(s)) for s in (seed, seed, seed + 1))
        assert first.dtype == np.uint8
        assert first.shape == (256, 256, 3)
        assert first.tobytes() == again.tobytes()
        assert first.tobytes() != other.tobytes()


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
