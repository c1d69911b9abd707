"""The calls that the library is for: degrade an image, say how it was done, do it again."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from .markings import find_markings, paste_markings
from .pixels import Pixels, unpack
from .registry import Degradation, resolve
from .seeding import check_seed, generator
from .severity import Quantity, SeverityTable, load_severities, parse_quantity
from .vocabulary import check_modality, check_severity

ImageT = TypeVar("ImageT")

Record = dict[str, Any]

_FEW_VALUES = 4096

AS_PAPER = "as paper"
"""In a record: the markings that the authors paste back were kept."""


class UnchangedImageError(ValueError):
    """The degradation has no effect on this image, e.g. a blur of a constant image."""


def degrade(
    image: ImageT,
    name: str,
    severity: int | str,
    *,
    seed: int | str,
    modality: str | None = None,
    severities: str | Path | Mapping[str, Any] | SeverityTable | None = None,
    reference_size: float | None = None,
    keep_markings: bool | None = None,
    allow_unchanged: bool = False,
    **overrides: Any,
) -> ImageT:
    """Degrade one image.

    Args:
        image: a PIL image (L, LA, RGB, RGBA, P, I;16), or an array of shape ``(H, W)``, ``(H, W, 1)``, ``(H,
            W, 3)`` or ``(H, W, 4)`` with dtype uint8, uint16 or floating point in [0, 1]. It is not changed.
            An alpha channel is kept as it is.
        name: a degradation's name or alias, see :func:`list_degradations`.
        severity: 0, 1 or 2 (or ``"L0"``, ``"L1"``, ``"L2"``). 0 returns a copy of the input.
        seed: a non-negative integer, or a text such as the item's id. The draw depends on the seed, the name
            and the severity only, so give every image of a data set a seed of its own, else all get the same
            spot and angle.
        modality: one of :data:`MODALITIES`; chooses the row of the severity table.
        severities: a severity table of one's own, see :func:`load_severities`.
        reference_size: image size in pixels for which the table's ``px`` values are meant; they are scaled by
            ``sqrt(H W) / reference_size``. None: absolute pixels, as in the paper.
        keep_markings: True: paste all coloured outlines and boxes on grey images back after degrading; False:
            degrade them too; None: as the authors do for this degradation.
        allow_unchanged: return the image where the degradation has no effect on it, rather than raise.
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
    severity: int | str,
    *,
    seed: int | str,
    modality: str | None = None,
    severities: str | Path | Mapping[str, Any] | SeverityTable | None = None,
    reference_size: float | None = None,
    keep_markings: bool | None = None,
    allow_unchanged: bool = False,
    **overrides: Any,
) -> tuple[ImageT, Record]:
    """As :func:`degrade`, with the record from which :func:`reproduce` makes the same output again.

    Returns:
        The image, and a dict that ``json.dumps`` takes: library, version, name, modality, severity, seed,
        size (height, width), keep_markings, and ``parameters``: every argument of the operator, drawn or not.
    """
    entry, implied = resolve(name)
    modality = check_modality(modality) or implied
    level = check_severity(severity)
    check_seed(seed)
    pixels = unpack(image)
    shape = pixels.values.shape
    keep = (AS_PAPER if entry.keep_markings else False) if keep_markings is None else bool(keep_markings)

    if level == "L0":
        _check_names(entry, overrides)
        parameters: dict[str, Any] = {}
    else:
        parameters = _parameters(
            entry,
            level,
            shape,
            seed,
            modality,
            load_severities(severities),
            _scale(reference_size, shape),
            overrides,
        )
    record = {
        "library": "medqdeg",
        "version": _version(),
        "name": entry.name,
        "modality": modality,
        "severity": level,
        "seed": seed if isinstance(seed, str) else int(seed),
        "size": list(shape[:2]),
        "keep_markings": keep,
        "parameters": parameters,
    }
    if level == "L0":
        return image.copy(), record
    return _run(entry, image, pixels, parameters, keep, allow_unchanged), record


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
    if record["version"] != _version():
        raise ValueError(
            f"the record was made by medqdeg {record['version']}, this is {_version()}:"
            f" install medqdeg=={record['version']} for the same bytes"
        )
    entry, _ = resolve(record["name"])
    pixels = unpack(image)
    if list(pixels.values.shape[:2]) != list(record["size"]):
        raise ValueError(
            f"the record is of an image of (height, width) = {tuple(record['size'])},"
            f" this one has {pixels.values.shape[:2]}"
        )
    if check_severity(record["severity"]) == "L0":
        return image.copy()
    return _run(entry, image, pixels, record["parameters"], record["keep_markings"], allow_unchanged=True)


def _parameters(
    entry: Degradation,
    level: str,
    shape: tuple[int, ...],
    seed: int | str,
    modality: str | None,
    table: SeverityTable,
    scale: float,
    overrides: Mapping[str, Any],
) -> dict[str, Any]:
    """Every argument of the operator: the table's, then the drawn ones, then the caller's."""
    _check_names(entry, overrides)

    def settle(key: str, quantity: Quantity, factor: float = 1.0) -> Any:
        value = quantity.resolve(shape[:2], factor)
        if not isinstance(value, tuple) or key in entry.range_parameters:
            return value
        # A stream of its own, so that a range for one parameter moves no other draw.
        rng = generator(seed, entry.name, f"{level} {key}")
        low, high = quantity.value
        if isinstance(low, int) and isinstance(high, int) and quantity.counts:
            return int(rng.integers(low, high + 1))
        return float(rng.uniform(*value))

    given = {key: settle(key, parse_quantity(value, f"{entry.name}: {key}")) for key, value in overrides.items()}
    row = {key: settle(key, q, scale) for key, q in table.lookup(entry.name, level, modality).items()}
    unknown = [key for key in row if key not in entry.apply_parameters | entry.draw_parameters]
    if unknown:
        raise ValueError(f"the severity table gives {entry.name} the unknown parameter {unknown[0]!r}")
    parameters = {**row, **given}
    if entry.draw is not None:
        rng = generator(seed, entry.name, "shared" if entry.shared_draw else level)
        wanted = _select(entry, parameters, entry.draw_parameters)
        parameters = {**row, **entry.draw(rng, shape, **wanted), **given}
    chosen = _select(entry, parameters, entry.apply_parameters)
    return {key: _plain(value) for key, value in chosen.items()}


def _select(entry: Degradation, parameters: dict[str, Any], names: Mapping[str, bool]) -> dict[str, Any]:
    for name, needed in names.items():
        if needed and name not in parameters:
            raise ValueError(f"the severity table does not give {entry.name} its parameter {name!r}")
    return {key: value for key, value in parameters.items() if key in names}


def _run(
    entry: Degradation,
    image: ImageT,
    pixels: Pixels,
    parameters: Mapping[str, Any],
    keep: bool | str,
    allow_unchanged: bool,
) -> ImageT:
    values = pixels.values
    operand = values if entry.uint8 or values.dtype != np.uint8 else values.astype(np.float32)
    out = entry.apply(operand, **parameters)
    if keep:
        out = paste_markings(out, operand, find_markings(values, as_paper=keep == AS_PAPER))
    packed = pixels.pack(out, entry.rounding)
    # In an image of a few pixels the little that happened may be rounded away.
    small = values.size <= _FEW_VALUES
    if not allow_unchanged and (
        _same(values, out) or (small and np.array_equal(np.asarray(packed), np.asarray(image)))
    ):
        raise UnchangedImageError(
            f"{entry.name} leaves this {values.shape[1]} x {values.shape[0]} image as it is"
            " (constant, or too small): drop the image, or pass allow_unchanged=True"
        )
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


def _check_names(entry: Degradation, overrides: Mapping[str, Any]) -> None:
    known = entry.apply_parameters | entry.draw_parameters
    for key in overrides:
        if key not in known:
            raise TypeError(f"{entry.name} has no parameter {key!r}: it has {', '.join(sorted(known))}")


def _scale(reference_size: float | None, shape: tuple[int, ...]) -> float:
    if reference_size is None:
        return 1.0
    if not reference_size > 0:
        raise ValueError(f"reference_size must be a positive number of pixels, not {reference_size!r}")
    return math.sqrt(shape[0] * shape[1]) / reference_size


def _plain(value: Any) -> Any:
    """NumPy scalars and arrays as Python numbers and lists, so that the record is JSON."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


@functools.cache
def _version() -> str:
    return metadata.version("medqdeg")
