"""The public calls: degrade an image, keep a record of how, and make the same output again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from .composing import compose, lift
from .markings import find_markings, paste_markings
from .pixels import Pixels, unpack
from .plans import AS_PAPER, FEW_VALUES, Plan, Record, UnchangedImageError, plan, version
from .registry import resolve
from .severity import SeverityTable
from .vocabulary import read_severity

__all__ = ["Record", "UnchangedImageError", "degrade", "degrade_with_record", "reproduce"]

ImageT = TypeVar("ImageT")


def degrade(
    image: ImageT,
    name: str,
    severity: float | str,
    *,
    seed: int | str,
    series: bool = False,
    modality: str | None = None,
    severities: str | Path | Mapping[str, Any] | SeverityTable | None = None,
    reference_size: float | None = None,
    keep_markings: bool | None = None,
    allow_unchanged: bool = False,
    **overrides: Any,
) -> ImageT:
    """Degrade one image.

    Args:
        image: a PIL image (L, LA, RGB, RGBA, P, I;16), or an array of shape `(H, W)`, `(H, W, 1)`, `(H,
            W, 3)` or `(H, W, 4)` with dtype uint8, uint16 or floating point in [0, 1]. It is not changed.
            An alpha channel is kept as it is.
        name: a degradation's name or alias, see `list_degradations`.
        severity: 0, 1 or 2 (or `"L0"`, `"L1"`, `"L2"`) for the paper's levels, or any other number up to the
            degradation's stop, such as 1.5 (or `"S1.50"`). 0 returns a copy of the input.
        seed: a non-negative integer, or a text such as the item's id. The draw depends on the seed, the name
            and the severity only, so give every image of a data set a seed of its own, else all get the same
            spot and angle.
        series: 1 and 2 belong to the series of the severities between them as well, which all share L1's draw.
            Severity 1 is L1; severity 2 differs from L2, whose draw is its own.
        modality: one of `MODALITIES`; chooses the row of the severity table.
        severities: a severity table of one's own, see `load_severities`.
        reference_size: image size in pixels for which the table's `px` values are meant; they are scaled by
            `sqrt(H W) / reference_size`. None: absolute pixels, as in the paper.
        keep_markings: True: paste all coloured outlines and boxes on grey images back after degrading; False:
            degrade them too; None: as the authors do for this degradation.
        allow_unchanged: return the image where the degradation has no effect on it, rather than raise. Severities
            between 0 and 1 always do.
        **overrides: parameters of the operator, drawn ones included, in place of the table's and the seed's;
            numbers in pixels, degrees or grey levels of the 0..255 scale, or text with a unit as in the
            table.

    Returns:
        A new image of the same type, size, mode and dtype.

    Raises:
        TypeError: not an image, or a dtype, seed or override that cannot be used.
        ValueError: an unknown name, severity or modality; an image that cannot be degraded.
        UnchangedImageError: (a ValueError) the result would equal the input, as a blur of a constant image
            does. In a benchmark such an item would count as degraded without being so.
    """
    return degrade_with_record(
        image,
        name,
        severity,
        seed=seed,
        series=series,
        modality=modality,
        severities=severities,
        reference_size=reference_size,
        keep_markings=keep_markings,
        allow_unchanged=allow_unchanged,
        **overrides,
    )[0]


def degrade_with_record(
    image: ImageT,
    name: str,
    severity: float | str,
    *,
    seed: int | str,
    series: bool = False,
    modality: str | None = None,
    severities: str | Path | Mapping[str, Any] | SeverityTable | None = None,
    reference_size: float | None = None,
    keep_markings: bool | None = None,
    allow_unchanged: bool = False,
    **overrides: Any,
) -> tuple[ImageT, Record]:
    """Degrade as `degrade` does, and return the record from which `reproduce` makes the same output again.

    Returns:
        The image, and a dict that `json.dumps` takes: library, version, name, modality, severity, seed,
        size (height, width), keep_markings, and `parameters`: every argument of the operator, drawn or not. Where
        a severity between the levels is composed of several results, `parts` has the share and the parameters of
        each (null: the clean image), and `parameters` are those of the largest.
    """
    pixels = unpack(image)
    settled = plan(
        name,
        severity,
        pixels.values.shape,
        seed=seed,
        series=series,
        modality=modality,
        severities=severities,
        reference_size=reference_size,
        keep_markings=keep_markings,
        **overrides,
    )
    if settled.severity.value == 0:
        return _copied(image), settled.record
    return _run(settled, image, pixels, allow_unchanged), settled.record


def reproduce(image: ImageT, record: Mapping[str, Any]) -> ImageT:
    """Make an output again from the clean image and its record; nothing is drawn.

    Raises:
        ValueError: the record is not one of this library, is of another version of it, or of an image of
            another size.
    """
    missing = [
        key for key in ("name", "version", "severity", "size", "keep_markings", "parameters") if key not in record
    ]
    if missing:
        raise ValueError(f"not a record of medqdeg.degradations: {', '.join(missing)} missing")
    if record["version"] != version():
        raise ValueError(
            f"the record was made by medqdeg {record['version']}, this is {version()}:"
            f" install medqdeg=={record['version']} for the same bytes"
        )
    entry, _ = resolve(record["name"])
    pixels = unpack(image)
    if list(pixels.values.shape[:2]) != list(record["size"]):
        raise ValueError(
            f"the record is of an image of (height, width) = {tuple(record['size'])},"
            f" this one has {pixels.values.shape[:2]}"
        )
    severity = read_severity(record["severity"])
    if severity.value == 0:
        return _copied(image)
    parts = record.get("parts", [(1.0, record["parameters"])])
    settled = Plan(entry, severity, parts, record["keep_markings"], dict(record))
    return _run(settled, image, pixels, allow_unchanged=True)


def _copied(image: ImageT) -> ImageT:
    """Return a copy of what `unpack` has taken for an image: PIL's and NumPy's copies are of their own type."""
    return cast("ImageT", cast("Any", image).copy())


def _run(settled: Plan, image: ImageT, pixels: Pixels, allow_unchanged: bool) -> ImageT:
    entry, severity, values = settled.entry, settled.severity, pixels.values
    whole = values.dtype == np.uint8
    # What works on the luma converts as much as it needs.
    operand = values.astype(np.float32) if whole and not settled.exact and entry.colour != "luma" else values
    out = compose(entry, operand, settled.parts)
    if settled.keep:
        out = paste_markings(out, operand, find_markings(values, as_paper=settled.keep == AS_PAPER))
    if whole and not settled.exact and severity.series and entry.rounding == "floor":
        out = out + np.float32(lift(severity.value))
    packed = cast("ImageT", pixels.pack(out, entry.rounding))
    small = values.size <= FEW_VALUES
    if not (allow_unchanged or severity.value < 1) and (
        _same(values, out) or (small and np.array_equal(np.asarray(packed), np.asarray(image)))
    ):
        raise UnchangedImageError.of(entry.name, *values.shape[:2])
    return packed


def _same(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether nothing but clipping and rounding happened. A sparse look settles nearly every image."""
    sparse = (slice(None, None, 17), slice(None, None, 13))
    for where in (sparse, ...):
        clipped = np.clip(after[where], 0, 255).astype(np.float32, copy=False)
        difference = np.abs(clipped - before[where]).max()
        if difference >= 2 or (difference > 0.01 and before.min() != before.max()):
            return False
    return True
