"""Images to files: PNG, TIFF, WebP or JPEG, with nothing in them but pixels, a colour profile and a range of greys."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..base.errors import InputError
from .deep_greys import RANGE_KEY, WHITE
from .plain_modes import carry_profile

OUTPUT_FORMATS = {"png": ".png", "tiff": ".tif", "webp": ".webp", "jpeg": ".jpg"}


PNG_LEVEL = 2
"""Takes half the time of level 6 for 2% more bytes, and encoding takes longer than degrading."""


def encode_image(image: Image.Image, format: str = "png", png_level: int = PNG_LEVEL) -> bytes:
    """Encode an image; the same pixels give the same bytes with the same Pillow build.

    16-bit grey states its range (0 is black, 65535 white), so that `decode_image` gives the same pixels back.

    Args:
        image: mode `L`, `LA`, `RGB`, `RGBA` or `I;16`. Of `info`, only `icc_profile` is written.
        format: `png`, `tiff` (deflate) and `webp` are lossless. `jpeg` (quality 95, 4:4:4) is not: it adds a
            degradation of its own that no record mentions.
        png_level: how hard PNG is compressed, 0 (not at all) to 9; the pixels are the same.

    Raises:
        InputError: the format is unknown or cannot hold the mode.
    """
    options: dict[str, Any]
    if format == "png":
        options = {"format": "PNG", "compress_level": png_level}
    elif format == "tiff":
        options = {"format": "TIFF", "compression": "tiff_adobe_deflate"}
    elif format == "webp":
        options = {"format": "WEBP", "lossless": True, "quality": 75, "method": 4, "exact": True}
    elif format == "jpeg":
        options = {"format": "JPEG", "quality": 95, "subsampling": 0}
    else:
        raise InputError(f"unknown image format {format!r}: use one of {', '.join(OUTPUT_FORMATS)}")
    holds = {
        "png": {"L", "LA", "RGB", "RGBA", "I;16"},
        "tiff": {"L", "LA", "RGB", "RGBA", "I;16"},
        "webp": {"L", "RGB", "RGBA"},
        "jpeg": {"L", "RGB"},
    }
    if image.mode not in holds[format]:
        raise InputError(f"{format} cannot hold an image of mode {image.mode}: use png or tiff")
    if format == "webp" and image.mode == "L":
        image = carry_profile(image, image.convert("RGB"), keep=False)
    profile = image.info.get("icc_profile")
    if profile:
        options["icc_profile"] = profile
    if image.mode == "I;16" and format == "png":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_text(RANGE_KEY, f"0 {WHITE}")
    elif image.mode == "I;16":
        options["description"] = f"{RANGE_KEY}: 0 {WHITE}"
    bare = image.copy()
    bare.info = {}
    buffer = io.BytesIO()
    bare.save(buffer, **options)
    return buffer.getvalue()


def pixels_sha256(image: Image.Image) -> str:
    """Return a hash of what an image shows (mode, size, pixel values), whatever file held it.

    16-bit values enter in little-endian order, so the hash is the same on every machine.
    """
    pixels = np.asarray(image)
    little_endian = np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("<"))
    header = f"{image.mode} {image.width} {image.height}\n".encode()
    return hashlib.sha256(header + little_endian.tobytes()).hexdigest()
