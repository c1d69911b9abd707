"""Answers that other programs left behind, read as they are: VLMEvalKit's predictions and Inspect AI's logs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...answer_sheets.answers import Sheet
from ...answer_sheets.inspect_logs import is_log, read_header, read_logs
from ...answer_sheets.key import Key
from ...answer_sheets.matching import match, score
from ...answer_sheets.vlmevalkit_files import FILE_NAME, is_predictions, read_predictions
from ...base.errors import InputError


@dataclass(frozen=True)
class AnswerFiles:
    """The records of one model and set of items, and what its files say of the run.

    Attributes:
        model: its name as the program gives it.
        integration: the program.
        family: the items' common name.
        date: as lmms-eval writes it; empty if unknown.
        records: one per item, several passes being trials.
        stated: conditions, by the names of `conditions.CONDITIONS`.
        warnings: one line each.
        paths: the files.
    """

    model: str
    integration: str
    family: str
    date: str
    records: tuple[Mapping[str, Any], ...]
    stated: dict[str, Any]
    warnings: list[str]
    paths: list[Path]


def is_answer_file(path: Path) -> bool:
    """Whether a file's name is that of VLMEvalKit's predictions or of an Inspect log."""
    return is_predictions(path) or is_log(path)


def read_answer_files(paths: Iterable[Path], warnings: list[str]) -> Iterator[AnswerFiles]:
    """Yield the files that belong together as one; what cannot be read is one line in `warnings`."""
    paths = list(paths)
    yield from _predictions([path for path in paths if is_predictions(path)], warnings)
    yield from _logs([path for path in paths if not is_predictions(path)], warnings)


def _predictions(paths: Sequence[Path], warnings: list[str]) -> Iterator[AnswerFiles]:
    grouped: dict[tuple[str, str], list[Path]] = defaultdict(list)
    for path in paths:
        name = FILE_NAME.fullmatch(path.name)
        assert name is not None
        grouped[name["model"], name["dataset"].rpartition("_")[2]].append(path)
    for (model, split), own in grouped.items():
        try:
            key, sheets = read_predictions(own)
        except InputError as error:
            warnings.append(str(error))
            continue
        family = "medqdeg" if split == "test" else f"medqdeg_{split}"
        yield _scored(key, sheets, own, model=model, integration="VLMEvalKit", family=family, date="", stated={})


def _logs(paths: Sequence[Path], warnings: list[str]) -> Iterator[AnswerFiles]:
    grouped: dict[tuple[str, str, str], list[Path]] = defaultdict(list)
    headers = {}
    for path in paths:
        try:
            headers[path] = header = read_header(path)
        except InputError as error:
            warnings.append(str(error))
            continue
        grouped[header.model, header.task, repr(sorted(header.generation.items()))].append(path)
    for (model, _, _), own in grouped.items():
        own.sort(key=lambda path: (headers[path].created, path))
        try:
            key, sheets = read_logs(own)
        except InputError as error:
            warnings.append(str(error))
            continue
        generation = headers[own[0]].generation
        stated = {"generation_kwargs": dict(generation)} if generation else {}
        date = headers[own[0]].created[:19].replace("-", "").replace(":", "").replace("T", "_")
        told = {"family": key.family, "date": date, "stated": stated}
        yield _scored(key, sheets, own, model=model, integration="Inspect AI", **told)


def _scored(key: Key, sheets: Sequence[Sheet], paths: list[Path], **known: Any) -> AnswerFiles:
    matched = match(sheets, key)
    lines = [*matched.notes, *_few(matched.faults)]
    return AnswerFiles(records=tuple(score(matched, key)), warnings=lines, paths=paths, **known)


def _few(lines: list[str], most: int = 20) -> list[str]:
    return lines if len(lines) <= most else [*lines[:most], f"and {len(lines) - most} more of the kind"]
