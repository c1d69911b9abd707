"""The item browser: every item with its votes, and its pictures where the data set is at hand."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..analysis.runs.run import Run
from ..base.atomic_files import write_atomically
from ..dataset.taxonomy import CLEAN, LEVELS
from ..phantoms.suite import SOURCE as PHANTOMS
from .item_votes import chosen_of, kept_replies, level_names, people_of, votes_of
from .page import ITEMS_PAGE, PAGE, render
from .page_data import number
from .pictures import Key, Shown
from .provenance import DRAWINGS, data_name, drawings_note

BARE, ABSENT = -2, -1
"""What stands for the place of an item's replies: each was just a letter, or the files hold none."""

_SCRIPTS = ("templates/tables.js", "templates/item_pictures.js", "templates/item_detail.js", "templates/items.js")


def write_items(runs: Sequence[Run], folder: Path, shown: Mapping[Key, Shown] | None = None) -> Path:
    """Write the item browser.

    The items stand in the page in columns, as compressed JSON, so that 24,894 of them open at once.

    Args:
        runs: whose items are shown; an item that several have is shown once, with the votes of each.
        folder: that exists.
        shown: of `medqdeg.utils.report.pictures.write_pictures`; without it there are neither questions nor pictures.

    Returns:
        The path of the page.

    Raises:
        OSError: the folder does not exist or may not be written.
    """
    text = json.dumps(_columns(runs, shown or {}), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    packed = base64.b64encode(gzip.compress(text.encode(), compresslevel=6, mtime=0)).decode()
    html = render(
        "items.html.jinja",
        scripts=_SCRIPTS,
        data={"packed": packed},
        page=PAGE,
        title=", ".join(run.name for run in runs[:3]),
        data_sets=", ".join(sorted({name for run in runs if (name := data_name(run))})),
        drawings=drawings_note(runs),
    )
    path = folder / ITEMS_PAGE
    write_atomically(path, html.encode())
    return path


class _Names:
    """Texts that occur again and again, each kept once."""

    def __init__(self) -> None:
        self.places: dict[Any, int] = {}

    def place(self, value: Any) -> int:
        return self.places.setdefault(value, len(self.places))

    def values(self) -> list[Any]:
        return [list(value) if isinstance(value, tuple) else value for value in self.places]


def _columns(runs: Sequence[Run], shown: Mapping[Key, Shown]) -> dict[str, Any]:
    of_items = ("modality", "degradation", "skill", "question", "options", "data")
    names = {
        name: _Names()
        for name in (
            "modality",
            "degradation",
            "skill",
            "question",
            "options",
            "data",
            "votes",
            "chosen",
            "reply",
            "replies",
            "read_as",
            "people",
        )
    }
    places: dict[tuple[str, ...], int] = {}
    clean: dict[tuple[str, str], int] = {}
    groups = _Names()
    levels = level_names((record for run in runs for record in run.records), LEVELS)
    columns: dict[str, list[Any]] = {
        name: [] for name in ("id", "level", "answer", "image", "clean", "source", *of_items)
    }
    raw = kept_replies(runs)
    answers = []
    for run in runs:
        # Runs show the same item if all that identifies it is the same; two data sets may share ids.
        own: dict[str, list[Any]] = {
            name: [] for name in ("at", "votes", "chosen", "confidence", "credit", "replies", "read_as", "people")
        }
        for record in run.records:
            letters = tuple(map(str, record["options"]))
            source = str(record["source_question_id"])
            key = (run.family, record["level"], str(record["item_id"]), str(record["answer"]), source, *letters)
            if key not in places:
                places[key] = len(places)
                known = shown.get((run.family, record["level"], str(record["item_id"])), Shown(""))
                if record["level"] == CLEAN:
                    clean.setdefault((run.family, source), places[key])
                columns["id"].append(str(record["item_id"]))
                columns["level"].append(levels.index(record["level"]))
                columns["answer"].append(str(record["answer"]))
                columns["image"].append(list(known.images))
                columns["clean"].append((run.family, source))
                columns["source"].append(groups.place((run.family, source)))
                columns["question"].append(names["question"].place(known.question))
                columns["options"].append(names["options"].place((letters, known.options)))
                data = PHANTOMS if record["source"] == PHANTOMS else data_name(run)
                columns["data"].append(names["data"].place(data))
                for name in ("modality", "degradation", "skill"):
                    columns[name].append(names[name].place(str(record[name] or "")))
            own["at"].append(places[key])
            own["votes"].append(names["votes"].place(votes_of(record)))
            own["chosen"].append(names["chosen"].place(chosen_of(record)))
            own["confidence"].append(number(record["confidence"], 3))
            own["credit"].append(number(record["majority_vote"], 3))
            name = (run.name, record["level"], record["item_id"])
            texts = raw.kept.get(name)
            packed = tuple(names["reply"].place(text) for text in texts) if texts else None
            without = BARE if name in raw.bare else ABSENT
            own["replies"].append(without if packed is None else names["replies"].place(packed))
            tiers = record.get("read_as")
            own["read_as"].append(names["read_as"].place(tuple(tiers)) if texts and tiers else -1)
            people = people_of(record)
            own["people"].append(-1 if people is None else names["people"].place(people))
        person = any(record.get("respondent") == "person" for record in run.records[:1])
        answers.append({"name": run.name, "person": person, **own})
    columns["clean"] = [clean.get(key, -1) for key in columns["clean"]]
    kept = {name: entry.values() for name, entry in names.items()}
    return {
        **{"levels": levels, "items": columns, "names": kept, "runs": answers},
        **{"replies_left_out": raw.left_out, "remarks": {PHANTOMS: f"{DRAWINGS}."}},
    }
