"""The severity table as data: how strong L1 and L2 of each degradation are.

The table is a YAML file that a person edits (`severities.yaml` is the paper's). For each degradation it has
rows for `default` and, where they differ, for single modalities; each row has `L1` and `L2`; each of
these gives the operator's parameters. A value is

- a number (`0.65`), or a number with a unit (`3 px`, `0.20 of side`, `18 deg`);
- a range that the seed draws from evenly (`10 to 20 deg`), whole numbers for what is counted (`5 to 9 cells`);
- a list, a word or true/false where the operator has such a parameter.

`px` are pixels of the image as it is, the paper's way; `of side` is a share of the image's shorter side;
`per px` is a density along a path, `per side` one that gives this value along the longer side. Only these
depend on the image; other units are there for the reader.

Beside L1 and L2 a row may say what lies between and beyond them (`doses`): `interpolate: line` instead of
`growth`, and `stop: 3`, the largest severity.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .doses import GROWTH, LINE
from .vocabulary import check_modality

DEFAULT = "default"
DEFAULT_TABLE = Path(__file__).with_name("severities.yaml")

_UNITS = ("px", "of side", "per px", "per side", "deg", "levels", "views", "photons", "cells", "")
_COUNTED = ("views", "cells")
_COURSE = ("interpolate", "stop")
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_QUANTITY = re.compile(rf"^({_NUMBER})(?:\s+to\s+({_NUMBER}))?\s*([a-z ]*)$")
_WORD = re.compile(r"^[A-Za-z][A-Za-z _-]*$")


@dataclass(frozen=True)
class Quantity:
    """A parameter's value with its unit. `value` is a number, a `(low, high)` range, a word, a flag or a
    list."""

    value: Any
    unit: str = ""

    def __str__(self) -> str:
        text = " to ".join(f"{v:g}" for v in self.value) if isinstance(self.value, tuple) else str(self.value)
        return f"{text} {self.unit}".rstrip()

    @property
    def counts(self) -> bool:
        """Whether the value is a number of things, so that a range of it holds whole numbers only."""
        return self.unit in _COUNTED or (self.unit == "" and all(isinstance(v, int) for v in self.value))

    def resolve(self, shape: tuple[int, int], scale: float = 1.0) -> Any:
        """Return the value as the operator takes it.

        Args:
            shape: height and width of the image; `of side` becomes pixels of the shorter one,
                `per side` a value per pixel of the longer one.
            scale: what `px` is multiplied with (1: the paper's absolute pixels).
        """
        factors = {
            "px": scale,
            "of side": min(shape),
            "per px": 1 / scale,
            "per side": 1 / max(shape),
        }
        factor = factors.get(self.unit, 1)
        if factor == 1:
            return self.value
        return tuple(v * factor for v in self.value) if isinstance(self.value, tuple) else self.value * factor


def parse_quantity(raw: Any, where: str) -> Quantity:
    """Read one value of the table, or of a call's overrides.

    Raises:
        ValueError: not a value of the forms that the module's docstring lists; `where` opens the message.
    """
    if isinstance(raw, str):
        match = _QUANTITY.match(raw.strip())
        if match:
            low, high, unit = match.groups()
            if unit.strip() not in _UNITS:
                known = ", ".join(u for u in _UNITS if u)
                raise ValueError(f"{where}: unit {unit.strip()!r} in {raw!r} is not one of {known}")
            if high is None:
                return Quantity(_number(low), unit.strip())
            if _number(low) > _number(high):
                raise ValueError(f"{where}: the range {raw!r} runs downwards")
            return Quantity((_number(low), _number(high)), unit.strip())
        if _WORD.match(raw):
            return Quantity(raw)
        raise ValueError(f"{where}: {raw!r} is neither a number with a unit, nor a range, nor a word")
    if isinstance(raw, float) and not math.isfinite(raw):
        raise ValueError(f"{where}: {raw!r} is not finite")
    return Quantity(raw)


def _number(text: str) -> int | float:
    return int(text) if re.fullmatch(r"[-+]?\d+", text) else float(text)


@dataclass(frozen=True)
class Course:
    """What a row says of the severities that are neither 1 nor 2: a name of `doses`, and the largest severity or
    None for the degradation's own."""

    interpolate: str = GROWTH
    stop: float | None = None


@dataclass(frozen=True)
class SeverityTable:
    """What every degradation takes at every level.

    Attributes:
        rows: degradation -> modality or "default" -> "L1" or "L2" -> parameter -> its value.
        courses: degradation -> modality or "default" -> what the row says beyond its two levels, where it does.
    """

    rows: Mapping[str, Mapping[str, Mapping[str, Mapping[str, Quantity]]]]
    courses: Mapping[str, Mapping[str, Course]] = field(default_factory=dict)

    def lookup(self, name: str, level: str, modality: str | None) -> Mapping[str, Quantity]:
        """Return the parameters of a degradation at a level: the modality's row where there is one, else the default
        row.

        Raises:
            ValueError: the table has no row for the degradation, or none that serves the modality.
        """
        return self.rows[name][self._row(name, modality)][level]

    def course(self, name: str, modality: str | None) -> Course:
        """Return what the same row says of other severities.

        Raises:
            ValueError: as for `lookup`.
        """
        return self.courses.get(name, {}).get(self._row(name, modality), Course())

    def _row(self, name: str, modality: str | None) -> str:
        if name not in self.rows:
            raise ValueError(f"the severity table has no rows for {name!r}")
        for key in (modality or DEFAULT, DEFAULT):
            if self.rows[name].get(key):
                return key
        raise ValueError(f"the severity table has no row of {name!r} for {modality or 'no modality'}")


def load_severities(source: str | Path | Mapping[str, Any] | SeverityTable | None = None) -> SeverityTable:
    """Return a severity table: the paper's (None), a YAML file's, or that of a mapping of the same form.

    A user's table may be partial: a degradation that it does not name keeps the paper's rows.

    Raises:
        ValueError: the table is not of the form described above; the message names the row.
        FileNotFoundError: there is no such file.
    """
    if source is None:
        return _default_table()
    if isinstance(source, SeverityTable):
        return source
    if isinstance(source, Mapping):
        own = _parse(source, "severity table")
    else:
        own = _parse(_read_yaml(Path(source)), str(source))
    return SeverityTable({**_default_table().rows, **own.rows}, own.courses)


@functools.lru_cache(maxsize=1)
def _default_table() -> SeverityTable:
    return _parse(_read_yaml(DEFAULT_TABLE), DEFAULT_TABLE.name)


def _read_yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: not valid YAML ({' '.join(str(error).split())})") from None


def _parse(raw: Any, where: str) -> SeverityTable:
    rows: dict[str, dict[str, dict[str, dict[str, Quantity]]]] = {}
    courses: dict[str, dict[str, Course]] = {}
    for name, of_modalities in _items(raw, where):
        rows[name] = {}
        for modality, levels in _items(of_modalities, f"{where}: {name}"):
            row = f"{where}: {name}: {modality}"
            given = dict(_items(levels, row))
            course = {key: given.pop(key) for key in _COURSE if key in given}
            parsed = {
                level: {key: parse_quantity(value, f"{row}: {level}: {key}") for key, value in _items(values, row)}
                for level, values in given.items()
            }
            if set(parsed) != {"L1", "L2"}:
                raise ValueError(f"{row}: expected exactly L1 and L2, found {', '.join(parsed) or 'nothing'}")
            key = DEFAULT if modality == DEFAULT else str(check_modality(modality))
            rows[name][key] = parsed
            if course:
                courses.setdefault(name, {})[key] = _parse_course(course, row)
    return SeverityTable(rows, courses)


def _parse_course(raw: Mapping[str, Any], where: str) -> Course:
    interpolate, stop = raw.get("interpolate", GROWTH), raw.get("stop")
    if interpolate not in (GROWTH, LINE):
        raise ValueError(f"{where}: interpolate must be {GROWTH} or {LINE}, not {interpolate!r}")
    number = isinstance(stop, int | float) and not isinstance(stop, bool)
    if stop is not None and not (number and 0 < stop < math.inf):
        raise ValueError(f"{where}: stop must be a severity above 0, such as 3, not {stop!r}")
    return Course(interpolate, stop)


def _items(raw: Any, where: str) -> list[tuple[str, Any]]:
    if not isinstance(raw, Mapping):
        raise ValueError(f"{where}: expected a mapping, found {type(raw).__name__}")
    return [(str(key), value) for key, value in raw.items()]
