"""Pictures of the phantoms to look at: several of every modality, and one item of every skill."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
from PIL import Image

from ...degradations import LEVELS, degrade
from ..dataset.taxonomy import CAPABILITY_TREE, SKILLS, task_of
from ..images.contact_sheet import SheetRow, draw_contact_sheet
from . import GENERATORS
from .gallery import write_gallery
from .planning import PlannedItem, plan_suite
from .suite import Phantom, draw_phantom

_COLUMNS = 6
_CELL = 256
_LINE = 48
_LETTERS = "ABCDE"


def write_sheets(folder: Path, seed: int = 0) -> list[Path]:
    """Write `phantoms_by_modality.jpg`, `phantoms_by_skill.jpg` and the gallery, and return their paths.

    Args:
        folder: made with its parents.
        seed: of the suite that they show.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plan = plan_suite(len(GENERATORS) * 24, seed)
    written = []
    for name, sheet in (("modality", _by_modality(plan, seed)), ("skill", _by_skill(plan, seed))):
        written.append(folder / f"phantoms_by_{name}.jpg")
        sheet.save(written[-1], quality=88)
    return [*written, *write_gallery(folder, seed)]


def _by_modality(plan: list[PlannedItem], seed: int) -> Image.Image:
    rows = []
    for modality, generator in GENERATORS.items():
        items = [item for item in plan if item.modality == modality][:_COLUMNS]
        drawn = [draw_phantom(item, seed) for item in items]
        notes = (f"{len(generator.questions)} questions",)
        captions = tuple(phantom.item.question.name for phantom in drawn)
        rows.append(SheetRow(modality, notes, tuple(Image.fromarray(phantom.image) for phantom in drawn), captions))
    return draw_contact_sheet(rows, [""] * _COLUMNS, title="Phantoms, clean", cell=_CELL)


def _by_skill(plan: list[PlannedItem], seed: int) -> Image.Image:
    rows = []
    for skill in SKILLS:
        items = [item for item in plan if item.question.skill == skill]
        if not items:
            continue
        phantom = draw_phantom(items[0], seed)
        rows.append(SheetRow(skill, _in_words(phantom), _versions(phantom, seed), _captions(phantom)))
    tasks = sum(map(len, CAPABILITY_TREE.values()))
    title = f"One phantom item of each of {len(rows)} skills in {tasks} tasks; the right answer is marked with *"
    return draw_contact_sheet(rows, LEVELS, title=title, cell=_CELL, label_width=340)


def _in_words(phantom: Phantom) -> tuple[str, ...]:
    item = phantom.item
    lines = [f"{task_of(item.question.skill)}, {item.modality}", *textwrap.wrap(item.question.stem, _LINE)]
    for letter, option in zip(_LETTERS, item.options, strict=False):
        mark = "*" if letter == item.answer else ""
        lines += textwrap.wrap(f"{mark}{letter}. {option}", _LINE, subsequent_indent="    ")
    return tuple(lines)


def _versions(phantom: Phantom, seed: int) -> tuple[Image.Image, ...]:
    name, modality = phantom.item.degradations[0], phantom.item.modality
    images: list[np.ndarray] = [phantom.image]
    images += [
        degrade(phantom.image, name, level, seed=f"sheet {seed} {phantom.item.number}", modality=modality)
        for level in LEVELS[1:]
    ]
    return tuple(Image.fromarray(image) for image in images)


def _captions(phantom: Phantom) -> tuple[str, ...]:
    return ("clean", *(f"{phantom.item.degradations[0]} {level}" for level in LEVELS[1:]))
