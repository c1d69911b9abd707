"""The map of one's own items: a YAML file that says which column of a table holds what."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ...base.errors import InputError, one_line
from ...base.suggestions import did_you_mean
from ...dataset import taxonomy

ANSWERS = ("letter", "text", "number", "number from 0", "either")
IMAGES = ("path", "base64")


@dataclass(frozen=True)
class Part:
    """Where a part of an item comes from: a column, or one value for all items (neither: it is absent).

    Attributes:
        column: the column's name.
        value: the value for all items.
        values: the table's word -> the benchmark's word; words that are not in it stay.
    """

    column: str | None = None
    value: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)

    def of(self, cells: Mapping[str, Any]) -> Any:
        """Return the part of one row, whose `cells` go by column; None where it is absent."""
        found = self.value if self.column is None else cells.get(self.column)
        return self.values.get(str(found).strip(), found) if self.values else found


@dataclass(frozen=True)
class OwnMap:
    """A checked map.

    Attributes:
        source: what the source is called in reports.
        table: the table's relative path in the folder or zip file; None where the path is the table itself.
        question, answer, modality, skill, licence, id: see `Part`.
        level: how bad the images already are: L0 (or nothing), L1, L2 or "degraded"; see `Part`.
        degradation: what is wrong with images that are bad; see `Part`.
        clean: the id of the row with the clean images, of a row whose images are bad; see `Part`.
        options: columns, one per option.
        options_list: one column that holds all options instead: a list, a JSON list, or texts with `separator` between.
        separator: see `options_list`.
        answer_as: one of `ANSWERS`.
        images: columns, one per image; a cell may hold a list.
        images_as: one of `IMAGES`, for cells of text; bytes are taken as they come.
        image_folder: where paths start, relative to the table.
        follow_links: read images outside the table's folder, too, to which links in it lead.
        frame: which frame of a multi-frame file.
        window: of DICOM and of 16-bit files, see `medqdeg.utils.images.read_image`.
        extra: columns that are kept as they are.
        encoding, delimiter: of the table; None recognises them (`medqdeg.utils.base.table_files`).
        language: of the questions, as the Hub writes it ("de"); None is English.
    """

    source: str
    question: Part
    answer: Part
    modality: Part
    id: Part = Part()
    skill: Part = Part()
    licence: Part = Part()
    level: Part = Part()
    degradation: Part = Part()
    clean: Part = Part()
    options: tuple[str, ...] = ()
    options_list: str | None = None
    separator: str | None = None
    answer_as: str = "either"
    images: tuple[str, ...] = ()
    images_as: str = "path"
    image_folder: str = ""
    follow_links: bool = False
    frame: int | None = None
    window: tuple[float, float] | str | None = None
    extra: tuple[str, ...] = ()
    table: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    language: str | None = None

    def columns(self) -> list[str]:
        """Every column that the map names."""
        parts = (self.id, self.question, self.answer, self.modality, self.skill, self.licence)
        parts += (self.level, self.degradation, self.clean)
        named = [part.column for part in parts] + [self.options_list, *self.options, *self.images, *self.extra]
        return [column for column in named if column is not None]


def load_map(path: Path) -> OwnMap:
    """Read and check a map.

    Raises:
        InputError: unreadable, no YAML, an unknown or missing key, a value of the wrong kind.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise InputError(one_line(f"{path}: not YAML ({error})", 300)) from None
    try:
        return _checked(content)
    except InputError as error:
        raise InputError(one_line(f"{path}: {error}")) from None


_PARTS = ("id", "question", "answer", "modality", "skill", "licence", "level", "degradation", "clean")
_KEYS = (
    *("source", *_PARTS, "options", "separator", "answer_as", "images", "images_as", "image_folder", "frame", "window"),
    *("follow_links", "extra", "table", "encoding", "delimiter", "language"),
)


def _checked(content: Any) -> OwnMap:
    if not isinstance(content, dict):
        raise InputError("not a list of `key: value` lines")
    for key in content:
        if key not in _KEYS:
            raise InputError(f"unknown key {key!r}: {did_you_mean(key, _KEYS)}known are {', '.join(_KEYS)}")
    if missing := [
        key for key in ("source", "question", "options", "answer", "images", "modality") if not content.get(key)
    ]:
        raise InputError(f"lacks the key {', '.join(missing)}")
    source = _text(content, "source")
    if taxonomy.source(source) in taxonomy.SOURCES:
        raise InputError(f"source {source!r} is the name of a benchmark; give your items a name of their own")
    options = content["options"]
    listed = options.get("column") if isinstance(options, dict) and set(options) == {"column"} else None
    if listed is None and (not isinstance(options, list) or len(options) < 2):
        raise InputError("options must be a list of at least 2 columns, or {column: NAME} for one that holds them all")
    chosen = {
        "answer_as": _one_of(content, "answer_as", ANSWERS, "either"),
        "images_as": _one_of(content, "images_as", IMAGES, "path"),
    }
    frame = content.get("frame")
    if frame is not None and (not isinstance(frame, int) or isinstance(frame, bool) or frame < 0):
        raise InputError(f"frame must be a whole number from 0, not {frame!r}")
    return OwnMap(
        source=source,
        **{key: _part(content.get(key), key) for key in _PARTS},
        options=() if listed is not None else tuple(str(column) for column in options),
        options_list=None if listed is None else str(listed),
        separator=_text(content, "separator") if "separator" in content else None,
        **chosen,
        images=_names(content["images"], "images"),
        image_folder=_text(content, "image_folder") if content.get("image_folder") else "",
        follow_links=_flag(content, "follow_links"),
        frame=frame,
        window=_window(content.get("window")),
        extra=_names(content.get("extra", []), "extra"),
        table=_text(content, "table") if "table" in content else None,
        encoding=_text(content, "encoding") if "encoding" in content else None,
        delimiter=_delimiter(content),
        language=_language(content),
    )


def _part(content: Any, key: str) -> Part:
    if content is None:
        return Part()
    if isinstance(content, (str, int)) and not isinstance(content, bool):
        return Part(column=str(content))
    if not isinstance(content, dict) or not set(content) <= {"column", "value", "values"}:
        raise InputError(f"{key} must be a column, {{value: TEXT}} or {{column: NAME, values: {{word: word}}}}")
    values = content.get("values", {})
    if ("column" in content) == ("value" in content) or not isinstance(values, dict):
        raise InputError(f"{key} needs either column or value; values must be `word: word` lines")
    column, value = content.get("column"), content.get("value")
    return Part(
        None if column is None else str(column),
        None if value is None else str(value),
        {str(word).strip(): str(meant) for word, meant in values.items()},
    )


def _text(content: Mapping[str, Any], key: str) -> str:
    value = content[key]
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{key} must be a text, not {value!r}")
    return value if key in ("delimiter", "separator") else value.strip()


def _flag(content: Mapping[str, Any], key: str) -> bool:
    value = content.get(key, False)
    if not isinstance(value, bool):
        raise InputError(f"{key} must be true or false, not {value!r}")
    return value


def _delimiter(content: Mapping[str, Any]) -> str | None:
    if "delimiter" not in content:
        return None
    value = content["delimiter"]
    if not isinstance(value, str) or len(value) != 1:
        raise InputError(f"delimiter must be one character, not {value!r}")
    return value


def _language(content: Mapping[str, Any]) -> str | None:
    if "language" not in content:
        return None
    value = content["language"]
    # YAML takes a bare `no`, which is Norwegian, for false.
    if not isinstance(value, str) or not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]+)*", value):
        raise InputError(f'language must be a code such as "de", in quotation marks where it is "no", not {value!r}')
    return value


def _one_of(content: Mapping[str, Any], key: str, known: tuple[str, ...], default: str) -> str:
    value = content.get(key, default)
    if value not in known:
        raise InputError(f"{key} must be one of {', '.join(known)}, not {value!r}")
    return value


def _names(content: Any, key: str) -> tuple[str, ...]:
    names = content if isinstance(content, list) else [content]
    if not all(isinstance(name, (str, int)) and not isinstance(name, bool) for name in names):
        raise InputError(f"{key} must be a column or a list of columns")
    return tuple(str(name) for name in names)


def _window(content: Any) -> tuple[float, float] | str | None:
    if content is None or content == "full":
        return content
    if isinstance(content, list) and len(content) == 2 and all(isinstance(value, (int, float)) for value in content):
        centre, width = map(float, content)
        if math.isfinite(centre) and 1 <= width < math.inf:
            return centre, width
    raise InputError(f"window must be full or [centre, width] with a width of at least 1, not {content!r}")
