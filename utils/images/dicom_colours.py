"""Colour of DICOM files in 8 bits per channel: palettes (PS3.3 C.7.6.3.1.5), and RGB of any depth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pydicom import Dataset

_CHANNELS = ("Red", "Green", "Blue")


def through_palette(pixels: np.ndarray, dataset: Dataset) -> np.ndarray:
    """Look stored values up in the file's palette.

    Plain tables not by pydicom's `apply_color_lut`, which reads those of big-endian files as little-endian ones and
    takes an index of 16 bits modulo 256 where entries have 8 bits (3.0.2); segmented tables are expanded by it.

    Args:
        pixels: stored values, (H, W), of any integer dtype.
        dataset: the file's.

    Returns:
        uint8 (H, W, 3).

    Raises:
        ValueError: the file has no palette, or one that is cut short.
    """
    if "RedPaletteColorLookupTableData" not in dataset:
        from pydicom.pixels.processing import apply_color_lut

        coloured = apply_color_lut(pixels, dataset)[..., :3]
        return to_8_bits(coloured, coloured.dtype.itemsize * 8)
    channels = []
    for colour in _CHANNELS:
        descriptor = dataset[f"{colour}PaletteColorLookupTableDescriptor"].value
        data = dataset[f"{colour}PaletteColorLookupTableData"]
        # The number of the first entry shares the pixels' sign.
        entries, first, bits = int(descriptor[0]) or 2**16, int(descriptor[1]), int(descriptor[2])
        table = _table(data, entries, bits, little_endian=dataset.original_encoding[1] is not False)
        channels.append(table[(pixels.astype(np.int64) - first).clip(0, len(table) - 1)])
    return np.stack(channels, axis=-1)


def _table(data: Any, entries: int, bits: int, *, little_endian: bool) -> np.ndarray:
    """Return a palette's channel, uint8. Entries of 8 bits come packed, or each in a word of 16."""
    raw = data.value or b""
    if len(raw) >= 2 * entries:
        words = np.frombuffer(raw, "<u2" if little_endian else ">u2", count=entries)
        # Some writers say 16 bits and use 8.
        return to_8_bits(words, 8 if bits <= 8 or words.max() < 256 else 16)
    if len(raw) < entries:
        raise ValueError(f"its palette has {len(raw)} bytes for {entries} entries")
    packed = np.frombuffer(raw, np.uint8)
    if not little_endian and data.VR == "OW" and packed.size % 2 == 0:
        packed = packed.reshape(-1, 2)[:, ::-1].reshape(-1)  # two entries to a word
    return packed[:entries]


def to_8_bits(pixels: np.ndarray, bits: int) -> np.ndarray:
    """Scale unsigned values of so many bits to uint8; those of 8 bits stay as they are."""
    if bits == 8:
        return np.ascontiguousarray(pixels, dtype=np.uint8)
    scaled: np.ndarray = np.rint(pixels * (255.0 / (2**bits - 1))).clip(0, 255).astype(np.uint8)
    return scaled
