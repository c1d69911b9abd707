"""`medqdeg.report`: a report from results folders in one call."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas as pd

    from ..analysis.analyse import Analysis

PathLike = str | os.PathLike[str]


def report(
    results: PathLike | Sequence[PathLike],
    out: PathLike,
    *,
    compare: Literal["published"] | None = None,
    against: PathLike | Sequence[PathLike] = (),
    card: bool = False,
    data: PathLike | None = None,
    width: str | None = None,
    font: str | None = None,
    replicates: int = 1000,
    seed: int = 0,
) -> list[Path]:
    """Do what `medqdeg report` does: write the pages, figures and tables of runs into a folder.

    Args:
        results: one path or several: folders, results files or samples files of lmms-eval or lm-eval.
        out: the folder, which is made if absent.
        compare: "published" puts the paper's 40 models (arXiv:2603.07769) beside the runs.
        against: the same of the version before: what changed since, and which items flipped.
        card: also write a model card of every run.
        data: folder of the data set, for the item browser's questions and pictures; the phantoms' are found without.
        width: of the figures: "column" (85 mm), "text" (178 mm) or a number of millimetres; None as drawn.
        font: family of the figures' text; None for DejaVu Sans.
        replicates: of the cluster bootstrap, at least 100.
        seed: of the bootstrap.

    Returns:
        The files written, the page to open first.

    Raises:
        InputError: a path does not exist or holds no run, nothing compares with `against`, a width or font that cannot
            be, or the folder cannot be written.
    """
    from ..base.cores import usable_cores
    from .paper_style import paper_style
    from .writing import write_report

    style = paper_style(width, font)
    analysis, frames = analysis_and_frames(_paths(results), compare, _paths(against), replicates, seed)
    return write_report(
        *(analysis, frames, Path(out)),
        data=None if data is None else Path(data),
        cards=card,
        workers=usable_cores(),
        style=style,
    )


def analysis_and_frames(
    results: Sequence[Path],
    compare: Literal["published"] | None,
    against: Sequence[Path],
    replicates: int,
    seed: int,
) -> tuple[Analysis, dict[str, pd.DataFrame]]:
    """Return the analysis that a report is made of, and its frames.

    Args:
        results: as for `report`.
        compare: likewise.
        against: likewise; runs whose files lie there are the versions before.
        replicates: likewise.
        seed: likewise.

    Raises:
        InputError: as for `report`.
    """
    from ..analysis.analyse import analyse
    from ..analysis.runs.reading import read_runs
    from ..base.errors import InputError
    from .against import AGAINST_SCOPE
    from .content import SCOPE, report_frames

    collection = read_runs([*results, *against])
    old = [run.name for run in collection.runs if any(_lies_in(path, against) for path in run.paths)]
    if against and not 0 < len(old) < len(collection.runs):
        raise InputError(f"{against[0]}: no run there, or none besides; the version before has a place of its own")
    analysis = analyse(collection, replicates, seed, AGAINST_SCOPE if against else SCOPE)
    frames = report_frames(analysis, published=compare == "published", old=old)
    if against and frames["against"].empty:
        refused = next(
            (f": {row.first} and {row.second}: {row.reason}" for row in frames["refused_pairs"].itertuples()), ""
        )
        raise InputError(f"{against[0]}: nothing there compares with the new version{refused}")
    return analysis, frames


def _paths(given: PathLike | Sequence[PathLike]) -> list[Path]:
    return [Path(path) for path in ([given] if isinstance(given, str | os.PathLike) else given)]


def _lies_in(path: Path, folders: Sequence[Path]) -> bool:
    own = path.resolve()
    return any(own == folder.resolve() or folder.resolve() in own.parents for folder in folders)
