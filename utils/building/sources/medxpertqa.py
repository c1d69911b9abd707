"""MedXpertQA MM: JSONL files beside a folder of images, in either of two published layouts.

As published (`TsinghuaC3I/MedXpertQA`): `MM/{dev,test}.jsonl` with `id`, `question`, `options` (letter -> text),
`label` (a letter), `images` (1 to 6 names), `medical_task`, `body_system`, `question_type`. In the second layout
`options` is a list of `{letter, content}`, `label` a list and `images` a list of `{image_path}`. The question repeats
its options behind "Answer Choices:"; they are taken off. Some options are single letters: an answer is always a letter
of the options, never a text.

No column names the modality. It is taken from a sentence of the question that speaks of what is shown
(`modality_in_words`) unless a table gives it by id; every other item is skipped without harm. `AUDIT` says how often
that is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...base.errors import InputError, one_line
from ...dataset import taxonomy
from ..item import ImageSource, Skipped, SourceItem
from . import checks
from .checks import RowError, label, text
from .places import Place, Places
from .skills import skill_of
from .source_tables import source_tables
from .tables import SourceRow, open_table

SOURCE = "MedXpertQA"
REPOSITORY = "TsinghuaC3I/MedXpertQA"
FILES = ("MM/*", "images/*", "*.zip")
LICENCE = "MIT"
UNTOLD = "modality not told by the question"
BY_WORDS, BY_TABLE = "words of the question", "table"
"""Where an item's modality is from; kept in its `extra` as `modality_from`."""

AUDIT: Mapping[str, int] = {"judged": 45, "clearly wrong": 1, "partly wrong": 4}
"""Items whose modality was told by a sentence about what is shown, drawn from the 525 of the published set and judged
by their text. Items told by the whole question only were clearly wrong in 22 of 45 where a sentence about what is
shown names none, and in 6 of 45 where there is no such sentence; they are no longer taken. The audit is older than the
refusal of blood stains, findings in words, crystals, charts and tables, which were among the errors."""

_WORDS: Mapping[str, str] = {
    "CT": r"\bCTA?\b|\bHRCT\b|\bCECT\b|computed tomogra|\bCAT scan",
    "MRI": r"\bf?MRI\b|\bMRA\b|\bMRCP\b|magnetic resonance|\bT[12][- ]weighted|\bFLAIR\b",
    "X-ray": r"\bx-?\s?rays?\b|radiogra(?:ph|m)|\bKUB\b|mammogra|roentgen|\bbarium (?:swallow|enema)",
    "Ultrasound": r"ultraso|sonogra|echocardiogra|\bdoppler\b",
    "Histopathology": r"histolog|histopatholog|photomicrogra|microscop|ha?ematoxylin|\bH\s?&\s?E\b"
    r"|(?<!blood-)(?<!blood )(?<!bile-)(?<!urine-)\bstain(?:s|ed|ing)?\b|\b(?:blood|peripheral|marrow)\s+smear\b",
    "Dermoscopy": r"derm(?:at)?oscop",
    "Endoscopy": r"endoscop|colonoscop|gastroscop|bronchoscop|cystoscop|laparoscop|arthroscop|\bEGD\b",
    "another": r"\bfund(?:us|oscop\w*)\b|electrocardiogra|\bE[CK]G\b|\bEEG\b|\bphotographs?\b|\bPET\b"
    r"|scintigra|optical coherence|\bcharts?\b|\bgraphs?\b|(?<!operating )(?<!examination )\btables?\b|spirometr"
    r"|audiogra|\btracings?\b|karyotyp|pedigree|electrophores|\bcrystals?\b|\burin(?:e|ary)\s+(?:sediment|microscop)"
    r"|\blaborator\w+[^.?!]*\b(?:shown|below|images?|figures?|exhibits?)\b",
}
_MENTIONS = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _WORDS.items()}
_SENTENCE = re.compile(r"(?<=[.?!])\s+|\n+")
_TISSUE = re.compile(r"\bbiops|\bspecimens?\b|cytolog|\bsmear\b", re.IGNORECASE)
_FINDINGS = re.compile(
    r"\b(?:vital signs?|examination|laborator\w+|serum|urinalysis|cultures?|history|tests?|testing)\b"
    r"[^.?!]*?\bshow(?:s|ed)?\b",
    re.IGNORECASE,
)
"""A finding in words: nothing is shown where "vital signs show" something."""
_SHOWN = re.compile(
    r"\bshown?n?\b|\bshows\b|\bfigures?\b|\bimages?\b|\bpictur|\bexhibit|\bdepict|\bbelow\b", re.IGNORECASE
)


def read(path: Path, modalities: Path | None = None) -> Iterator[SourceItem | Skipped]:
    """Yield the items of a folder, a zip file or a single JSONL file with its images beside it.

    Args:
        path: the folder that holds `MM` and the images (unpacked or as `images.zip`), a zip file of it, or a JSONL
            file.
        modalities: a CSV or TSV file with the columns id and modality; what it says goes before the question's words.

    Raises:
        InputError: there is nothing at `path`, or `modalities` cannot be used. What is wrong with a file in the source
            is a `Skipped`.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    return _read(path, {} if modalities is None else _modality_table(modalities))


def modality_in_words(question: str) -> str:
    """Return the modality that a question's sentences about what is shown name; together they must name exactly one.

    Raises:
        RowError: none, or several things are shown (a table beside a film); or a modality that the benchmark leaves
            out. Both are harmless; the detail says what the whole question would name, for a table of one's own.
    """
    shown = " ".join(part for part in _SENTENCE.split(question) if _SHOWN.search(_FINDINGS.sub(" ", part)))
    named = _named(shown)
    if len(named) > 1:
        raise RowError(UNTOLD, f"what is shown is {' and '.join(named)}", harmless=True)
    if not named:
        whole = ", ".join(_named(question)) or "none"
        raise RowError(UNTOLD, f"no sentence about what is shown names one; the whole text: {whole}", harmless=True)
    if named[0] not in taxonomy.MODALITIES or (named[0] == "Histopathology" and checks.shows_unstained_cells(shown)):
        raise RowError(checks.OTHER_MODALITY, "by the words of the question", harmless=True)
    return named[0]


def _named(part: str) -> list[str]:
    """Return what a text names; a biopsy beside another modality counts as a picture of its own."""
    named = [name for name, pattern in _MENTIONS.items() if pattern.search(part)]
    if named and "Histopathology" not in named and _TISSUE.search(part):
        named.append("a biopsy, specimen or smear")
    return named


def _modality_table(path: Path) -> Mapping[str, str]:
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    table = open_table(path, name=str(path))
    columns = checks.find_columns(table.columns, {"id": ("id",), "modality": ("modality",)})
    if len(columns) < 2:
        raise InputError(one_line(f"{path}: needs the columns id and modality; found {', '.join(table.columns)}"))
    found = {}
    for row in table.rows(SOURCE):
        if isinstance(row, Skipped):
            raise InputError(f"{row.where}: {row.detail}")
        found[text(row.cells[columns["id"]])] = text(row.cells[columns["modality"]])
    return found


def _read(path: Path, modalities: Mapping[str, str]) -> Iterator[SourceItem | Skipped]:
    ids = checks.Ids()
    for found in source_tables(path, SOURCE, "jsonl", _question_files, "MM/*.jsonl", images_in_zips=True):
        if isinstance(found, Skipped):
            yield found
            continue
        above = found.name.split("/")[:-1]
        roots = ["/".join([*above[:depth], ""]) for depth in range(len(above), -1, -1)]
        folders = [f"{root}{folder}" for root in roots for folder in ("images/", "")]
        for row in found.table.rows(SOURCE):
            if isinstance(row, Skipped):
                yield row
                continue
            try:
                yield ids.add(_item(row, Places(found.places), folders, modalities), row.where)
            except RowError as error:
                yield error.skipped(SOURCE, row.where)


def _question_files(place: Place) -> list[str]:
    """Return the JSONL files with images; the text half of MedXpertQA has none and lies in a folder of its own."""
    files = [name for name in place.names() if name.casefold().endswith(".jsonl")]
    return [name for name in files if "MM" in name.split("/")[:-1]] or [
        name for name in files if "Text" not in name.split("/")[:-1]
    ]


def _item(row: SourceRow, places: Places, folders: list[str], modalities: Mapping[str, str]) -> SourceItem:
    cells = row.cells
    source_id = label(cells.get("id")) or row.where
    question = checks.stem(text(cells.get("question")))
    if not question:
        raise RowError(checks.NO_QUESTION)
    given = modalities.get(source_id)
    # Before the rest: a row that does not belong to the benchmark may be wrong in every other way.
    modality = checks.modality(given) if given else modality_in_words(question)
    answer = _letter(cells.get("label"))
    options = checks.lettered_options(_options(cells.get("options")))
    checks.check_options(options)
    task, kind = label(cells.get("medical_task")), label(cells.get("question_type"))
    return checks.make_item(
        source=SOURCE,
        source_id=source_id,
        question=question,
        options=options,
        answer=checks.answer_index(answer, options, "letter"),
        modality=modality,
        skill=skill_of(SOURCE, f"{task} / {kind}", question=question),
        images=_images(cells.get("images"), places, folders),
        licence=LICENCE,
        extra={
            "medical_task": task,
            "question_type": kind,
            "body_system": cells.get("body_system"),
            "modality_from": BY_TABLE if given else BY_WORDS,
        },
    )


def _options(value: Any) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return {str(letter).strip().upper(): option for letter, option in value.items()}
    if isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
        letters = [text(entry.get("letter")).upper() for entry in value]
        if len(set(letters)) < len(letters):
            raise RowError(checks.SAME_OPTIONS, f"the letters are {', '.join(letters)}")
        return {letter: entry.get("content") for letter, entry in zip(letters, value, strict=True)}
    if value is None:
        return {}
    raise RowError(checks.FEW_OPTIONS, "options are neither letters with texts nor a list of them")


def _letter(value: Any) -> str:
    if isinstance(value, list):
        if len(value) > 1:
            raise RowError(checks.SEVERAL_ANSWERS, ", ".join(text(entry) for entry in value))
        value = value[0] if value else None
    return text(value)


def _images(value: Any, places: Places, folders: list[str]) -> list[ImageSource]:
    entries = value if isinstance(value, list) else [value] if value else []
    names = [entry.get("image_path") if isinstance(entry, dict) else entry for entry in entries]
    return [checks.image_at(places, name, folders) for name in names]
