"""Rows of a built set as files: Parquet with embedded images, and the four TSV files of the published layout."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..dataset import taxonomy
from ..dataset.built import REAL, REAL_UNKNOWN_LEVEL, option_letters
from ..dataset.delimited import write_tsv_rows
from ..dataset.tsv import MISSING_VALUES
from .item import BAD, SourceItem
from .layout import replacing
from .make.degrading import MadeImage

if TYPE_CHECKING:
    import pyarrow

_ROWS_IN_GROUP, _BYTES_IN_GROUP = 16, 2**25
"""A row group is closed at either: it bounds what a writer keeps in memory, and what a reader has to take at once."""


def item_id(item: SourceItem) -> str:
    """Return the id of a clean item in the set."""
    return f"{item.source}:{item.source_id}"


def as_row(
    item: SourceItem,
    cluster_id: str,
    level: str,
    name: str | None,
    images: Sequence[MadeImage],
    clean_id: str | None = None,
) -> dict[str, Any]:
    """Return one row with the columns of `dataset.built.features`; of a set without one of them it is left out.

    `clean_id` is the clean partner's of an item whose images were bad when they were taken, None for any other.
    """
    origin = None
    if item.level is not None:
        origin, own = (REAL_UNKNOWN_LEVEL if item.level == BAD else REAL), item_id(item)
    else:
        clean_id = item_id(item)
        own = clean_id if name is None else f"{clean_id}:{name}:{level}"
    return {
        "item_id": own,
        "question": item.question,
        "options": list(item.options),
        "answer": option_letters(len(item.options))[item.answer],
        "images": [{"bytes": image.png, "path": None} for image in images],
        "level": level,
        "modality": item.modality,
        "degradation": name,
        "degradation_category": None if name is None else taxonomy.degradation_category(name),
        "skill": item.skill,
        "task": taxonomy.task_of(item.skill),
        "capability": taxonomy.capability_of(item.skill),
        "source": item.source,
        "source_id": item.source_id,
        "clean_id": clean_id,
        "cluster_id": cluster_id,
        "licence": item.licence,
        "parameters": json.dumps([dict(image.record) for image in images], ensure_ascii=False, sort_keys=True),
        "extra": json.dumps(dict(item.extra), ensure_ascii=False, sort_keys=True),
        "severity": taxonomy.severity_of(level),
        "degradation_origin": origin,
    }


class ParquetRows:
    """A Parquet file that is written row by row with bounded memory; the same rows give the same bytes."""

    def __init__(self, path: Path, schema: pyarrow.Schema) -> None:
        import pyarrow.parquet

        self._schema = schema
        # Images are compressed already, and no two are alike.
        self._writer = pyarrow.parquet.ParquetWriter(path, schema, compression="snappy", use_dictionary=False)
        self._rows: list[Mapping[str, Any]] = []
        self._bytes = 0
        self.count = 0

    def add(self, row: Mapping[str, Any], size: int) -> None:
        """Add a row of about `size` bytes."""
        self._rows.append(row)
        self._bytes += size
        self.count += 1
        if len(self._rows) >= _ROWS_IN_GROUP or self._bytes >= _BYTES_IN_GROUP:
            self._flush()

    def close(self) -> None:
        """Write what is left and finish the file."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        import pyarrow

        if self._rows:
            self._writer.write_table(pyarrow.Table.from_pylist(self._rows, schema=self._schema))
        self._rows, self._bytes = [], 0


def read_rows(paths: Iterable[Path], columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows of Parquet files, a few in memory at a time."""
    import pyarrow.parquet

    for path in paths:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS_IN_GROUP, columns=columns):
                yield from batch.to_pylist()


def write_tsv(path: Path, rows: Iterable[Mapping[str, Any]], letters: int, more: Sequence[str] = ()) -> None:
    """Write rows of a built set in the published TSV layout, as `dataset.tsv` reads it.

    An image is base64, several are a JSON list. An option whose text the readers of that layout take for a missing
    value ("None", "NA") gets a full stop behind it.

    Args:
        path: where to.
        rows: as `read_rows` gives them.
        letters: how many option columns; at least two.
        more: of "severity" and "degradation_origin", the columns that the set has.
    """
    options = option_letters(max(letters, 5))
    columns = (
        *("index", "image", "question", *options, "answer", "modality", "degradation_type", "degradation_severity"),
        *("source", "category", "source_index", "cluster_id", "licence", *more),
    )
    with replacing(path) as part:
        write_tsv_rows(part, columns, (_tsv_row(row, more) for row in rows))


def _more(row: Mapping[str, Any], name: str) -> str:
    value = taxonomy.severity_of(row["level"]) if name == "severity" else row[name]
    return "" if value is None else str(value)


def _tsv_row(row: Mapping[str, Any], more: Sequence[str]) -> dict[str, str]:
    images = [base64.b64encode(image["bytes"]).decode() for image in row["images"]]
    texts = [f"{text}." if text in MISSING_VALUES else text for text in row["options"]]
    return {
        "index": row["item_id"],
        "image": images[0] if len(images) == 1 else json.dumps(images),
        "question": row["question"],
        **dict(zip(option_letters(len(texts)), texts, strict=True)),
        "answer": row["answer"],
        "modality": row["modality"],
        "degradation_type": row["degradation"] or "",
        "degradation_severity": row["level"].removeprefix("L"),
        "source": row["source"],
        "category": "" if row["skill"] == taxonomy.UNLABELLED else row["skill"],
        "source_index": row["clean_id"],
        "cluster_id": row["cluster_id"],
        "licence": row["licence"] or "",
        **{name: _more(row, name) for name in more},
    }
