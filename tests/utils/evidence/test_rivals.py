"""Rivals: the wrong answer, as little else as possible, and nothing that the generators would not draw."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from medqdeg.utils.evidence.rivals import SCENES, changed_fields, nearest_rival
from medqdeg.utils.phantoms import GENERATORS


def parts(scene: Any) -> list[tuple[str, str]]:
    found = []
    for name, value in scene.items():
        found += [(name, repr(each)) for each in value] + [(name, f"n={len(value)}")] if isinstance(value, list) else []
        found += [] if isinstance(value, list) else [(name, repr(value))]
    return found


@pytest.mark.parametrize("modality", ["MRI", "Endoscopy"])
def test_each_rival_has_its_answer_few_changes_and_only_pairs_that_occur(modality: str) -> None:
    generator, rng = GENERATORS[modality], np.random.default_rng(1)
    seen: set[frozenset[tuple[str, str]]] = set()
    sampled = np.random.default_rng([0xE71D, list(GENERATORS).index(modality)])
    for _ in range(SCENES):
        seen.update(map(frozenset, itertools.combinations(parts(generator.sample_scene(sampled)), 2)))
    for question in generator.questions[:4]:
        scene = generator.scene_with(question, question.answers[0], rng)
        for answer in question.answers[1:3]:
            rival = nearest_rival(modality, question, scene, answer)
            assert rival is not None
            assert question.answer(rival.scene) == answer
            assert rival.changed == changed_fields(scene, rival.scene)
            assert set(map(frozenset, itertools.combinations(parts(rival.scene), 2))) <= seen
            others = [generator.scene_with(question, answer, rng) for _ in range(5)]
            assert len(rival.changed) <= min(len(changed_fields(scene, other)) for other in others)
            assert nearest_rival(modality, question, scene, answer) == rival


def test_an_answer_that_no_scene_has_has_no_rival() -> None:
    generator = GENERATORS["MRI"]
    question = generator.questions[0]
    scene = generator.scene_with(question, question.answers[0], np.random.default_rng(1))
    assert nearest_rival("MRI", question, scene, "The patient's left shoe") is None
