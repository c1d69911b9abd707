"""From a plan to a data set: phantoms drawn, degraded and written in the layout of the published files."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ...degradations import LEVELS, Severity, degrade_with_record, largest_severity, read_severity
from ..base.worker_processes import in_order
from ..dataset.delimited import write_tsv_rows
from ..dataset.location import file_name
from ..dataset.taxonomy import CLEAN
from . import GENERATORS
from .planning import PlannedItem
from .question import Scene

SOURCE = "MedQ-Deg phantoms"
_STREAM = 0x517E
"""Keeps the phantoms of suites apart from those that the reference model learns from, whatever the seeds."""

_LETTERS = "ABCDE"
_GREY = 128
PUBLISHED = tuple(read_severity(level) for level in LEVELS[1:])
"""The severities of the published layout: L1 and L2, each with a draw of its own."""

_COLUMNS = (
    "index",
    "source_index",
    "image_path",
    "question",
    *_LETTERS,
    "answer",
    "modality",
    "degradation_type",
    "degradation_severity",
    "severity",
    "skill",
    "source",
    "template",
    "evidence",
    "evidence_keen",
    "evidence_weak",
    "scene",
    "parameters",
)


@dataclass(frozen=True)
class Phantom:
    """A planned item, drawn.

    Attributes:
        item: the plan.
        scene: what the image shows.
        image: the clean image, uint8, (256, 256) or (256, 256, 3).
    """

    item: PlannedItem
    scene: Scene
    image: np.ndarray


@dataclass(frozen=True)
class Version:
    """A degraded version of an item.

    Attributes:
        degradation: its name.
        level: a level, or the label of a severity.
        severity: its number where the level does not say it, else None.
        image: uint8.
        record: how it was made.
    """

    degradation: str
    level: str
    severity: float | None
    image: np.ndarray
    record: Mapping[str, Any]


Row = dict[str, Any]
Finish = Callable[[Phantom, int, list[Row], Callable[[Version], Row]], list[Row]]
"""(item, seed of the suite, its rows, what writes a further version and returns its row) -> the rows of the files."""


def draw_phantom(item: PlannedItem, seed: int) -> Phantom:
    """Draw an item's scene and image; they follow from the suite's seed and the item alone."""
    rng = np.random.default_rng([_STREAM, seed, item.number])
    generator = GENERATORS[item.modality]
    scene = generator.scene_with(item.question, item.answer_text, rng)
    return Phantom(item, scene, generator.draw(scene, rng))


def write_suite(
    folder: Path,
    splits: Mapping[str, Sequence[PlannedItem]],
    seed: int,
    *,
    severities: Sequence[Severity] = PUBLISHED,
    grey: bool = False,
    finish: Finish | None = None,
    workers: int = 1,
    on_item: Callable[[], None] = lambda: None,
) -> None:
    """Write PNG files and, for every split, the two TSV files that `medqdeg.utils.dataset` reads.

    Args:
        folder: an existing folder.
        splits: "test" or "dev" -> its items. An item of two splits is drawn once.
        seed: of the suite.
        severities: at which each item's degradations are made, as far as they go.
        grey: replace each image by a plain grey one, to see what a model answers that sees nothing.
        finish: adds to an item's rows, in the process that made them; a function of a module.
        workers: processes. Their number changes no byte.
        on_item: called after each clean item with its degraded versions.
    """
    items = {item.number: item for split in splits.values() for item in split}
    for modality in {item.modality for item in items.values()}:
        (folder / "images" / _folder(modality)).mkdir(parents=True, exist_ok=True)
    rows: dict[int, list[dict[str, Any]]] = {}
    write = partial(_write_item, folder=folder, seed=seed, severities=severities, grey=grey, finish=finish)
    for number, versions in zip(items, in_order(write, items.values(), workers, chunk=4), strict=True):
        rows[number] = versions
        on_item()
    for split, chosen in splits.items():
        for level in LEVELS[:2]:  # a clean file, and one that holds all that is degraded
            kept = (row for item in chosen for row in rows[item.number] if (row["level"] == CLEAN) == (level == CLEAN))
            ordered = sorted(kept, key=lambda row: row["level"])
            columns = [name for name in _COLUMNS if any(name in row for row in ordered)]
            cells = ({name: row.get(name, "") for name in columns} for row in ordered)
            write_tsv_rows(folder / file_name(split, level), columns, cells)


def _write_item(
    item: PlannedItem, folder: Path, seed: int, severities: Sequence[Severity], grey: bool, finish: Finish | None
) -> list[Row]:
    phantom = draw_phantom(item, seed)
    index = f"phantom_{seed}_{item.number:05d}"
    common = {
        "source_index": index,
        "question": item.question.stem,
        **dict(zip(_LETTERS, item.options, strict=False)),
        "answer": item.answer,
        "modality": item.modality,
        "skill": item.question.skill,
        "source": SOURCE,
        "template": item.question.name,
        "scene": json.dumps(phantom.scene, sort_keys=True),
    }

    def write(image: np.ndarray, name: str) -> str:
        path = f"images/{_folder(item.modality)}/{name}.png"
        (folder / path).write_bytes(_png(np.full_like(image, _GREY) if grey else image))
        return path

    def write_version(version: Version) -> Row:
        name = f"{index}_{version.degradation}_{version.level}"
        return {
            **common,
            "index": name,
            "level": version.level,
            "image_path": write(version.image, name),
            "degradation_type": version.degradation,
            "degradation_severity": version.level.removeprefix("L"),
            **({} if version.severity is None else {"severity": version.severity}),
            "parameters": json.dumps(version.record, sort_keys=True, default=float),
        }

    rows = [{**common, "index": index, "level": CLEAN, "image_path": write(phantom.image, index)}]
    for name in item.degradations:
        largest = largest_severity(name, item.modality)
        for severity in severities:
            if severity.value > largest:
                continue
            image, record = degrade_with_record(phantom.image, name, severity.label, seed=index, modality=item.modality)
            own = severity.value if severity.series else None
            rows.append(write_version(Version(name, severity.label, own, image, record)))
    return finish(phantom, seed, rows, write_version) if finish else rows


def _folder(modality: str) -> str:
    return modality.lower().replace("-", "")


def _png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()
