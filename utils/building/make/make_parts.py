"""The map stage: one part of the clean items becomes its three Parquet files and a report.

A part is made from files alone (the plan, the part's clean items, a person's decisions) and is a pure function of them,
so any process of any machine that sees the folder may make it, and an engine such as Ray runs it unchanged.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ....degradations import load_severities
from ...base.errors import InputError, one_line
from ...base.file_hashes import file_sha256
from ...dataset import taxonomy
from ...dataset.built import features, part_name, series_labels
from ..item import BAD
from ..layout import WorkFolder, read_json, replacing, write_json
from ..waiting import Waiting, read_waiting
from ..writing import ParquetRows, as_row, item_id
from .degrading import DegradedPair, MadeImage, MadeItem, degrade_item, degrade_series
from .gate import EXCLUDE, KEEP, NOT_MADE, Limits, Verdict, judge, review_row

AXES: tuple[str, ...] = (
    *("source", "modality", "capability", "task", "skill", "degradation_category", "degradation", "licence"),
    *("answer", "options", "images"),
)
"""What the items of each level are counted by."""


def make_part(out: Path, part: str) -> dict[str, Any]:
    """Make one part, or find that it is made already, and return its report.

    Args:
        out: the folder of the build, with a finished plan.
        part: its name, `<split>-<number>-of-<number>`.

    Returns:
        The report: `part`, `files` (path -> rows, bytes, SHA-256), `images` (how many), `pairs` (rows of `review.csv`),
        `counts` (level -> axis -> name -> number), `failed` (items that could not be read), `dropped` (items whose
        pairs are all out) and `kept`, True where nothing had to be done.
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
    request = plan["request"]
    degraded = partial(degrade_item, seed=request["seed"], table=load_severities(request["severities"]))
    limits = Limits(**request["limits"])
    pairs: list[dict[str, Any]] = []
    failed: list[dict[str, str]] = []
    dropped: list[str] = []
    with contextlib.ExitStack() as stack:
        series = request.get("series", [])
        files = _PartFiles(out, work, part, series, stack)
        further = partial(degrade_series, series=series, seed=request["seed"], table=degraded.keywords["table"])
        for waiting, images in read_waiting(work.clean(part)):
            item = waiting.item
            if item.level is not None:
                _add_real(files, waiting, images, degraded, failed)
                continue
            make = partial(degraded, images, modality=item.modality, where=item_id(item))
            try:
                made = make(waiting.names)
                tried = list(_tried(made, waiting.spares, make, limits))
                kept, rows = [], []
                for pair, verdict, replaces in tried:
                    decision = review.get((item_id(item), pair.name), verdict.decision)
                    if pair.failure is not None:  # there is nothing to keep
                        decision = EXCLUDE
                    rows.append(review_row(item_id(item), pair.name, verdict, decision, replaces))
                    if decision == KEEP:
                        along = further(images, pair.name, modality=item.modality, where=item_id(item))
                        kept.append(replace(pair, levels={**pair.levels, **along}))
            except InputError as error:
                failed.append({"item_id": item_id(item), "reason": one_line(error)})
                continue
            pairs += rows
            if kept or not waiting.names:
                files.add(waiting, made.clean, kept)
            else:
                dropped.append(item_id(item))
    return {"key": plan["key"], **files.report(), "pairs": pairs, "failed": failed, "dropped": dropped}


def _add_real(
    files: _PartFiles,
    waiting: Waiting,
    images: Sequence[bytes],
    degraded: Callable[..., MadeItem],
    failed: list[dict[str, str]],
) -> None:
    """Write an item whose images were bad when they were taken: as they are, at their level."""
    try:
        made = degraded(images, (), modality=waiting.item.modality, where=item_id(waiting.item))
    except InputError as error:
        failed.append({"item_id": item_id(waiting.item), "reason": one_line(error)})
    else:
        files.add_real(waiting, made.clean)


def _tried(
    made: MadeItem, spares: Sequence[str], make: Callable[[Sequence[str]], MadeItem], limits: Limits
) -> Iterator[tuple[DegradedPair, Verdict, str]]:
    """Judge an item's pairs; replace each that the gate rejects by the next spare one, while there are any.

    What a person decides has no say in it: which pairs are there to be decided on must not depend on the decisions.

    Yields:
        A pair, the verdict, and the name of the rejected one that it stands for ("" for one of the plan).
    """
    left = iter(spares)
    for planned in made.pairs:
        pair, replaces = planned, ""
        while True:
            verdict = judge(made.clean, pair, limits)
            yield pair, verdict, replaces
            spare = None if verdict.decision == KEEP else next(left, None)
            if spare is None:
                break
            replaces = pair.name
            (pair,) = make([spare]).pairs


class _PartFiles:
    """The files of a part, one Parquet file per level and the lines about images, and the counts of what is written."""

    def __init__(
        self, out: Path, work: WorkFolder, part: str, series: Sequence[float], stack: contextlib.ExitStack
    ) -> None:
        import pyarrow

        schema = pyarrow.ipc.read_schema(pyarrow.py_buffer(work.schema.read_bytes()))
        split, number, _, of = part.split("-")
        self._out = out
        levels = (*taxonomy.LEVELS, *series_labels(series))
        self._names = {level: part_name(level, split, int(number), int(of)) for level in levels}
        self._counts: dict[str, dict[str, Counter[str]]] = {
            level: {axis: Counter() for axis in AXES} for level in levels
        }
        self._writers: dict[str, ParquetRows] = {}
        real = "degradation_origin" in schema.names
        of_series = features(series=True, real=real).arrow_schema if series else schema
        for level, name in self._names.items():
            own = schema if level in taxonomy.LEVELS else of_series
            self._writers[level] = ParquetRows(stack.enter_context(replacing(out / name)), own)
            stack.callback(self._writers[level].close)
        lines = stack.enter_context(replacing(work.images(part)))
        self._lines = stack.enter_context(lines.open("w", encoding="utf-8", newline="\n"))
        self._images = 0
        self._real: Counter[str] = Counter()

    def add(self, waiting: Waiting, clean: tuple[MadeImage, ...], pairs: Iterable[DegradedPair]) -> None:
        """Write an item and its degraded versions."""
        self._write(waiting, taxonomy.CLEAN, None, clean)
        for pair in pairs:
            for level, images in pair.levels.items():
                self._write(waiting, level, pair.name, images)

    def add_real(self, waiting: Waiting, images: tuple[MadeImage, ...]) -> None:
        """Write an item whose images were bad when they were taken; at L1 where nothing says how bad."""
        item = waiting.item
        level = taxonomy.LEVELS[1] if item.level in (None, BAD) else str(item.level)
        self._write(waiting, level, item.degradation, images)
        self._real[level] += 1

    def _write(self, waiting: Waiting, level: str, name: str | None, images: tuple[MadeImage, ...]) -> None:
        row = as_row(waiting.item, waiting.cluster_id, level, name, images, waiting.clean_id)
        self._writers[level].add(row, sum(len(image.png) for image in images))
        _count(self._counts[level], row)
        self._images += len(images)
        for place, image in enumerate(images):
            line = {"item_id": row["item_id"], "image": place, "file": self._names[level], **image.described}
            self._lines.write(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n")

    def report(self) -> dict[str, Any]:
        """Return what was written; call it after the files are closed."""
        files = {}
        for level, name in self._names.items():
            path = self._out / name
            files[name] = {
                "rows": self._writers[level].count,
                "bytes": path.stat().st_size,
                "sha256": file_sha256(path),
            }
        counts = {
            level: {axis: dict(sorted(counter.items())) for axis, counter in axes.items()}
            for level, axes in self._counts.items()
        }
        real = {"real": dict(sorted(self._real.items()))} if self._real else {}
        return {"files": files, "counts": counts, "images": self._images, **real}


def _count(counts: Mapping[str, Counter[str]], row: Mapping[str, Any]) -> None:
    for axis in AXES:
        value = row[axis]
        if isinstance(value, list):
            value = str(len(value))
        elif axis == "licence":
            value = f"{row['source']}: {value or 'not stated'}"
        if value is not None:
            counts[axis][value] += 1
