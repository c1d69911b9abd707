"""Small items and what a reader made of them."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.fft import idctn

from medqdeg.utils.building.item import ImageSource, Skipped, SourceItem

from .layouts import PlainItem, png


@functools.cache
def picture(seed: int, side: int = 48) -> bytes:
    """A PNG of (side, side, 3) whose frequencies fall off as a photograph's do, different for each seed."""
    waves = np.zeros((3, side, side))
    lows = np.add.outer(np.arange(20), np.arange(20))
    waves[:, :20, :20] = np.random.default_rng(seed).normal(size=(3, 20, 20)) / (1 + lows)
    image = idctn(waves, axes=(1, 2), norm="ortho")
    image = (image - image.min()) / (image.max() - image.min()) * 255
    return png(np.moveaxis(image, 0, -1).astype(np.uint8))


def plain(number: int, **changes: Any) -> PlainItem:
    """A good item of GMAI-MMBench or OmniMedVQA."""
    made = PlainItem(
        item_id=f"item-{number}",
        question=f"Question {number}: what is seen?",
        options=("a cyst", "a polyp", "a fracture", "an effusion")[: 3 + number % 2],
        answer=number % 3,
        modality=("CT", "MRI", "X-ray")[number % 3],
        label="Disease Diagnosis",
        images=(picture(number),),
    )
    return replace(made, **changes)


def split(rows: Iterable[SourceItem | Skipped]) -> tuple[list[SourceItem], list[Skipped]]:
    listed = list(rows)
    return [row for row in listed if isinstance(row, SourceItem)], [row for row in listed if isinstance(row, Skipped)]


def said(skipped: Iterable[Skipped]) -> list[tuple[str, bool]]:
    return [(row.reason, row.harmless) for row in skipped]


def bytes_of(item: SourceItem) -> tuple[bytes, ...]:
    return tuple(image.read() for image in item.images)


class Held:
    """Bytes as an image of an item."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __call__(self) -> bytes:
        return self._data


def source_item(number: int, data: bytes | tuple[bytes, ...], **changes: Any) -> SourceItem:
    images = data if isinstance(data, tuple) else (data,)
    made = SourceItem(
        source="own",
        source_id=str(number),
        question="What is seen?",
        options=("a cyst", "a polyp", "a fracture"),
        answer=0,
        modality="CT",
        skill="Disease Diagnosis",
        images=tuple(ImageSource(f"image {place}", Held(each)) for place, each in enumerate(images)),
    )
    return replace(made, **changes)


def hash_distance(one: bytes, other: bytes) -> int:
    """Return the number of differing bits of two perceptual hashes."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()
