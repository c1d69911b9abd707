"""The half of the build before the plan: read the sources, merge duplicates, probe what the texts give away."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..item import Skipped, SourceItem

Progress = Callable[[str, int, "int | None"], None]
"""Called with what is being done, how many are done, and of how many (None: not known)."""

_MOST_THREADS = 16


@dataclass(frozen=True)
class Sources:
    """Where items come from.

    Attributes:
        open: one source's items, and what it skips.
        paths: the files and folders that a source names, whose hashes the manifest gives.
        language: of a source's questions, as the Hub writes it.
    """

    open: Callable[[str], Iterator[SourceItem | Skipped]]
    paths: Callable[[str], Sequence[Path]] = lambda _: ()
    language: Callable[[str], str] = lambda _: "en"


@dataclass(frozen=True)
class MergedItems:
    """The items of all sources, once their images have been looked at.

    Attributes:
        items: those that stay.
        pictures: (source, source_id) -> what each image shows, as `clusters.picture_key` says it.
        skipped: those whose images cannot be used.
        report: every merge and every conflict, as JSON takes it.
    """

    items: Sequence[SourceItem]
    pictures: Mapping[tuple[str, str], tuple[str, ...]]
    skipped: Sequence[Skipped]
    report: Mapping[str, Any]


def readers() -> Sources:
    """Return the readers of `--source`."""
    from ..sources import input_paths, open_source, source_language

    return Sources(open_source, input_paths, source_language)


def merge(items: Sequence[SourceItem], progress: Progress = lambda *_: None, *, workers: int = 1) -> MergedItems:
    """Look at every item's images, and merge items that are the same.

    Args:
        items: of all sources.
        progress: called with the number of items looked at.
        workers: threads, at most 16.
    """
    from .duplicates import NEAR, merge_duplicates

    sound, facts, skipped = [], [], []
    for done, (item, found) in enumerate(_described(items, min(workers, _MOST_THREADS)), start=1):
        if done % 20 == 0 or done == len(items):
            progress("looking for duplicates", done, len(items))
        if isinstance(found, Skipped):
            skipped.append(found)
        else:
            sound.append(item)
            facts.append(found)
    merged = merge_duplicates(sound, facts)
    return MergedItems(
        items=[sound[place] for place in merged.kept],
        pictures={
            (sound[place].source, sound[place].source_id): tuple(each.picture for each in facts[place])
            for place in merged.kept
        },
        skipped=skipped,
        report={
            "near": NEAR,
            "merges": [asdict(each) for each in merged.merges],
            "conflicts": [asdict(each) for each in merged.conflicts],
        },
    )


def leakage(items: Sequence[SourceItem]) -> dict[str, Any]:
    """Return the balance of the right letters and what a model of the text alone gets."""
    from .leakage import letter_balance, text_probe

    return {
        "letter_balance": [_rounded(asdict(each)) for each in letter_balance(items)],
        "text_probe": [_rounded(asdict(each)) for each in text_probe(items)],
    }


def _rounded(report: dict[str, Any]) -> dict[str, Any]:
    """Return a report as JSON takes it, without the last bits that another machine's arithmetic may change."""
    return {key: round(float(value), 6) if isinstance(value, float) else value for key, value in report.items()}


def _described(items: Iterable[SourceItem], workers: int) -> Iterator[tuple[SourceItem, Any]]:
    """Look at images in threads, in order, a few items at a time: decoders work outside Python's lock."""
    from .described_images import describe

    pending: deque[tuple[SourceItem, Future[Any]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for item in items:
            pending.append((item, pool.submit(describe, item)))
            if len(pending) > 2 * workers:
                first, future = pending.popleft()
                yield first, future.result()
        while pending:
            first, future = pending.popleft()
            yield first, future.result()
