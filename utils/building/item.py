"""What every reader yields: one clean question with its images, or the reason why a row gives none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

BAD_IMAGE, SAME_ID = "image cannot be read", "id occurs twice"
"""Reasons that both the readers and those who look at all items give."""

BAD = "degraded"
"""`SourceItem.level` of an image of which only that it is bad is known."""


@dataclass(frozen=True)
class ImageSource:
    """An image that is read only when it is needed.

    Attributes:
        name: what a message calls it, such as "images.zip/Images/a.png".
        read: returns the encoded bytes (PNG, JPEG, DICOM ...); raises `InputError` or `OSError`.
    """

    name: str
    read: Callable[[], bytes]


@dataclass(frozen=True)
class SourceItem:
    """One clean multiple-choice question of a source.

    Attributes:
        source: a name of `taxonomy.SOURCES`, or the user's own.
        source_id: unique within the source.
        question: the stem, without the options.
        options: the texts of the K >= 2 options, in the order of their letters.
        answer: index of the right option.
        modality: a name of `taxonomy.MODALITIES`.
        skill: a name of `taxonomy.SKILLS`, or `taxonomy.UNLABELLED`.
        images: one or more.
        licence: SPDX identifier or the source's own words; None where unknown.
        extra: what else the source says, kept in the data set.
        level: "L1" or "L2" where the images were already bad when they were taken, `BAD` where nothing says how bad;
            None for a clean item. Such an item is not degraded any further.
        degradation: of such an item, a name of `taxonomy.DEGRADATIONS`; None where it is not known.
        clean_of: of such an item, the `source_id` of its clean partner; None where there is none.
    """

    source: str
    source_id: str
    question: str
    options: tuple[str, ...]
    answer: int
    modality: str
    skill: str
    images: tuple[ImageSource, ...]
    licence: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    level: str | None = None
    degradation: str | None = None
    clean_of: str | None = None


@dataclass(frozen=True)
class Skipped:
    """One row of a source that gives no item.

    Attributes:
        source: as in `SourceItem`.
        where: file and line, or id.
        reason: one of a small number of fixed phrases, so that they can be counted ("modality not of the benchmark").
        detail: what was found.
        harmless: True where the source is as it should be and the item merely does not belong to the benchmark
            (another modality); False where something is wrong with the input, which makes the exit status 1.
    """

    source: str
    where: str
    reason: str
    detail: str = ""
    harmless: bool = False
