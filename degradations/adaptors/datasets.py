"""A function for `datasets.Dataset.map`. It does not import `datasets`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..choosing import ImageDegrader


class DegradeColumn(ImageDegrader):
    """Degrade the images in a column, for `Dataset.map`, `IterableDataset.map` and samples as dictionaries.

    Works with `batched=True` and without, and on columns that hold a list of images per item. With
    `with_indices=True`, an item's index is its key in the seed; without, its content is. Missing images
    (None) stay missing. The arguments' hash is stable, so `datasets` finds its cached result again. Columns of masks
    and boxes are left alone: for degradations that move the image, use `Degrade` with `keys`.

    Args:
        name, severity, seed, settings: as for `ImageDegrader`.
        column: which column holds the images.
        record_column: if given, a column of this name gets the record of each image as JSON (a list of
            records for a list of images).
    """

    def __init__(
        self,
        name: str | Sequence[str],
        severity: float | str | Sequence[float | str],
        *,
        seed: int | str,
        column: str = "image",
        record_column: str | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(name, severity, seed=seed, **settings)
        self.column = column
        self.record_column = record_column

    def __call__(self, examples: Any, indices: int | Sequence[int] | None = None) -> dict[str, Any]:
        """Return the example, or batch of examples, with the column degraded.

        Raises:
            TypeError: not a mapping, or the column holds something else than images.
            KeyError: the mapping has no such column.
        """
        if not isinstance(examples, Mapping):
            raise TypeError(f"{type(self).__name__} takes examples with named columns; for an image use Degrade")
        if self.column not in examples:
            raise KeyError(f"no column {self.column!r}; there are {', '.join(map(repr, examples))}")
        value = examples[self.column]
        if indices is not None and not isinstance(indices, int):
            pairs = [self._apply_to_cell(cell, index) for cell, index in zip(value, indices, strict=True)]
            images, records = [image for image, _ in pairs], [record for _, record in pairs]
        else:
            images, records = self._apply_to_cell(value, indices)
        changed = {**examples, self.column: images}
        if self.record_column is not None:
            changed[self.record_column] = _as_json(records)
        return changed

    def _apply_to_cell(self, cell: Any, key: int | str | None) -> tuple[Any, Any]:
        """Degrade one image, or each of a list of them."""
        if cell is None:
            return None, None
        if isinstance(cell, list | tuple):
            keys = [None if key is None else f"{key}.{place}" for place in range(len(cell))]
            pairs = [self._apply_to_cell(each, own) for each, own in zip(cell, keys, strict=True)]
            return [image for image, _ in pairs], [record for _, record in pairs]
        if isinstance(cell, Mapping):
            raise TypeError(
                f"column {self.column!r} holds undecoded images; cast it to datasets.Image(decode=True) first"
            )
        return self.apply_with_record(cell, key)


def _as_json(records: Any) -> Any:
    if isinstance(records, list):
        return [_as_json(each) for each in records]
    return None if records is None else json.dumps(records, sort_keys=True)
