"""Convert Pillow's modes to the few that `DecodedImage` promises, with what a file says of its grey levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from ..base.errors import InputError
from .deep_greys import RANGE_KEY, WHITE, stated_range, to_full_scale


@dataclass(frozen=True)
class Samples:
    """What a file says of its grey levels that Pillow does not apply.

    Attributes:
        bits: of one grey level.
        inverted: 0 is white, and Pillow has left it so.
        signed: 8-bit values are -128..127, which Pillow has taken modulo 256.
        stated: black and white, where the file states them.
    """

    bits: int = 16
    inverted: bool = False
    signed: bool = False
    stated: tuple[int, int] | None = None


def read_samples(image: Image.Image, data: bytes, name: str) -> Samples:
    """Return what `Samples` holds, before the image is loaded.

    Raises:
        InputError: Pillow would cut 16 bits per channel to 8, or take signed colour for unsigned.
    """
    if image.format == "PNG":
        # IHDR is always first: bit depth and colour type are bytes 24 and 25.
        _refuse_deep_channels(data[24] == 16 and data[25] != 0, name)
        return Samples(stated=stated_range(image.info.get(RANGE_KEY)))
    if image.format != "TIFF":
        return Samples()
    tags = image.tag_v2  # type: ignore[attr-defined]
    bits = _numbers(tags.get(_BITS_PER_SAMPLE, 1))
    _refuse_deep_channels(len(bits) > 1 and max(bits) > 8, name)
    signed = _numbers(tags.get(_SAMPLE_FORMAT, 1))[0] == 2
    if signed and image.mode not in ("L", "I", "I;16", "F"):
        raise InputError(f"{name}: signed values in an image of mode {image.mode} are not read; convert it first")
    return Samples(
        bits=max(bits),
        inverted=tags.get(_PHOTOMETRIC) == 0 and image.mode not in ("1", "L"),
        signed=signed and image.mode == "L",
        stated=stated_range(tags.get(_IMAGE_DESCRIPTION)),
    )


_BITS_PER_SAMPLE, _PHOTOMETRIC, _IMAGE_DESCRIPTION, _SAMPLE_FORMAT = 258, 262, 270, 339


def _numbers(value: Any) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple) else (value,)


def _refuse_deep_channels(deep: bool, name: str) -> None:
    if deep:
        raise InputError(
            f"{name}: colour or transparency with 16 bits per channel is not read; convert it to 8 bits per channel"
        )


def in_plain_mode(
    image: Image.Image,
    samples: Samples,
    window: tuple[float, float] | str | None,
    rendering: dict[str, Any],
    name: str,
) -> Image.Image:
    """Convert to one of the modes that `DecodedImage` promises; `rendering` gets what was decided on the way."""
    mode = image.mode
    if samples.signed:
        rendering["signed"] = True
        return carry_profile(image, Image.fromarray(np.asarray(image) ^ np.uint8(0x80)), keep=True)
    if mode in ("L", "LA", "RGB", "RGBA"):
        return carry_profile(image, image, keep=True)
    if mode == "I" or mode.startswith("I;16"):
        values = np.asarray(image)
        if mode == "I" and samples.bits > 16 and (values.min() < 0 or values.max() > WHITE):
            raise InputError(f"{name}: 32-bit values outside 0 .. 65535; convert the image to 8 or 16 bits first")
        deep, rendering["grey_range"] = to_full_scale(values, stated=samples.stated, window=window)
        if samples.inverted:
            rendering["white_is_zero"] = True
            deep = WHITE - deep
        return carry_profile(image, Image.fromarray(deep), keep=True)
    if mode == "1":
        return carry_profile(image, image.convert("L"), keep=False)
    if mode == "P":
        target = "RGBA" if "transparency" in image.info else "RGB"
        return carry_profile(image, image.convert(target), keep=True)
    if mode == "PA":
        return carry_profile(image, image.convert("RGBA"), keep=True)
    if mode in ("CMYK", "YCbCr", "LAB", "RGBX"):
        return carry_profile(image, image.convert("RGB"), keep=mode == "RGBX")
    raise InputError(f"{name}: pixels of mode {mode} are not read; convert the image to 8 or 16 bits first")


def carry_profile(source: Image.Image, image: Image.Image, *, keep: bool) -> Image.Image:
    """Return `image` as a plain `Image` whose `info` holds the source's ICC profile or nothing."""
    profile = source.info.get("icc_profile")
    plain = image.copy()
    plain.info = {"icc_profile": profile} if keep and profile else {}
    return plain
