"""The half of the build before the plan, put together: readers, duplicates, leakage."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from typing import Any

from ..cores import usable_cores
from .item import Skipped, SourceItem
from .planning import Front, Progress


def whole_front(workers: int | None = None) -> Front:
    """Return the readers of `--source`, the merging of duplicates and the leakage checks.

    Args:
        workers: threads that look at images, at most 16; None: one a core.
    """
    from .readers import input_paths, open_source

    return Front(open_source, partial(merge, workers=workers or usable_cores()), leakage, input_paths)


def merge(
    items: Sequence[SourceItem], progress: Progress = lambda *_: None, *, workers: int = 1
) -> tuple[Sequence[SourceItem], list[Skipped], Any]:
    """Look at every item's images, and merge items that are the same.

    Args:
        items: of all sources.
        progress: called with the number of items looked at.
        workers: threads, at most 16.

    Returns:
        The items that stay; those whose images cannot be read; every merge and every conflict.
    """
    from .duplicates import NEAR, merge_duplicates

    sound, facts, skipped = [], [], []
    for done, (item, found) in enumerate(_described(items, min(workers, 16)), start=1):
        if done % 20 == 0 or done == len(items):
            progress("looking for duplicates", done, len(items))
        if isinstance(found, Skipped):
            skipped.append(found)
        else:
            sound.append(item)
            facts.append(found)
    merged = merge_duplicates(sound, facts)
    report = {
        "near": NEAR,
        "merges": [asdict(each) for each in merged.merges],
        "conflicts": [asdict(each) for each in merged.conflicts],
    }
    return [sound[place] for place in merged.kept], skipped, report


def leakage(items: Sequence[SourceItem]) -> Any:
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
    from .images import describe

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
