"""From the files to a `datasets.Dataset`: checked as a whole, kept on disk, images decoded only when asked for."""

from __future__ import annotations

import functools
import hashlib
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..base.cores import usable_cores
from ..base.errors import InputError
from ..images import decoding
from . import taxonomy
from .built import checked_rows
from .image_cells import check_image, decode_base64, is_file, is_stretched, quoted, relative_path, split_cell
from .location import Location, file_name, locate
from .tsv import ImageCells, Place, Row, TsvFile, at_line, extra_as_json, parse_header, question_key

if TYPE_CHECKING:
    import datasets

BY_COLUMN, BY_TEXT = "column", "text"
"""How the clean item behind a degraded one is known: a column names it, or the text of the question stands for it."""

_log = logging.getLogger("medqdeg")
_In = TypeVar("_In")
_Out = TypeVar("_Out")


def load_level(split: str, level: str, location: Location | None = None) -> datasets.Dataset:
    """Return the items of one level of a split.

    Every row is checked before anything is returned. The first call writes the checked rows to the cache of
    `datasets`; later ones map that file into memory, so that memory stays bounded whatever the size.

    Args:
        split: "test" or "dev".
        level: "L0", "L1", "L2", or "gone" of phantoms.
        location: where the files lie; None asks `medqdeg.utils.dataset.location.locate`.

    Returns:
        A data set with the columns item_id, question, letters, options, answer, images (list of `Image`), level,
        severity (0, 1, 2; NaN of "gone"), modality, degradation (None at L0), degradation_origin (None unless the image
        was bad when it was taken), skill, source, source_question_id, source_question_rule, cluster_id and extra
        (JSON). Items of one cluster share a source question or an image, and count as one in standard errors.

    Raises:
        InputError: for anything wrong with the files, in one line.
    """
    dataset, path = _load(split, level, location or locate())
    levels = dataset["level"][:]
    found = {name: levels.count(name) for name in (*taxonomy.LEVELS, taxonomy.GONE) if name in levels}
    if level not in found:
        raise InputError(f"{path} has no items of level {level}; found {found or 'no rows'}")
    expected = {taxonomy.CLEAN} if level == taxonomy.CLEAN else set(found) - {taxonomy.CLEAN}
    if strays := {name: count for name, count in found.items() if name not in expected}:
        _log.warning("medqdeg: %s holds items of other levels, which no task takes from it: %s", path, strays)
    return dataset.select([place for place, name in enumerate(levels) if name == level])


def load_series(split: str, location: Location | None = None) -> datasets.Dataset:
    """Return the items of a split that holds a series of severities: the clean ones, then the degraded ones.

    Args:
        split: "test" or "dev".
        location: as for `load_level`.

    Returns:
        A data set with the columns of `load_level`; level is "L0" or a label such as "S1.50", severity its number.

    Raises:
        InputError: for anything wrong with the files, in one line; for a data set of L1 and L2.
    """
    from datasets import concatenate_datasets

    location = location or locate()
    clean = load_level(split, taxonomy.CLEAN, location)
    if labels := location.series():
        return concatenate_datasets([clean, *(_load(split, label, location)[0] for label in labels)])
    degraded, path = _load(split, taxonomy.LEVELS[-1], location)
    levels = degraded["level"][:]
    places = [place for place, name in enumerate(levels) if name not in (*taxonomy.LEVELS, taxonomy.GONE)]
    if not places:
        raise InputError(f"{path} holds no series, only {', '.join(sorted(set(levels)))}: make one with --severities")
    return concatenate_datasets([clean, degraded.select(places)])


def _load(split: str, level: str, location: Location) -> tuple[datasets.Dataset, Path]:
    """Return all items of the file that holds a level, and where they lie."""
    if parts := location.parts(split, level):
        rows = _generated(checked_rows, {"paths": parts, "rule": BY_COLUMN}, _parts_fingerprint(parts))
        return rows, parts[0].parent
    path = location.fetch(file_name(split, level))
    return _load_file(path, location, _source_question_rule(split, location)), path


def without_decoding(items: datasets.Dataset) -> datasets.Dataset:
    """Return the same items with images left as `{"bytes": ..., "path": ...}`, for `image_cells.decode_cell`.

    Nothing is copied. (`cast_column` would write the whole data set anew for a list of images, though only the
    reading differs; for a single image it does what is done here.)
    """
    from datasets import Image, List

    view = items.with_format(None)
    view._info = items.info.copy()
    view._info.features = items.features.copy()
    view._info.features["images"] = List(Image(decode=False))
    return view


def _load_file(path: Path, location: Location, rule: str) -> datasets.Dataset:
    file = TsvFile(path)
    images = [] if file.columns.holds_images else _image_paths(file)
    location.fetch_images(path, images)
    return _generated(_checked_rows, {"path": path, "rule": rule}, _fingerprint(path, images, rule))


def _generated(rows: Callable[..., Iterator[dict[str, Any]]], arguments: Any, fingerprint: str) -> datasets.Dataset:
    import datasets
    from datasets.exceptions import DatasetGenerationError

    try:
        return datasets.Dataset.from_generator(
            rows, features=_features(), gen_kwargs=arguments, fingerprint=fingerprint
        )
    except DatasetGenerationError as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, InputError):
            cause = cause.__cause__
        if cause is None:
            raise
        raise InputError(str(cause)) from None


def _features() -> datasets.Features:
    from datasets import Features, Image, List, Value

    text = Value("string")
    return Features(
        {
            "item_id": text,
            "question": text,
            "letters": List(text),
            "options": List(text),
            "answer": text,
            "images": List(Image()),
            "level": text,
            "severity": Value("float64"),
            "modality": text,
            "degradation": text,
            "degradation_origin": text,
            "skill": text,
            "source": text,
            "source_question_id": text,
            "source_question_rule": text,
            "cluster_id": text,
            "extra": text,
        }
    )


def _source_question_rule(split: str, location: Location) -> str:
    """Decide once for both files of a split, so that a clean item and its degraded versions carry the same id."""
    name = file_name(split, taxonomy.LEVELS[-1])
    line = location.first_line(name)
    named = line is not None and "source_question" in parse_header(line, name).roles
    return BY_COLUMN if named else BY_TEXT


def source_question_id(row: Row, rule: str) -> str:
    """Return the id of a row's source question by a rule, `BY_COLUMN` or `BY_TEXT`. Raises `InputError` without one."""
    if rule == BY_TEXT:
        return question_key(row)
    if row.source_question is not None:
        return f"index:{row.source_question}"
    if row.level == taxonomy.CLEAN:
        return f"index:{row.item_id}"
    raise InputError("the degraded item does not name the clean item that it comes from")


def _image_paths(file: TsvFile) -> list[str]:
    """Return the relative paths of all images that lie beside a file, each once."""
    paths: dict[str, None] = {}
    for row in file.rows():
        with _about(file.path, row):
            paths.update(dict.fromkeys(relative_path(entry) for entry in split_cell(row.image_cell)))
    return list(paths)


@contextmanager
def _about(path: Path, row: Row) -> Iterator[None]:
    """Name the row and the file in an error."""
    try:
        yield
    except InputError as error:
        raise at_line(path.name, row.place[0], row.item_id, error) from None


def _fingerprint(path: Path, images: list[str], rule: str) -> str:
    """Name the cache entry after everything that decides its content: the file, images beside it, our own rules."""
    parts = ["medqdeg", _rules(), rule, str(path.absolute()), _stamp(path)]
    for entry in images:
        image = path.parent / entry
        parts.append(f"{entry}:{_stamp(image) if is_file(image) else 'absent'}")
    return hashlib.sha256("\n".join(parts).encode(errors="surrogateescape")).hexdigest()[:32]


def _parts_fingerprint(paths: list[Path]) -> str:
    parts = ["medqdeg", _rules(), *(f"{path.absolute()}:{_stamp(path)}" for path in paths)]
    return hashlib.sha256("\n".join(parts).encode(errors="surrogateescape")).hexdigest()[:32]


@functools.cache
def _rules() -> str:
    """Digest the code and the tables that turn a file into rows, so that no entry outlives a change of them."""
    digest = hashlib.sha256()
    code = [part for of in (__file__, decoding.__file__) for part in sorted(Path(of).parent.glob("*.py"))]
    for part in (*code, Path(taxonomy.__file__)):
        digest.update(part.read_bytes())
    return digest.hexdigest()


def _stamp(path: Path) -> str:
    stat = path.stat()
    return f"{stat.st_size}:{stat.st_mtime_ns}"


def _checked_rows(path: Path, rule: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file as the data set stores them; raise `InputError` at the first that is wrong.

    The texts of all rows are checked before the first image is decoded, so that most mistakes show within seconds.
    """
    file = TsvFile(path)
    places = _check_texts(file, rule)
    cells = ImageCells(file, places) if file.columns.holds_images else None
    stretched: list[str] = []

    def finish(row: Row) -> dict[str, Any]:
        with _about(path, row):
            if cells:
                images = [_cell_bytes(entry) for entry in split_cell(cells.follow(row.image_cell))]
            else:
                images = [_cell_file(path.parent, entry) for entry in split_cell(row.image_cell)]
            looked_at = [
                check_image(Path(image["path"]) if image["bytes"] is None else image["bytes"]) for image in images
            ]
        if row.level != taxonomy.CLEAN and any(map(is_stretched, looked_at)):
            stretched.append(row.item_id)
        return {
            "item_id": row.item_id,
            "question": row.question,
            "letters": list(row.options),
            "options": list(row.options.values()),
            "answer": row.answer,
            "images": images,
            "level": row.level,
            "severity": taxonomy.severity_of(row.level),
            "modality": row.modality,
            "degradation": row.degradation,
            "degradation_origin": row.origin,
            "skill": row.skill,
            "source": row.source,
            "source_question_id": source_question_id(row, rule),
            "source_question_rule": rule,
            "cluster_id": f"index:{row.cluster}" if row.cluster else source_question_id(row, rule),
            "extra": extra_as_json(row),
        }

    yield from _in_threads(finish, file.rows())
    if stretched:
        _log.warning(
            "medqdeg: %s: %d degraded items have 16-bit grey images that do not state their range, and are shown over "
            "the range in use, which may undo a change of brightness or contrast (the first: index %s); save them with "
            "8 bits",
            path.name,
            len(stretched),
            min(stretched),
        )


def _check_texts(file: TsvFile, rule: str) -> dict[str, Place]:
    """Check all that can be checked without an image, and return where each item is."""
    places: dict[str, Place] = {}
    for row in file.rows():
        with _about(file.path, row):
            if row.item_id in places:
                raise InputError(f"line {places[row.item_id][0]} has this index already")
            places[row.item_id] = row.place
            source_question_id(row, rule)
            split_cell(row.image_cell)
    if not places:
        raise InputError(f"{file.path} has a header and no rows")
    return places


def _cell_bytes(text: str) -> dict[str, Any]:
    return {"bytes": decode_base64(text), "path": None}


def _cell_file(folder: Path, entry: str) -> dict[str, Any]:
    path = folder / relative_path(entry)
    if not is_file(path):
        raise InputError(f"the image file {quoted(entry)} does not exist")
    return {"bytes": None, "path": str(path)}


def _in_threads(function: Callable[[_In], _Out], items: Iterable[_In]) -> Iterator[_Out]:
    """Map in order on all cores with a bounded number of items in flight; PIL decodes outside Python's lock."""
    workers = min(usable_cores(), 16)
    pending: deque[Future[_Out]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                pending.append(pool.submit(function, item))
                if len(pending) > 2 * workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
