"""The layout of a set that `medqdeg build` made: Parquet files by level and split, and what their columns are.

`data/<level>/<split>-00003-of-00017.parquet`: part 3 of 17 (from 0). Part for part, the files of the three levels come
from the same clean items.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...degradations import read_severity
from ..base.errors import InputError, one_line
from . import taxonomy
from .image_cells import check_image, is_stretched, quoted

if TYPE_CHECKING:
    import datasets

DATA = "data"

_NAME = re.compile(r"(?P<split>[a-z]+)-(?P<number>\d{5})-of-(?P<of>\d{5})\.parquet")
_SERIES = re.compile(rf"{DATA}/(?P<level>S\d+\.\d+)/")
_TEXTS = ("item_id", "question", "answer", "level", "modality", "skill", "source", "clean_id")
_ROWS_AT_ONCE = 16
_MAY_BE_ABSENT = frozenset({"cluster_id"})
"""Columns that sets of earlier versions lack."""


REAL, REAL_UNKNOWN_LEVEL = "real", "real, level not known"
"""`degradation_origin` of items whose images were bad when they were taken, rather than degraded by the package."""


@cache
def features(*, series: bool = False, real: bool = False) -> datasets.Features:
    """Return the columns of a built set.

    `clean_id` is the `item_id` of the L0 item; `cluster_id` is that of the first clean item with which it is connected
    by shared images, its own where it shares none. `parameters` is a JSON list with the record of each image, `extra`
    a JSON object with what else the source says. `degradation` and its category are null at L0.

    Args:
        series: whether the files are of a series of severities; they then have the column `severity`, a float.
        real: whether it holds images that were bad when they were taken; it then has the column `degradation_origin`,
            `REAL` or `REAL_UNKNOWN_LEVEL` for these and null for all others.
    """
    from datasets import Features, Image, List, Value

    text = Value("string")
    names = (
        *("item_id", "question", "options", "answer", "images", "level", "modality"),
        *("degradation", "degradation_category", "skill", "task", "capability", "source", "source_id", "clean_id"),
        *("cluster_id", "licence", "parameters", "extra"),
        *(("severity",) if series else ()),
        *(("degradation_origin",) if real else ()),
    )
    others = {"options": List(text), "images": List(Image()), "severity": Value("float64")}
    return Features({name: others.get(name, text) for name in names})


def part_name(level: str, split: str, number: int, of: int) -> str:
    """Return a part's path below the folder of the set, with slashes."""
    return f"{DATA}/{level}/{split}-{number:05d}-of-{of:05d}.parquet"


def series_labels(severities: Iterable[float]) -> tuple[str, ...]:
    """Return what the folders of a series are called, in order: "S0.50", "S1.00" ..."""
    return tuple(read_severity(severity, series=True).label for severity in sorted(severities))


def series_among(names: Iterable[str]) -> tuple[str, ...]:
    """Return the labels of the series that the paths of a set hold, in order."""
    found = {match["level"] for name in names if (match := _SERIES.match(name))}
    return tuple(sorted(found, key=taxonomy.severity_of))


def parts_among(names: Iterable[str], split: str, level: str) -> list[str]:
    """Return the paths of a level's parts, in order, out of all paths of a set; [] where it is no built set.

    Raises:
        InputError: the set has no items in this split, some of the parts are missing, or two builds are mixed.
    """
    prefix = f"{DATA}/{level}/"
    found: dict[int, str] = {}
    totals: set[int] = set()
    other_splits: set[str] = set()
    for name in names:
        match = _NAME.fullmatch(name.removeprefix(prefix)) if name.startswith(prefix) else None
        if match and match["split"] == split:
            found[int(match["number"])] = name
            totals.add(int(match["of"]))
        elif match:
            other_splits.add(match["split"])
    if not found and other_splits:
        raise InputError(
            f"{prefix} holds {' and '.join(sorted(other_splits))} items and none of the split {split}: take the tasks "
            "of the split that is there, or build with another --dev-share"
        )
    if not found:
        return []
    (of, *others) = sorted(totals)
    if others:
        raise InputError(f"{prefix} holds the {split} parts of two builds ({of} and {others[0]} parts): keep one")
    if missing := sorted(set(range(of)) - set(found)):
        raise InputError(
            f"{prefix} has {len(found)} of the {of} {split} parts, part {missing[0]} is missing: "
            "is the build or the copy finished?"
        )
    return [found[number] for number in range(of)]


def option_letters(count: int) -> list[str]:
    """Return the letters of so many options."""
    return list(string.ascii_uppercase[:count])


def checked_rows(paths: Sequence[Path], rule: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of parts as `loading.load_level` gives them, each checked, images included.

    Memory holds a few rows at a time.

    Raises:
        InputError: at the first row that cannot be used, naming the file and the item.
    """
    seen: dict[str, str] = {}
    for path in paths:
        for row in _raw_rows(path):
            try:
                item = _checked(row)
                if item["item_id"] in seen:
                    raise InputError(f"{seen[item['item_id']]} has this item_id already")
                seen[item["item_id"]] = path.name
            except InputError as error:
                raise InputError(
                    one_line(f"{path.name} (item {one_line(str(row['item_id']), 60)!r}): {error}")
                ) from None
            yield {
                **item,
                "source_question_id": f"index:{row['clean_id']}",
                "source_question_rule": rule,
                "cluster_id": f"index:{row.get('cluster_id') or row['clean_id']}",
            }


def _raw_rows(path: Path) -> Iterator[dict[str, Any]]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            if missing := [name for name in features() if name not in {*file.schema_arrow.names, *_MAY_BE_ABSENT}]:
                raise InputError(f"{path.name} lacks the column {', '.join(missing)}: was it made by medqdeg build?")
            for batch in file.iter_batches(_ROWS_AT_ONCE):
                yield from batch.to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{path.name} cannot be read as Parquet ({one_line(error, 160)})") from None


def _checked(row: dict[str, Any]) -> dict[str, Any]:
    for name in _TEXTS:
        if not row[name]:
            raise InputError(f"the item has no {name}")
    options = row["options"] or []
    if not 2 <= len(options) <= len(string.ascii_uppercase):
        raise InputError(f"the item has {len(options)} option{'s' if len(options) != 1 else ''}, not at least 2")
    letters = option_letters(len(options))
    if row["answer"] not in letters:
        raise InputError(f"the answer {quoted(row['answer'])} is not among the options {', '.join(letters)}")
    level = taxonomy.severity_label(row["level"])
    origin = row.get("degradation_origin")
    if level != taxonomy.CLEAN and not row["degradation"] and not origin:
        raise InputError(f"the item is degraded ({level}) but names no degradation")
    if not row["images"]:
        raise InputError("the item has no image")
    for image in row["images"]:
        if not image or not image["bytes"]:
            raise InputError("an image of the item is not in the file")
        if is_stretched(check_image(image["bytes"])):
            raise InputError("an image has 16-bit grey of unstated range, as medqdeg 0.1 built it: build the set again")
    return {
        "item_id": row["item_id"],
        "question": row["question"],
        "letters": letters,
        "options": options,
        "answer": row["answer"],
        "images": [{"bytes": image["bytes"], "path": None} for image in row["images"]],
        "level": level,
        "severity": taxonomy.severity_of(level),
        "modality": taxonomy.modality(row["modality"]),
        "degradation": taxonomy.degradation(row["degradation"]) if row["degradation"] else None,
        "degradation_origin": origin,
        "skill": row["skill"] if row["skill"] == taxonomy.UNLABELLED else taxonomy.skill(row["skill"]),
        "source": row["source"],
        "extra": row["extra"] or "{}",
    }
