"""Records against the shipped JSON Schema, in one phrase that names the field.

jsonschema-rs compiles the schema, some 100 times faster than jsonschema: a record takes a sixth of the time that its
line takes to parse.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...base.errors import one_line

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError, Validator

TOLERANCE = 1e-6
"""How far beyond a bound a number may lie: a score that was rounded on the way is still the same."""


def schema_fault(record: Mapping[str, Any]) -> str | None:
    """Return, in one phrase, what the record has that the schema refuses; None where it holds."""
    fault = _fault(record)
    if fault is not None and (near := _without_rounding(record)) is not None:
        return _fault(near)
    return fault


@functools.cache
def record_schema() -> dict[str, Any]:
    """Return the JSON Schema of a record, as it is shipped."""
    path = Path(__file__).parents[2] / "scoring" / "record.schema.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


@functools.cache
def _compiled() -> Validator:
    from jsonschema_rs import validator_for

    return validator_for(record_schema())


def _fault(record: Mapping[str, Any]) -> str | None:
    checked = _compiled()
    try:
        if checked.is_valid(record):
            return None
        return _phrase(next(iter(checked.iter_errors(record))), record)
    except UnicodeEncodeError:
        names = (name for name, value in record.items() if not all(map(is_unicode, _texts(value))))
        return f"{next(names, 'a name')} holds no Unicode text"
    except ValueError:  # it tells no errors of a value some hundred lists deep
        return "is nested too deeply"


def _phrase(error: ValidationError, record: Mapping[str, Any]) -> str:
    *place, rule = error.schema_path
    definition, found = _part(record_schema(), place), _part(record, error.instance_path)
    field = "".join(f"[{part}]" if place else str(part) for place, part in enumerate(error.instance_path))
    value, wanted = short(found), definition[rule]
    if rule == "required":
        return f"no {next(name for name in wanted if name not in record)}"
    if rule == "type":
        return f"{field} is {value}, no {' or '.join(wanted if isinstance(wanted, list) else [wanted])}"
    if rule == "enum":
        return f"{field} is {value}, none of {', '.join(str(each) for each in wanted if each is not None)}"
    if rule in ("minimum", "maximum", "exclusiveMinimum"):
        low = definition.get("minimum", definition.get("exclusiveMinimum"))
        return f"{field} is {value}, not in {low:g} to {definition.get('maximum', float('inf')):g}"
    if rule == "uniqueItems":
        return f"{field} has an entry twice"
    if rule in ("minItems", "maxItems"):
        return f"{field} has {len(found)} entries"
    return one_line(f"{field} is {value}, not of the form {wanted}", 200)


def _texts(value: Any) -> list[str]:
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]


def is_unicode(text: str) -> bool:
    """Whether a text can be written down: it holds no half of a character."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _part(document: Any, path: Sequence[str | int]) -> Any:
    for name in path:
        document = document[name]
    return document


def _without_rounding(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the record with numbers just beyond a bound set on it; None where there is none."""
    changed: dict[str, Any] = {}
    for name, definition in record_schema()["properties"].items():
        definition = definition.get("items", definition)
        bounds = definition.get("minimum"), definition.get("maximum")
        if name in record and None not in bounds:
            value = record[name]
            rounded = (
                [_bounded(each, *bounds) for each in value] if isinstance(value, list) else _bounded(value, *bounds)
            )
            if rounded != value:
                changed[name] = rounded
    return {**record, **changed} if changed else None


def _bounded(value: Any, low: float, high: float) -> Any:
    if not isinstance(value, float):
        return value
    nearest = min(max(value, low), high)
    return nearest if abs(value - nearest) <= TOLERANCE else value


def short(value: Any) -> str:
    """Return a value for a message; numbers of many digits and deep lists are not written out."""
    if isinstance(value, int) and abs(value) >= 10**9:
        return "a number of many digits"
    return one_line(repr(value) if isinstance(value, str | int | float | bool | None) else _plain(value), 60)


def _plain(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return repr(value)
    return f"a {type(value).__name__}"
