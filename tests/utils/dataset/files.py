"""Small files in the published layout, written with pandas: the library that the authors write and read them with."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from medqdeg.utils.base.errors import InputError

CLEAN_FILE, DEGRADED_FILE = "MedQ-Robust-good-test.tsv", "MedQ-Robust-simulate-test.tsv"


def pixels(seed: int, side: int = 12) -> np.ndarray:
    """Return a (side, side, 3) uint8 image."""
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def encoded(image: np.ndarray | Image.Image, file_format: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


def as_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def item(number: int, **changes: Any) -> dict[str, Any]:
    """Return a good row; a change to None takes the column away."""
    row = {
        "index": number,
        "image": as_base64(encoded(pixels(number))),
        "question": f"Question {number}: what is seen?",
        "A": "a cyst",
        "B": "a polyp",
        "C": "a fracture",
        "D": "",
        "answer": "ABC"[number % 3],
        "modality": "CT",
        "degradation_type": "gaussian_noise",
        "degradation_severity": "L1",
        "source": "OmniMedVQA",
    }
    row.update(changes)
    return {name: value for name, value in row.items() if value is not None}


def write(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    pd.DataFrame(list(rows)).to_csv(path, sep="\t", index=False)
    return path


def write_degraded(folder: Path, *rows: Mapping[str, Any]) -> Path:
    """Write the file that holds L1 and L2; with no rows given, four good ones, two of each level."""
    chosen = rows or [item(number, degradation_severity=("L1", "L2")[number % 2]) for number in range(4)]
    return write(folder / DEGRADED_FILE, chosen)


def write_clean(folder: Path, *rows: Mapping[str, Any]) -> Path:
    chosen = rows or [item(number, degradation_type="none", degradation_severity="L0") for number in range(4)]
    return write(folder / CLEAN_FILE, chosen)


def refusal(function: Callable[..., Any], *arguments: Any) -> str | None:
    """Return the message with which a call is refused, or None; any other exception passes through."""
    try:
        function(*arguments)
    except InputError as error:
        return str(error)
    return None
