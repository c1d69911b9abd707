"""`medqdeg.report`: a report from results folders in one call."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

PathLike = str | os.PathLike[str]


def report(
    results: PathLike | Sequence[PathLike],
    out: PathLike,
    *,
    compare: Literal["published"] | None = None,
    data: PathLike | None = None,
    replicates: int = 1000,
    seed: int = 0,
) -> list[Path]:
    """Do what `medqdeg report` does: write the pages, figures and tables of runs into a folder.

    Args:
        results: one path or several: folders, results files or samples files of lmms-eval or lm-eval.
        out: the folder, which is made if absent.
        compare: "published" puts the paper's 40 models (arXiv:2603.07769) beside the runs.
        data: folder of the data set, for the item browser's questions and pictures; the phantoms' are found without.
        replicates: of the cluster bootstrap, at least 100.
        seed: of the bootstrap.

    Returns:
        The files written, the page to open first.

    Raises:
        InputError: a path does not exist or holds no run, or the folder cannot be written.
    """
    from ..analysis.analyse import analyse
    from ..analysis.runs.reading import read_runs
    from ..base.cores import usable_cores
    from .content import SCOPE, report_frames
    from .writing import write_report

    paths = [results] if isinstance(results, str | os.PathLike) else results
    analysis = analyse(read_runs([Path(path) for path in paths]), replicates, seed, SCOPE)
    frames = report_frames(analysis, published=compare == "published")
    return write_report(analysis, frames, Path(out), data=None if data is None else Path(data), workers=usable_cores())
