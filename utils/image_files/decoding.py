"""What an image file is: PNG, JPEG, TIFF, WebP, BMP or DICOM in; a lossless PNG (or TIFF, WebP, JPEG) out.

Decisions, so that the same file gives the same pixels everywhere:

* The content decides the format, never the suffix.
* EXIF orientation is applied: the image is what a viewer shows. No EXIF is written; it may name a patient.
* A file with several frames or pages is refused until one is chosen; nothing is dropped without a word.
* Modes that come out: `L`, `LA`, `RGB`, `RGBA` (8 bits a channel) and `I;16` (16-bit grey). Bilevel becomes
  `L`, a palette `RGB` or `RGBA`, CMYK and YCbCr `RGB`. Colour with 16 bits a channel is refused, since Pillow
  would cut it to 8 bits without a word, and so are 32-bit and floating-point pixels, whose range no file
  states.
* ICC profiles travel with the image; pixel values are not converted.
"""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from ..errors import InputError, one_line
from .limits import MAX_PIXELS, check_size, choose_frame
from .strictness import strict_decoding

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".dcm", ".dicom"})
"""What counts as an image when a folder is searched."""

OUTPUT_FORMATS = {"png": ".png", "tiff": ".tif", "webp": ".webp", "jpeg": ".jpg"}

_READ_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")


@dataclass(frozen=True)
class DecodedImage:
    """An image as a viewer shows it, and what was decided on the way.

    Attributes:
        image: mode `L`, `LA`, `RGB`, `RGBA` or `I;16`; `info` holds at most `icc_profile`.
        sha256: of the file's bytes, in hexadecimal.
        rendering: JSON-able; the format, and where it applies the frame, the EXIF orientation, the DICOM
            window. Nothing that names a patient.
    """

    image: Image.Image
    sha256: str
    rendering: dict[str, Any] = field(default_factory=dict)


def read_image(
    path: str | Path, *, frame: int | None = None, window: tuple[float, float] | str | None = None
) -> DecodedImage:
    """Read an image file; see `decode_image`.

    Raises:
        InputError: as `decode_image`, and where the file cannot be opened.
    """
    return decode_image(read_bytes(path), name=str(path), frame=frame, window=window)


def read_bytes(path: str | Path) -> bytes:
    """Return the bytes of a file.

    Raises:
        InputError: the file is absent, a folder, or may not be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None


def decode_image(
    data: bytes,
    *,
    name: str,
    frame: int | None = None,
    window: tuple[float, float] | str | None = None,
) -> DecodedImage:
    """Decode the bytes of an image file.

    Args:
        data: the whole file.
        name: what messages call it.
        frame: which frame or page, from 0; may be left out where there is only one.
        window: DICOM only; see `dicom.decode_dicom`.

    Raises:
        InputError: empty, cut short, no image, a format or depth that is not read, too many pixels, several
            frames and none chosen. The message is one line that begins with `name`.
    """
    if not data:
        raise InputError(f"{name}: the file is empty")
    if is_dicom(data):
        from .dicom import decode_dicom

        image, rendering = decode_dicom(data, name=name, frame=frame, window=window)
    else:
        image, rendering = _decode_with_pillow(data, name, frame)
    return DecodedImage(image, hashlib.sha256(data).hexdigest(), rendering)


def count_frames(data: bytes, *, name: str) -> int:
    """Return the number of frames (DICOM, animated PNG and WebP) or pages (TIFF) in a file.

    Raises:
        InputError: the header cannot be read.
    """
    if is_dicom(data):
        from .dicom import count_dicom_frames

        return count_dicom_frames(data, name=name)
    return _with_pillow(data, name, _frames)


def is_dicom(data: bytes) -> bool:
    """Whether the bytes begin as a DICOM file does: 128 of any kind, then `DICM`."""
    return data[128:132] == b"DICM"


def encode_image(image: Image.Image, format: str = "png") -> bytes:
    """Encode an image; the same pixels give the same bytes with the same Pillow build.

    Args:
        image: mode `L`, `LA`, `RGB`, `RGBA` or `I;16`. Of `info`, only `icc_profile` is written.
        format: `png`, `tiff` (deflate) and `webp` are lossless. `jpeg` (quality 95, 4:4:4) is not: it adds a
            degradation of its own that no record mentions.

    Raises:
        InputError: the format is unknown or cannot hold the mode.
    """
    options: dict[str, Any]
    if format == "png":
        # Level 2 takes half the time of level 6 for 2% more bytes, and encoding takes longer than degrading.
        options = {"format": "PNG", "compress_level": 2}
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
        image = _carry_profile(image, image.convert("RGB"), keep=False)
    profile = image.info.get("icc_profile")
    if profile:
        options["icc_profile"] = profile
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


def _decode_with_pillow(data: bytes, name: str, frame: int | None) -> tuple[Image.Image, dict[str, Any]]:
    def decode(image: Image.Image) -> tuple[Image.Image, dict[str, Any]]:
        rendering: dict[str, Any] = {"format": image.format}
        frames = _frames(image)
        index = choose_frame(frames, frame, name)
        if frames > 1:
            image.seek(index)
            check_size(image.width, image.height, name)
            rendering["frame"] = index
        _refuse_lost_depth(image, data, name)
        image.load()
        orientation = image.getexif().get(0x0112, 1)
        if orientation in range(2, 9):
            rendering["exif_orientation"] = int(orientation)
        return _in_plain_mode(ImageOps.exif_transpose(image), name), rendering

    return _with_pillow(data, name, decode)


def _with_pillow(data: bytes, name: str, function: Callable[[Image.Image], Any]) -> Any:
    """Open with Pillow, call, and turn what Pillow raises on bad files into one line."""
    try:
        with strict_decoding(), warnings.catch_warnings():
            # Our own limit below stands for Pillow's warning; damaged EXIF is worth no line each.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=_READ_FORMATS) as image:
                check_size(image.width, image.height, name)
                return function(image)
    except InputError:
        raise
    except Image.UnidentifiedImageError:
        raise InputError(f"{name}: not a PNG, JPEG, TIFF, WebP, BMP or DICOM image") from None
    except Image.DecompressionBombError:
        raise InputError(
            f"{name}: more pixels than the limit of {MAX_PIXELS:,}; cut or reduce the image first"
        ) from None
    except MemoryError:
        raise
    # Pillow's decoders raise whatever their parsing met.
    except (
        OSError,
        EOFError,
        ArithmeticError,
        LookupError,
        SyntaxError,
        TypeError,
        ValueError,
        struct.error,
    ) as error:
        raise InputError(f"{name}: damaged or cut short ({one_line(error)})") from None


def _frames(image: Image.Image) -> int:
    """Number of frames; a camera's JPEG with a preview behind it (MPO) is one image."""
    return 1 if image.format == "MPO" else int(getattr(image, "n_frames", 1))


def _refuse_lost_depth(image: Image.Image, data: bytes, name: str) -> None:
    """Raise where Pillow would cut 16 bits a channel to 8."""
    deep = False
    if image.format == "PNG":
        # IHDR is always first: bit depth and colour type are bytes 24 and 25.
        deep = data[24] == 16 and data[25] != 0
    elif image.format == "TIFF":
        bits = image.tag_v2.get(258, ())  # type: ignore[attr-defined]
        bits = bits if isinstance(bits, tuple) else (bits,)
        deep = len(bits) > 1 and max(bits) > 8
    if deep:
        raise InputError(f"{name}: colour with 16 bits a channel is not read; convert it to 8 bits a channel first")


def _in_plain_mode(image: Image.Image, name: str) -> Image.Image:
    """Convert to one of the modes that `DecodedImage` promises."""
    mode = image.mode
    if mode in ("L", "LA", "RGB", "RGBA", "I;16"):
        return _carry_profile(image, image, keep=True)
    if mode in ("I;16B", "I;16L", "I;16N"):
        values = np.asarray(image).astype(np.uint16)
        return _carry_profile(image, Image.fromarray(values), keep=True)
    if mode == "I":
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 65535:
            raise InputError(f"{name}: 32-bit values outside 0 .. 65535; convert the image to 8 or 16 bits first")
        return _carry_profile(image, Image.fromarray(values.astype(np.uint16)), keep=True)
    if mode == "1":
        return _carry_profile(image, image.convert("L"), keep=False)
    if mode == "P":
        target = "RGBA" if "transparency" in image.info else "RGB"
        return _carry_profile(image, image.convert(target), keep=True)
    if mode == "PA":
        return _carry_profile(image, image.convert("RGBA"), keep=True)
    if mode in ("CMYK", "YCbCr", "LAB", "RGBX"):
        return _carry_profile(image, image.convert("RGB"), keep=mode == "RGBX")
    raise InputError(f"{name}: pixels of mode {mode} are not read; convert the image to 8 or 16 bits first")


def _carry_profile(source: Image.Image, image: Image.Image, *, keep: bool) -> Image.Image:
    """Return `image` as a plain `Image` whose `info` holds the source's ICC profile or nothing."""
    profile = source.info.get("icc_profile")
    plain = image.copy()
    plain.info = {"icc_profile": profile} if keep and profile else {}
    return plain
