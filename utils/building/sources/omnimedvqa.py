"""OmniMedVQA: JSON files of questions beside a folder of images, in one zip file or unpacked.

As published (`foreverbeliever/OmniMedVQA`): `QA_information/Open-access/*.json`, each a list of objects with
`question`, `gt_answer` (the text of an option), `option_A` to `option_D` (some absent), `image_path` (relative to the
folder that holds `QA_information`), `question_type`, `modality_type` (one file writes `modality`; labels vary in case
and full stops), `question_id`, `dataset`. Files of `Restricted-access` name images that are not given out: where such
an image is not there, the row is skipped without harm.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...base.errors import InputError, one_line
from ..item import Skipped, SourceItem
from . import checks
from .checks import RowError, label, text
from .places import Folder, Place, Places, open_place, zips_in
from .skills import skill_of
from .tables import UNREADABLE_FILE, UNREADABLE_ROW

SOURCE = "OmniMedVQA"
REPOSITORY = "foreverbeliever/OmniMedVQA"
FILES = ("*.zip", "*QA_information/*", "*Images/*")

_QUESTIONS = "QA_information"
_LARGEST_FILE = 2**29
_LETTERS = "ABCDE"


def read(path: Path) -> Iterator[SourceItem | Skipped]:
    """Yield the items of a folder or zip file, one JSON file after the other.

    Raises:
        InputError: there is nothing at `path`. What is wrong with a file in it is a `Skipped`.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    return _read(path)


def _read(path: Path) -> Iterator[SourceItem | Skipped]:
    ids = checks.Ids()
    try:
        place = open_place(path)
        files = _question_files(place)
        if not files and isinstance(place, Folder):
            for box in zips_in(place):
                if files := _question_files(box):
                    place = box
                    break
    except InputError as error:
        yield Skipped(SOURCE, path.name, UNREADABLE_FILE, str(error))
        return
    if not files:
        yield Skipped(SOURCE, path.name, UNREADABLE_FILE, f"no {_QUESTIONS}/.../*.json in it")
    for name in files:
        root = name[: name.index(_QUESTIONS)]
        for where, entry in _entries(place, name):
            if isinstance(entry, Skipped):
                yield entry
                continue
            try:
                yield ids.add(_item(entry, where, Places((place,)), root, "Restricted" in name), where)
            except RowError as error:
                yield error.skipped(SOURCE, where)


def _question_files(place: Place) -> list[str]:
    return [name for name in place.names() if name.casefold().endswith(".json") and _QUESTIONS in name.split("/")[:-1]]


def _entries(place: Place, name: str) -> Iterator[tuple[str, Mapping[str, Any] | Skipped]]:
    """Yield the objects of a JSON list one by one, so that those before a damaged one are still read."""
    try:
        path = place.local(name)
        if path.stat().st_size > _LARGEST_FILE:
            raise InputError(f"larger than {_LARGEST_FILE} bytes")
        content = path.read_bytes().decode("utf-8-sig").lstrip()
        if not content.startswith("["):
            raise InputError("not a JSON list" if content else "the file is empty")
    except UnicodeDecodeError as error:
        yield name, Skipped(SOURCE, name, UNREADABLE_FILE, f"not UTF-8 ({error.reason} at byte {error.start})")
        return
    except (InputError, OSError) as error:
        yield name, Skipped(SOURCE, name, UNREADABLE_FILE, one_line(error))
        return
    decoder, at, number = json.JSONDecoder(), 1, 0
    while True:
        while at < len(content) and content[at] in " \t\r\n,":
            at += 1
        if content[at : at + 1] == "]":
            return
        number += 1
        where = f"{name}, entry {number}"
        try:
            entry, at = decoder.raw_decode(content, at)
        except (ValueError, RecursionError) as error:
            detail = f"damaged or cut short: this entry and all after it are lost ({one_line(error, 120)})"
            yield where, Skipped(SOURCE, where, UNREADABLE_FILE, detail)
            return
        yield where, entry if isinstance(entry, dict) else Skipped(SOURCE, where, UNREADABLE_ROW, "not a JSON object")


def _item(entry: Mapping[str, Any], where: str, places: Places, root: str, restricted: bool) -> SourceItem:
    # First of all: a row that does not belong to the benchmark may be wrong in every other way.
    cells = {letter: entry.get(f"option_{letter}") for letter in _LETTERS}
    question, part = checks.stem(text(entry.get("question"))), label(entry.get("dataset"))
    named = label(entry.get("modality_type")) or label(entry.get("modality"))
    modality = checks.modality(named, question, part, *cells.values())
    answer = text(entry.get("gt_answer"))
    options = checks.lettered_options(cells)
    checks.check_options(options)
    kind = label(entry.get("question_type"))
    return checks.make_item(
        source=SOURCE,
        source_id=label(entry.get("question_id")) or where,
        question=question,
        options=options,
        answer=checks.answer_index(answer, options, "text"),
        modality=modality,
        skill=skill_of(SOURCE, kind, answer=answer),
        images=[checks.image_at(places, entry.get("image_path"), (root,), harmless_if_missing=restricted)],
        licence=f"that of its part, {part}" if part else None,
        extra={"question_type": kind, "dataset": part},
    )
