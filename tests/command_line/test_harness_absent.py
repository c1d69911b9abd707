"""Installed without the harness: what needs it says so in one line, everything else works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ..conftest import HARNESS

# As in an installation without it: neither found nor importable.
WITHOUT = f"""
import sys, importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name in {HARNESS!r} else find(name, package)

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in {HARNESS!r}:
            raise ModuleNotFoundError("No module named " + name, name=name)

sys.meta_path.insert(0, Absent())
"""


def _without_the_harness(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    code = f"{WITHOUT}\nfrom medqdeg.utils.command_line import main; sys.argv[0] = 'medqdeg'; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["demo"], "the demo"),
        (["demo", "--guesser"], "the demo"),
        (["wrap", "pope", "--out", "wrapped"], "medqdeg wrap"),
        (["wrap", "--list"], "medqdeg wrap"),
        (["reference-model", "--train", "model"], "the training"),
    ],
)
def test_what_needs_it_says_so_in_one_line(arguments: list[str], what: str, tmp_path: Path) -> None:
    done = _without_the_harness(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        f"medqdeg: {what} needs lmms-eval and torch, and lmms_eval is not installed: "
        "pip install '.[lmms-eval]' in a clone of medqdeg\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_the_tasks_say_so_too(tmp_path: Path) -> None:
    code = f"{WITHOUT}\nimport medqdeg.tasks; print(medqdeg.tasks.register())"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n"
    assert (
        "MedQ-Deg's tasks need lmms-eval, which is not installed: pip install '.[lmms-eval]' in a clone" in done.stderr
    )


def test_the_degradations_import_five_packages(tmp_path: Path) -> None:
    """docs/degradations.md names them, for those who install no more."""
    code = """
import sys
from importlib.abc import MetaPathFinder

class Nothing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        known = {*sys.stdlib_module_names, "numpy", "scipy", "cv2", "PIL", "yaml", "_yaml", "medqdeg"}
        if top not in known and not top.startswith(("_", "__editable__")):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Nothing())
import numpy
from medqdeg.degradations import degrade, list_degradations
image = numpy.random.default_rng(0).integers(0, 256, (64, 64), dtype=numpy.uint8)
names = list_degradations()
assert all(degrade(image, name, 2, seed=7).shape == image.shape for name in names)
print(len(names))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "18\n", done.stderr[-2000:]
