"""Image cells of the data set: base64 or paths, one or several, checked before any model sees them."""

from __future__ import annotations

import ast
import base64
import binascii
import functools
import json
import posixpath
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from ..base.errors import InputError
from ..images import FILE_FORMATS, decode_pixels, read_bytes, to_8_bits

_FORMATS = (*FILE_FORMATS, "GIF", "JPEG2000", "PPM")

_DATA_URI = re.compile(r"data:[\w/+.-]*;base64,")


def split_cell(cell: str) -> list[str]:
    """Return the entries of an image cell: the cell itself, or the members of a JSON or Python list.

    Raises:
        InputError: for an empty cell or something that begins like a list and is none.
    """
    text = cell.strip()
    entries: object = [text]
    if text.startswith("["):
        try:
            entries = json.loads(text)
        except (ValueError, RecursionError):
            try:
                entries = ast.literal_eval(text)
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                raise InputError(f"the image cell {text[:60]!r} is not a list") from None
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise InputError(f"the image cell {text[:60]!r} is not a list of texts")
    stripped = [entry.strip() for entry in entries if entry.strip()]
    if not stripped:
        raise InputError("the image cell is empty")
    return stripped


def decode_base64(text: str) -> bytes:
    """Return the bytes of a base64 image, with or without a `data:` prefix. Raises `InputError`."""
    if prefix := _DATA_URI.match(text):
        text = text[prefix.end() :]
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError(f"the image {quoted(text)} is not valid base64 ({error})") from None


def relative_path(text: str) -> str:
    """Return the path of an image as a plain relative path, with slashes.

    The check is by name, not by following links: the Hub's cache is made of links that leave their folder.

    Raises:
        InputError: for an absolute path, or one that climbs out of its folder.
    """
    normal = posixpath.normpath(text.replace("\\", "/"))
    if normal.startswith(("../", "/")) or normal in ("..", ".") or re.match(r"[A-Za-z]:", normal):
        raise InputError(f"the image path {quoted(text)} leaves the folder of its file")
    return normal


def is_file(path: Path) -> bool:
    """Whether there is a file; a name that no file can have (too long, a NUL character) is a no, not an error."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def check_image(image: bytes | Path) -> Mapping[str, Any]:
    """Decode an image once, to find out now rather than in the middle of a run that it cannot be used.

    Returns:
        How it was rendered, as `images.decode_pixels` says it.

    Raises:
        InputError: as `decode_rgb`.
    """
    return _decode(image)[1]


def is_stretched(rendering: Mapping[str, Any]) -> bool:
    """Whether an image is shown over the range of grey levels in use, which it does not state itself."""
    return bool(rendering.get("grey_range", {}).get("source") == "used")


def decode_rgb(image: bytes | Path) -> Image.Image:
    """Return an image as a model gets it: 8-bit RGB, turned as its EXIF block says.

    Grey of more than 8 bits is spread over its range first (`images.deep_greys`), where PIL alone would clip it.
    Of an image with several frames the first is taken.

    Raises:
        InputError: it is no image, is cut off or corrupt, of a depth that is not read, or has no or more than
            `MAX_PIXELS` pixels.
    """
    return to_8_bits(_decode(image)[0]).convert("RGB")


def _decode(image: bytes | Path) -> tuple[Image.Image, dict[str, Any]]:
    data = image if isinstance(image, bytes) else read_bytes(image)
    return decode_pixels(data, name="the image", frame=0, formats=_FORMATS)


def decode_cell(cell: Mapping[str, Any]) -> Image.Image:
    """Return the image of an undecoded cell of the data set (`bytes`, or else `path`), as `decode_rgb` does.

    The last few are remembered: the T trials of an item follow each other, and decoding takes longer than all else
    that happens to a request here. Every call returns a copy of its own.
    """
    return _decode_remembered(cell["bytes"] or read_bytes(cell["path"])).copy()


@functools.lru_cache(maxsize=8)
def _decode_remembered(data: bytes) -> Image.Image:
    return decode_rgb(data)


def quoted(text: str) -> str:
    """Return the text as a message quotes it: on one line, cut off after 60 characters."""
    return repr(text if len(text) <= 60 else text[:60] + "...")
