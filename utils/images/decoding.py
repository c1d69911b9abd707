"""Decode an image file (PNG, JPEG, TIFF, WebP, BMP or DICOM) into the image that a viewer shows.

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

import contextlib
import hashlib
import io
import struct
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from PIL import Image, ImageOps, UnidentifiedImageError

from ..base.errors import InputError, one_line
from .deep_greys import to_8_bits
from .limits import MAX_PIXELS, check_size, check_window, choose_frame
from .plain_modes import in_plain_mode, read_samples
from .quiet import quiet_libraries
from .reading import read_bytes
from .recognition import is_dicom
from .strictness import strict_decoding

_Result = TypeVar("_Result")

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".dcm", ".dicom"})
"""What counts as an image when a folder is searched."""

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
    check_window(window, name)
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
        data, name, frame, window: as in `decode_image`.
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
        samples = read_samples(image, data, name)
        image.load()
        orientation = image.getexif().get(0x0112, 1)
        if orientation in range(2, 9):
            rendering["exif_orientation"] = int(orientation)
        upright = ImageOps.exif_transpose(image)
        return in_plain_mode(upright, samples, window, rendering, name), rendering

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


def _with_pillow(data: bytes, name: str, formats: Sequence[str], function: Callable[[Image.Image], _Result]) -> _Result:
    """Open with Pillow, call, and turn what Pillow raises on bad files into one line."""
    try:
        # libtiff prints what it thinks of a file's tags.
        quiet = quiet_libraries() if data[:2] in (b"II", b"MM") else contextlib.nullcontext()
        with quiet, strict_decoding(), warnings.catch_warnings():
            # Our own limit below stands for Pillow's warning; damaged EXIF does not deserve a line per image.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=tuple(formats)) as image:
                check_size(image.width, image.height, name)
                return function(image)
    except InputError:
        raise
    except UnidentifiedImageError:
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
        reason = one_line(error)
        unread = any(word in reason.casefold() for word in ("unsupported", "not supported", "decoder error"))
        what = "of a kind that is not read, or damaged" if unread else "damaged or cut short"
        raise InputError(f"{name}: {what} ({reason})") from None


def _frames(image: Image.Image) -> int:
    """Number of frames; a camera's JPEG with a preview behind it (MPO) is one image."""
    return 1 if image.format == "MPO" else int(getattr(image, "n_frames", 1))


def _listed(formats: Sequence[str]) -> str:
    names = [{"WEBP": "WebP", "JPEG2000": "JPEG 2000"}.get(name, name) for name in formats]
    return (
        f"{', '.join(names)} or DICOM" if tuple(formats) == FILE_FORMATS else f"{', '.join(names[:-1])} or {names[-1]}"
    )
