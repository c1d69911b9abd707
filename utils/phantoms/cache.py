"""Suites on disk: made once into a folder, checked by hash, made anew when what they follow from has changed."""

from __future__ import annotations

import functools
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import degradations
from ...degradations import read_severity
from ..base.built_folders import build_folder, is_built
from ..base.errors import InputError
from ..dataset import composition as paper_mix
from .planning import plan_suite
from .suite import PUBLISHED, Finish, write_suite

if TYPE_CHECKING:
    import datasets

DEFAULT_ITEMS = 700
DEFAULT_SEED = 0
SMALL_ITEMS = 84
"""Clean items of the small suite: the first of the default one, twelve a modality, so that every question occurs."""

SERIES_ITEMS = 210
SERIES = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0)
"""Clean items, and severities beside 0, of the default series."""

MARKER = "medqdeg_phantoms.json"
ENVIRONMENT_VARIABLE = "MEDQDEG_CACHE"


def make_suite(
    folder: Path,
    *,
    items: int = DEFAULT_ITEMS,
    seed: int = DEFAULT_SEED,
    mix: str = "balanced",
    severities: Sequence[float] = (),
    small_only: bool = False,
    grey: bool = False,
    finish: Finish | None = None,
    finished_by: str = "",
    workers: int = 1,
    on_start: Callable[[int], None] = lambda count: None,
    on_item: Callable[[], None] = lambda: None,
) -> Path:
    """Make a suite in a folder, or reuse the one that is there.

    The folder holds the split "test" with all items and the split "dev" with the first `SMALL_ITEMS`; with
    `small_only`, "dev" alone. It appears in one step, finished; two processes may ask for it at the same time; a
    suite of other settings, of other code, or with a file missing or altered, is replaced.

    Args:
        folder: to make, with its parents.
        items: clean items.
        seed: not negative; suites of different seeds have no phantom in common.
        mix: see `planning.plan_suite`.
        severities: of a series, in place of L1 and L2; see `medqdeg.degradations.degrade`. Each item's degradations
            are made at all of them as far as they go. 0, the clean image, is always there.
        small_only: leave out what only the split "test" needs.
        grey: replace each image by a plain grey one.
        finish: see `suite.write_suite`.
        finished_by: what its results follow from, such as a digest of its code.
        workers: processes.
        on_start: called with the number of clean items, only if some have to be drawn.
        on_item: called after each.

    Returns:
        The folder's absolute path, for `MEDQDEG_DATA`.

    Raises:
        InputError: bad settings, or a folder that holds other files.
    """
    plan = plan_suite(items, seed, mix)
    splits = {"dev": plan[:SMALL_ITEMS]} if small_only else {"test": plan, "dev": plan[:SMALL_ITEMS]}

    series = [read_severity(severity, series=True) for severity in sorted({*map(float, severities)})]
    furthest = max(map(degradations.largest_severity, degradations.list_degradations()))
    if series and not 0 < series[-1].value <= furthest:
        raise InputError(f"the severities of a series lie above 0 and go up to {furthest:g}, not {series[-1].value:g}")

    def write(directory: Path) -> None:
        on_start(max(map(len, splits.values())))
        write_suite(
            directory,
            splits,
            seed,
            severities=[severity for severity in series if severity.value > 0] or PUBLISHED,
            grey=grey,
            finish=finish,
            workers=workers,
            on_item=on_item,
        )

    identity = identity_of(
        items=items,
        seed=seed,
        mix=mix,
        small_only=small_only,
        grey=grey,
        severities=severities,
        finished_by=finished_by,
    )
    return build_folder(folder, identity, write, marker=MARKER, what="phantoms")


def default_suite(small_only: bool) -> Path:
    """Return the default suite's folder in the user's cache, made by a process of its own if it is not there.

    Several processes draw at a time, and what they would have to import of a running evaluation takes longer than the
    drawing.

    Raises:
        InputError: if it could not be made.
    """
    identity = identity_of(small_only=small_only)
    return default_folder("phantoms-small" if small_only else "phantoms", identity, ["--small"] if small_only else [])


def default_series() -> Path:
    """Return the folder of the default series, likewise."""
    identity = identity_of(items=SERIES_ITEMS, severities=SERIES)
    severities = ",".join(f"{severity:g}" for severity in SERIES)
    return default_folder("phantoms-series", identity, ["--n", str(SERIES_ITEMS), "--severities", severities])


def default_folder(name: str, identity: dict[str, Any], options: list[str]) -> Path:
    """Return a folder of the user's cache, made there by `medqdeg phantom` if it is not there.

    Args:
        name: of the folder.
        identity: of the suite that it holds (`identity_of`).
        options: of the command that makes it.

    Raises:
        InputError: if it could not be made.
    """
    folder = cache_folder() / name
    if is_built(folder, identity, MARKER):
        return folder
    command = [sys.executable, "-m", "medqdeg", "phantom"]
    if subprocess.run([*command, "--out", str(folder), *options], check=False).returncode:
        raise InputError(f"the phantoms could not be made in {folder}: the reason stands above")
    return folder


def load_default_suite(level: str, small_only: bool) -> datasets.Dataset:
    """Return one level of the default suite, made if need be; see `medqdeg.utils.dataset.loading.load_level`."""
    from ..dataset.loading import load_level
    from ..dataset.location import LocalFolder

    return load_level("dev" if small_only else "test", level, LocalFolder(default_suite(small_only)))


def load_default_series() -> datasets.Dataset:
    """Return all items of the default series, made if need be; see `medqdeg.utils.dataset.loading.load_series`."""
    from ..dataset.loading import load_series
    from ..dataset.location import LocalFolder

    return load_series("test", LocalFolder(default_series()))


def cache_folder() -> Path:
    """Return the folder for what the package makes at first use: `MEDQDEG_CACHE`, else the platform's own place."""
    if given := os.environ.get(ENVIRONMENT_VARIABLE, "").strip():
        return Path(given).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("medqdeg")


def identity_of(
    *,
    items: int = DEFAULT_ITEMS,
    seed: int = DEFAULT_SEED,
    mix: str = "balanced",
    small_only: bool = False,
    grey: bool = False,
    severities: Sequence[float] = (),
    finished_by: str = "",
) -> dict[str, Any]:
    """Return what the bytes of a suite follow from; the arguments are those of `make_suite`."""
    further: dict[str, Any] = {"severities": sorted({*map(float, severities)})} if severities else {}
    if finished_by:
        further["finished_by"] = finished_by
    return {
        "items": items,
        "seed": seed,
        "mix": mix,
        "small_only": small_only,
        "grey": grey,
        **further,
        "code": _code(),
    }


@functools.cache
def _code() -> str:
    """Digest the code and the tables from which the images follow."""
    digest = hashlib.sha256(Path(paper_mix.__file__).read_bytes())
    for package in (Path(__file__).parent, Path(degradations.__file__).parent):
        for path in sorted(package.rglob("*")):
            if path.suffix in (".py", ".yaml"):
                digest.update(path.read_bytes())
    return digest.hexdigest()
