"""Bad files end a run of lmms-eval before the first model call: exit status 1, one clear line, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import datasets
import pytest

pytest.importorskip("lmms_eval", reason="lmms-eval is not installed")

from medqdeg.tasks import hooks

from .files import CLEAN_FILE, DEGRADED_FILE, as_base64, encoded, item, pixels, write_degraded


def _stub(split: str) -> datasets.Dataset:
    return datasets.Dataset.from_dict({"stub": [True]}, split=split)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"answer": "D"}, "line 3 (index '1'): the answer 'D' is not among the options A, B, C"),
        ({"image": as_base64(encoded(pixels(1))[:-99])}, "line 3 (index '1'): the image: damaged or cut short"),
        ({"image": "/etc/passwd"}, "line 3 (index '1'): the image '/etc/passwd' is not valid base64"),
        ({"index": 0}, "line 3 (index '0'): line 2 has this index already"),
        ({"modality": "PET"}, "line 3 (index '1'): unknown modality 'PET'"),
        ({"degradation_type": "rust"}, "line 3 (index '1'): unknown degradation 'rust'"),
    ],
)
def test_the_hook_stops_the_run_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, object], said: str
) -> None:
    monkeypatch.setenv("MEDQDEG_DATA", str(tmp_path))
    write_degraded(tmp_path, item(0), item(1, **change))
    with pytest.raises(SystemExit) as stop:
        hooks.process_docs(_stub("test_l1"))
    assert str(stop.value).startswith(f"medqdeg: {DEGRADED_FILE}, {said}")
    assert len(str(stop.value).splitlines()) == 1


def test_a_missing_file_and_a_missing_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDQDEG_DATA", str(tmp_path))
    write_degraded(tmp_path, item(0, answer=None))
    with pytest.raises(SystemExit, match="lacks the column answer; found index, image, question"):
        hooks.process_docs(_stub("test_l1"))
    with pytest.raises(SystemExit, match=f"has no file {CLEAN_FILE}; found {DEGRADED_FILE}"):
        hooks.process_docs(_stub("test_l0"))
    monkeypatch.setenv("MEDQDEG_DATA", str(tmp_path / "absent"))
    with pytest.raises(SystemExit, match="is neither a folder nor a Hub id"):
        hooks.process_docs(_stub("test_l0"))


@pytest.mark.slow
def test_the_command_line(tmp_path: Path, own_cache: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    for folder in (good, bad):
        folder.mkdir()
    write_degraded(good)
    write_degraded(bad, item(0, degradation_severity=2), item(1, degradation_severity=2, answer="Z"))
    command = [sys.executable, "-m", "lmms_eval", "--model", "dummy", "--tasks", "medqdeg_l2"]
    command += ["--output_path", str(tmp_path / "results")]
    done = {}
    for folder in (bad, good):
        done[folder] = subprocess.run(
            command,
            env={
                **os.environ,
                "MEDQDEG_DATA": str(folder),
                "HF_HOME": str(tmp_path / "home"),
                "HF_DATASETS_CACHE": str(own_cache),
                "HF_HUB_OFFLINE": "1",
            },
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
    output = done[bad].stdout
    assert done[bad].returncode == 1, output
    said = f"medqdeg: {DEGRADED_FILE}, line 3 (index '1'): the answer 'Z' is not among the options A, B, C"
    assert output.splitlines().count(said) == 1, output
    assert "Traceback" not in output
    assert done[good].returncode == 0, done[good].stdout
    assert "medqdeg_l2" in done[good].stdout
    assert list((tmp_path / "results").rglob("*_results.json"))
