"""Degrading on the fly: the same pixels whatever came before, in bounded memory."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from medqdeg.degradations import MODALITIES, degrade, list_degradations
from medqdeg.utils.wrapping.images import Degrader, general_degradations, pick


def picture(seed: int = 0, mode: str = "RGB") -> PIL.Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 48, 3), dtype=np.uint8)
    return PIL.Image.fromarray(pixels).convert(mode)


def test_is_the_library_s_own_output_in_any_order() -> None:
    wanted = {
        seed: degrade(picture(), "gaussian_noise", 1, seed=seed, modality="CT").tobytes() for seed in ("a", "b", "c")
    }
    degrader = Degrader("L1", remembered=2)
    for seed in "abcacbaabbcc":
        assert degrader.degrade(picture(), "gaussian_noise", seed, "CT").tobytes() == wanted[seed]


def test_what_a_model_does_to_its_copy_stays_there() -> None:
    degrader = Degrader("L2")
    first = degrader.degrade(picture(), "gaussian_blur", "a")
    before = first.tobytes()
    first.paste(0, (0, 0, 48, 40))
    assert degrader.degrade(picture(), "gaussian_blur", "a").tobytes() == before


def test_l0_hands_on_what_it_got() -> None:
    anything = object()
    assert Degrader("L0").degrade(anything, "gaussian_blur", "a") is anything


def test_only_the_last_are_remembered() -> None:
    degrader = Degrader("L1", remembered=3)
    for number in range(20):
        degrader.degrade(picture(number), "gaussian_blur", str(number))
    assert len(degrader._last) == 3


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1", "RGBA"])
def test_any_mode_comes_out_as_an_image_of_that_size(mode: str) -> None:
    assert Degrader("L1").degrade(picture(mode=mode), "gaussian_noise", "a").size == (48, 40)


def test_a_file_is_opened(tmp_path: Path) -> None:
    picture().save(tmp_path / "x.png")
    expected = degrade(picture(), "motion_blur", 2, seed="a").tobytes()
    assert Degrader("L2").degrade(str(tmp_path / "x.png"), "motion_blur", "a").tobytes() == expected


@pytest.mark.parametrize("thing", ["film.mp4", {"type": "video"}, None])
def test_what_is_no_image_is_refused(thing: object) -> None:
    with pytest.raises(TypeError, match="not an image"):
        Degrader("L1").degrade(thing, "gaussian_blur", "a")


def test_an_image_that_stays_as_it_is_is_noted() -> None:
    degrader = Degrader("L1")
    flat = PIL.Image.new("RGB", (40, 40), (128, 128, 128))
    assert degrader.degrade(flat, "gaussian_blur", "flat").tobytes() == flat.tobytes()
    degrader.degrade(picture(), "gaussian_blur", "other")
    assert degrader.left_unchanged("flat")
    assert not degrader.left_unchanged("other")


def test_general_degradations_are_everybody_s() -> None:
    common = set.intersection(*(set(list_degradations(modality)) for modality in MODALITIES))
    assert set(general_degradations()) == common
    assert "gaussian_noise" in common
    assert "sparse_view" not in common


def test_every_name_is_picked_equally_often() -> None:
    names = list("abcde")
    counts = Counter(pick(names, f"item {number}") for number in range(5000))
    # Five cells, four degrees of freedom: above 25 once in 20,000 times.
    assert sum((counts[name] - 1000) ** 2 / 1000 for name in names) < 25
