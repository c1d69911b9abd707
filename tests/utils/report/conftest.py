"""Frames of one, and of three, small runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from medqdeg.utils.analysis import standing
from medqdeg.utils.analysis.analyse import Analysis, analyse
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.report.content import report_frames

from ..run_files import scored_levels, write_run

HOSTILE = "x/a_b$\\input{y}|<script>"


@pytest.fixture(scope="session")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """Three runs, two on the same items with the same T, the third with another T and a hostile name."""
    folder = tmp_path_factory.mktemp("results")
    write_run(folder / "1", scored_levels(60, seed=1), model="a/first", others={"mmmu_val": {"mmmu_acc,none": 0.4}})
    write_run(folder / "2", scored_levels(60, seed=2), model="b/second")
    path = write_run(folder / "3", scored_levels(60, seed=3, trials=3), model="c/third")
    results = next(path.glob("*_results.json"))
    results.write_text(results.read_text().replace("c/third", HOSTILE.replace("\\", "\\\\")))
    return analyse(read_runs([folder]), 100)


@pytest.fixture(scope="session")
def frames(analysis: Analysis) -> dict[str, pd.DataFrame]:
    """The three runs beside the published models, as if theirs were the published items."""
    counts = Counter(record["level"] for record in analysis.collection.runs[0].records)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(standing, "PAPER_CLEAN_ITEMS", counts["L0"])
        patch.setattr(standing, "PAPER_DEGRADED_ITEMS", counts["L1"])
        ranked = replace(analysis, standing=standing.standings(analysis.collection.runs))
        return report_frames(ranked, published=True)


@pytest.fixture(scope="session")
def clean_only(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    """One run of one level."""
    folder: Path = tmp_path_factory.mktemp("clean")
    write_run(folder, {"L0": scored_levels(20, seed=1)["L0"]})
    return report_frames(analyse(read_runs([folder]), 100))
