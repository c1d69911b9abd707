"""What one call will do, settled before a pixel is touched: the degradation, its strength, and every draw."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from .arguments import arguments, check_names, pixel_scale
from .composing import Parts
from .registry import Degradation, resolve
from .seeding import check_seed
from .severity import SeverityTable, load_severities
from .vocabulary import Severity, check_modality, read_severity

Record = dict[str, Any]

AS_PAPER = "as paper"
"""In a record: the markings that the authors paste back were kept."""


FEW_VALUES = 4096
"""Of an image so small that the little that happened to it may be rounded away: its packed values are compared too."""


class UnchangedImageError(ValueError):
    """The degradation has no effect on this image, e.g. a blur of a constant image."""

    @classmethod
    def of(cls, name: str, height: int, width: int) -> UnchangedImageError:
        """The error for an image of this size."""
        return cls(
            f"{name} leaves this {width} x {height} image as it is"
            " (constant, or too small): drop the image, or pass allow_unchanged=True"
        )


@dataclass(frozen=True)
class Plan:
    """One image's degradation.

    Attributes:
        entry: the degradation.
        severity: as asked for.
        parts: shares of the result and the operator's arguments of each; empty at severity 0.
        keep: which markings are pasted back: none, `AS_PAPER`, or all (True).
        record: from which `reproduce` makes the same output again.
    """

    entry: Degradation
    severity: Severity
    parts: Parts
    keep: bool | str
    record: Record

    @property
    def exact(self) -> bool:
        """Whether the operator itself makes 8-bit levels of 8-bit levels; its own truncation is that of the levels."""
        return self.entry.uint8 and len(self.parts) == 1 and self.severity.value >= 1


def plan(
    name: str,
    severity: float | str,
    shape: tuple[int, ...],
    *,
    seed: int | str,
    series: bool = False,
    modality: str | None = None,
    severities: str | Path | Mapping[str, Any] | SeverityTable | None = None,
    reference_size: float | None = None,
    keep_markings: bool | None = None,
    **overrides: Any,
) -> Plan:
    """Settle what `degrade` with these arguments does to an image of a shape (height, width, ...).

    Raises:
        TypeError, ValueError: as `degrade`, but for what concerns the image's values.
    """
    entry, implied = resolve(name)
    modality = check_modality(modality) or implied
    wanted = read_severity(severity, series)
    check_seed(seed)
    keep = (AS_PAPER if entry.keep_markings else False) if keep_markings is None else bool(keep_markings)

    check_names(entry, overrides)
    parts: Parts = []
    if wanted.value > 0:
        table, scale = load_severities(severities), pixel_scale(reference_size, shape)
        parts = arguments(entry, wanted, shape, seed, modality, table, scale, overrides)
    record: Record = {
        "library": "medqdeg",
        "version": version(),
        "name": entry.name,
        "modality": modality,
        "severity": wanted.label,
        "seed": seed if isinstance(seed, str) else int(seed),
        "size": list(shape[:2]),
        "keep_markings": keep,
        "parameters": max(((share, own) for share, own in parts if own is not None), key=_share, default=(0, {}))[1],
    }
    if len(parts) > 1:
        record["parts"] = [list(part) for part in parts]
    return Plan(entry, wanted, parts, keep, record)


def _share(part: tuple[float, Any]) -> float:
    return part[0]


@functools.cache
def version() -> str:
    """The library's, which decides the bytes."""
    return metadata.version("medqdeg")
