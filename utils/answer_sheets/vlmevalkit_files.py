"""Files of VLMEvalKit: the TSV that it asks from, and the predictions that it writes.

Its class for this benchmark, MedQDEGBench, names the columns index, question, A to E, answer, modality,
degradation_type, degradation_severity and source; a file of predictions has the same columns without the image, and
`prediction`. One file is one pass over the items. docs/vlmevalkit.md says where its reading of replies differs from
ours.
"""

from __future__ import annotations

import base64
import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..base.errors import InputError, one_line
from ..base.table_files import EXCEL, TextRow, cell_text, file_bytes, read_delimited, read_excel, recognise_dialect
from ..dataset.image_cells import decode_cell
from ..dataset.loading import BY_COLUMN, BY_TEXT
from ..dataset.tsv import assign_columns, row_of_cells
from ..images import encode_image
from ..scoring.elicitation import VOTES
from .answers import GivenAnswer, Sheet
from .key import Key, item_of_row
from .matching import MISSING_REPLY

FILE_NAME = re.compile(r"(?P<model>.+)_(?P<dataset>MedQDEGBench_(?:good|simulate)_(?:test|dev))\.(?:xlsx|tsv|json)")
"""How VLMEvalKit calls its predictions of this benchmark."""

FAILED = "Failed to obtain answer via API."
"""What it writes in place of a reply that it never got."""

PREDICTION = "prediction"
_SUFFIXES = (*EXCEL, ".csv", ".tsv", ".json")


def write_tsv(docs: Sequence[Mapping[str, Any]], path: Path) -> Path:
    """Write items as one TSV file with the images inside, whole or not at all.

    Args:
        docs: rows of the data set, images undecoded.
        path: ends in .tsv.

    Raises:
        InputError: another suffix, no items, more than 26 options, or the disk says no.
    """
    if path.suffix.lower() != ".tsv":
        raise InputError(f"--out {path}: the file's name must end in .tsv")
    if not docs:
        raise InputError("there are no items to export")
    letters = sorted({letter for doc in docs for letter in doc["letters"]})
    twice = len({doc["item_id"] for doc in docs}) < len(docs)
    columns = ["index", "image", "question", *letters, "answer", "modality", "degradation_type"]
    columns += ["degradation_severity", "source", "category", "source_question_id", "cluster_id"]
    with_origin = any(doc.get("degradation_origin") for doc in docs)
    columns += ["degradation_origin"] if with_origin else []
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter="\t", lineterminator="\n")
            writer.writerow(columns)
            for doc in docs:
                origin = [doc.get("degradation_origin") or ""] if with_origin else []
                writer.writerow([*_cells(doc, letters, with_level=twice), *origin])
        part.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from None
    finally:
        part.unlink(missing_ok=True)
    return path


def _cells(doc: Mapping[str, Any], letters: Sequence[str], with_level: bool) -> list[str]:
    options = dict(zip(doc["letters"], doc["options"], strict=True))
    images = [base64.b64encode(encode_image(decode_cell(cell))).decode() for cell in doc["images"]]
    return [
        f"{doc['level']}-{doc['item_id']}" if with_level else doc["item_id"],
        images[0] if len(images) == 1 else json.dumps(images),
        doc["question"],
        *(options.get(letter, "") for letter in letters),
        doc["answer"],
        doc["modality"],
        doc["degradation"] or "",
        doc["level"],
        doc["source"],
        doc["skill"],
        doc["source_question_id"].removeprefix("index:"),
        (doc.get("cluster_id") or doc["source_question_id"]).removeprefix("index:"),
    ]


def is_predictions(path: Path) -> bool:
    """Whether a file's name is that of VLMEvalKit's predictions of this benchmark."""
    return FILE_NAME.fullmatch(path.name) is not None


def read_predictions(paths: Iterable[Path]) -> tuple[Key, list[Sheet]]:
    """Read files of predictions of one model: what was asked, and what was answered.

    Files with the same items are trials of them, in the order given.

    Returns:
        A key whose codes are level and index, and one sheet per file.

    Raises:
        InputError: a file that cannot be read or lacks a column, an item that is none, or that differs between files.
    """
    tables = [(path, *_table(path)) for path in paths]
    rule = BY_COLUMN if all("source_question" in _columns(path, names).roles for path, names, _ in tables) else BY_TEXT
    items: dict[str, Mapping[str, Any]] = {}
    sheets = []
    passes: Counter[str] = Counter()
    for path, names, rows in tables:
        columns, sheet = _columns(path, names), Sheet(path)
        own: dict[str, str | None] = {}
        for row in rows:
            cells = {name: cell_text(row.cells.get(name)) for name in names}
            place = f"{path.name}, row {row.number}"
            item = item_of_row(row_of_cells(cells, columns, path.name, (row.number, 0)), rule)
            code = f"{item['level']} {item['item_id']}"
            if code in own:
                sheet.faults.append(f"{place}: the index {item['item_id']!r} is there already")
                continue
            if items.setdefault(code, item) != item:
                raise InputError(one_line(f"{place}: item {item['item_id']} differs from that of another file"))
            own[code] = cells[PREDICTION]
            # An empty cell is an empty reply: of a request that failed it says so.
            reply = MISSING_REPLY if cells[PREDICTION].startswith(FAILED) else cells[PREDICTION]
            sheet.answers.append(GivenAnswer(place, code, passes[code] + 1, reply))
        passes.update(own.keys())
        sheets.append(sheet)
    return Key("medqdeg", VOTES, 1, 0, "", items), sheets


def _columns(path: Path, names: Sequence[str]) -> Any:
    if PREDICTION not in names:
        raise InputError(
            one_line(f"{path.name}: no column {PREDICTION!r}, so no predictions; found {', '.join(names)}")
        )
    return assign_columns(list(names), path.name, with_images=False)


def _table(path: Path) -> tuple[list[str], list[TextRow]]:
    suffix = path.suffix.lower()
    if suffix in EXCEL:
        return read_excel(path)
    if suffix == ".json":
        return _json_table(path)
    if suffix not in _SUFFIXES:
        raise InputError(f"{path}: predictions are read as {', '.join(_SUFFIXES)}; never as pickle, which runs code")
    dialect = recognise_dialect(
        file_bytes(path), path.name, lambda header: PREDICTION in header, None, "\t" if suffix == ".tsv" else None
    )
    names, rows, faults = read_delimited(path, dialect)
    if faults:
        raise InputError(faults[0])
    return names, rows


def _json_table(path: Path) -> tuple[list[str], list[TextRow]]:
    """Return a table written as a list of rows, or as columns of values."""
    try:
        content = json.loads(file_bytes(path).decode("utf-8-sig"))
        if isinstance(content, dict):
            lists = {
                name: list(values.values()) if isinstance(values, dict) else list(values)
                for name, values in content.items()
            }
            content = [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
        names = list(dict.fromkeys(name for row in content for name in row))
        return names, [TextRow(number, dict(row)) for number, row in enumerate(content, 1)]
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{path.name}: no table in JSON ({one_line(error, 120)})") from None
