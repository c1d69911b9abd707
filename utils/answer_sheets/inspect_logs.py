"""Logs of Inspect AI: multiple choice, each epoch one trial.

Inspect writes one `.eval` (or `.json`) file per evaluation, and its own package reads them, whatever its version. The
reply of every sample is read anew, as the tasks read it; Inspect's own score is not looked at. What an item is comes
from the key of an export, or from the sample: its choices, its target and, in its metadata, the columns of a data set.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..base.errors import InputError, one_line
from ..base.extras import how_to_install
from ..dataset.loading import BY_COLUMN, BY_TEXT
from ..dataset.tsv import COLUMN_NAMES, assign_columns, row_of_cells
from ..scoring.elicitation import VOTES
from .answers import GivenAnswer, Sheet
from .key import Key, item_of_row

LOG_NAME = re.compile(r".+\.eval|\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d[+-]\d\d-\d\d_.+\.json")
"""How Inspect calls its logs; a `.json` file of another name is none."""

_OF_THE_SAMPLE = ("question", "answer", "image", "image_path")
_NOT_NEEDED = {"events", "events_data", "messages", "store", "timelines", "scores"}
_SETTINGS = {"temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "max_tokens": "max_new_tokens"}


@dataclass(frozen=True)
class LogHeader:
    """What a log says of its evaluation.

    Attributes:
        model: as Inspect names it, such as "openai/gpt-4o".
        task: its name.
        created: date and time, ISO 8601.
        generation: temperature, top_p, top_k and max_new_tokens, where they were set.
        complete: whether it ran to its end.
    """

    model: str
    task: str
    created: str
    generation: Mapping[str, Any]
    complete: bool


def is_log(path: Path) -> bool:
    """Whether a file's name is that of an Inspect log."""
    return LOG_NAME.fullmatch(path.name) is not None


def read_header(path: Path) -> LogHeader:
    """Read what a log says of its evaluation.

    Raises:
        InputError: it cannot be read, or inspect_ai is not installed.
    """
    log = _opened(path, "read_eval_log", header_only=True)
    stated: dict[str, Any] = {}
    for config in (log.eval.model_generate_config, log.plan.config):  # the model's, then the task's on top
        stated |= config.model_dump(exclude_none=True)
    return LogHeader(
        model=str(log.eval.model),
        task=str(log.eval.task).rpartition("/")[2],
        created=str(log.eval.created),
        generation={ours: stated[name] for name, ours in _SETTINGS.items() if name in stated},
        complete=log.status == "success",
    )


def read_log_sheets(paths: Iterable[Path]) -> list[Sheet]:
    """Read logs whose sample ids are the codes of an export; later logs of the same samples are later trials.

    Raises:
        InputError: a log that cannot be read, or inspect_ai is not installed.
    """
    passes: Counter[str] = Counter()
    sheets = []
    for path in paths:
        sheet = _sheet(path)
        for sample, where in _samples(path):
            sheet.answers.append(_answer(sample, where, str(sample.id), passes))
        _count(sheet, passes)
        sheets.append(sheet)
    return sheets


def read_logs(paths: Iterable[Path]) -> tuple[Key, list[Sheet]]:
    """Read logs of one model and task together with what was asked.

    Returns:
        A key whose codes are level and item id, and one sheet per log.

    Raises:
        InputError: a log that cannot be read, no sample that is an item, one that differs between logs, or inspect_ai
            is not installed.
    """
    paths = list(paths)
    found: list[tuple[Sheet, list[tuple[Any, str, Any]]]] = []
    passes: Counter[str] = Counter()
    for path in paths:
        sheet = _sheet(path)
        rows = []
        for sample, where in _samples(path):
            try:
                row = _row(sample, where)
            except InputError as error:
                sheet.faults.append(str(error))
                continue
            rows.append((_answer(sample, where, f"{row.level} {row.item_id}", passes), where, row))
        sheet.answers = [answer for answer, _, _ in rows]
        _count(sheet, passes)
        found.append((sheet, rows))
    rule = BY_COLUMN if all(row.source_question for _, rows in found for _, _, row in rows) else BY_TEXT
    items: dict[str, Mapping[str, Any]] = {}
    for _, rows in found:
        for answer, where, row in rows:
            item = item_of_row(row, rule)
            if items.setdefault(answer.item, item) != item:
                raise InputError(one_line(f"{where}: item {answer.item} differs from that of another epoch or log"))
    if not items:
        faults = [fault for sheet, _ in found for fault in sheet.faults]
        raise InputError(one_line("; ".join(["the logs hold no item", *faults[:2]]), 500))
    family = re.sub(r"[^\w.+-]+", "_", read_header(paths[0]).task)
    return Key(family, VOTES, 1, 0, "", items), [sheet for sheet, _ in found]


def _answer(sample: Any, where: str, code: str, passes: Mapping[str, int]) -> GivenAnswer:
    reply = None if sample.error is not None else str(sample.output.completion)
    return GivenAnswer(where, code, passes.get(code, 0) + int(sample.epoch), reply)


def _count(sheet: Sheet, passes: Counter[str]) -> None:
    for answer in sheet.answers:
        passes[answer.item] = max(passes[answer.item], answer.trial or 0)


def _sheet(path: Path) -> Sheet:
    sheet = Sheet(path)
    if not read_header(path).complete:
        sheet.notes.append(f"{path.name}: the evaluation did not run to its end; what is there is read")
    return sheet


def _samples(path: Path) -> Iterator[tuple[Any, str]]:
    """Yield the samples of a log, and where they stand."""
    wanted = {"all_samples_required": False, "resolve_attachments": "core", "exclude_fields": _NOT_NEEDED}
    samples = _opened(path, "read_eval_log_samples", **wanted)
    while True:
        try:
            sample = next(samples, None)
        except Exception as error:  # whatever a damaged archive makes of it
            raise _unreadable(path, error) from None
        if sample is None:
            return
        yield sample, f"{path.name}, sample {sample.id}, epoch {sample.epoch}"


def _row(sample: Any, where: str) -> Any:
    """Return a sample as a row of a data set: its choices are A, B, ...; its metadata has the other columns."""
    if not sample.choices:
        raise InputError(f"{where}: has no choices; multiple choice alone is read without the key of an export")
    choices, target = list(sample.choices), sample.target
    if len(choices) > len(string.ascii_uppercase):
        raise InputError(f"{where}: {len(choices)} choices, more than there are letters")
    letters = string.ascii_uppercase[: len(choices)]
    right = [target] if isinstance(target, str) else list(target)
    if len(right) != 1:
        raise InputError(f"{where}: {len(right)} right answers; items have one")
    if right[0] not in letters and choices.count(right[0]) == 1:
        right = [letters[choices.index(right[0])]]
    cells = {"index": str(sample.id), "question": _question(sample.input), "answer": right[0]}
    cells |= dict(zip(letters, choices, strict=True))
    known = {_plain(name): name for role, names in COLUMN_NAMES.items() if role not in _OF_THE_SAMPLE for name in names}
    for name, value in (sample.metadata or {}).items():
        if _plain(name) in known and isinstance(value, str | int | float):
            if _plain(name) in map(_plain, COLUMN_NAMES["item_id"]):
                cells["index"] = str(value)
            else:
                cells[name] = str(value)
    columns = assign_columns(list(cells), where, with_images=False)
    return row_of_cells(cells, columns, where, (int(sample.epoch), 0))


def _question(given: Any) -> str:
    """Return the text of what was asked, without images and system prompts."""
    if isinstance(given, str):
        return given
    texts = []
    for message in given:
        if message.role == "user":
            parts = message.content if isinstance(message.content, list) else [message.content]
            texts += [part if isinstance(part, str) else part.text for part in parts if not hasattr(part, "image")]
    return "\n".join(texts)


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name.casefold())


def _opened(path: Path, function: str, **wanted: Any) -> Any:
    try:
        from inspect_ai import log
    except ImportError:
        needed = f"{path.name}: logs of Inspect AI are read by inspect_ai"
        raise InputError(f"{needed}: {how_to_install('inspect')}") from None
    try:
        return getattr(log, function)(str(path), **wanted)
    except Exception as error:  # whatever a damaged archive makes of it
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(f"{path.name}: cannot be read as a log of Inspect AI ({one_line(error, 200)})")
