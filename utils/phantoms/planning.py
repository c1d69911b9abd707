"""Which items a suite holds: question, right answer, options and degradations of each, before anything is drawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ..base.errors import InputError
from ..dataset import taxonomy
from ..dataset.composition import (
    PAPER_CLEAN_ITEMS,
    PAPER_DEGRADATIONS,
    PAPER_DEGRADED_ITEMS,
    PAPER_SKILLS,
    quotas,
    spread_degradations,
)
from . import GENERATORS
from .question import Question

MIXES: tuple[str, ...] = ("balanced", "paper")
_LETTERS = "ABCDE"
_PLAN_STREAM = 0x51A7

_BALANCED_PAIRS = 2
"""Degradations a clean item in the balanced mix, on average."""

_MODALITY_WEIGHTS: Mapping[str, float] = {
    "CT": 0.30,
    "MRI": 0.22,
    "X-ray": 0.18,
    "Ultrasound": 0.08,
    "Histopathology": 0.045,
    "Dermoscopy": 0.08,
    "Endoscopy": 0.095,
}
"""For the paper's mix, which fixes skills and degradations but gives no counts of modalities. Ours: enough CT, MRI and
histology to carry the degradations that only they can have (table 5)."""

_FITTING_ROUNDS = 200


@dataclass(frozen=True)
class PlannedItem:
    """One clean item to be.

    Attributes:
        number: place in the plan; with the suite's seed it fixes scene and image.
        modality: a key of `GENERATORS`.
        template: name of the question.
        options: K of the question's answers, in the order of their letters.
        answer: the right letter.
        degradations: one to three, each at L1 and at L2.
    """

    number: int
    modality: str
    template: str
    options: tuple[str, ...]
    answer: str
    degradations: tuple[str, ...]

    @property
    def question(self) -> Question:
        """What is asked."""
        return next(each for each in GENERATORS[self.modality].questions if each.name == self.template)

    @property
    def answer_text(self) -> str:
        """The right option."""
        return self.options[_LETTERS.index(self.answer)]


def plan_suite(items: int, seed: int, mix: str = "balanced") -> list[PlannedItem]:
    """Plan a suite.

    Args:
        items: number of clean items.
        seed: not negative.
        mix: "balanced": modalities in turn, their questions in turn, degradations equally often, two an item on
            average; so the first items of a plan are balanced as well. "paper": skills and degradations in the
            proportions of the paper's tables 4 and 5, 2.39 an item.

    Raises:
        InputError: fewer than one item, a negative seed, an unknown mix.
    """
    if items < 1:
        raise InputError(f"a suite needs at least one item, not {items}")
    if seed < 0:
        raise InputError(f"the seed {seed} is negative; use 0 or more")
    if mix not in MIXES:
        raise InputError(f"unknown mix {mix!r}: known are {', '.join(MIXES)}")
    rng = np.random.default_rng([_PLAN_STREAM, seed, MIXES.index(mix)])
    asked = _balanced(items) if mix == "balanced" else _as_in_the_paper(items, rng)
    if mix == "balanced":
        pairs, weights = _BALANCED_PAIRS * items, _even_weights(asked)
    else:
        pairs, weights = round(items * PAPER_DEGRADED_ITEMS / PAPER_CLEAN_ITEMS), dict(PAPER_DEGRADATIONS)
    allowed = [
        [name for name in taxonomy.degradations_for(modality) if name not in question.spared]
        for modality, question in asked
    ]
    chosen = spread_degradations(allowed, pairs, weights, rng)
    letters = {k: _letters_in_turn(k, rng) for k in range(2, len(_LETTERS) + 1)}
    plan = []
    for number, ((modality, question), degradations) in enumerate(zip(asked, chosen, strict=True)):
        # The options are drawn before the answer: which are offered says nothing about which is right.
        offered = rng.permutation(len(question.answers))[: question.k]
        letter = next(letters[question.k])
        options = tuple(question.answers[place] for place in offered)
        plan.append(PlannedItem(number, modality, question.name, options, letter, degradations))
    return plan


def _balanced(items: int) -> list[tuple[str, Question]]:
    generators = list(GENERATORS.values())
    asked = []
    for number in range(items):
        turn, place = divmod(number, len(generators))
        generator = generators[place]
        asked.append((generator.modality, generator.questions[turn % len(generator.questions)]))
    return asked


def _as_in_the_paper(items: int, rng: np.random.Generator) -> list[tuple[str, Question]]:
    by_skill: dict[str, dict[str, list[Question]]] = defaultdict(lambda: defaultdict(list))
    for generator in GENERATORS.values():
        for question in generator.questions:
            by_skill[question.skill][generator.modality].append(question)
    wanted = quotas(PAPER_SKILLS, items)
    shares = _shares(wanted, {skill: tuple(able) for skill, able in by_skill.items()})
    asked = []
    for skill, count in wanted.items():
        able = by_skill[skill]
        for modality, number in quotas(shares[skill], count).items():
            asked += [(modality, able[modality][turn % len(able[modality])]) for turn in range(number)]
    return [asked[place] for place in rng.permutation(len(asked))]


def _shares(skills: Mapping[str, int], able: Mapping[str, tuple[str, ...]]) -> dict[str, dict[str, float]]:
    """Share out each skill's items over the modalities that can ask for it, so that the modalities get their weights.

    By iterative proportional fitting; what the questions do not allow is approached.
    """
    shares = {skill: dict.fromkeys(able[skill], max(count, 1e-9)) for skill, count in skills.items()}
    total = sum(skills.values())
    for _ in range(_FITTING_ROUNDS):
        for modality, weight in _MODALITY_WEIGHTS.items():
            have = sum(row.get(modality, 0.0) for row in shares.values())
            for row in shares.values():
                if modality in row:
                    row[modality] *= weight * total / have
        for skill, row in shares.items():
            scale = max(skills[skill], 1e-9) / sum(row.values())
            shares[skill] = {modality: share * scale for modality, share in row.items()}
    return shares


def _even_weights(asked: list[tuple[str, Question]]) -> dict[str, float]:
    """Give each degradation, within each modality, the same weight."""
    weights = dict.fromkeys(taxonomy.DEGRADATIONS, 0.0)
    for modality, _ in asked:
        names = taxonomy.degradations_for(modality)
        for name in names:
            weights[name] += 1 / len(names)
    return {name: weight for name, weight in weights.items() if weight}


def _letters_in_turn(k: int, rng: np.random.Generator) -> Iterator[str]:
    """Yield the first k letters in a random order, again and again: each is right equally often."""
    while True:
        yield from (_LETTERS[place] for place in rng.permutation(k))
