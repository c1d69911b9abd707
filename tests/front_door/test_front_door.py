"""`import medqdeg`: names, laziness, speed of the import, and what `load` gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import medqdeg

from ..utils.run_files import scored_levels, write_run


def test_every_name_is_there_and_listed() -> None:
    for name in medqdeg.__all__:
        assert getattr(medqdeg, name) is not None
    assert set(medqdeg.__all__) <= set(dir(medqdeg))
    with pytest.raises(AttributeError, match="nothing_here"):
        medqdeg.nothing_here  # noqa: B018


def test_import_drags_nothing_in() -> None:
    code = (
        "import sys; import medqdeg;"
        "print(sorted({'numpy', 'pandas', 'torch', 'matplotlib', 'cv2', 'lmms_eval'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_degrade_is_the_library() -> None:
    image = np.arange(64 * 64, dtype=np.uint8).reshape(64, 64)
    from medqdeg.degradations import degrade

    assert medqdeg.degrade is degrade
    assert medqdeg.degrade(image, "gaussian_blur", 1, seed=0).shape == (64, 64)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    write_run(folder, scored_levels(12, seed=3))
    return folder


def test_load_gives_frames(folder: Path) -> None:
    results = medqdeg.load(folder, replicates=100)
    for frame in (results.items, results.metrics, results.changes, results.conditions):
        assert isinstance(frame, pd.DataFrame)
        assert len(frame)
        assert set(frame["run"]) == set(results.runs)
    # The headline's accuracy is the plain mean over the items, computed here anew.
    means = results.items.groupby("level")["accuracy"].mean()
    for row in results.headline.itertuples():
        assert row.accuracy == pytest.approx(means[row.level])
        assert f"{row.level}: n = {row.n}" in repr(results)
    assert len(repr(results).splitlines()) < 12
    assert results._repr_html_().count("<tr>") == 1 + len(results.headline)


def test_html_escapes(folder: Path, tmp_path: Path) -> None:
    write_run(tmp_path, scored_levels(12, seed=3), model="<script>alert(1)</script>")
    assert "<script>" not in medqdeg.load(str(tmp_path), replicates=100)._repr_html_()


def test_analyze_writes_what_the_command_writes(folder: Path, tmp_path: Path) -> None:
    results = medqdeg.analyze([folder], tmp_path, replicates=100)
    assert (tmp_path / "analysis.json").is_file()
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "items.parquet"), results.items, check_dtype=False)


def test_python_m_medqdeg_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "medqdeg", "--version"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.split()[-1] == medqdeg.__version__
