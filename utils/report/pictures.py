"""What a run's items need from the data set: questions, the options' texts, and pictures."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..analysis.runs.run import Run
from ..base.atomic_files import write_atomically
from ..base.errors import InputError

IMAGES = "images"
_LONGEST_SIDE = 512
_QUALITY = 82
_METHOD = 0  # a third of the time of the usual one, files larger by a fifth


@dataclass(frozen=True)
class Shown:
    """Question, the options' texts in the order of their letters, and the pictures' paths relative to the page."""

    question: str
    options: tuple[str, ...] = ()
    images: tuple[str, ...] = ()


Key = tuple[str, str, str]
"""Task family, level and item id."""


def write_pictures(runs: Sequence[Run], folder: Path, data: Path | None = None) -> dict[Key, Shown]:
    """Write the pictures of the runs' items, 512 pixels at the longer side, into `folder`/images.

    A picture is named by the content it was made from, so that a second report into the same folder makes only what is
    new.

    Args:
        runs: their families say which data they were asked about: phantoms, the dev split or the test split.
        folder: that exists.
        data: folder of the data set. The phantoms are taken from their cache; without either there is nothing to show.

    Returns:
        What shows each item of each family.

    Raises:
        InputError: `data` is no folder, or something is wrong with its files.
        OSError: the folder may not be written.
    """
    if data is not None and not data.is_dir():
        raise InputError(f"{data} is not a folder with the data set")
    wanted = {(run.family, record["level"], record["item_id"]) for run in runs for record in run.records}
    shown: dict[Key, Shown] = {}
    for family, levels in _levels_of(runs).items():
        for row in _rows(family, levels, data):
            key = (family, row["level"], row["item_id"])
            if key in wanted:
                (folder / IMAGES).mkdir(exist_ok=True)
                images = tuple(_picture(cell, folder) for cell in row["images"])
                shown[key] = Shown(row["question"], tuple(row["options"]), images)
    return shown


def _levels_of(runs: Sequence[Run]) -> dict[str, list[str]]:
    return {
        family: sorted({level for run in runs if run.family == family for level in run.levels})
        for family in sorted({run.family for run in runs})
    }


def _rows(family: str, levels: Sequence[str], data: Path | None) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a family's data set, as far as it is at hand."""
    if "phantom" in family:
        from ..phantoms.cache import cache_folder

        small = "small" in family
        suite = cache_folder() / ("phantoms-small" if small else "phantoms")
        if suite.is_dir():
            yield from _phantoms(suite, "dev" if small else "test", levels)
    elif data is not None:
        from ..dataset.loading import load_level, without_decoding
        from ..dataset.location import LocalFolder

        for level in levels:
            split = "dev" if "_dev" in family else "test"
            yield from without_decoding(load_level(split, level, LocalFolder(data.resolve())))


def _phantoms(suite: Path, split: str, levels: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a suite that the package made itself: no need to check it, nor to keep it in another form."""
    from ..dataset.image_cells import relative_path, split_cell
    from ..dataset.location import file_name
    from ..dataset.tsv import TsvFile

    for name in sorted({file_name(split, level) for level in levels}):
        for row in TsvFile(suite / name).rows():
            yield {
                **{"level": row.level, "item_id": row.item_id, "question": row.question},
                "options": list(row.options.values()),
                "images": [
                    {"bytes": None, "path": suite / relative_path(entry)} for entry in split_cell(row.image_cell)
                ],
            }


def _picture(cell: Mapping[str, Any], folder: Path) -> str:
    from ..dataset.image_cells import decode_rgb

    data = cell["bytes"] or Path(cell["path"]).read_bytes()
    name = f"{IMAGES}/{hashlib.sha256(data).hexdigest()[:20]}.webp"
    if not (folder / name).exists():
        image = decode_rgb(data)
        image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=_QUALITY, method=_METHOD)
        write_atomically(folder / name, buffer.getvalue())
    return name
