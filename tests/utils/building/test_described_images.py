"""The perceptual hash against its definition written out, and the facts of an image."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from medqdeg.utils.building.item import Skipped
from medqdeg.utils.building.plan.described_images import ABSURD_SIZE, FLAT_IMAGE, describe, perceptual_hash
from medqdeg.utils.building.plan.duplicates import NEAR
from medqdeg.utils.images import decode_image

from .layouts import png
from .samples import hash_distance, picture, source_item


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def by_definition(image: Image.Image) -> np.ndarray:
    """The hash with the cosine transform as a sum of cosines."""
    grey = np.asarray(image.convert("L").resize((64, 64), Image.Resampling.LANCZOS), dtype=float)
    u, x = np.mgrid[0:16, 0:64]
    basis = np.cos(np.pi * u * (2 * x + 1) / 128) * np.where(u == 0, np.sqrt(1 / 64), np.sqrt(2 / 64))
    coefficients = basis @ grey @ basis.T
    return (coefficients > np.median(coefficients)).ravel()


@pytest.mark.parametrize("seed", range(5))
def test_the_hash_is_what_it_says(seed: int) -> None:
    image = opened(picture(seed, 64))
    assert (np.unpackbits(np.frombuffer(perceptual_hash(image), np.uint8)) == by_definition(image)).all()


def test_the_hash_agrees_with_imagehash() -> None:
    imagehash = pytest.importorskip("imagehash")
    for seed in range(5):
        image = opened(picture(seed, 96))
        theirs = np.packbits(imagehash.phash(image, hash_size=16).hash).tobytes()
        # Their transform is not normalised, which weighs the first row and column more.
        assert hash_distance(perceptual_hash(image), theirs) <= 4


def test_bits_where_frequencies_are_empty_are_no_rounding_noise() -> None:
    """A picture that varies along one axis has nothing but noise in 240 of 256 coefficients."""
    ramp = np.tile(np.arange(64, dtype=np.uint8) * 4, (64, 1))
    bits = np.unpackbits(np.frombuffer(perceptual_hash(Image.fromarray(ramp)), np.uint8)).reshape(16, 16)
    assert bits[0, 0] == 1
    assert not bits[1:].any()


@pytest.mark.parametrize("seed", range(3))
def test_copies_are_near_and_others_far(seed: int) -> None:
    image = opened(picture(seed, 128))
    original = perceptual_hash(image)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=50)
    for copy in (Image.open(buffer), image.resize((64, 64)), image.resize((224, 224)), image.convert("RGBA")):
        assert hash_distance(original, perceptual_hash(copy)) <= NEAR
    for other in (opened(picture(seed + 100, 128)), image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), image.rotate(90)):
        assert hash_distance(original, perceptual_hash(other)) > 3 * NEAR


def test_deep_and_shallow_grey_are_near() -> None:
    grey = np.asarray(opened(picture(1, 96)).convert("L"))
    buffer = io.BytesIO()
    Image.fromarray(grey.astype(np.uint16) * 13).save(buffer, "PNG")
    deep = decode_image(buffer.getvalue(), name="deep").image
    assert deep.mode == "I;16"
    assert hash_distance(perceptual_hash(Image.fromarray(grey)), perceptual_hash(deep)) <= NEAR


def test_what_is_under_an_opaque_image_does_not_count() -> None:
    image = opened(picture(1, 96)).convert("RGBA")
    pixels = np.asarray(image).copy()
    pixels[:, :40] = [255, 0, 0, 0]
    hidden = pixels.copy()
    hidden[:, :40] = [0, 255, 9, 0]
    assert perceptual_hash(Image.fromarray(pixels)) == perceptual_hash(Image.fromarray(hidden))


def test_facts() -> None:
    found = describe(source_item(0, (picture(1, 40), picture(2, 56))))
    assert not isinstance(found, Skipped)
    assert [(each.width, each.height, each.mode, len(each.perceptual)) for each in found] == [
        (40, 40, "RGB", 32),
        (56, 56, "RGB", 32),
    ]
    import hashlib

    assert found[0].sha256 == hashlib.sha256(picture(1, 40)).hexdigest()
    assert 10 < found[0].contrast < 128


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_image_of_one_colour_shows_nothing(level: int) -> None:
    found = describe(source_item(7, (picture(1), png(np.full((30, 30), level, np.uint8)))))
    assert isinstance(found, Skipped)
    assert (found.reason, found.where, found.harmless) == (FLAT_IMAGE, "7", False)
    assert found.detail.startswith("image 1: contrast 0.00")


def test_an_image_that_raises_os_error_is_named() -> None:
    class Gone:
        def __call__(self) -> bytes:
            raise OSError("the disk went away")

    from medqdeg.utils.building.item import ImageSource

    item = source_item(0, picture(0), images=(ImageSource("a.png", Gone()),))
    found = describe(item)
    assert isinstance(found, Skipped)
    assert found.detail == "the disk went away"


@pytest.mark.parametrize("shape", [(1, 60_000), (9_000, 20), (15, 400), (2, 2)])
def test_absurd_sizes_are_named(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    found = describe(source_item(7, png(noise)))
    assert isinstance(found, Skipped)
    assert (found.reason, found.harmless) == (ABSURD_SIZE, False)
    assert f"{shape[1]} x {shape[0]} pixels" in found.detail
