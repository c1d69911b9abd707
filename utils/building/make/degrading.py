"""Degrade one clean item: from its images and the names of degradations to every image of the item.

It is a pure function: what comes out follows from the image files' bytes, the names, the seed and the versions of the
libraries, so it may run in any process, on any machine, in any order, and twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from ....degradations import LEVELS, SeverityTable, degrade_with_record, largest_severity, read_severity
from ...base.errors import InputError, one_line
from ...degrade_files.requests import image_seed
from ...images import DecodedImage, decode_image, encode_image, pixels_sha256

DEGRADED_LEVELS: tuple[str, ...] = LEVELS[1:]


@dataclass(frozen=True)
class MadeImage:
    """One image of an item, ready to be stored.

    Attributes:
        image: the pixels, of a mode that `decode_image` gives.
        png: the same as a PNG file, without any metadata but a colour profile.
        record: from which `degradations.reproduce` makes it again; of a clean image, how the file was rendered.
        input_sha256: of the source's image file, in hexadecimal.
    """

    image: Image.Image
    png: bytes
    record: Mapping[str, Any]
    input_sha256: str

    @property
    def described(self) -> dict[str, Any]:
        """What the manifest records about it."""
        return {
            "input_sha256": self.input_sha256,
            "output_sha256": hashlib.sha256(self.png).hexdigest(),
            "pixels_sha256": pixels_sha256(self.image),
            "record": dict(self.record),
        }


@dataclass(frozen=True)
class DegradedPair:
    """One degradation of one item, at L1 and at L2: they enter the data set together or not at all.

    Attributes:
        name: of the degradation.
        levels: "L1" and "L2" -> the item's images in order; empty where the degradation could not be made. With a
            series, its labels as well.
        failure: why it could not, else None. An image that the degradation leaves as it is counts as such.
    """

    name: str
    levels: Mapping[str, tuple[MadeImage, ...]]
    failure: str | None = None


@dataclass(frozen=True)
class MadeItem:
    """The clean images of an item, and its pairs in the order of the names."""

    clean: tuple[MadeImage, ...]
    pairs: tuple[DegradedPair, ...]


def degrade_item(
    images: Sequence[bytes],
    names: Sequence[str],
    *,
    seed: int | str,
    modality: str,
    table: SeverityTable,
    where: str = "image",
) -> MadeItem:
    """Make every image of an item.

    Each image draws from the seed and its own file's content, as `medqdeg degrade` does: the same file, degradation and
    seed give the same pixels there, but for grey of more than 8 bits. That is brought to 8 bits first, as a model gets
    it, so that what the gate looks at is what the model sees; `medqdeg degrade` keeps 16 bits.

    Args:
        images: the item's image files, in order.
        names: canonical names of degradations.
        seed: the build's.
        modality: chooses the rows of `table`.
        table: the severity table.
        where: what messages call the item.

    Raises:
        InputError: an image cannot be decoded. A degradation that refuses an image makes its pair a failed one.
    """
    decoded = [
        decode_image(data, name=f"{where}, image {number}").in_8_bits() for number, data in enumerate(images, start=1)
    ]
    clean = tuple(
        MadeImage(each.image, encode_image(each.image), dict(each.rendering), each.sha256) for each in decoded
    )
    pairs = tuple(_pair(decoded, name, seed, modality, table) for name in names)
    return MadeItem(clean, pairs)


def _pair(
    decoded: Sequence[DecodedImage], name: str, seed: int | str, modality: str, table: SeverityTable
) -> DegradedPair:
    return _at(decoded, name, DEGRADED_LEVELS, seed, modality, table)


def degrade_series(
    images: Sequence[bytes],
    name: str,
    series: Sequence[float],
    *,
    seed: int | str,
    modality: str,
    table: SeverityTable,
    where: str = "image",
) -> dict[str, tuple[MadeImage, ...]]:
    """Make an item's images along a series of one degradation, as far as it goes: label ("S1.50") -> images.

    For the other arguments see `degrade_item`. An image that a severity leaves as it is counts as any other.

    Raises:
        InputError: an image cannot be decoded, or the degradation refuses it.
    """
    decoded = [
        decode_image(data, name=f"{where}, image {number}").in_8_bits() for number, data in enumerate(images, start=1)
    ]
    largest = largest_severity(name, modality, table)
    labels = [read_severity(severity, series=True).label for severity in series if severity <= largest]
    made = _at(decoded, name, labels, seed, modality, table, allow_unchanged=True)
    if made.failure is not None:
        raise InputError(f"{name}: {made.failure}")
    return dict(made.levels)


def _at(
    decoded: Sequence[DecodedImage],
    name: str,
    wanted: Sequence[str],
    seed: int | str,
    modality: str,
    table: SeverityTable,
    *,
    allow_unchanged: bool = False,
) -> DegradedPair:
    levels: dict[str, tuple[MadeImage, ...]] = {}
    for level in wanted:
        made = []
        for number, each in enumerate(decoded, start=1):
            try:
                image, record = degrade_with_record(
                    each.image,
                    name,
                    level,
                    seed=image_seed(seed, each.sha256, None),
                    modality=modality,
                    severities=table,
                    allow_unchanged=allow_unchanged,
                )
                made.append(MadeImage(image, encode_image(image), record, each.sha256))
            except MemoryError:
                raise
            # Whatever an operator does to an odd image: this pair is out and says why, and the build goes on.
            except Exception as error:
                return DegradedPair(name, {}, f"{level}, image {number}: {one_line(error)}")
        levels[level] = tuple(made)
    return DegradedPair(name, levels)
