"""What an image file is: PNG, JPEG, TIFF, WebP, BMP or DICOM in; a lossless PNG (or TIFF, WebP, JPEG) out.

Decisions, so that the same file gives the same pixels everywhere:

* The content decides the format, never the suffix.
* EXIF orientation is applied: the image is what a viewer shows. No EXIF is written; it may name a patient.
* A file with several frames or pages is refused until one is chosen; nothing is dropped without a word.
* Modes that come out: `L`, `LA`, `RGB`, `RGBA` (8 bits per channel) and `I;16` (16-bit grey). Bilevel becomes
  `L`, a palette `RGB` or `RGBA`, CMYK and YCbCr `RGB`. Colour with 16 bits per channel is refused, since Pillow
  would cut it to 8 bits without a word, and so are 32-bit and floating-point pixels, whose range no file
  states.
* Grey of more than 8 bits is spread over 0..65535 as `deep_greys` says; 0 is black, whatever the file's
  convention. Signed 8-bit grey is shifted by 128.
* ICC profiles travel with the image; pixel values are not converted.
"""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from ..errors import InputError, one_line
from .deep_greys import RANGE_KEY, WHITE, stated_range, to_8_bits, to_full_scale
from .limits import MAX_PIXELS, check_size, choose_frame
from .reading import read_bytes
from .recognition import is_dicom
from .strictness import strict_decoding

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".dcm", ".dicom"})
"""What counts as an image when a folder is searched."""

OUTPUT_FORMATS = {"png": ".png", "tiff": ".tif", "webp": ".webp", "jpeg": ".jpg"}

FILE_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")
"""Pillow's names of the formats of image files. Pixels and nothing else: for a file that asks for one, Pillow would run
a PostScript interpreter."""


@dataclass(frozen=True)
class DecodedImage:
    """An image as a viewer shows it, and what was decided on the way.

    Attributes:
        image: mode `L`, `LA`, `RGB`, `RGBA` or `I;16`; `info` holds at most `icc_profile`.
        sha256: of the file's bytes, in hexadecimal.
        rendering: JSON-able; the format, and where it applies the frame, the EXIF orientation, the DICOM
            window, the range of deep greys. Nothing that names a patient.
    """

    image: Image.Image
    sha256: str
    rendering: dict[str, Any] = field(default_factory=dict)

    def in_8_bits(self) -> DecodedImage:
        """Return the image as a model gets it; see `deep_greys.to_8_bits`."""
        return replace(self, image=to_8_bits(self.image))


def read_image(
    path: str | Path, *, frame: int | None = None, window: tuple[float, float] | str | None = None
) -> DecodedImage:
    """Read an image file; see `decode_image`.

    Raises:
        InputError: as `decode_image`, and where the file cannot be opened.
    """
    return decode_image(read_bytes(path), name=str(path), frame=frame, window=window)


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
        window: of DICOM (see `dicom.decode_dicom`) and of grey of more than 8 bits (see
            `deep_greys.to_full_scale`); 8-bit images have none.

    Raises:
        InputError: empty, cut short, no image, a format or depth that is not read, too many pixels, several
            frames and none chosen. The message is one line that begins with `name`.
    """
    if is_dicom(data):
        from .dicom import decode_dicom

        image, rendering = decode_dicom(data, name=name, frame=frame, window=window)
    else:
        image, rendering = decode_pixels(data, name=name, frame=frame, window=window)
    return DecodedImage(image, hashlib.sha256(data).hexdigest(), rendering)


def decode_pixels(
    data: bytes,
    *,
    name: str,
    frame: int | None = None,
    window: tuple[float, float] | str | None = None,
    formats: Sequence[str] = FILE_FORMATS,
) -> tuple[Image.Image, dict[str, Any]]:
    """Decode an image that is not DICOM: the pixels and the rendering of `decode_image`, whose errors it raises.

    Args:
        data, name, frame, window: as of `decode_image`.
        formats: Pillow's names of the formats that are read.
    """
    if not data:
        raise InputError(f"{name}: the file is empty")

    def decode(image: Image.Image) -> tuple[Image.Image, dict[str, Any]]:
        rendering: dict[str, Any] = {"format": image.format}
        frames = _frames(image)
        index = choose_frame(frames, frame, name)
        if frames > 1:
            image.seek(index)
            check_size(image.width, image.height, name)
            rendering["frame"] = index
        samples = _samples(image, data, name)
        image.load()
        orientation = image.getexif().get(0x0112, 1)
        if orientation in range(2, 9):
            rendering["exif_orientation"] = int(orientation)
        upright = ImageOps.exif_transpose(image)
        return _in_plain_mode(upright, samples, window, rendering, name), rendering

    return _with_pillow(data, name, formats, decode)


def count_frames(data: bytes, *, name: str) -> int:
    """Return the number of frames (DICOM, animated PNG and WebP) or pages (TIFF) in a file.

    Raises:
        InputError: the header cannot be read.
    """
    if is_dicom(data):
        from .dicom import count_dicom_frames

        return count_dicom_frames(data, name=name)
    return _with_pillow(data, name, FILE_FORMATS, _frames)


def encode_image(image: Image.Image, format: str = "png") -> bytes:
    """Encode an image; the same pixels give the same bytes with the same Pillow build.

    16-bit grey states its range (0 is black, 65535 white), so that `decode_image` gives the same pixels back.

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


def _with_pillow(data: bytes, name: str, formats: Sequence[str], function: Callable[[Image.Image], Any]) -> Any:
    """Open with Pillow, call, and turn what Pillow raises on bad files into one line."""
    try:
        with strict_decoding(), warnings.catch_warnings():
            # Our own limit below stands for Pillow's warning; damaged EXIF is worth no line each.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=formats) as image:
                check_size(image.width, image.height, name)
                return function(image)
    except InputError:
        raise
    except Image.UnidentifiedImageError:
        raise InputError(f"{name}: not a {_listed(formats)} image") from None
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


@dataclass(frozen=True)
class _Samples:
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


def _samples(image: Image.Image, data: bytes, name: str) -> _Samples:
    """Return what `_Samples` holds, before the image is loaded.

    Raises:
        InputError: Pillow would cut 16 bits per channel to 8, or take signed colour for unsigned.
    """
    if image.format == "PNG":
        # IHDR is always first: bit depth and colour type are bytes 24 and 25.
        _refuse_deep_channels(data[24] == 16 and data[25] != 0, name)
        return _Samples(stated=stated_range(image.info.get(RANGE_KEY)))
    if image.format != "TIFF":
        return _Samples()
    tags = image.tag_v2  # type: ignore[attr-defined]
    bits = _numbers(tags.get(_BITS_PER_SAMPLE, 1))
    _refuse_deep_channels(len(bits) > 1 and max(bits) > 8, name)
    signed = 2 in _numbers(tags.get(_SAMPLE_FORMAT, 1))
    if signed and image.mode not in ("L", "I", "I;16", "F"):
        raise InputError(f"{name}: signed values in an image of mode {image.mode} are not read; convert it first")
    return _Samples(
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


def _in_plain_mode(
    image: Image.Image,
    samples: _Samples,
    window: tuple[float, float] | str | None,
    rendering: dict[str, Any],
    name: str,
) -> Image.Image:
    """Convert to one of the modes that `DecodedImage` promises; `rendering` gets what was decided on the way."""
    mode = image.mode
    if samples.signed:
        rendering["signed"] = True
        return _carry_profile(image, Image.fromarray(np.asarray(image) ^ np.uint8(0x80)), keep=True)
    if mode in ("L", "LA", "RGB", "RGBA"):
        return _carry_profile(image, image, keep=True)
    if mode == "I" or mode.startswith("I;16"):
        values = np.asarray(image)
        if mode == "I" and samples.bits > 16 and (values.min() < 0 or values.max() > WHITE):
            raise InputError(f"{name}: 32-bit values outside 0 .. 65535; convert the image to 8 or 16 bits first")
        deep, rendering["grey_range"] = to_full_scale(values, stated=samples.stated, window=window)
        if samples.inverted:
            rendering["white_is_zero"] = True
            deep = WHITE - deep
        return _carry_profile(image, Image.fromarray(deep), keep=True)
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


def _listed(formats: Sequence[str]) -> str:
    names = [{"WEBP": "WebP", "JPEG2000": "JPEG 2000"}.get(name, name) for name in formats]
    return (
        f"{', '.join(names)} or DICOM" if tuple(formats) == FILE_FORMATS else f"{', '.join(names[:-1])} or {names[-1]}"
    )
