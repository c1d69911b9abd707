"""No degradation of a phantom takes away what its question asks for: over all questions and all their degradations."""

from __future__ import annotations

import numpy as np
import pytest

from medqdeg.degradations import LEVELS, degrade, list_degradations
from medqdeg.utils.phantoms import GENERATORS
from medqdeg.utils.phantoms.question import Question

COLOURED = {
    question.name: (modality, question)
    for modality, generator in GENERATORS.items()
    if generator.draw(generator.sample_scene(np.random.default_rng(0)), np.random.default_rng(0)).ndim == 3
    for question in generator.questions
}
"""The questions about colour images: by stem or by picture, each may be answered by a colour."""


def chroma(image: np.ndarray) -> float:
    """How far the channels lie apart, in grey levels, over the image."""
    return float(np.ptp(image.astype(int), axis=2).mean())


def test_three_modalities_are_in_colour() -> None:
    assert {modality for modality, _ in COLOURED.values()} == {"Histopathology", "Dermoscopy", "Endoscopy"}


@pytest.mark.parametrize(("modality", "question"), COLOURED.values(), ids=COLOURED)
def test_colour_is_left_where_a_question_may_ask_for_it(modality: str, question: Question) -> None:
    """As a share of the clean image's: contrast at L2 leaves 0.3, over-exposed skin 0.08. Grey would be 0."""
    generator = GENERATORS[modality]
    rng = np.random.default_rng(1)
    image = generator.draw(generator.scene_with(question, question.answers[0], rng), rng)
    for name in set(list_degradations(modality)) - set(question.spared):
        for level in LEVELS[1:]:
            left = chroma(degrade(image, name, level, seed=question.name, modality=modality)) / chroma(image)
            assert left > 0.05, (name, level, left)
