"""The half of the build before the plan, put together: readers, duplicates, leakage."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from .item import Skipped, SourceItem
from .planning import Front


def whole_front() -> Front:
    """Return the readers of `--source`, the merging of duplicates and the leakage checks."""
    from .readers import open_source

    return Front(open_source, merge, leakage)


def merge(items: Sequence[SourceItem]) -> tuple[Sequence[SourceItem], list[Skipped], Any]:
    """Look at every item's images, and merge items that are the same.

    Returns:
        The items that stay; those whose images cannot be read; every merge and every conflict.
    """
    from .duplicates import NEAR, merge_duplicates

    sound, facts, skipped = [], [], []
    for item, found in _described(items):
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


def _described(items: Iterable[SourceItem]) -> Iterator[tuple[SourceItem, Any]]:
    """Look at images on all cores, in order, a few items at a time: decoders work outside Python's lock."""
    from .images import describe

    workers = min(os.cpu_count() or 1, 16)
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
