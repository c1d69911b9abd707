"""The item browser: every item with its votes, and its pictures where the data set is at hand."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..atomic_files import write_atomically
from ..confidence import MISSING, UNREAD
from ..runs.run import Run
from ..taxonomy import CLEAN, LEVELS
from .page import ITEMS_PAGE, PAGE, number, render

if TYPE_CHECKING:
    import datasets

IMAGES = "images"
_SHORT = {UNREAD: "?", MISSING: "–"}
_LONGEST_SIDE = 512
_QUALITY = 82


@dataclass(frozen=True)
class Shown:
    """What only the data set knows of an item: question, options, and the picture's path relative to the page or ""."""

    question: str
    options: tuple[str, ...] = ()
    image: str = ""


def write_items(runs: Sequence[Run], folder: Path, shown: Mapping[tuple[str, str], Shown] | None = None) -> Path:
    """Write the item browser.

    The items stand in the page in columns, as compressed JSON, so that 24,894 of them open at once.

    Args:
        runs: whose items are shown; an item that several have is shown once, with the votes of each.
        folder: that exists.
        shown: level and item id -> question and picture; without it the browser shows neither.

    Returns:
        The path of the page.

    Raises:
        OSError: the folder does not exist or may not be written.
    """
    text = json.dumps(_columns(runs, shown or {}), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    packed = base64.b64encode(gzip.compress(text.encode(), compresslevel=6, mtime=0)).decode()
    html = render(
        "items.html.jinja", scripts=("templates/tables.js", "templates/items.js"), data={"packed": packed}, page=PAGE
    )
    path = folder / ITEMS_PAGE
    write_atomically(path, html.encode())
    return path


def write_pictures(levels: Iterable[datasets.Dataset], folder: Path) -> dict[tuple[str, str], Shown]:
    """Write a picture of each item, 512 pixels at its longer side, into `folder`/images, and say what shows each item.

    A picture is named by the content it was made from, so that a second report into the same folder makes only what is
    new.

    Args:
        levels: of `medqdeg.utils.dataset.loading.load_level`.
        folder: that exists.
    """
    from ..dataset.loading import without_decoding

    (folder / IMAGES).mkdir(exist_ok=True)
    shown: dict[tuple[str, str], Shown] = {}
    for dataset in levels:
        for row in without_decoding(dataset):
            image = _picture(row["images"][0], folder) if row["images"] else ""
            shown[row["level"], row["item_id"]] = Shown(row["question"], tuple(row["options"]), image)
    return shown


def _picture(cell: Mapping[str, Any], folder: Path) -> str:
    from ..dataset.images import decode_rgb

    data = cell["bytes"] or Path(cell["path"]).read_bytes()
    name = f"{IMAGES}/{hashlib.sha256(data).hexdigest()[:20]}.webp"
    if not (folder / name).exists():
        image = decode_rgb(data)
        image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=_QUALITY)
        write_atomically(folder / name, buffer.getvalue())
    return name


class _Names:
    """Texts that occur again and again, each kept once."""

    def __init__(self) -> None:
        self.places: dict[Any, int] = {}

    def place(self, value: Any) -> int:
        return self.places.setdefault(value, len(self.places))

    def values(self) -> list[Any]:
        return [list(value) if isinstance(value, tuple) else value for value in self.places]


def _columns(runs: Sequence[Run], shown: Mapping[tuple[str, str], Shown]) -> dict[str, Any]:
    names = {name: _Names() for name in ("modality", "degradation", "skill", "question", "options", "votes")}
    places: dict[tuple[str, ...], int] = {}
    clean: dict[tuple[str, str], int] = {}
    columns: dict[str, list[Any]] = {
        name: [] for name in ("id", "level", "answer", "image", "clean", *list(names)[:-1])
    }
    answers = []
    for run in runs:
        # Runs show the same item if all that identifies it is the same; two data sets may share ids.
        own: dict[str, list[Any]] = {name: [] for name in ("at", "votes", "confidence", "credit")}
        for record in run.records:
            letters = tuple(map(str, record["options"]))
            source = str(record["source_question_id"])
            key = (run.family, record["level"], str(record["item_id"]), str(record["answer"]), source, *letters)
            if key not in places:
                places[key] = len(places)
                known = shown.get((record["level"], str(record["item_id"])), Shown(""))
                if record["level"] == CLEAN:
                    clean.setdefault((run.family, source), places[key])
                columns["id"].append(str(record["item_id"]))
                columns["level"].append(LEVELS.index(record["level"]))
                columns["answer"].append(str(record["answer"]))
                columns["image"].append(known.image)
                columns["clean"].append((run.family, source))
                columns["question"].append(names["question"].place(known.question))
                columns["options"].append(names["options"].place((letters, known.options)))
                for name in ("modality", "degradation", "skill"):
                    columns[name].append(names[name].place(str(record[name] or "")))
            own["at"].append(places[key])
            own["votes"].append(names["votes"].place(_votes(record)))
            own["confidence"].append(number(record["confidence"], 3))
            own["credit"].append(number(record["majority_vote"], 3))
        answers.append({"name": run.name, **own})
    columns["clean"] = [clean.get(key, -1) for key in columns["clean"]]
    kept = {name: entry.values() for name, entry in names.items()}
    return {"levels": LEVELS, "items": columns, "names": kept, "runs": answers}


def _votes(record: Mapping[str, Any]) -> str:
    if record["probabilities"]:
        shares = zip(record["options"], record["probabilities"], strict=True)
        return ", ".join(f"{letter} {share:.2f}" for letter, share in shares)
    letters = [_SHORT.get(letter, str(letter)) for letter in record["letters"]]
    if record["stated"]:
        stated = ("" if value is None else f" {value:.2f}" for value in record["stated"])
        return ", ".join(f"{letter}{value}" for letter, value in zip(letters, stated, strict=True))
    return "".join(letters)
