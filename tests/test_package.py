"""What an installation must hold: every folder, every data file, light imports, a version that is said once."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FOLDERS = {"medqdeg_tasks": "medqdeg.tasks", "degradations": "medqdeg.degradations", "utils": "medqdeg.utils"}

# The extras that the README's two commands install.
LOCKED = ("lmms-eval", "lm-eval", "test", "dev")

# Modules that must not drag in the harness: another program may import them for their own sake.
LIGHT = (
    "medqdeg.degradations",
    "medqdeg.utils.scoring.confidence",
    "medqdeg.utils.scoring.level_summary",
    "medqdeg.utils.scoring.records",
)
HEAVY = ("torch", "transformers", "lmms_eval", "datasets", "accelerate")


def test_pyproject_lists_every_package(repository: Path) -> None:
    listed = re.search(r"^packages = \[(.*?)\]", (repository / "pyproject.toml").read_text(), re.S | re.M)
    assert listed is not None
    named = set(re.findall(r'"([\w.]+)"', listed[1]))
    there = {"medqdeg"}
    for folder, package in FOLDERS.items():
        for init in (repository / folder).rglob("__init__.py"):
            if init.parent.name == "front_door":  # the package `medqdeg` itself
                continue
            parts = init.parent.relative_to(repository / folder).parts
            there.add(".".join([package, *parts]))
    assert named == there


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_import_without_the_harness(module: str, tmp_path: Path) -> None:
    code = (
        f"import sys, importlib\nfor name in {HEAVY}: sys.modules[name] = None\nimportlib.import_module({module!r})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr


def test_the_lock_fits_the_requirements(repository: Path) -> None:
    """CONTRIBUTING says how constraints.txt is renewed."""
    lines = (repository / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith(" ")]
    here = {canonicalize_name(pin.name): pin for pin in pins if pin.marker is None or pin.marker.evaluate()}
    wanted = [Requirement(text) for text in requires("medqdeg") or ()]
    wanted = [one for one in wanted if one.marker is None or any(one.marker.evaluate({"extra": e}) for e in LOCKED)]
    assert wanted
    for requirement in wanted:
        name = canonicalize_name(requirement.name)
        if name == "medqdeg":  # an extra that names others
            continue
        (pin,) = here[name].specifier
        assert pin.operator == "=="
        assert requirement.specifier.contains(pin.version), f"{name}: the lock has {pin.version}"


def test_the_lock_names_no_index_no_folder_and_no_release_candidate(repository: Path) -> None:
    for line in (repository / "constraints.txt").read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(
            r"[\w.-]+==[\d.]+(\.?post\d+)?( ; .*)?|    #( via)?( +(-c \(workspace\)|[\w.-]+( \(pyproject\.toml\))?))?",
            line,
        ), line


def test_no_top_level_name_of_ours_leaks(tmp_path: Path) -> None:
    """A user's own `utils.py` and `degradations.py` stay importable beside the package."""
    for name in ("utils", "degradations"):
        (tmp_path / f"{name}.py").write_text("WHOSE = 'mine'\n")
    code = "import utils, degradations, medqdeg.utils, medqdeg.degradations; print(utils.WHOSE, degradations.WHOSE)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.stdout.split() == ["mine", "mine"], done.stderr


def test_version_agrees_with_changelog_and_citation(repository: Path) -> None:
    current = version("medqdeg")
    assert f"## {current}" in (repository / "CHANGELOG.md").read_text()
    assert f"version: {current}" in (repository / "CITATION.cff").read_text()
