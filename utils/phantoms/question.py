"""Phantoms, the questions about them, and how the two are drawn together.

A phantom starts as a scene: a JSON description of what is there (counts, sides, sizes, kinds). The image is drawn
from the scene, and the right answer follows from the scene alone. For an item the right answer is drawn first and a
scene is looked for that has it: so every option of a question is right equally often, whatever scenes are common, and
a model that does not see the image cannot do better than chance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

Scene: TypeAlias = Mapping[str, Any]
"""What a phantom shows, in values that JSON can hold."""

_TRIES = 20_000


def pick(rng: np.random.Generator, values: tuple[str, ...]) -> str:
    """Draw one of the values, each as likely."""
    return values[int(rng.integers(len(values)))]


@dataclass(frozen=True)
class Question:
    """A multiple-choice question whose answer follows from a scene.

    Attributes:
        name: unique over all modalities, such as "ct_liver_lesion_count".
        skill: a fine-grained skill of `medqdeg.utils.dataset.taxonomy`.
        stem: the text of the question. It is the same for all scenes, so it tells nothing about the answer.
        answers: every answer that the question can have.
        k: how many of them an item offers, 2 to 5.
        answer: the answer of a scene, one of `answers`; None where the question cannot be asked of it.
        spared: degradations that could change what is true, such as a turned image where its edge is asked about.
    """

    name: str
    skill: str
    stem: str
    answers: tuple[str, ...]
    k: int
    answer: Callable[[Scene], str | None]
    spared: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 2 <= self.k <= min(5, len(self.answers)):
            raise ValueError(f"{self.name}: k = {self.k} does not suit {len(self.answers)} answers")


@dataclass(frozen=True)
class Generator:
    """One modality's phantoms.

    Attributes:
        modality: a name of `medqdeg.degradations.MODALITIES`.
        sample_scene: draws a scene; cheap, no image.
        draw: draws a scene's image, uint8 of shape (256, 256) or (256, 256, 3). What the scene leaves open (noise,
            texture, exact shapes) comes from the generator that is passed.
        questions: what can be asked.
    """

    modality: str
    sample_scene: Callable[[np.random.Generator], Scene]
    draw: Callable[[Scene, np.random.Generator], np.ndarray]
    questions: tuple[Question, ...]

    def scene_with(self, question: Question, answer: str, rng: np.random.Generator) -> Scene:
        """Draw scenes until one has this answer to the question.

        Raises:
            RuntimeError: if none of very many has.
        """
        for _ in range(_TRIES):
            scene = self.sample_scene(rng)
            if question.answer(scene) == answer:
                return scene
        raise RuntimeError(f"{question.name}: no scene of {_TRIES} has the answer {answer!r}")
