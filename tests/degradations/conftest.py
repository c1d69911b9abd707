"""Images that the degradation tests share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ..conftest import shared_folder


class Reference:
    """The authors' published triplets, and what was read off them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.fitted = json.loads((folder / "fitted.json").read_text())
        self.modality = {
            example["degradation_type"]: example["modality"]
            for example in json.loads((folder / "examples.json").read_text())
        }

    def image(self, name: str, level: int) -> np.ndarray:
        """(H, W, 3) uint8."""
        return np.asarray(Image.open(self._folder / f"{name}_L{level}.png").convert("RGB"))

    def listed_psnr(self, name: str, level: int) -> float:
        return self.fitted["metrics"][name][f"L{level}"]["psnr_fit"]


@pytest.fixture(scope="session")
def reference() -> Reference:
    return Reference(shared_folder("reference", "the authors' reference images"))


def textured(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """A picture with edges, smooth parts and grain, uint8; enough structure for every degradation to show."""
    rng = np.random.default_rng(seed)
    height, width = shape[:2]
    row, column = np.mgrid[0:height, 0:width]
    u, v = row / max(height - 1, 1) - 0.5, column / max(width - 1, 1) - 0.5
    base = 90 + 70 * np.cos(5 * u + rng.uniform(0, 6)) * np.cos(7 * v + rng.uniform(0, 6))
    for _ in range(6):
        cy, cx = rng.uniform(-0.35, 0.35, 2)
        radius, level = rng.uniform(0.04, 0.16), rng.uniform(-70, 90)
        base = base + level * ((u - cy) ** 2 + (v - cx) ** 2 < radius**2)
    base = base * ((u**2 + v**2) < 0.23)  # air around the body
    picture = np.repeat(base[..., np.newaxis], 3, axis=2) * rng.uniform(0.75, 1.15, 3)
    picture += rng.normal(0, 4, picture.shape)
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    return picture[..., 1] if len(shape) == 2 else picture


@pytest.fixture(scope="session")
def picture() -> Any:
    """The function ``textured(shape, seed=0)``."""
    return textured
