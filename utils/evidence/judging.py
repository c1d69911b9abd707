"""The evidence that a degraded phantom leaves: drawings of the true scene and its rivals, degraded as the item is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ...degradations import reproduce
from ..phantoms import GENERATORS
from ..phantoms.suite import Phantom
from .observer import DRAWINGS, Scenes, evidence
from .rivals import Rival, nearest_rival

SURVIVES, UNDECIDED, GONE, VOID = "survives", "undecided", "gone", "void"
"""What an item's evidence is: it survives, is in between, is gone, or was not to be seen in the clean image either."""

KEEN_EYE, WEAK_EYE = 3.0, 30.0
"""Noise of the eye, in grey levels of 8 x 8 pixels, at which evidence must be gone, and at which it must survive."""

MOST_GONE, LEAST_SURVIVING, LEAST_CLEAN = 0.25, 0.75, 0.75
"""Evidence up to which it is gone (keen eye), from which on it survives (weak eye), and which a clean image must have
(keen eye), or the item says nothing."""

_STREAM = 0xD4A3
_OTHER_NOISE = 0x9E37


@dataclass(frozen=True)
class Judgement:
    """What the observer says of an image.

    Attributes:
        verdict: `SURVIVES`, `UNDECIDED`, `GONE` or `VOID`.
        keen: e of the keen eye.
        weak: e of the weak eye; None where the keen one has settled it.
    """

    verdict: str
    keen: float
    weak: float | None


class ItemObserver:
    """An observer of one item: its rivals, and drawings of all scenes.

    Args:
        phantom: the item, drawn.
        seed: of the suite.
        drawings: of each scene, an even number.
    """

    def __init__(self, phantom: Phantom, seed: int, drawings: int = DRAWINGS) -> None:
        self.phantom = phantom
        self._seed = [_STREAM, seed, phantom.item.number]
        self._drawings = drawings

    @cached_property
    def rivals(self) -> tuple[Rival | None, ...]:
        """The nearest rival of each wrong option, None where there is none."""
        item = self.phantom.item
        wrong = [option for option in item.options if option != item.answer_text]
        return tuple(nearest_rival(item.modality, item.question, self.phantom.scene, option) for option in wrong)

    @cached_property
    def clean(self) -> float:
        """e of the clean drawings for the keen eye; 0 where an option has no rival, so that the item is void."""
        return 0.0 if None in self.rivals else evidence(self._clean_scenes, self._clean_scenes, KEEN_EYE)

    def judge(self, record: Mapping[str, Any]) -> Judgement:
        """Judge the image that a degradation's record makes of the phantom.

        All drawings are degraded with the record's parameters; what is noise in them is drawn anew for each.
        """
        if self.clean < LEAST_CLEAN:
            return Judgement(VOID, self.clean, None)
        degraded = self._scenes(record)
        keen = evidence(degraded, self._clean_scenes, KEEN_EYE)
        if keen <= MOST_GONE:
            return Judgement(GONE, keen, None)
        weak = evidence(degraded, self._clean_scenes, WEAK_EYE)
        return Judgement(SURVIVES if weak >= LEAST_SURVIVING else UNDECIDED, keen, weak)

    @cached_property
    def _images(self) -> list[list[np.ndarray]]:
        draw = GENERATORS[self.phantom.item.modality].draw
        scenes = [self.phantom.scene, *(rival.scene for rival in self.rivals if rival is not None)]
        return [
            [draw(scene, np.random.default_rng([*self._seed, place, number])) for number in range(self._drawings)]
            for place, scene in enumerate(scenes)
        ]

    @cached_property
    def _clean_scenes(self) -> Scenes:
        return Scenes.of(self._images)

    def _scenes(self, record: Mapping[str, Any]) -> Scenes:
        rng = np.random.default_rng([*self._seed, _OTHER_NOISE])
        return Scenes.of(
            [[reproduce(image, _with_other_noise(record, rng)) for image in drawn] for drawn in self._images]
        )


def _with_other_noise(record: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    parts = [[1.0, record["parameters"]]] if "parts" not in record else record["parts"]
    noise = int(rng.integers(2**63))
    renewed = [
        [share, {**own, "noise_seed": noise} if own is not None and "noise_seed" in own else own]
        for share, own in parts
    ]
    return {**record, "parts": renewed}
