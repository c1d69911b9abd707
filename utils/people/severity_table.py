"""Severity thresholds as a table of strengths that `degrade` and `build` take (`--severities`).

A table knows L1 and L2 and their parameters. The parameters at a threshold are those of the published series there. Two
things a table cannot say: a mixture with the clean image, by which some degradations fade in below the published L1
(such a row is left out, and a comment says so), and a whole number of things between two whole numbers (the nearer is
taken).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from ...degradations import largest_severity, load_severities
from ...degradations.doses import parts_at
from ...degradations.severity import Quantity, SeverityTable
from ..base.errors import InputError
from .thresholds import Calibration

_DIGITS = 6
_ANY_SHAPE = (4096, 4096)
"""The row is of no image; only the coarsest grid of low_resolution would ask for one."""


def severity_table(
    found: Mapping[tuple[str, str], Calibration], heads: Iterable[str], table: SeverityTable | None = None
) -> str:
    """Return the table as YAML, with the thresholds and the stores' head hashes in comments.

    Args:
        found: (degradation, modality) -> thresholds.
        heads: head hashes of the stores that hold the ratings.
        table: whose series was shown; the published one if None.

    Raises:
        InputError: a panel whose L2 is not above its L1; one line.
    """
    table = table or load_severities()
    lines = ["# Severities that readers set: L1 where 75% see a change; L2 midway between hampering and"]
    lines += ["# non-diagnostic, at most the lower limit of the latter. Made by medqdeg people export."]
    lines += [f"# head of the ratings: {head}" for head in heads]
    for name in dict.fromkeys(degradation for degradation, _ in found):
        rows, comments = [], []
        for (degradation, modality), calibration in found.items():
            if degradation != name:
                continue
            comments += [f"# {modality}: {line}" for line in calibration.lines()]
            row, notes = _row(name, modality, calibration, table)
            comments += [f"# {modality}: {note}" for note in notes]
            if row is not None:
                rows.append((modality, row))
        lines += ["", *comments]
        if rows:
            lines.append(f"{name}:")
            # A degradation's rows replace all that there were, so those of other modalities are written again.
            calibrated = {modality for modality, _ in rows}
            rows += [(modality, row) for modality, row in _kept(name, table).items() if modality not in calibrated]
        for modality, row in rows:
            lines.append(f"  {modality}:")
            lines += [f"    {level}: {_flow(values)}" for level, values in row.items()]
    return "\n".join([*lines, ""])


def _kept(name: str, table: SeverityTable) -> dict[str, dict[str, dict[str, Any]]]:
    """Return modality -> level -> parameters as they are in a table."""
    return {
        modality: {
            level: {key: _value(one.value, one.unit, whole=_is_whole(one)) for key, one in values.items()}
            for level, values in levels.items()
        }
        for modality, levels in table.rows[name].items()
    }


def _row(
    name: str, modality: str, calibration: Calibration, table: SeverityTable
) -> tuple[dict[str, dict[str, Any]] | None, list[str]]:
    """Return the row's two levels, None where a table cannot say them, and what to note."""
    stop = largest_severity(name, modality, table)
    mild, severe = calibration.mild, min(calibration.severe, stop)
    if not 0 < mild < severe:
        raise InputError(
            f"{name}, {modality}: L1 at {mild:.2f} is not below L2 at {severe:.2f}; more readers or ratings are needed"
        )
    notes = [f"L2 is cut at the largest severity, {stop:g}"] if calibration.severe > stop else []
    levels = {}
    for level, severity in (("L1", mild), ("L2", severe)):
        values, note = _parameters(name, modality, severity, table)
        if values is None:
            return None, [*notes, f"{level} at {severity:.2f} mixes in the clean image: the row is left out"]
        levels[level] = values
        notes += [f"{level}: {note}"] if note else []
    return levels, notes


def _parameters(
    name: str, modality: str, severity: float, table: SeverityTable
) -> tuple[dict[str, Any] | None, str | None]:
    """Return the table's parameters at a severity of its series, and what was rounded."""
    first, second = (table.lookup(name, level, modality) for level in ("L1", "L2"))
    units = {key: quantity.unit for row in (second, first) for key, quantity in row.items()}
    whole = {key for row in (second, first) for key, quantity in row.items() if _is_whole(quantity)}
    mild, severe = ({key: quantity.value for key, quantity in row.items()} for row in (first, second))
    parts = parts_at(name, severity, mild, severe, _ANY_SHAPE, table.course(name, modality).interpolate)
    share, row = max(parts, key=lambda part: part[0])
    if row is None or (share != 1 and any(other is None and part > 0 for part, other in parts)):
        return None, None
    note = "the nearest whole number is taken" if share != 1 else None
    values = {key: _value(value, units[key], whole=key in whole) for key, value in row.items()}
    return values, note


def _is_whole(quantity: Quantity) -> bool:
    """Return whether a parameter is a number of things, in a range or alone."""
    if isinstance(quantity.value, tuple):
        return quantity.counts
    whole = isinstance(quantity.value, int) and not isinstance(quantity.value, bool)
    return whole and Quantity((quantity.value, quantity.value), quantity.unit).counts


def _value(value: Any, unit: str, *, whole: bool) -> Any:
    def rounded(number: float) -> float:
        return round(number) if whole else float(f"{number:.{_DIGITS}g}")

    if isinstance(value, tuple):
        low, high = (rounded(end) for end in value)
        return f"{low!r} to {high!r} {unit}".rstrip()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return f"{rounded(value)!r} {unit}" if unit else rounded(value)


def _flow(values: Mapping[str, Any]) -> str:
    text: str = yaml.safe_dump(dict(values), default_flow_style=True, sort_keys=False, width=1000)
    return text.strip()
