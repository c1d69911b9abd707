"""The file where a part's clean items wait to be degraded: one row per item, with images as in the source."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..base.errors import InputError
from .item import ImageSource, SourceItem
from .layout import replacing
from .writing import ParquetRows, read_rows


@dataclass(frozen=True)
class Waiting:
    """A chosen item.

    Attributes:
        item: when read from the file, without its images.
        names: its degradations.
        spares: those that may take the place of one that the gate rejects, in order.
        cluster_id: the id of the first item that it is connected with by shared images.
        clean_id: of an item whose images were bad when they were taken, the id of its clean partner in the set, its own
            where there is none; None for a clean item.
    """

    item: SourceItem
    names: tuple[str, ...]
    spares: tuple[str, ...]
    cluster_id: str
    clean_id: str | None = None


def write_waiting(path: Path, group: Iterable[Waiting]) -> None:
    """Write the items of a part. Raises `InputError` where an image can no longer be read."""
    import pyarrow

    schema = pyarrow.schema([("item", pyarrow.string()), ("images", pyarrow.list_(pyarrow.binary()))])
    with replacing(path) as part:
        rows = ParquetRows(part, schema)
        for each in group:
            images = [_read_again(image) for image in each.item.images]
            rows.add({"item": _as_json(each), "images": images}, sum(map(len, images)))
        rows.close()


def read_waiting(path: Path) -> Iterator[tuple[Waiting, Sequence[bytes]]]:
    """Yield the items of a part with the content of their image files, a few in memory at a time."""
    for row in read_rows([path]):
        yield _from_json(row["item"]), row["images"]


def read_waiting_texts(path: Path) -> Iterator[Waiting]:
    """Yield the items of a part without reading images."""
    for row in read_rows([path], columns=["item"]):
        yield _from_json(row["item"])


def _read_again(image: ImageSource) -> bytes:
    try:
        return image.read()
    except OSError as error:
        raise InputError(f"{image.name} can no longer be read ({error.strerror or error}): run again") from None


def _as_json(waiting: Waiting) -> str:
    item = waiting.item
    texts = ("source", "source_id", "question", "answer", "modality", "skill", "licence")
    texts += ("level", "degradation", "clean_of") if item.level is not None else ()
    return json.dumps(
        {
            "item": {
                **{name: getattr(item, name) for name in texts},
                "options": list(item.options),
                "extra": dict(item.extra),
            },
            "names": list(waiting.names),
            "spares": list(waiting.spares),
            "cluster_id": waiting.cluster_id,
            **({} if waiting.clean_id is None else {"clean_id": waiting.clean_id}),
        },
        ensure_ascii=False,
        sort_keys=True,
    )


def _from_json(text: str) -> Waiting:
    given = json.loads(text)
    item = SourceItem(**{**given["item"], "options": tuple(given["item"]["options"]), "images": ()})
    return Waiting(item, tuple(given["names"]), tuple(given["spares"]), given["cluster_id"], given.get("clean_id"))
