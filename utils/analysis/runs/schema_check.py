"""Records against the shipped JSON Schema, in one phrase that names the field.

fastjsonschema compiles the schema to a function, some 30 times faster than jsonschema: a record takes about as long as
it takes to parse.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...base.errors import one_line

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
def _compiled() -> Callable[[Any], Any]:
    import fastjsonschema

    # It knows drafts up to 7; what the schema uses of 2020-12 is the same there, as a test with jsonschema shows.
    checked: Callable[[Any], Any] = fastjsonschema.compile(
        {**record_schema(), "$schema": "http://json-schema.org/draft-07/schema#"}
    )
    return checked


def _fault(record: Mapping[str, Any]) -> str | None:
    from fastjsonschema import JsonSchemaValueException

    try:
        _compiled()(record)
    except JsonSchemaValueException as error:
        return _phrase(error, record)
    return None


def _phrase(error: Any, record: Mapping[str, Any]) -> str:
    _, *path = error.path
    field = "".join(f"[{part}]" if place else str(part) for place, part in enumerate(path))
    rule, definition, value = error.rule, error.definition, short(error.value)
    if rule == "required":
        return f"no {next(name for name in error.rule_definition if name not in record)}"
    if rule == "type":
        types = error.rule_definition if isinstance(error.rule_definition, list) else [error.rule_definition]
        return f"{field} is {value}, no {' or '.join(types)}"
    if rule == "enum":
        return (
            f"{field} is {value}, none of {', '.join(str(each) for each in error.rule_definition if each is not None)}"
        )
    if rule in ("minimum", "maximum", "exclusiveMinimum"):
        low = definition.get("minimum", definition.get("exclusiveMinimum"))
        return f"{field} is {value}, not in {low:g} to {definition.get('maximum', float('inf')):g}"
    if rule == "uniqueItems":
        return f"{field} has an entry twice"
    if rule in ("minItems", "maxItems"):
        return f"{field} has {len(error.value)} entries"
    return one_line(f"{field} is {value}, not of the form {error.rule_definition}", 200)


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
