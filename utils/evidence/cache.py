"""Suites whose evidence is judged, on disk."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..phantoms import cache
from .suite import with_evidence

if TYPE_CHECKING:
    import datasets


def make_judged_suite(
    folder: Path,
    *,
    items: int = cache.DEFAULT_ITEMS,
    seed: int = cache.DEFAULT_SEED,
    mix: str = "balanced",
    small_only: bool = False,
    workers: int = 1,
    on_start: Callable[[int], None] = lambda count: None,
    on_item: Callable[[], None] = lambda: None,
) -> Path:
    """Make a suite as `medqdeg.utils.phantoms.cache.make_suite` does, judged and with the level "gone".

    Some five seconds per clean item on one core, half of them for the drawings that the observer learns from; minutes
    more for each of the few items with `low_dose` or `limited_angle`.

    Args:
        folder: to make, with its parents.
        items: clean items.
        seed: not negative.
        mix: see `planning.plan_suite`.
        small_only: leave out what only the split "test" needs.
        workers: processes.
        on_start: called with the number of clean items, only if some have to be judged.
        on_item: called after each.

    Returns:
        The folder's absolute path, for `MEDQDEG_DATA`.

    Raises:
        InputError: bad settings, or a folder that holds other files.
    """
    return cache.make_suite(
        folder,
        items=items,
        seed=seed,
        mix=mix,
        small_only=small_only,
        finish=with_evidence,
        finished_by=_code(),
        workers=workers,
        on_start=on_start,
        on_item=on_item,
    )


def judged_suite(small_only: bool) -> Path:
    """Return the folder of the default suite, judged, in the user's cache; made there if need be."""
    identity = cache.identity_of(small_only=small_only, finished_by=_code())
    options = ["--gone", *(["--small"] if small_only else [])]
    return cache.default_folder("phantoms-small-judged" if small_only else "phantoms-judged", identity, options)


def load_judged_suite(level: str, small_only: bool) -> datasets.Dataset:
    """Return one level of that suite; see `medqdeg.utils.dataset.loading.load_level`."""
    from ..dataset.loading import load_level
    from ..dataset.location import LocalFolder

    return load_level("dev" if small_only else "test", level, LocalFolder(judged_suite(small_only)))


@functools.cache
def _code() -> str:
    """Digest the code from which the judgements follow."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
