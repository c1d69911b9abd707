"""The worked example of docs/wrapping.md, run as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("lmms_eval", reason="lmms-eval is not installed")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def votes_accuracy(table: str) -> list[float]:
    """Accuracy at L0, L1 and L2 in the group's line."""
    line = re.search(r"\|votes_accuracy .*(L0 [^|]+)\|", table)
    assert line is not None, table[-3000:]
    return [float(value) for value in re.findall(r"L\d ([\d.]+)", line[1])]


@pytest.mark.slow
def test_the_worked_example(repository: Path, tmp_path: Path) -> None:
    page = (repository / "docs/wrapping.md").read_text()
    example = page.partition("### A worked example")[2].partition("\n### ")[0]
    (task,), (module,) = blocks(example, "yaml"), blocks(example, "python")
    (commands,), (printed,) = blocks(example, "sh"), blocks(example, "text")
    (tmp_path / "my_tasks").mkdir()
    (tmp_path / "my_tasks/my_phantoms.yaml").write_text(task)
    (tmp_path / "my_tasks/my_phantoms.py").write_text(module)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HF_DATASETS_CACHE": str(tmp_path / "cache"),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        ["bash", "-e", "-c", commands],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    # Votes of another machine's generator differ; 840 of them at each level.
    assert votes_accuracy(done.stdout) == pytest.approx(votes_accuracy(printed), abs=0.05)
