"""Clean items for a build, drawn as phantoms: a source that needs no files. Also a module to run a build from."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from medqdeg.utils.building.item import ImageSource, Skipped, SourceItem
from medqdeg.utils.building.plan.front import Sources
from medqdeg.utils.phantoms import GENERATORS

SIDE = 96
MODALITIES = tuple(GENERATORS)


def png(number: int, place: int, side: int | None) -> bytes:
    """The image of an item: a phantom, reduced so that tests are fast."""
    generator = GENERATORS[MODALITIES[number % len(MODALITIES)]]
    rng = np.random.default_rng([number, place])
    question, answer = question_of(number)
    image = Image.fromarray(generator.draw(generator.scene_with(question, answer, rng), rng))
    buffer = io.BytesIO()
    (image if side is None else image.resize((side, side), Image.Resampling.BOX)).save(buffer, "PNG")
    return buffer.getvalue()


def question_of(number: int) -> tuple[Any, str]:
    generator = GENERATORS[MODALITIES[number % len(MODALITIES)]]
    question = generator.questions[number // len(MODALITIES) % len(generator.questions)]
    return question, question.answers[number // 3 % len(question.answers)]


def item(number: int, side: int | None = SIDE) -> SourceItem:
    question, answer = question_of(number)
    others = [text for text in question.answers if text != answer][: question.k - 1]
    options = (*others[: number % question.k], answer, *others[number % question.k :])
    return SourceItem(
        source=("GMAI-MMBench", "OmniMedVQA", "ward")[number % 3],
        source_id=str(number),
        question=question.stem,
        options=options,
        answer=options.index(answer),
        modality=MODALITIES[number % len(MODALITIES)],
        skill=question.skill,
        images=tuple(
            ImageSource(f"phantom {number}/{place}", partial(png, number, place, side))
            for place in range(2 if number % 11 == 5 else 1)
        ),
        licence=("Apache-2.0", "CC-BY-4.0", None)[number % 3],
        extra={"number": str(number)},
    )


def broken() -> SourceItem:
    return SourceItem(
        "ward", "broken", "What?", ("a", "b"), 0, "CT", "Counting", (ImageSource("b.png", lambda: b"no image"),)
    )


def open_source(text: str, *, backwards: bool = False, side: int | None = SIDE) -> Iterator[SourceItem | Skipped]:
    """`phantoms=40`: items 0 to 39; `phantoms=40-60`; `bad=1`: things that give no item."""
    name, _, what = text.partition("=")
    if name == "bad":
        yield Skipped("ward", "line 7", "no answer", "the row has no answer")
        yield Skipped("ward", "line 8", "modality not of the benchmark", "Fundus", harmless=True)
        yield broken()
        return
    first, _, last = what.rpartition("-")
    numbers = range(int(first or 0), int(last))
    for number in reversed(numbers) if backwards else numbers:
        yield item(number, side)


def front(opened: Callable[..., Iterator[SourceItem | Skipped]] = open_source, **options: Any) -> Sources:
    return Sources(partial(opened, **options))
