"""What is kept of a clean item's decoded images: a perceptual hash and a few facts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.fft import dctn

from ...base.errors import InputError, one_line
from ...images import decode_image, to_8_bits
from ..item import BAD_IMAGE, Skipped, SourceItem
from .clusters import picture_key

FLAT_IMAGE = "image shows nothing"
ABSURD_SIZE = "image of absurd size"

LEAST_SIDE, MOST_SIDE = 16, 8192
"""Sides in pixels of an image that is taken. Degrading takes 10 to 30 bytes per pixel, and for CT some 90 per
pixel of the enclosing square (measured at 2048 x 2048): 6 GB per worker at the upper limit."""

HASH_SIDE = 16
HASH_BITS = HASH_SIDE**2
_REDUCED_SIDE = 64
_LEAST_CONTRAST = 1.0


@dataclass(frozen=True)
class ImageFacts:
    """One decoded image.

    Attributes:
        sha256: of the file's bytes, in hexadecimal.
        perceptual: see `perceptual_hash`.
        width, height: pixels.
        mode: Pillow's, as `medqdeg.utils.images.decode_image` gives it, in 8 bits.
        contrast: standard deviation of the grey values after reduction to 64 x 64, in levels of 255.
        picture: see `clusters.picture_key`.
    """

    sha256: str
    perceptual: bytes
    width: int
    height: int
    mode: str
    contrast: float
    picture: str = ""


def describe(item: SourceItem) -> tuple[ImageFacts, ...] | Skipped:
    """Read and decode the images of an item, each once.

    It depends on nothing but the item, so any worker may do it, in any order. An item with an image that cannot be
    decoded (empty, cut short, damaged, too many pixels), is of absurd size, or shows a single colour gives a `Skipped`.
    """
    found = []
    where = item.source_id
    if not item.images:
        return Skipped(item.source, where, BAD_IMAGE, "the item has no image")
    for image in item.images:
        try:
            decoded = decode_image(image.read(), name=image.name).in_8_bits()
        except (InputError, OSError) as error:
            return Skipped(item.source, where, BAD_IMAGE, one_line(error, 300))
        sides = decoded.image.size
        if not LEAST_SIDE <= min(sides) <= max(sides) <= MOST_SIDE:
            detail = f"{image.name}: {sides[0]} x {sides[1]} pixels; sides must be {LEAST_SIDE} to {MOST_SIDE}"
            return Skipped(item.source, where, ABSURD_SIZE, one_line(detail, 300))
        grey = _reduced(decoded.image)
        contrast = float(grey.std())
        if contrast < _LEAST_CONTRAST:
            detail = f"{image.name}: contrast {contrast:.2f} of 255 after reduction to 64 x 64"
            return Skipped(item.source, where, FLAT_IMAGE, one_line(detail, 300))
        facts = (decoded.sha256, _hash(grey), *sides, decoded.image.mode, round(contrast, 3))
        found.append(ImageFacts(*facts, picture_key(decoded.image)))
    return tuple(found)


def perceptual_hash(image: Image.Image) -> bytes:
    """Return 256 bits (32 bytes) that stay the same, or nearly so, when an image is encoded again or resized.

    The DCT hash (pHash): grey, reduced to 64 x 64 (Lanczos), type-II DCT, and of the 16 x 16 lowest frequencies those
    above their median. Colour and aspect ratio do not count; turning and mirroring change it. ImageHash's `phash` with
    `hash_size=16` has the same design. It is computed here since ImageHash compares rounding noise with the median
    where frequencies are empty (flat or symmetric images), which may differ between machines; here coefficients are
    rounded first. It also spares PyWavelets.

    Args:
        image: mode `L`, `LA`, `RGB`, `RGBA` or `I;16`, as `decode_image` gives it.
    """
    return _hash(_reduced(image))


def facts_digest(facts: tuple[ImageFacts, ...]) -> str:
    """Return one hash of an item's image files, in hexadecimal."""
    return hashlib.sha256("\n".join(each.sha256 for each in facts).encode()).hexdigest()


def _reduced(image: Image.Image) -> np.ndarray:
    """Return grey values, float64 (64, 64), in levels of 255."""
    size = (_REDUCED_SIDE, _REDUCED_SIDE)
    image = to_8_bits(image)
    if image.mode in ("LA", "RGBA"):
        # Lanczos would let the colours of invisible pixels in; they are shown on black.
        alpha = image.getchannel("A")
        image = Image.composite(image.convert("L"), Image.new("L", image.size), alpha)
    grey = image.convert("L").resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(grey, dtype=np.float64)


def _hash(grey: np.ndarray) -> bytes:
    low = np.round(dctn(grey, norm="ortho")[:HASH_SIDE, :HASH_SIDE], 6).ravel()
    return np.packbits(low > np.median(low)).tobytes()
