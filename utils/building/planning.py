"""From the sources to a plan: which items, with which degradations, in which part; their clean images set aside.

Everything up to here needs to see all items at once and is done once, by one process; everything after it
(`parts`) is done part by part. In memory are the texts and hashes of all items, about 4 kB each, and a few images.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ..atomic_files import write_atomically
from ..csv_cells import safe_cell
from ..dataset.built import features
from ..errors import InputError, one_line
from ..image_files import decode_image
from ..provenance import versions
from .gate import Limits
from .inputs import hashed, stamp, without_folders
from .item import Skipped, SourceItem
from .layout import SPLITS, WorkFolder, digest, read_json, replacing, write_json
from .parts import item_as_json
from .selection import Chosen, Mix, select

BAD_IMAGE, SAME_ID = "image cannot be read", "id occurs twice"
"""As the readers say it; here of an image that breaks between reading and choosing, and of an id in two sources that
carry the same name."""

FORMAT = 1
"""Of the work folder; raised when an older one can no longer be continued."""

PART_ITEMS = 64
"""Clean items in a part unless one says otherwise."""

_LIBRARIES = ("scipy", "opencv-python-headless", "pyarrow", "scikit-learn")
_OF_THE_MODELS = frozenset({"torch", "transformers", "lmms-eval"})
"""Another version of these changes no byte, and should not keep a build from being continued."""

Progress = Callable[[str, int, "int | None"], None]
"""Called with what is being done, how many are done, and of how many (None: not known)."""


@dataclass(frozen=True)
class Request:
    """What is wanted of a build.

    Attributes:
        sources: as given on the command line, such as "gmai=VAL.tsv".
        seed: decides which items, which degradations, and every draw.
        mix: what the set is made of.
        severities: a severity table of one's own as `load_severities` takes it, None for the paper's.
        dev_share: share of the clean items in the dev split.
        part_items: clean items in a part.
        limits: of the quality gate.
    """

    sources: tuple[str, ...]
    seed: int | str = 0
    mix: Mix = field(default_factory=Mix)
    severities: Mapping[str, Any] | None = None
    dev_share: float = 0.05
    part_items: int = PART_ITEMS
    limits: Limits = field(default_factory=Limits)

    def as_dict(self) -> dict[str, Any]:
        """Return the request as JSON; the order of the sources does not matter."""
        return {
            "sources": sorted(self.sources),
            "seed": self.seed,
            "mix": self.mix.as_dict(),
            "severities": self.severities,
            "dev_share": self.dev_share,
            "part_items": self.part_items,
            "limits": self.limits.as_dict(),
        }


@dataclass(frozen=True)
class Front:
    """What reads the sources and looks at all items: the half of the pipeline before the plan.

    Attributes:
        open_source: one source's items, and what it skips.
        merge: takes the items and `Progress`; merges duplicates; returns the items that stay, those whose images cannot
            be read, and a report that JSON can hold.
        leakage: what the answers give away without an image; returns a report that JSON can hold.
        inputs: the files and folders that a source names, whose hashes the manifest gives.
    """

    open_source: Callable[[str], Iterator[SourceItem | Skipped]]
    merge: Callable[[Sequence[SourceItem], Progress], tuple[Sequence[SourceItem], Sequence[Skipped], Any]]
    leakage: Callable[[Sequence[SourceItem]], Any]
    inputs: Callable[[str], Sequence[Path]] = lambda _: ()


@cache
def library_versions() -> dict[str, str]:
    """Return the versions that the bytes of a build depend on."""
    return {name: number for name, number in versions(*_LIBRARIES).items() if name not in _OF_THE_MODELS}


def plan_key(request: Request) -> str:
    """Return what names a build: the request, what its sources look like now, and the versions of the libraries."""
    stamps = {text: stamp(text) for text in sorted(request.sources)}
    return digest({"format": FORMAT, "request": request.as_dict(), "stamps": stamps, "versions": library_versions()})


def make_plan(request: Request, out: Path, front: Front, progress: Progress) -> dict[str, Any]:
    """Make the plan of a build, or return the one that is there.

    Returns:
        `key`, `request`, `versions`, `parts` (each with `name`, `items`, `pairs`) and `problems` (how many rows of the
        sources were skipped that should not have been).

    Raises:
        InputError: the folder holds another build, a source cannot be read at all, or no item is left.
    """
    work = WorkFolder(out)
    key = plan_key(request)
    earlier = read_json(work.plan)
    if earlier and earlier["key"] == key:
        return earlier
    if earlier:
        raise InputError(
            f"{out} holds a build of {_difference(earlier, request)}: choose another folder, or remove this one"
        )

    inputs = hashed(request.sources, front.inputs, lambda done: progress("hashing the sources", done, None))
    items, skipped = _collect(request, front, progress)
    items, twice = _without_repeated_ids(items)
    skipped += twice
    read = Counter(item.source for item in items)
    kept, unreadable, duplicates = front.merge(items, progress)
    skipped += unreadable
    pool = sorted(kept, key=_order)
    chosen, deviation, broken = _choose_usable(pool, request, progress)
    skipped += broken
    if not chosen:
        raise InputError("no item of the sources can be used: " + _reasons(skipped))

    parts = list(_set_aside(chosen, request.part_items, work, progress))
    write_atomically(work.schema, features().arrow_schema.serialize().to_pybytes())
    write_atomically(work.skipped, skipped_table(skipped))
    write_json(
        work.root / "account.json",
        {
            "inputs": inputs,
            "read": dict(sorted(read.items())),
            "after_merging": dict(sorted(Counter(item.source for item in pool).items())),
            "duplicates": duplicates,
            "skipped": _skipped_counts(skipped),
            "selection": deviation,
            "leakage": front.leakage([each.item for each in chosen]),
        },
    )
    plan = {
        "format": FORMAT,
        "key": key,
        "request": request.as_dict(),
        "sources": [without_folders(text) for text in sorted(request.sources)],
        "versions": library_versions(),
        "parts": parts,
        "problems": sum(not row.harmless for row in skipped),
    }
    write_json(work.plan, plan)
    return read_json(work.plan)  # as every later call has it, the order of the keys too


def skipped_table(skipped: Iterable[Skipped]) -> bytes:
    """Return `skipped.csv`: every row of a source that gave no item, and why."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("source", "where", "reason", "detail", "harmless"))
    rows = (
        (row.source, row.where, row.reason, one_line(row.detail), "yes" if row.harmless else "no") for row in skipped
    )
    ordered = sorted(rows, key=lambda row: (row[4], row))
    writer.writerows(map(safe_cell, row) for row in ordered)
    return text.getvalue().encode("utf-8", errors="backslashreplace")


def _collect(request: Request, front: Front, progress: Progress) -> tuple[list[SourceItem], list[Skipped]]:
    items: list[SourceItem] = []
    skipped: list[Skipped] = []
    for text in sorted(request.sources):
        found = 0
        for row in front.open_source(text):
            if isinstance(row, Skipped):
                skipped.append(row)
                continue
            found += 1
            if (problem := _unusable_text(row)) is not None:
                skipped.append(Skipped(row.source, row.source_id, "text that is not Unicode", problem))
            else:
                items.append(row)
            if len(items) % 1000 == 0:
                progress("reading the sources", len(items), None)
        if not found:
            skipped.append(Skipped(text.partition("=")[0], without_folders(text), "a source without a single item"))
    return sorted(items, key=_order), skipped


def _order(item: SourceItem) -> tuple[Any, ...]:
    """Where an item stands, whatever the order in which the sources gave it."""
    return item.source, item.source_id, item.question, item.options, item.answer, item.modality, item.skill


def _unusable_text(item: SourceItem) -> str | None:
    try:
        item_as_json(item).encode()
    except UnicodeEncodeError as error:
        return one_line(error)
    return None


def _without_repeated_ids(items: Sequence[SourceItem]) -> tuple[list[SourceItem], list[Skipped]]:
    kept: list[SourceItem] = []
    skipped = []
    for item in items:
        if kept and (kept[-1].source, kept[-1].source_id) == (item.source, item.source_id):
            skipped.append(Skipped(item.source, item.source_id, SAME_ID))
        else:
            kept.append(item)
    return kept, skipped


def _choose_usable(
    pool: Sequence[SourceItem], request: Request, progress: Progress
) -> tuple[tuple[Chosen, ...], Mapping[str, Any], list[Skipped]]:
    """Choose, look at the chosen images, and choose again without those that cannot be decoded."""
    items = {(item.source, item.source_id): item for item in pool}
    sound: set[tuple[str, str]] = set()
    skipped: list[Skipped] = []
    while items:
        selection = select(list(items.values()), request.mix, request.seed, request.dev_share)
        broken = []
        for done, each in enumerate(selection.chosen, start=1):
            key = each.item.source, each.item.source_id
            if key not in sound:
                if (problem := _problem(each.item)) is None:
                    sound.add(key)
                else:
                    broken.append(key)
                    skipped.append(Skipped(*key, BAD_IMAGE, problem))
            if done % 50 == 0:
                progress("checking the chosen images", done, len(selection.chosen))
        if not broken:
            return selection.chosen, selection.deviation, skipped
        for key in broken:
            del items[key]
    return (), {}, skipped


def _problem(item: SourceItem) -> str | None:
    """Return why an item's images cannot be used, or None."""
    if not item.images:
        return "the item has no image"
    for image in item.images:
        try:
            decode_image(image.read(), name=image.name)
        except InputError as error:
            return one_line(error)
        except OSError as error:
            return one_line(f"{image.name}: {error.strerror or error}")
    return None


def _set_aside(
    chosen: Sequence[Chosen], part_items: int, work: WorkFolder, progress: Progress
) -> Iterator[dict[str, Any]]:
    """Write the clean items of every part to a file of its own."""
    done = 0
    for split in SPLITS:
        members = [each for each in chosen if each.split == split]
        of = -(-len(members) // part_items)
        for number in range(of):
            group = members[number * part_items : (number + 1) * part_items]
            name = f"{split}-{number:05d}-of-{of:05d}"
            _write_waiting(work.clean(name), group)
            done += len(group)
            progress("setting the chosen images aside", done, len(chosen))
            yield {"name": name, "items": len(group), "pairs": sum(len(each.names) for each in group)}


def _write_waiting(path: Path, group: Sequence[Chosen]) -> None:
    import pyarrow

    from .writing import ParquetRows

    schema = pyarrow.schema([("item", pyarrow.string()), ("images", pyarrow.list_(pyarrow.binary()))])
    with replacing(path) as part:
        rows = ParquetRows(part, schema)
        for each in group:
            images = [image.read() for image in each.item.images]
            rows.add(
                {"item": item_as_json(each.item, each.names, each.spares), "images": images}, sum(map(len, images))
            )
        rows.close()


def _skipped_counts(skipped: Iterable[Skipped]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {}
    for row in skipped:
        counts.setdefault(row.source, Counter())[row.reason] += 1
    return {source: dict(sorted(counter.items())) for source, counter in sorted(counts.items())}


def _reasons(skipped: Sequence[Skipped]) -> str:
    counts = Counter(row.reason for row in skipped)
    return ", ".join(f"{reason} ({number})" for reason, number in counts.most_common(3)) or "they hold none"


def _difference(earlier: Mapping[str, Any], request: Request) -> str:
    """Name what two builds differ in."""
    now = request.as_dict()
    for key, value in now.items():
        if earlier["request"].get(key) != value:
            return f"other {key.replace('_', ' ')}"
    if earlier["versions"] != library_versions():
        return "other library versions"
    return "sources that have changed since"
