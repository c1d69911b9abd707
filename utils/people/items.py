"""The set that people read: its items by level, its pairs, and its pictures as a model gets them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..base.errors import InputError
from ..dataset.image_cells import decode_cell
from ..dataset.loading import without_decoding
from ..dataset.taxonomy import CLEAN, LEVELS
from ..scoring.records import cluster_of
from .chain import digest

if TYPE_CHECKING:
    import datasets
    from PIL.Image import Image

_HASHED = ("item_id", "question", "letters", "options", "answer", "level", "modality", "degradation", "cluster_id")


@dataclass(frozen=True)
class Pair:
    """A clean item and what one degradation makes of it.

    Attributes:
        degradation: the name.
        levels: "L0", "L1" and "L2" -> `item_id`.
        modality: of the item.
        question: its source question.
        cluster: what counts as one: a source question, or the image that several share.
    """

    degradation: str
    levels: Mapping[str, str]
    modality: str
    question: str
    cluster: str

    @property
    def item_id(self) -> str:
        """Of the clean item."""
        return self.levels[CLEAN]

    @property
    def name(self) -> str:
        """What tells the pair from all others of the set."""
        return f"{self.item_id}\x1f{self.degradation}"


class ItemSet:
    """The items of three levels.

    Texts are held, images are read from the data set's file when they are asked for.

    Args:
        levels: "L0", "L1" and "L2" -> the rows, as `medqdeg.utils.dataset.loading.load_level` gives them.
        family: name of the tasks with the same items, such as "medqdeg" or "medqdeg_phantom_small".
    """

    def __init__(self, levels: Mapping[str, datasets.Dataset], family: str = "medqdeg") -> None:
        self.family = family
        self._rows = {level: without_decoding(rows) for level, rows in levels.items()}
        self._docs: dict[tuple[str, str], dict[str, Any]] = {}
        self._places: dict[tuple[str, str], int] = {}
        self._reading = threading.Lock()
        for level, rows in self._rows.items():
            for place, doc in enumerate(rows.remove_columns("images")):
                self._docs[level, doc["item_id"]] = dict(doc)
                self._places[level, doc["item_id"]] = place

    @cached_property
    def sha256(self) -> str:
        """The hash of all items' texts; pictures are hashed when they are shown."""
        return digest(*([doc[name] for name in _HASHED] for _, doc in sorted(self._docs.items())))

    def doc(self, level: str, item_id: str) -> Mapping[str, Any]:
        """Return an item without its images.

        Raises:
            InputError: the set has no such item.
        """
        try:
            return self._docs[level, item_id]
        except KeyError:
            raise InputError(f"the set has no item {item_id!r} at {level}: is it another set?") from None

    def clean(self) -> Iterator[Mapping[str, Any]]:
        """Yield the clean items."""
        return (doc for (level, _), doc in sorted(self._docs.items()) if level == CLEAN)

    def pairs(self) -> list[Pair]:
        """Return every pair that has all three levels, ordered by clean item and degradation."""
        clean: dict[str, Mapping[str, Any]] = {}
        for doc in self.clean():
            clean.setdefault(doc["source_question_id"], doc)
        found: dict[tuple[str, str], dict[str, str]] = {}
        for (level, item_id), doc in sorted(self._docs.items()):
            if level != CLEAN:
                found.setdefault((doc["source_question_id"], doc["degradation"]), {}).setdefault(level, item_id)
        pairs = []
        for (question, degradation), levels in found.items():
            if question in clean and len(levels) == len(LEVELS) - 1:
                doc = clean[question]
                ids = {CLEAN: doc["item_id"], **levels}
                pairs.append(Pair(degradation, ids, doc["modality"], question, cluster_of(doc)))
        return sorted(pairs, key=lambda pair: (pair.item_id, pair.degradation))

    def pictures(self, level: str, item_id: str) -> Sequence[Image]:
        """Return an item's images as 8-bit RGB: what `doc_to_visual` gives a model. Threads may ask at the same time.

        Raises:
            InputError: the set has no such item.
        """
        self.doc(level, item_id)
        with self._reading:
            cells = self._rows[level][self._places[level, item_id]]["images"]
        return [decode_cell(cell) for cell in cells]

    def images_of(self, level: str, item_id: str) -> int:
        """Return how many images an item has."""
        self.doc(level, item_id)
        with self._reading:
            return len(self._rows[level][self._places[level, item_id]]["images"])
