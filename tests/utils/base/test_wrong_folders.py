"""A folder of another kind is named for what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from medqdeg.utils.analysis.analyse import analyse
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.analysis.writing import write_analysis
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.base.wrong_folders import what_it_is
from medqdeg.utils.dataset.location import LocalFolder

from ..run_files import scored_levels, write_run


def test_an_analysis_is_no_results_folder_and_results_are_no_data_set(tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    write_run(results, scored_levels(4, seed=1))
    write_analysis(analyse(read_runs([results]), 100), tmp_path / "analysis")
    with pytest.raises(InputError, match="analysis holds an analysis: give the results folder that it was made from"):
        read_runs([tmp_path / "analysis"])
    with pytest.raises(InputError, match=r"found no TSV file.*results holds results: medqdeg analyze"):
        LocalFolder(results).fetch("MedQ-Robust-good-test.tsv")


def test_a_data_set_is_no_results_folder(tmp_path: Path) -> None:
    (tmp_path / "MedQ-Robust-good-test.tsv").write_text("index\n")
    with pytest.raises(InputError, match="holds a data set, and no model has been asked yet: MEDQDEG_DATA="):
        read_runs([tmp_path])


def test_nothing_is_said_of_a_folder_that_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    assert what_it_is(tmp_path) is None
    assert what_it_is(tmp_path / "absent") is None
