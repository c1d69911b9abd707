"""A small data set in the published four-file layout, written from a seed."""

from __future__ import annotations

import base64
import csv
import io
import random
from pathlib import Path

import numpy as np
from PIL import Image

COLUMNS = (
    *("index", "image", "question", "A", "B", "C", "D", "E", "answer", "modality", "degradation_type"),
    *("degradation_severity", "source", "category"),
)
DEGRADATIONS = ("gaussian_noise", "motion_blur", "downsample_artifact")
TEXTS = ("a cyst", "a polyp", "a fracture", "an effusion", "nothing of note")


def png(seed: int, side: int = 16) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def write_dataset(folder: Path, items: int = 12, seed: int = 0, split: str = "test") -> Path:
    """Write clean items, each with one L1 and one L2 version; every third item has two images."""
    rng = random.Random(seed)
    clean, degraded = [], []
    for number in range(items):
        k = 2 + number % 4
        images = [base64.b64encode(png(100 * number + place)).decode() for place in range(2 if number % 3 == 0 else 1)]
        row = {
            "index": str(number),
            "image": images[0] if len(images) == 1 else str(images),
            "question": f"Question {number}: what does the image show?",
            **{letter: TEXTS[place] if place < k else "" for place, letter in enumerate("ABCDE")},
            "answer": rng.choice("ABCDE"[:k]),
            "modality": rng.choice(("CT", "MRI", "X-ray")),
            "degradation_type": "",
            "degradation_severity": "0",
            "source": "GMAIMMbench",
            "category": rng.choice(("Disease Diagnosis", "Counting", "Bone", "A label that nobody knows")),
        }
        clean.append(row)
        for level in "12":
            degraded.append(
                {
                    **row,
                    "index": f"{number}-{level}",
                    "degradation_type": rng.choice(DEGRADATIONS),
                    "degradation_severity": f"L{level}",
                }
            )
    for kind, rows in (("good", clean), ("simulate", degraded)):
        with (folder / f"MedQ-Robust-{kind}-{split}.tsv").open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, delimiter="\t")
            writer.writeheader()
            writer.writerows(rows)
    return folder
