"""Items written in the layouts in which the three sources are published; also for the benchmark of the build at scale.

Everything streams: `items` may be a generator of any length.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count as numbers
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from medqdeg.utils.dataset import taxonomy
from medqdeg.utils.phantoms import GENERATORS

GMAI_COLUMNS = (
    *("index", "image", "question", "A", "B", "C", "D", "E", "answer", "category", "clinical VQA task", "department"),
    *("perceptual granularity", "modality", "original task"),
)
SHOWN = {
    "CT": "A CT scan is shown.",
    "MRI": "An MRI is shown.",
    "X-ray": "A radiograph is shown.",
    "Ultrasound": "An ultrasound image is shown.",
    "Histopathology": "A stained section is shown.",
    "Dermoscopy": "A dermoscopy image is shown.",
    "Endoscopy": "An endoscopy image is shown.",
}
"""How MedXpertQA, which has no column for it, would say the modality."""


@dataclass(frozen=True)
class PlainItem:
    """A multiple-choice question as a source publishes it.

    Attributes:
        item_id: unique.
        question: the stem.
        options: 2 to 5 texts.
        answer: index of the right one.
        modality: the label that the source would write.
        label: the source's own label of the skill; MedXpertQA's is "medical task / question type".
        images: encoded files; GMAI-MMBench and OmniMedVQA take one.
    """

    item_id: str
    question: str
    options: tuple[str, ...]
    answer: int
    modality: str
    label: str
    images: tuple[bytes, ...]


def source_label(source: str, skill: str) -> str:
    """Return a label of a source that means the skill; where it has none, the skill's own name."""
    for mapping in taxonomy.SKILL_MAPPINGS:
        if (mapping.source, mapping.skill) == (source, skill):
            return mapping.label
    return skill


def phantom_items(count: int | None, seed: int, source: str) -> Iterator[PlainItem]:
    """Yield phantoms as items of a source: modalities in turn, answers and their places drawn evenly."""
    generators = list(GENERATORS.values())
    for number in range(count) if count is not None else numbers():
        rng = np.random.default_rng([seed, number])
        generator = generators[number % len(generators)]
        question = generator.questions[rng.integers(len(generator.questions))]
        answer = question.answers[rng.integers(len(question.answers))]
        drawn = generator.draw(generator.scene_with(question, answer, rng), rng)
        others = rng.permutation([each for each in question.answers if each != answer])[: question.k - 1]
        place = int(rng.integers(question.k))
        options = [str(each) for each in others]
        options.insert(place, answer)
        yield PlainItem(
            item_id=f"{seed}-{number}",
            question=question.stem,
            options=tuple(options),
            answer=place,
            modality=generator.modality,
            label=source_label(source, question.skill),
            images=(png(drawn),),
        )


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def gmai_row(item: PlainItem) -> dict[str, str]:
    row = dict.fromkeys(GMAI_COLUMNS, "")
    row.update(zip("ABCDE", item.options, strict=False))
    return row | {
        "index": item.item_id,
        "image": base64.b64encode(item.images[0]).decode(),
        "question": item.question,
        "answer": "ABCDE"[item.answer],
        "category": item.options[item.answer],
        "clinical VQA task": item.label,
        "department": "Radiology",
        "perceptual granularity": "image",
        "modality": item.modality,
        "original task": "classification",
    }


def write_gmai(folder: Path, items: Iterable[PlainItem], name: str = "GMAI-MMBench_VAL.tsv") -> Path:
    """Write one TSV file and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return write_rows(folder / name, (gmai_row(item) for item in items), GMAI_COLUMNS).parent


def write_rows(path: Path, rows: Iterable[dict[str, Any]], columns: Iterable[str], delimiter: str = "\t") -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(columns), delimiter=delimiter, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def omnimedvqa_entry(item: PlainItem, part: str = "Phantoms") -> dict[str, str]:
    return {
        "dataset": part,
        "question_id": item.item_id,
        "question_type": item.label,
        "question": item.question,
        "gt_answer": item.options[item.answer],
        "image_path": f"Images/{part}/{item.item_id}.png",
        **{f"option_{letter}": text for letter, text in zip("ABCDE", item.options, strict=False)},
        "modality_type": item.modality,
    }


def write_omnimedvqa(folder: Path, items: Iterable[PlainItem], part: str = "Phantoms") -> Path:
    """Write one JSON file and its images, and return the folder."""
    questions = folder / "QA_information" / "Open-access"
    questions.mkdir(parents=True, exist_ok=True)
    images = folder / "Images" / part
    images.mkdir(parents=True, exist_ok=True)
    with (questions / f"{part}.json").open("w", encoding="utf-8") as file:
        file.write("[")
        for number, item in enumerate(items):
            (images / f"{item.item_id}.png").write_bytes(item.images[0])
            file.write(("," if number else "") + "\n" + json.dumps(omnimedvqa_entry(item, part)))
        file.write("\n]")
    return folder


def medxpertqa_row(item: PlainItem, layout: int = 1) -> dict[str, Any]:
    """Return a row of the first layout, or of the second (lists of objects)."""
    task, _, kind = item.label.partition(" / ")
    shown = SHOWN.get(item.modality)
    choices = " ".join(f"({letter}) {text}" for letter, text in zip("ABCDE", item.options, strict=False))
    names = [f"{item.item_id}-{'abcdef'[place]}.png" for place in range(len(item.images))]
    letter = "ABCDE"[item.answer]
    pairs = list(zip("ABCDE", item.options, strict=False))
    return {
        "id": item.item_id,
        "question": f"{shown + ' ' if shown else ''}{item.question}\nAnswer Choices: {choices}",
        "options": dict(pairs) if layout == 1 else [{"letter": name, "content": text} for name, text in pairs],
        "label": letter if layout == 1 else [letter],
        "images": names if layout == 1 else [{"image_path": f"images/{name}"} for name in names],
        "medical_task": task,
        "body_system": "Digestive",
        "question_type": kind or "Reasoning",
    }


def write_medxpertqa(folder: Path, items: Iterable[PlainItem], layout: int = 1, split: str = "test") -> Path:
    """Write `MM/{split}.jsonl` and the folder of images, and return the folder."""
    (folder / "MM").mkdir(parents=True, exist_ok=True)
    (folder / "images").mkdir(exist_ok=True)
    with (folder / "MM" / f"{split}.jsonl").open("w", encoding="utf-8") as file:
        for item in items:
            for place, data in enumerate(item.images):
                (folder / "images" / f"{item.item_id}-{'abcdef'[place]}.png").write_bytes(data)
            file.write(json.dumps(medxpertqa_row(item, layout)) + "\n")
    return folder


def zipped(folder: Path, target: Path, prefix: str = "") -> Path:
    """Write a folder's files into a zip file and return it."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, prefix + path.relative_to(folder).as_posix())
    return target
