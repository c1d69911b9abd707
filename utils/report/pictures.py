"""What a run's items need from the data set: questions, the options' texts, and pictures."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..analysis.runs.run import Run
from ..base.atomic_files import write_atomically
from ..base.errors import InputError

if TYPE_CHECKING:
    import datasets

IMAGES = "images"
_LONGEST_SIDE = 512
_QUALITY = 82


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
    from ..dataset.loading import without_decoding

    if data is not None and not data.is_dir():
        raise InputError(f"{data} is not a folder with the data set")
    wanted = {(run.family, record["level"], record["item_id"]) for run in runs for record in run.records}
    shown: dict[Key, Shown] = {}
    for family, level in sorted({(run.family, level) for run in runs for level in run.levels}):
        for dataset in _datasets(family, level, data):
            (folder / IMAGES).mkdir(exist_ok=True)
            for row in without_decoding(dataset):
                key = (family, level, row["item_id"])
                if key in wanted:
                    images = tuple(_picture(cell, folder) for cell in row["images"])
                    shown[key] = Shown(row["question"], tuple(row["options"]), images)
    return shown


def _datasets(family: str, level: str, data: Path | None) -> Iterator[datasets.Dataset]:
    from ..dataset.loading import load_level
    from ..dataset.location import LocalFolder

    if "phantom" in family:
        from ..phantoms.cache import cache_folder

        small = "small" in family
        suite = cache_folder() / ("phantoms-small" if small else "phantoms")
        if suite.is_dir():
            yield load_level("dev" if small else "test", level, LocalFolder(suite))
    elif data is not None:
        yield load_level("dev" if "_dev" in family else "test", level, LocalFolder(data.resolve()))


def _picture(cell: Mapping[str, Any], folder: Path) -> str:
    from ..dataset.image_cells import decode_rgb

    data = cell["bytes"] or Path(cell["path"]).read_bytes()
    name = f"{IMAGES}/{hashlib.sha256(data).hexdigest()[:20]}.webp"
    if not (folder / name).exists():
        image = decode_rgb(data)
        image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=_QUALITY)
        write_atomically(folder / name, buffer.getvalue())
    return name
