"""A small set, and readers that are simulated: no person answered anything here."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import datasets
import numpy as np
from PIL import Image

from medqdeg.utils.dataset.loading import _features
from medqdeg.utils.dataset.taxonomy import LEVELS
from medqdeg.utils.people.items import ItemSet
from medqdeg.utils.people.sitting import Sitting

DEGRADATIONS = ("gaussian_noise", "gaussian_blur")
MODALITIES = ("CT", "MRI", "X-ray")

Answer = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""From what the page gets (`Screens.current`) to what it sends."""


def picture(seed: int, side: int = 48) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = np.kron(rng.integers(30, 200, (6, 6)), np.ones((side // 6, side // 6)))
    return (coarse + rng.integers(0, 40, coarse.shape)).astype(np.uint8)


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def row(number: int, level: str, degradation: str | None, side: int, images: int) -> dict[str, Any]:
    item = f"q{number}" if degradation is None else f"q{number}_{degradation}_{level}"
    letters = list("ABCD"[: 2 + number % 3])
    strength = LEVELS.index(level)
    return {
        "item_id": item,
        "question": f"Question {number}: what is shown <b>here</b>?",
        "letters": letters,
        "options": [f"finding {letter} of {number}" for letter in letters],
        "answer": letters[number % len(letters)],
        "images": [
            {"bytes": png(picture(100 * number + place, side) // (1 + strength)), "path": None}
            for place in range(images)
        ],
        "level": level,
        "severity": float(strength),
        "modality": MODALITIES[number % len(MODALITIES)],
        "degradation": degradation,
        "degradation_origin": None,
        "skill": "unlabelled",
        "source": "simulated",
        "source_question_id": f"index:q{number}",
        "source_question_rule": "column",
        "cluster_id": f"index:q{number}",
        "extra": "{}",
    }


def item_set(items: int = 24, degradations: int = 2, side: int = 48, two_images: bool = False) -> ItemSet:
    levels = {
        level: datasets.Dataset.from_list(
            [
                row(number, level, name, side, 2 if two_images and number % 4 == 0 else 1)
                for number in range(items)
                for name in ((None,) if level == "L0" else DEGRADATIONS[:degradations])
            ],
            features=_features(),
        )
        for level in LEVELS
    }
    return ItemSet(levels)


def keeps(screen: Mapping[str, Any]) -> Mapping[str, Any]:
    """A simulated reviewer who keeps everything."""
    return {"answerable": "yes"} if screen["phase"] == "blind" else {"verdict": "keep"}


def read_all(sitting: Sitting, answer: Callable[[int, str], Mapping[str, Any]], most: int | None = None) -> int:
    """Let a simulated reader answer, past the page; returns how many steps."""
    if sitting.display is None:
        sitting.record_display(True, {})
    steps = 0
    while (step := sitting.step) is not None and steps != most:
        sitting.answer(*step, answer(*step))
        steps += 1
    return steps
