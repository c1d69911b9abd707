"""What every generator promises: named questions about known skills, answers soon found, images that follow a seed."""

from __future__ import annotations

import json

import numpy as np
import pytest

from medqdeg.degradations import MODALITIES
from medqdeg.utils.dataset.taxonomy import SKILLS
from medqdeg.utils.phantoms import GENERATORS
from medqdeg.utils.phantoms.question import Generator

pytestmark = pytest.mark.parametrize("generator", GENERATORS.values(), ids=GENERATORS)
GREY = {"CT", "MRI", "X-ray", "Ultrasound"}


def test_names_and_skills(generator: Generator) -> None:
    assert generator.modality in MODALITIES
    names = [question.name for question in generator.questions]
    assert len(set(names)) == len(names) >= 11
    assert {question.skill for question in generator.questions} <= set(SKILLS)


def test_every_answer_is_soon_found(generator: Generator) -> None:
    rng = np.random.default_rng(3)
    scenes = [generator.sample_scene(rng) for _ in range(3000)]
    for question in generator.questions:
        given = [question.answer(scene) for scene in scenes]
        assert set(given) - {None} == set(question.answers), question.name
        assert min(given.count(answer) for answer in question.answers) > 24, question.name


def test_a_scene_is_plain_data(generator: Generator) -> None:
    scene = generator.sample_scene(np.random.default_rng(3))
    assert json.loads(json.dumps(scene)) == scene


@pytest.mark.parametrize("seed", range(6))
def test_a_scene_and_a_seed_make_an_image(seed: int, generator: Generator) -> None:
    scene = generator.sample_scene(np.random.default_rng(seed))
    first, again, other = (generator.draw(scene, np.random.default_rng(s)) for s in (seed, seed, seed + 1))
    assert first.dtype == np.uint8
    assert first.shape == ((256, 256) if generator.modality in GREY else (256, 256, 3))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()
