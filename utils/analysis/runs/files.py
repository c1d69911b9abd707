"""One file of an evaluation run: a harness's results JSON and its samples JSONL, whole, cut off or gzipped.

lmms-eval 0.7.3 writes `DATE_results.json` and one `DATE_samples_TASK.jsonl` a task into a folder of the model's name. A
name may also carry the rank that wrote it ("..._rank1.jsonl") and ".gz". lm-eval 0.4.13 writes `results_DATE.json` and
`samples_TASK_DATE.jsonl`, or `NAME_DATE.json` where it is told a NAME.json; its dates are ISO 8601.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ...base.errors import one_line
from .validation import recomputed, record_fault
from .wrapped import WRAPPED_RECORD, read_wrapped

RECORD = "medqdeg"
"""The key of a sample that holds the item's record, and the metric of a task that holds its summary."""

_RANK = r"(?:[._-]rank[._-]?\d+)?"
_ISO_DATE = r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(?:\.\d+)?"
_RESULTS = (
    re.compile(rf"^.+_(?P<date>{_ISO_DATE})\.json(?:\.gz)?$"),
    re.compile(rf"^(?P<date>.+?)_results{_RANK}\.json(?:\.gz)?$"),
)
_SAMPLES = (
    re.compile(rf"^samples_(?P<task>.+)_(?P<date>{_ISO_DATE})\.jsonl(?:\.gz)?$"),
    re.compile(rf"^(?P<date>.+?)_samples_(?P<task>.+?){_RANK}\.jsonl(?:\.gz)?$"),
)


@dataclass(frozen=True)
class Samples:
    """A samples file of a MedQ-Deg task.

    Attributes:
        path: the file.
        date: of the evaluation, from its name.
        task: the task in its name.
        records: its records that can be used.
        warnings: what was wrong with the others, one line each.
    """

    path: Path
    date: str
    task: str
    records: tuple[Mapping[str, Any], ...]
    warnings: tuple[str, ...]


def results_date(path: Path) -> str | None:
    """Return the date in the name of a results file as lmms-eval writes it, or None for any other file."""
    match = _first_match(_RESULTS, path)
    return _date(match) if match else None


def samples_name(path: Path) -> tuple[str, str] | None:
    """Return the date (as lmms-eval writes it) and the task in the name of a samples file, or None for any other."""
    match = _first_match(_SAMPLES, path)
    return (_date(match), match["task"]) if match else None


def file_date(path: Path) -> str | None:
    """Return the date in the name of a results or samples file, or None for any other file."""
    return results_date(path) or (samples_name(path) or (None,))[0]


def _first_match(patterns: Sequence[re.Pattern[str]], path: Path) -> re.Match[str] | None:
    return next(filter(None, (pattern.match(path.name) for pattern in patterns)), None)


def _date(match: re.Match[str]) -> str:
    date = match["date"]
    return date.replace("-", "").replace("T", "_") if re.fullmatch(_ISO_DATE, date) else date


def read_results(path: Path) -> tuple[dict[str, Any] | None, list[str]]:
    """Return the content of a results file, None where it cannot be used, and a line for each thing that is amiss.

    In the content the keys of `_TABLES`, where present, are dictionaries, and every text can be written down again.
    """
    try:
        with _opened(path) as file:
            content = json.loads(file.read())
        if not isinstance(content, dict) or not isinstance(content.get("results"), dict):
            return None, [f"{path}: has no 'results', so no evaluation wrote it"]
        damaged = [name for name in _TABLES if not isinstance(content.get(name) or {}, dict)]
        kept = {name: value for name, value in content.items() if name not in damaged}
        # A lone surrogate is no Unicode and would stop whatever writes it.
        content = json.loads(json.dumps(kept, ensure_ascii=False).encode("utf-8", "replace"))
    except RecursionError:
        return None, [f"{path}: cannot be read as a results file: nested too deeply"]
    except (OSError, EOFError, zlib.error, ValueError) as error:
        return None, [f"{path}: cannot be read as a results file, it may be cut off ({one_line(error, 120)})"]
    return content, [f"{path}: {name!r} is no JSON object and is left out" for name in damaged]


_TABLES = ("config", "configs", "n-samples")


def read_samples(path: Path) -> Samples | str | None:
    """Return a samples file, or the line that says why it cannot be read, or None where it has no record of ours."""
    name = samples_name(path)
    if name is None:
        raise ValueError(f"{path} does not have the name of a samples file")
    records: list[Mapping[str, Any]] = []
    rows = without = 0
    faults: dict[str, list[int]] = {}
    differing: list[str] = []
    names: dict[tuple[str, ...], tuple[str, ...]] = {}
    warnings = []
    try:
        for number, row in rows_of(path):
            rows += 1
            if isinstance(row, str):
                warnings.append(f"{path}: line {number} {row}")
                continue
            record, wrapped = row.get(RECORD), row.get(WRAPPED_RECORD)
            if isinstance(record, dict):
                fault = record_fault(record)
                read = fault if fault else recomputed(record)
            elif isinstance(wrapped, dict):
                read = read_wrapped(wrapped)
                if not isinstance(read, str):
                    read = record_fault(read[0]) or read
            else:
                without += 1
                continue
            if isinstance(read, str):
                faults.setdefault(read, []).append(number)
                continue
            own, differences = read
            records.append(_sharing_texts(own, names))
            if differences:
                differing.append(f"item {own['item_id']}: {', '.join(differences)}")
    except (OSError, EOFError, zlib.error) as error:
        if not rows:
            return f"{path}: cannot be read ({one_line(error, 120)})"
        warnings.append(f"{path}: cut off after {rows} items ({one_line(error, 120)})")
    if without == rows and rows:
        return None
    if without:
        warnings.append(f"{path}: {without} of {rows} lines have no MedQ-Deg record and are left out")
    warnings += [
        f"{path}, line {lines[0]}: {one_line(fault)}; {len(lines)} of {rows} records are left out for it"
        for fault, lines in faults.items()
    ]
    if differing:
        warnings.append(
            f"{path}: {len(differing)} of {rows} records state scores that do not follow from their own letters, "
            f"confidences or probabilities; recomputed ones are used ({one_line(differing[0], 300)})"
        )
    if not rows:
        warnings.append(f"{path}: is empty")
    unique, repeated = _first_of_each(records)
    if repeated:
        warnings.append(f"{path}: {repeated[0]}")
    return Samples(path, *name, tuple(unique), tuple(warnings))


def _first_of_each(records: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], list[str]]:
    """Return the first record of each item, and a line about the rest where there is one."""
    kept: dict[tuple[str, str], Mapping[str, Any]] = {}
    same = other = 0
    for record in records:
        first = kept.setdefault((record["level"], record["item_id"]), record)
        if first is not record:
            same, other = (same + 1, other) if first == record else (same, other + 1)
    if other:
        return list(kept.values()), [
            f"{other} items appear again with other votes, so the file mixes two runs; the first of each is kept"
        ]
    return list(kept.values()), [f"{same} items appear twice, alike; counted once"] if same else []


def _sharing_texts(record: Mapping[str, Any], names: dict[tuple[str, ...], tuple[str, ...]]) -> dict[str, Any]:
    """Return a record whose names and texts are the same objects as those of others: it takes half the memory.

    Args:
        record: as it was read.
        names: the fields of the records before.
    """
    fields = tuple(record)
    if fields not in names:
        names[fields] = tuple(map(sys.intern, fields))
    shared = sys.intern
    return {
        name: shared(value)
        if type(value) is str
        else [shared(each) if type(each) is str else each for each in value]
        if type(value) is list
        else value
        for name, value in zip(names[fields], record.values(), strict=True)
    }


def rows_of(path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Yield line number and content of each line that is not blank, or what is wrong with it."""
    with _opened(path) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except RecursionError:
                yield number, "is nested too deeply and is left out"
                continue
            except ValueError:
                end = "is cut off" if not line.endswith(b"\n") else "is not JSON"
                yield number, f"{end} and is left out"
                continue
            yield number, row if isinstance(row, dict) else "is no JSON object and is left out"


def _opened(path: Path) -> BinaryIO:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]
