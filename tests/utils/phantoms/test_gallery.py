"""The gallery of the documentation is what the library makes today."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medqdeg.degradations import MODALITIES, list_degradations
from medqdeg.utils.phantoms.gallery import QUALITY, draw_series, gallery_page, modalities_shown, one_of_each_modality


def test_every_degradation_and_every_modality_is_shown() -> None:
    shown = modalities_shown()
    assert list(shown) == list_degradations()
    assert set(shown.values()) == set(MODALITIES)


def test_the_page_is_up_to_date(repository: Path) -> None:
    """If it fails: `medqdeg phantom --sheets docs`."""
    page = repository / "docs" / "gallery.md"
    assert page.read_text(encoding="utf-8") == gallery_page()
    assert {path.stem for path in (page.parent / "gallery").iterdir()} == set(list_degradations())


@pytest.mark.parametrize("name", ["gaussian_noise", "object_rotation", "dark_spots"])
def test_a_picture_is_up_to_date(repository: Path, name: str) -> None:
    made = draw_series(name, one_of_each_modality(0)[modalities_shown()[name]], 0)
    compressed = io.BytesIO()
    made.save(compressed, "JPEG", quality=QUALITY)
    with Image.open(repository / "docs" / "gallery" / f"{name}.jpg") as kept, Image.open(compressed) as new:
        assert kept.size == new.size
        assert np.abs(np.asarray(kept, float) - np.asarray(new, float)).mean() < 1  # another Pillow's JPEG
