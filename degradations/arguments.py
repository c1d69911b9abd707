"""The arguments of one call: the table's, the drawn ones, the caller's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .composing import Parts
from .doses import DOSES, parts_at, strength_at
from .registry import Degradation, resolve
from .seeding import generator
from .severity import Quantity, SeverityTable, load_severities, parse_quantity
from .vocabulary import LEVELS, Severity, check_modality, read_severity


def arguments(
    entry: Degradation,
    severity: Severity,
    shape: tuple[int, ...],
    seed: int | str,
    modality: str | None,
    table: SeverityTable,
    scale: float,
    overrides: Mapping[str, Any],
) -> Parts:
    """Return every argument of the operator (the table's, the drawn ones, the caller's) and the shares of several."""
    # The draws of a series are those of its severity 1.
    stream = "L1" if severity.series else severity.label

    def settle(key: str, quantity: Quantity, factor: float = 1.0) -> Any:
        value = quantity.resolve((shape[0], shape[1]), factor)
        if not isinstance(value, tuple) or key in entry.range_parameters:
            return value
        # A stream of its own, so that a range for one parameter moves no other draw.
        rng = generator(seed, entry.name, f"{stream} {key}")
        low, high = quantity.value
        if isinstance(low, int) and isinstance(high, int) and quantity.counts:
            return int(rng.integers(low, high + 1))
        return float(rng.uniform(*value))

    def row_at(level: str) -> dict[str, Any]:
        row = {key: settle(key, q, scale) for key, q in table.lookup(entry.name, level, modality).items()}
        unknown = [key for key in row if key not in entry.apply_parameters | entry.draw_parameters]
        if unknown:
            raise ValueError(f"the severity table gives {entry.name} the unknown parameter {unknown[0]!r}")
        return row

    def drawn(row: Mapping[str, Any]) -> dict[str, Any]:
        parameters = {**row, **given}
        if entry.draw is not None:
            rng = generator(seed, entry.name, "shared" if entry.shared_draw else stream)
            wanted = _select(entry, parameters, entry.draw_parameters)
            parameters = {**row, **entry.draw(rng, shape, **wanted), **given}
        chosen = _select(entry, parameters, entry.apply_parameters)
        return {key: _plain(value) for key, value in chosen.items()}

    given = {key: settle(key, parse_quantity(value, f"{entry.name}: {key}")) for key, value in overrides.items()}
    if not severity.series:
        return [(1.0, drawn(row_at(severity.label)))]
    check_stop(entry.name, severity, modality, table)
    interpolate = table.course(entry.name, modality).interpolate
    rows = parts_at(entry.name, severity.value, row_at("L1"), row_at("L2"), shape, interpolate)
    return [(share, None if row is None else drawn(row)) for share, row in rows]


def largest_severity(name: str, modality: str | None = None, table: SeverityTable | None = None) -> float:
    """Return how far a degradation's series goes: the row's `stop`, else its own; 2 where it has no series.

    Raises:
        ValueError: unknown name or modality.
    """
    entry, implied = resolve(name)
    stop = (table or load_severities()).course(entry.name, check_modality(modality) or implied).stop
    if entry.name not in DOSES:
        return 2.0
    return DOSES[entry.name].stop if stop is None else stop


@dataclass(frozen=True)
class PhysicalDose:
    """What a severity is in the terms of the operator.

    Attributes:
        parameter: the first of those that make the degradation strong.
        value: its value; of a range, that of its middle.
        unit: as in the severity table, such as "px".
        strength: its distance from clean, 0 there, on the scale on which the severity grows (`doses`).
    """

    parameter: str
    value: float
    unit: str
    strength: float


def physical_dose(
    name: str, severity: float, modality: str | None = None, table: SeverityTable | None = None
) -> PhysicalDose:
    """The physical parameter behind a severity of a series, for the second axis of a curve.

    Args:
        name: a degradation's name or alias.
        severity: above 0, up to the degradation's largest.
        modality: chooses the row.
        table: a severity table of one's own.

    Raises:
        ValueError: unknown name or modality; a severity of 0, beyond the stop, or of a row that does not grow.
    """
    entry, implied = resolve(name)
    modality, table = check_modality(modality) or implied, table or load_severities()
    at = read_severity(severity, series=True)
    check_stop(entry.name, at, modality, table)
    if not at.value > 0:
        raise ValueError(f"{entry.name} has no dose at severity 0, which is the clean image")
    key, scale = next(iter(DOSES[entry.name].scales.items()))
    quantities = [table.lookup(entry.name, level, modality)[key] for level in LEVELS[1:]]
    ends = [sum(q.value) / 2 if isinstance(q.value, tuple) else q.value for q in quantities]
    interpolate = table.course(entry.name, modality).interpolate
    first, second = (scale.strength(end) for end in ends)
    strength = strength_at(at.value, first, second, interpolate)
    return PhysicalDose(key, float(scale.value(strength, ends[0])), quantities[0].unit, strength)


def check_stop(name: str, severity: Severity, modality: str | None, table: SeverityTable) -> None:
    """Refuse a severity of a series beyond its degradation's largest.

    Raises:
        ValueError: it is beyond; or the degradation has nothing between its levels.
    """
    if not severity.series:
        return
    if name not in DOSES:
        raise ValueError(f"{name} has nothing between its levels: use severity 0, 1 or 2")
    largest = largest_severity(name, modality, table)
    if severity.value > largest:
        raise ValueError(f"{name} goes up to severity {largest:g}, not {severity.value:g}")


def check_names(entry: Degradation, overrides: Mapping[str, Any]) -> None:
    """Raise a TypeError for a parameter that the degradation does not have."""
    known = entry.apply_parameters | entry.draw_parameters
    for key in overrides:
        if key not in known:
            raise TypeError(f"{entry.name} has no parameter {key!r}: it has {', '.join(sorted(known))}")


def pixel_scale(reference_size: float | None, shape: tuple[int, ...]) -> float:
    """Return what the table's pixels are multiplied by for an image of this shape."""
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


def _select(entry: Degradation, parameters: dict[str, Any], names: Mapping[str, bool]) -> dict[str, Any]:
    for name, needed in names.items():
        if needed and name not in parameters:
            raise ValueError(f"the severity table does not give {entry.name} its parameter {name!r}")
    return {key: value for key, value in parameters.items() if key in names}
