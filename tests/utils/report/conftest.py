"""Frames of one, and of three, small runs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from medqdeg.utils.analysis.analyse import analyse
from medqdeg.utils.report.content import report_frames
from medqdeg.utils.runs.reading import read_runs

from ..run_files import scored_levels, write_run

HOSTILE = "x/a_b$\\input{y}|<script>"


@pytest.fixture(scope="session")
def frames(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    """Three runs beside the published models: two on the same items, the third with another T and a hostile name."""
    folder = tmp_path_factory.mktemp("results")
    write_run(folder / "1", scored_levels(60, seed=1), model="a/first", others={"mmmu_val": {"mmmu_acc,none": 0.4}})
    write_run(folder / "2", scored_levels(60, seed=2), model="b/second")
    path = write_run(folder / "3", scored_levels(60, seed=3, trials=3), model="c/third")
    results = next(path.glob("*_results.json"))
    results.write_text(results.read_text().replace("c/third", HOSTILE.replace("\\", "\\\\")))
    return report_frames(analyse(read_runs([folder]), 100), published=True)


@pytest.fixture(scope="session")
def clean_only(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    """One run of one level."""
    folder: Path = tmp_path_factory.mktemp("clean")
    write_run(folder, {"L0": scored_levels(20, seed=1)["L0"]})
    return report_frames(analyse(read_runs([folder]), 100))
