"""The map stage: one part of the clean items becomes its three Parquet files and a report.

A part is made from files alone (the plan, the part's clean items, a person's decisions) and is a pure function of them,
so any process of any machine that sees the folder may make it, and an engine such as Ray runs it unchanged.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...degradations import SeverityTable, load_severities
from .. import taxonomy
from ..dataset.built import part_name
from ..errors import InputError, one_line
from .degrading import MadeImage, degrade_item
from .gate import EXCLUDE, KEEP, NOT_MADE, Limits, judge, review_row
from .item import SourceItem
from .layout import WorkFolder, file_sha256, read_json, replacing, write_json
from .writing import ParquetRows, as_row, item_id, read_rows

AXES: tuple[str, ...] = (
    *("source", "modality", "capability", "task", "skill", "degradation_category", "degradation", "licence"),
    *("answer", "options", "images"),
)
"""What the items of each level are counted by."""


def item_as_json(item: SourceItem, names: tuple[str, ...]) -> str:
    """Return a chosen item without its images, for the file where it waits to be degraded."""
    return json.dumps(
        {
            "source": item.source,
            "source_id": item.source_id,
            "question": item.question,
            "options": list(item.options),
            "answer": item.answer,
            "modality": item.modality,
            "skill": item.skill,
            "licence": item.licence,
            "extra": dict(item.extra),
            "names": list(names),
        },
        ensure_ascii=False,
        sort_keys=True,
    )


def item_from_json(text: str) -> tuple[SourceItem, tuple[str, ...]]:
    """Return an item, without its images, and its degradations."""
    given = json.loads(text)
    names = tuple(given.pop("names"))
    return SourceItem(**{**given, "options": tuple(given["options"]), "images": ()}), names


def make_part(out: Path, part: str) -> dict[str, Any]:
    """Make one part, or find that it is made already, and return its report.

    Args:
        out: the folder of the build, with a finished plan.
        part: its name, `<split>-<number>-of-<number>`.

    Returns:
        The report: `part`, `files` (path -> rows, bytes, SHA-256), `pairs` (rows of `review.csv`), `counts` (level ->
        axis -> name -> number), `failed` (items that could not be read), `dropped` (items whose pairs are all out) and
        `kept`, True where nothing had to be done.
    """
    work = WorkFolder(out)
    plan = read_json(work.plan)
    review = {(row[0], row[1]): row[2] for row in read_json(work.review) or ()}
    if (earlier := holding(out, part, plan["key"], review)) is not None:
        return {**earlier, "part": part, "kept": True}
    report = _make(out, work, part, plan, review)
    write_json(work.report(part), report)
    return {**report, "part": part, "kept": False}


def holding(
    out: Path, part: str, key: str, review: Mapping[tuple[str, str], str], *, hashes: bool = True
) -> dict[str, Any] | None:
    """Return the report of a part that is made as the plan and the person want it and still lies there, else None.

    `hashes=False` trusts the files' sizes.
    """
    report = read_json(WorkFolder(out).report(part))
    if not report or report["key"] != key:
        return None
    for pair in report["pairs"]:
        wanted = review.get((pair["item_id"], pair["degradation"]), pair["gate"])
        if wanted != pair["decision"] and not pair["reason"].startswith(NOT_MADE):
            return None
    try:
        for name, file in report["files"].items():
            path = out / name
            if path.stat().st_size != file["bytes"] or (hashes and file_sha256(path) != file["sha256"]):
                return None
    except OSError:
        return None
    return report


def _make(
    out: Path, work: WorkFolder, part: str, plan: Mapping[str, Any], review: Mapping[tuple[str, str], str]
) -> dict[str, Any]:
    import pyarrow

    request = plan["request"]
    table = load_severities(request["severities"])
    limits = Limits(**request["limits"])
    schema = pyarrow.ipc.read_schema(pyarrow.py_buffer(work.schema.read_bytes()))
    split, number, _, of = part.split("-")
    files = {level: part_name(level, split, int(number), int(of)) for level in taxonomy.LEVELS}
    counts: dict[str, dict[str, Counter[str]]] = {
        level: {axis: Counter() for axis in AXES} for level in taxonomy.LEVELS
    }
    pairs: list[dict[str, Any]] = []
    failed: list[dict[str, str]] = []
    dropped: list[str] = []

    with contextlib.ExitStack() as stack:
        writers: dict[str, ParquetRows] = {}
        for level, name in files.items():
            writers[level] = ParquetRows(stack.enter_context(replacing(out / name)), schema)
            stack.callback(writers[level].close)
        lines = stack.enter_context(
            stack.enter_context(replacing(work.images(part))).open("w", encoding="utf-8", newline="\n")
        )

        def write(item: SourceItem, level: str, name: str | None, images: tuple[MadeImage, ...]) -> None:
            row = as_row(item, level, name, images)
            writers[level].add(row, sum(len(image.png) for image in images))
            _count(counts[level], row)
            for place, image in enumerate(images):
                line = {"item_id": row["item_id"], "image": place, "file": files[level], **image.described}
                lines.write(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n")

        for waiting in read_rows([work.clean(part)]):
            item, names = item_from_json(waiting["item"])
            try:
                _write_item(
                    item, names, waiting["images"], request["seed"], table, limits, review, write, pairs, dropped
                )
            except InputError as error:
                failed.append({"item_id": item_id(item), "reason": one_line(error)})
    return {
        "key": plan["key"],
        "files": {
            name: {
                "rows": writers[level].count,
                "bytes": (out / name).stat().st_size,
                "sha256": file_sha256(out / name),
            }
            for level, name in files.items()
        },
        "pairs": pairs,
        "counts": {
            level: {axis: dict(sorted(counter.items())) for axis, counter in axes.items()}
            for level, axes in counts.items()
        },
        "failed": failed,
        "dropped": dropped,
    }


def _write_item(
    item: SourceItem,
    names: tuple[str, ...],
    images: list[bytes],
    seed: int | str,
    table: SeverityTable,
    limits: Limits,
    review: Mapping[tuple[str, str], str],
    write: Any,
    pairs: list[dict[str, Any]],
    dropped: list[str],
) -> None:
    made = degrade_item(images, names, seed=seed, modality=item.modality, table=table, where=item_id(item))
    kept = []
    for pair in made.pairs:
        verdict = judge(made.clean, pair, limits)
        decision = review.get((item_id(item), pair.name), verdict.decision)
        if pair.failure is not None:  # there is nothing to keep
            decision = EXCLUDE
        pairs.append(review_row(item_id(item), pair.name, verdict, decision))
        if decision == KEEP:
            kept.append(pair)
    if not kept:
        dropped.append(item_id(item))
        return
    write(item, taxonomy.CLEAN, None, made.clean)
    for pair in kept:
        for level, degraded in pair.levels.items():
            write(item, level, pair.name, degraded)


def _count(counts: Mapping[str, Counter[str]], row: Mapping[str, Any]) -> None:
    for axis in AXES:
        value = row[axis]
        if isinstance(value, list):
            value = str(len(value))
        elif axis == "licence":
            value = f"{row['source']}: {value or 'not stated'}"
        if value is not None:
            counts[axis][value] += 1
