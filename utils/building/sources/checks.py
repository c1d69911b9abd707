"""Checks that all readers share: from the texts of a row to an item, or the reason why there is none."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...base.errors import InputError, one_line
from ...dataset import taxonomy
from ...dataset.image_cells import decode_base64, relative_path, split_cell
from ..item import BAD_IMAGE, SAME_ID, ImageSource, Skipped, SourceItem
from .places import EmptyImageError, MissingImageError, Places

NO_QUESTION = "no question"
NO_ANSWER = "no answer"
FEW_OPTIONS = "fewer than 2 options"
MANY_OPTIONS = "more than 26 options"
SAME_OPTIONS = "two options read the same"
SEVERAL_ANSWERS = "several right answers"
NOT_AN_OPTION = "answer not among the options"
UNCLEAR_ANSWER = "answer is one option's letter and another's text"
NO_MODALITY = "no modality"
OTHER_MODALITY = "modality not of the benchmark"
UNKNOWN_MODALITY = "modality unknown"
NO_IMAGE = "no image"
MISSING_IMAGE = "image missing"
EMPTY_IMAGE = "image empty"
OUTSIDE = "image path leaves its folder"

OTHER_MODALITIES: tuple[str, ...] = (
    *("Fundus Photography", "Fundus", "Color Fundus Photography", "OCT", "OCT (Optical Coherence Tomography)"),
    *("Optical Coherence Tomography", "Infrared Reflectance Imaging", "Digital Photography"),
    *("Photography", "Colposcopy", "PET", "Electrocardiography", "ECG"),
)
"""Modalities of the sources that the benchmark leaves out: a row of one is skipped without harm."""

MICROSCOPY: tuple[str, ...] = ("Microscopy", "Microscopy Images", "Microscopic Images", "Light Microscopy")
"""Labels of images that are histopathology if they show stained tissue or a stained smear, and otherwise left out."""

_STAINED = re.compile(
    r"histolog|histopath|tissue|biops|\bstain|\bsmear|ha?ematoxylin|\bH\s?&\s?E\b|cytolog|bone marrow"
    r"|\bblood\b|h(?:a)?emato|leuk(?:a)?emi|lymphoblast|lymphocyt|neutrophil|eosinophil|basophil|monocyt|erythrocyt"
    r"|platelet|erythroblast|malaria|plasmodium|parasiti"
    r"|carcinoma|adenoma|\btumou?r|lymphoma|metasta|breakhis|\bCRC\b|crc100k|camelyon|gleason|mitos|nucle(?:us|i|ar)\b",
    re.IGNORECASE,
)
_NOT_STAINED = re.compile(
    r"sperm|semen|phase[- ]contrast|fluoresc|electron micro|\bunstained|\bcultured?\b|\bcell lines?\b|\biPSC?\b"
    r"|\bstem cells?\b|urin(?:e|ary) (?:sediment|crystal)",
    re.IGNORECASE,
)

_EMPTY = frozenset({"", "nan", "null", "<na>"})
_ABSENT = _EMPTY | {"none", "n/a", "na"}
_CHOICES = re.compile(r"\s*Answer Choices:\s*(?=\(A\))", re.IGNORECASE)


class RowError(Exception):
    """A row gives no item; becomes a `Skipped`."""

    def __init__(self, reason: str, detail: object = "", *, harmless: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.detail, self.harmless = reason, one_line(detail, 200) if detail else "", harmless

    def skipped(self, source: str, where: str) -> Skipped:
        """Return the report of the row: its source, where it stands, the reason."""
        return Skipped(source, where, self.reason, self.detail, self.harmless)


class Ids:
    """The ids of a source's items so far; the second of two equal ones is refused."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def add(self, item: SourceItem, where: str) -> SourceItem:
        """Return the item. Raises `RowError` if its id was there before."""
        first = self._seen.setdefault(item.source_id, where)
        if first != where:
            raise RowError(SAME_ID, f"{item.source_id!r}, first at {first}")
        return item


def text(value: Any) -> str:
    """Return a cell as text without spaces round it; None and NaN give ""; 12.0 gives "12"."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return unicodedata.normalize("NFC", str(value)).replace("\r\n", "\n").strip()


def label(value: Any) -> str:
    """Return a cell as text where "None", "NaN" and their like stand for nothing."""
    found = text(value)
    return "" if found.casefold() in _ABSENT else found


def same_text(value: str) -> str:
    """Return what counts when two short texts are compared: case, spaces and full stops at the end do not."""
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split()).rstrip(" .")


def stem(question: str) -> str:
    """Return the question without choices that it repeats at its end as "Answer Choices: (A) ... (B) ..."."""
    found = list(_CHOICES.finditer(question))
    return question[: found[-1].start()].rstrip() if found else question


def lettered_options(cells: Mapping[str, Any]) -> dict[str, str]:
    """Return letter -> text of the options that are there, in the order of the letters.

    Which are there must not depend on the answer, or an option that is shown only where it is right gives it away. So
    an option may read "None"; an empty cell and what pandas writes for one ("NaN", "<NA>") are none.
    """
    options = {letter: text(cells[letter]) for letter in sorted(cells)}
    return {letter: option for letter, option in options.items() if option.casefold() not in _EMPTY}


def answer_index(answer: str, options: Mapping[str, str], given_as: str = "either") -> int:
    """Return the place of the right option.

    Args:
        answer: a letter or an option's text.
        options: letter -> text.
        given_as: "letter", "text" or "either".

    Raises:
        RowError: none, or no option, or with "either" a letter that is also the text of another option.
    """
    if not answer:
        raise RowError(NO_ANSWER)
    letters, texts = list(options), [same_text(each) for each in options.values()]
    bare = answer.strip("().: ").upper()
    by_letter = letters.index(bare) if given_as != "text" and bare in letters else None
    by_text = texts.index(same_text(answer)) if given_as != "letter" and same_text(answer) in texts else None
    if by_letter is None and by_text is None:
        raise RowError(NOT_AN_OPTION, f"{answer!r}; the options are {'; '.join(options.values())}")
    if by_letter is not None and by_text is not None and by_letter != by_text:
        raise RowError(UNCLEAR_ANSWER, repr(answer))
    return by_letter if by_letter is not None else by_text  # type: ignore[return-value]


def modality(value: Any, *told: Any) -> str:
    """Return the benchmark's name of a modality.

    Args:
        value: the source's word for it.
        told: texts of the item (question, options, data set), by which microscopy is or is not histopathology.

    Raises:
        RowError: none given, one that the benchmark leaves out (harmless), one that nobody knows.
    """
    name = label(value).strip(" .")
    if not name:
        raise RowError(NO_MODALITY)
    if _fold(name) in _MICROSCOPY:
        if shows_stained_slide(" ".join(map(text, told))):
            return "Histopathology"
        raise RowError(OTHER_MODALITY, f"{name}, of no stained tissue or smear as far as it says", harmless=True)
    if _fold(name) in _OTHER:
        raise RowError(OTHER_MODALITY, name, harmless=True)
    try:
        return taxonomy.modality(name)
    except InputError as error:
        raise RowError(UNKNOWN_MODALITY, error) from None


def shows_stained_slide(told: str) -> bool:
    """Whether a microscopy item's own words say that it shows stained tissue, or a stained smear of blood or cells.

    Sperm cells, cultures, and cells under phase contrast or fluorescence are none.
    """
    return _STAINED.search(told) is not None and not shows_unstained_cells(told)


def shows_unstained_cells(told: str) -> bool:
    """Whether an item's own words speak of cells or crystals that are looked at without a stain of tissue."""
    return _NOT_STAINED.search(told) is not None


def make_item(
    *,
    source: str,
    source_id: str,
    question: str,
    options: Mapping[str, str],
    answer: int,
    modality: str,
    skill: str,
    images: Sequence[ImageSource],
    licence: str | None,
    extra: Mapping[str, Any],
) -> SourceItem:
    """Return an item after the checks that need nothing but the item.

    Raises:
        RowError: no question, no image, too few or too many options, two that read the same.
    """
    if not question:
        raise RowError(NO_QUESTION)
    check_options(options)
    if not images:
        raise RowError(NO_IMAGE)
    kept = {name: text(value) for name, value in extra.items() if label(value)}
    return SourceItem(
        source, source_id, question, tuple(options.values()), answer, modality, skill, tuple(images), licence, kept
    )


def check_options(options: Mapping[str, str]) -> None:
    """Raise `RowError` for too few or too many options, or two that read the same."""
    if len(options) < 2:
        raise RowError(FEW_OPTIONS, f"{len(options)}: {'; '.join(options.values())}")
    if len(options) > 26:
        raise RowError(MANY_OPTIONS, len(options))
    seen: dict[str, str] = {}
    for letter, option in options.items():
        if (first := seen.setdefault(same_text(option), letter)) != letter:
            raise RowError(SAME_OPTIONS, f"{first} and {letter}: {option}")


@dataclass(frozen=True)
class Base64Image:
    """Reads one entry of an image cell in base64. May be sent to another process."""

    row: Callable[[], Mapping[str, Any]]
    column: str
    place: int = 0

    def __call__(self) -> bytes:
        return decode_base64(split_cell(str(self.row()[self.column]))[self.place])


def base64_images(cell: str, row: Callable[[], Mapping[str, Any]], column: str, where: str) -> tuple[ImageSource, ...]:
    """Return the images of a base64 cell, to be decoded when they are wanted. Raises `RowError` for an empty cell."""
    if not label(cell):
        raise RowError(NO_IMAGE)
    try:
        count = len(split_cell(cell)) if cell.lstrip().startswith("[") else 1
    except InputError as error:
        raise RowError(BAD_IMAGE, error) from None
    return tuple(
        ImageSource(where if count == 1 else f"{where}, image {place + 1}", Base64Image(row, column, place))
        for place in range(count)
    )


def image_at(
    places: Places, path: Any, folders: Sequence[str] = ("",), *, harmless_if_missing: bool = False
) -> ImageSource:
    """Return the image of a relative path, looked for in several folders of several places.

    Raises:
        RowError: no path, one that leaves its folder, a missing or empty file.
    """
    name = label(path)
    if not name:
        raise RowError(NO_IMAGE)
    try:
        plain = relative_path(name)
    except InputError as error:
        raise RowError(OUTSIDE, error) from None
    try:
        return places.image(tuple(f"{folder}{plain}" for folder in folders))
    except MissingImageError as error:
        raise RowError(MISSING_IMAGE, error, harmless=harmless_if_missing) from None
    except EmptyImageError as error:
        raise RowError(EMPTY_IMAGE, error) from None
    except InputError as error:
        raise RowError(BAD_IMAGE, error) from None


def find_columns(columns: Sequence[str], wanted: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return role -> column for the roles that are there; case, spaces and punctuation do not count."""
    by_fold: dict[str, str] = {}
    for column in columns:
        by_fold.setdefault(_fold(column), column)
    found = {role: [by_fold[_fold(name)] for name in names if _fold(name) in by_fold] for role, names in wanted.items()}
    return {role: names[0] for role, names in found.items() if names}


def _fold(value: str) -> str:
    return re.sub(r"[\W_]", "", value.casefold())


_OTHER = frozenset(_fold(name) for name in OTHER_MODALITIES)
_MICROSCOPY = frozenset(_fold(name) for name in MICROSCOPY)
