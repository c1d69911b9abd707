"""Pixel formats: from what the caller holds to the array that an operator sees, and back.

Operators work on one representation: `(H, W)` or `(H, W, 3)`, `uint8` or `float32`, always on the
0..255 scale of the paper. Everything else about an image (PIL or NumPy, mode, bit depth, alpha, a trailing
axis of length one, byte order, palette) is taken off by `unpack` and put back by `Pixels.pack`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from PIL import Image

Rounding = Literal["floor", "nearest"]

HARDLY_SEEN = 4096
"""A 16-bit image without a level from here on has 16 of 256 at most; likely its scanner gave 12 bits."""

_INTEGER_MAXIMUM = {"uint8": 255, "uint16": 65535}
_CONVERT_FIRST = {
    "1": ("two levels leave nothing to degrade", "L"),
    "F": ("its range is unknown; pass a float array in [0, 1] instead, or convert", "L"),
    "CMYK": ("ink is not light", "RGB"),
    "YCbCr": ("the operators are defined on RGB", "RGB"),
    "LAB": ("the operators are defined on RGB", "RGB"),
    "HSV": ("the operators are defined on RGB", "RGB"),
    "PA": ("a palette with alpha cannot be rebuilt", "RGBA"),
    "La": ("alpha is premultiplied", "LA"),
    "RGBa": ("alpha is premultiplied", "RGBA"),
    "RGBX": ("the fourth channel has no meaning", "RGB"),
}


@dataclass(frozen=True)
class Pixels:
    """The colour or grey values of one image, and how to put values back into an image of the same kind.

    Attributes:
        values: `(H, W)` or `(H, W, 3)`; uint8, or float32 on the 0..255 scale for other depths. It may share memory
            with the caller's image: read only.
        pack: makes an image of the same kind of values like these, with a rounding.
    """

    values: np.ndarray
    pack: Callable[[np.ndarray, Rounding], Any]


def unpack(image: Any) -> Pixels:
    """Take an image apart.

    Args:
        image: a PIL image (L, LA, RGB, RGBA, P, I;16, or I with values in 0..65535), or a NumPy array of
            shape `(H, W)`, `(H, W, 1)`, `(H, W, 3)` or `(H, W, 4)` with dtype uint8, uint16 or
            floating point in [0, 1].

    Raises:
        TypeError: not an image, or a dtype whose range is not known.
        ValueError: a shape, mode or value range that cannot be degraded.
    """
    if isinstance(image, Image.Image):
        return _unpack_pil(image)
    if isinstance(image, np.ndarray):
        return _unpack_array(image)
    raise TypeError(
        f"image must be a PIL image or a NumPy array, not {type(image).__module__}.{type(image).__qualname__}"
    )


def _unpack_array(image: np.ndarray) -> Pixels:
    shape, dtype = image.shape, image.dtype
    if not (image.ndim == 2 or (image.ndim == 3 and shape[2] in (1, 3, 4))):
        raise ValueError(f"array of shape {shape}: expected (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)")
    if 0 in shape:
        raise ValueError(f"array of shape {shape} holds no pixel")

    plain = np.asarray(image)
    colour = plain[..., 0] if image.ndim == 3 and shape[2] == 1 else plain[..., :3] if image.ndim == 3 else plain
    values = _to_scale(np.ascontiguousarray(colour))

    def pack(out: np.ndarray, rounding: Rounding) -> np.ndarray:
        back = _from_scale(out, dtype, rounding)
        if image.ndim == 3 and shape[2] == 1:
            return back[..., np.newaxis]
        if image.ndim == 3 and shape[2] == 4:
            whole: np.ndarray = plain.copy()
            whole[..., :3] = back
            return whole
        return back

    return Pixels(values, pack)


def _to_scale(array: np.ndarray) -> np.ndarray:
    """uint8 as it is; uint16 and floating point as float32 on the 0..255 scale."""
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:
        if array.max() < HARDLY_SEEN and array.min() != array.max():
            warn_of_dark_greys(int(array.max()))
        eighth: np.ndarray = array.astype(np.float32) / np.float32(257)
        return eighth
    if array.dtype.kind == "f":
        # min and max are NaN if any value is, and a comparison with NaN is false.
        if not (array.min() >= 0 and array.max() <= 1):
            raise ValueError(
                f"{array.dtype} array with values in [{array.min():g}, {array.max():g}]: "
                "floating-point images must lie in [0, 1]; scale it, or pass uint8 or uint16"
            )
        scaled: np.ndarray = array.astype(np.float32) * np.float32(255)
        return scaled
    raise TypeError(f"dtype {array.dtype} is not supported: pass uint8, uint16 or floating point in [0, 1]")


def warn_of_dark_greys(highest: int) -> None:
    """Warn of a 16-bit image without a level above this."""
    warnings.warn(
        f"16-bit image with no level above {highest} of 65535, which is shown as black: spread the "
        "range in use over 0..65535 first",
        stacklevel=3,
    )


def _from_scale(out: np.ndarray, dtype: np.dtype, rounding: Rounding) -> np.ndarray:
    """Values on the 0..255 scale to the wanted dtype: clipped, then rounded.

    `rounding="floor"` truncates to uint8, as the authors' `astype(uint8)` does. It is a habit of 8-bit
    images: uint16 is always rounded to the nearest, floating point not at all.
    """
    if dtype == np.uint8:
        if out.dtype == np.uint8:
            return out
        clipped = np.clip(out, 0, 255)
        back: np.ndarray = (np.rint(clipped, out=clipped) if rounding == "nearest" else clipped).astype(np.uint8)
        return back
    scaled = out.astype(np.float32, copy=out.dtype == np.uint8)
    if dtype.kind == "u":
        back = np.clip(np.rint(scaled * np.float32(257)), 0, 65535).astype(dtype)
    else:
        back = np.clip(scaled / np.float32(255), 0, 1).astype(dtype)
    return back


def _unpack_pil(image: Image.Image) -> Pixels:
    mode = image.mode
    if 0 in image.size:
        raise ValueError(f"PIL image of size {image.size} holds no pixel")
    if mode in ("L", "RGB"):
        return _through_array(image, np.asarray(image))
    if mode in ("LA", "RGBA"):
        array = np.asarray(image)
        colour = np.ascontiguousarray(array[..., 0] if mode == "LA" else array[..., :3])
        alpha = array[..., -1:]

        def with_alpha(out: np.ndarray, rounding: Rounding) -> Image.Image:
            back = _from_scale(out, np.dtype(np.uint8), rounding)
            back = back[..., np.newaxis] if mode == "LA" else back
            return _like(image, Image.fromarray(np.concatenate([back, alpha], axis=2)))

        return Pixels(colour, with_alpha)
    if mode == "P":
        return _unpack_palette(image)
    if mode.startswith("I;16"):
        return _through_array(image, np.asarray(image))
    if mode == "I":
        array = np.asarray(image)
        if array.min() < 0 or array.max() > 65535:
            raise ValueError(
                f"PIL image of mode I with values in [{array.min()}, {array.max()}]: only 0..65535 has a known scale"
            )
        inner = _unpack_array(array.astype(np.uint16))
        return Pixels(
            inner.values,
            lambda out, rounding: _like(image, Image.fromarray(inner.pack(out, rounding).astype(np.int32))),
        )
    why, target = _CONVERT_FIRST.get(mode, ("not a mode that holds an image's grey levels or RGB", "RGB"))
    raise ValueError(f'PIL mode {mode!r} is not supported ({why}): call image.convert("{target}") first')


def _through_array(image: Image.Image, array: np.ndarray) -> Pixels:
    inner = _unpack_array(array)
    return Pixels(inner.values, lambda out, rounding: _like(image, Image.fromarray(inner.pack(out, rounding))))


def _unpack_palette(image: Image.Image) -> Pixels:
    """A palette image: grey when every colour in use is grey. The palette is built anew (256 colours)."""
    if "transparency" in image.info:
        raise ValueError(
            'PIL mode P with transparency cannot be rebuilt after degrading: call image.convert("RGBA") first'
        )
    colours = np.asarray(image.convert("RGB"))
    grey = bool((colours[..., :1] == colours).all())

    def to_palette(out: np.ndarray, rounding: Rounding) -> Image.Image:
        back = Image.fromarray(_from_scale(out, np.dtype(np.uint8), rounding))
        if grey:  # 256 greys fit exactly
            result = Image.frombytes("P", back.size, back.tobytes())
            result.putpalette([level for level in range(256) for _ in range(3)])
        else:
            result = back.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        return _like(image, result)

    return Pixels(np.ascontiguousarray(colours[..., 0]) if grey else colours, to_palette)


def _like(image: Image.Image, result: Image.Image) -> Image.Image:
    """Carry over what is not a pixel: resolution, colour profile, EXIF; not a transparent colour."""
    result.info = {key: value for key, value in image.info.items() if key != "transparency"}
    return result
