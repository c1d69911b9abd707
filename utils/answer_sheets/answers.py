"""Answers as they come back: Excel, CSV, JSONL, OpenAI batch output. Rows in, one `GivenAnswer` per row out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..base.csv_cells import cell_as_given
from ..base.errors import InputError, one_line
from ..base.table_files import EXCEL, cell_text, file_bytes, read_delimited, read_excel, recognise_dialect
from .export import ANSWER, CONFIDENCE, ITEM, TRIAL

NAMES: Mapping[str, tuple[str, ...]] = {
    ITEM: ("item", "item_id", "id", "code", "index", "custom_id", "fall", "nummer", "nr"),
    TRIAL: ("trial", "run", "repetition", "versuch", "durchgang"),
    ANSWER: ("prediction", "answer", "reply", "response", "letter", "antwort", "buchstabe"),
    CONFIDENCE: ("confidence", "stated_confidence", "certainty", "probability", "sicherheit", "konfidenz"),
}
"""What a column holds -> what it may be called (case, blanks and underscores aside), the preferred name first."""

JSON_LINES = (".jsonl", ".ndjson")
TEXT_TABLES = (".csv", ".tsv", ".txt")

_REQUEST_ID = re.compile(r"(?P<item>.+)-t(?P<trial>\d+)")
_NUMBER = re.compile(r"(?P<number>\d+(?:[.,]\d*)?|[.,]\d+)\s*(?P<percent>%|percent|prozent)?", re.IGNORECASE)


@dataclass(frozen=True)
class GivenAnswer:
    """One row of a file.

    Attributes:
        where: file and row, for messages.
        item: the code; "" where the row has none.
        trial: from 1; None where the file has no such column.
        reply: the letter or text; None where there is no answer (an empty cell, a failed request).
        confidence: as written, "" for none.
    """

    where: str
    item: str
    trial: int | None
    reply: str | None
    confidence: str = ""


@dataclass
class Sheet:
    """A file of answers as read.

    Attributes:
        path: the file.
        answers: one per row.
        faults: rows that cannot be used, one line each.
        notes: how the file was read, one line each.
    """

    path: Path
    answers: list[GivenAnswer] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Reading:
    """How to read files of answers, as far as they are not to be recognised.

    Attributes:
        columns: role (a key of `NAMES`) -> the column's name.
        encoding, delimiter: of CSV files.
        sheet: of Excel files, its name.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None


def read_sheet(path: Path, reading: Reading) -> Sheet:
    """Read one file of answers.

    Raises:
        InputError: no such file, none of the kinds above, or without the columns for item and answer.
    """
    suffix = path.suffix.lower()
    if suffix in JSON_LINES:
        return _json_lines(path, reading)
    if suffix in EXCEL:
        columns, rows = read_excel(path, reading.sheet)
        sheet, unit = Sheet(path), "row"
    elif suffix in TEXT_TABLES:
        dialect = recognise_dialect(
            file_bytes(path),
            path.name,
            lambda header: len(_roles(header, reading)),
            reading.encoding,
            reading.delimiter,
        )
        columns, rows, faults = read_delimited(path, dialect)
        sheet, unit = Sheet(path, faults=faults, notes=[f"{path.name}: read as {dialect}"]), "line"
    else:
        known = ", ".join((*EXCEL, *TEXT_TABLES, *JSON_LINES))
        raise InputError(f"{path}: answers come as {known}; save it as one of these")
    roles = _checked_roles(columns, reading, path)
    for row in rows:
        cells = {role: cell_text(row.cells.get(column)) for role, column in roles.items()}
        _add(sheet, f"{path.name}, {unit} {row.number}", cells, from_cell=True)
    return sheet


def _json_lines(path: Path, reading: Reading) -> Sheet:
    sheet = Sheet(path)
    text = file_bytes(path).decode(reading.encoding or "utf-8-sig", "replace")
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        where = f"{path.name}, line {number}"
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            sheet.faults.append(f"{where}: not JSON ({one_line(error, 80)})")
            continue
        if not isinstance(entry, dict):
            sheet.faults.append(f"{where}: no JSON object")
        elif "custom_id" in entry and ("response" in entry or "error" in entry):
            sheet.answers.append(_of_batch(where, entry))
        else:
            roles = _roles(list(entry), reading)
            cells = {role: entry[column] for role, column in roles.items()}
            _add(sheet, where, cells, from_cell=False)
    if not sheet.answers and not sheet.faults:
        raise InputError(f"{path}: is empty")
    return sheet


def _of_batch(where: str, entry: Mapping[str, Any]) -> GivenAnswer:
    """Return one line of OpenAI's batch output; a request that failed is no answer, an empty reply is one."""
    match = _REQUEST_ID.fullmatch(str(entry["custom_id"]))
    item, trial = (match["item"], int(match["trial"])) if match else (str(entry["custom_id"]), None)
    reply = None
    try:
        response = entry["response"]
        if response.get("status_code", 200) == 200:
            content = response["body"]["choices"][0]["message"]["content"]
            if isinstance(content, list):
                content = "".join(part.get("text", "") for part in content)
            reply = "" if content is None else str(content)
    except (KeyError, IndexError, TypeError, AttributeError):
        pass
    return GivenAnswer(where, item, trial, reply)


def _add(sheet: Sheet, where: str, cells: Mapping[str, Any], from_cell: bool) -> None:
    item = cell_as_given(cell_text(cells.get(ITEM)))
    given, answer = cell_text(cells.get(TRIAL)), cells.get(ANSWER)
    trial = None
    if given:
        if not given.isascii() or not given.isdigit() or int(given) < 1:
            sheet.faults.append(f"{where}: the trial {given[:40]!r} is no number from 1")
            return
        trial = int(given)
    elif TRIAL in cells:
        sheet.faults.append(f"{where}: no trial")
        return
    if from_cell:  # an empty cell of a sheet is a question that nobody answered
        answer = cell_as_given(cell_text(answer)) or None
    elif answer is not None:
        answer = str(answer)
    match = _REQUEST_ID.fullmatch(item) if trial is None else None
    if match:
        item, trial = match["item"], int(match["trial"])
    sheet.answers.append(GivenAnswer(where, item, trial, answer, cell_text(cells.get(CONFIDENCE))))


def _roles(columns: Sequence[str], reading: Reading) -> dict[str, str]:
    """Return role -> column for those that are there."""
    by_name = {_plain(column): column for column in reversed(columns)}
    roles = {}
    for role, names in NAMES.items():
        wanted = (reading.columns[role],) if role in reading.columns else names
        if found := next((by_name[_plain(name)] for name in wanted if _plain(name) in by_name), None):
            roles[role] = found
    return roles


def _checked_roles(columns: Sequence[str], reading: Reading, path: Path) -> dict[str, str]:
    roles = _roles(columns, reading)
    stated = [f"{role} ({name!r})" for role, name in reading.columns.items() if role not in roles]
    lacking = stated or [role for role in (ITEM, ANSWER) if role not in roles]
    if lacking:
        found = ", ".join(filter(None, columns))
        raise InputError(
            one_line(f"{path.name}: no column for {', '.join(lacking)}; found {found}. Say --column ROLE=NAME", 500)
        )
    return roles


def _plain(name: str) -> str:
    return re.sub(r"[\s_.-]", "", name.casefold())


def numbers(texts: Sequence[str], scale: str | None = None) -> tuple[list[float | None], str]:
    """Read stated confidences, and say on which scale they stand.

    A comma is a decimal point. All are percentages where any has a percent sign or is above 1, else shares.

    Args:
        texts: as written.
        scale: "percent" or "share" where it is known; None recognises it.

    Returns:
        For each a number in [0, 1], or None where it is none or lies outside; "percent" or "share".
    """
    read = [_NUMBER.fullmatch(text.strip()) for text in texts]
    values = [None if match is None else float(match["number"].replace(",", ".")) for match in read]
    if scale is None:
        signs = any(match and match["percent"] for match in read)
        scale = "percent" if signs or any(value is not None and value > 1 for value in values) else "share"
    scaled = [None if value is None else value / 100 if scale == "percent" else value for value in values]
    return [value if value is not None and value <= 1 else None for value in scaled], scale
