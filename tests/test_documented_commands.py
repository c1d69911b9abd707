"""Every command and Python block of the README and of docs/ runs as written, or says why it does not.

A block without a mark runs here, in a folder that holds what its reader has; the blocks of a page run in order, those
in Python in one namespace. A mark is a comment on the line above:

    <!-- not run: why -->
    <!-- tested by: a test file -->
    <!-- run -->, <!-- file: name -->, <!-- test command -->     read by a test that names the page
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image

import medqdeg
from medqdeg.utils.command_line import app

from .small_dataset import write_dataset
from .utils.run_files import scored_levels, write_run

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
_FENCE = re.compile(
    r"^(?:<!-- (?P<mark>[^\n]*?) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
BY_THEIR_OWN = {"docs/degradations.md": "tests/degradations/test_documentation.py"}
"""Page -> the test that runs all of its blocks."""
_OWN_TEST = re.compile(r"run$|file: |test command$|output$")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: str
    mark: str
    language: str
    text: str

    @property
    def runs(self) -> bool:
        """Whether it runs here."""
        return self.page not in BY_THEIR_OWN and self.language in {"sh", "python"} and not self.mark


def blocks(page: Path) -> list[Block]:
    name = page.relative_to(ROOT).as_posix()
    found = _FENCE.finditer(page.read_text(encoding="utf-8"))
    return [Block(name, match["mark"] or "", match["language"], match["text"]) for match in found]


ALL = [block for page in PAGES for block in blocks(page)]


def test_the_marks_are_known_and_true() -> None:
    for page, test in BY_THEIR_OWN.items():
        assert Path(page).name in (ROOT / test).read_text(encoding="utf-8")
    tests = {path: path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py")}
    wrong = []
    for block in ALL:
        if block.language not in {"sh", "python"} or not block.mark:
            continue
        if block.mark.startswith("not run: "):
            continue
        if block.mark.startswith("tested by: "):
            path = ROOT / block.mark.removeprefix("tested by: ")
            good = Path(block.page).name in tests.get(path, "")
        else:
            good = bool(_OWN_TEST.match(block.mark)) and any(Path(block.page).name in text for text in tests.values())
        if not good:
            wrong.append(f"{block.page}: <!-- {block.mark} -->")
    assert wrong == []


def test_there_are_blocks() -> None:
    assert sum(block.runs for block in ALL) >= 17
    assert any(block.runs and block.page == "README.md" for block in ALL)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of two models that guess."""
    folder = tmp_path_factory.mktemp("runs")
    write_run(folder / "demo", scored_levels(60, seed=1), model="medqdeg-reference")
    write_run(folder / "other", scored_levels(60, seed=2), model="some/other-7B")
    medqdeg.analyze(folder / "demo", folder / "analysis", replicates=100)
    return folder


@pytest.fixture
def place(tmp_path: Path, runs: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a reader has: scan.png, scans/, a data set, results/ of two runs and analysis/ of one."""
    y, x = np.mgrid[:96, :128]
    grey = (120 + 70 * np.sin(x / 9) * np.cos(y / 11) + 20 * (x > y)).astype(np.uint8)
    (tmp_path / "scans").mkdir()
    for name in ("scan.png", "scans/chest.png", "scans/abdomen.png"):
        Image.fromarray(grey).save(tmp_path / name)
    (tmp_path / "results").mkdir()
    for name in ("demo", "other"):
        shutil.copytree(runs / name, tmp_path / "results" / name)
    shutil.copytree(runs / "analysis", tmp_path / "analysis")
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("MEDQDEG_DATA", str(write_dataset(tmp_path / "data")))
    monkeypatch.chdir(tmp_path)
    return tmp_path


PRELUDE = """
import shlex, subprocess, sys
import medqdeg.utils.report.figures
from medqdeg.utils.command_line import main

medqdeg.utils.report.figures.FORMATS = ("svg",)  # the formats have tests of their own, and PDF takes long

def shell(text):
    done = subprocess.run(["bash", "-euc", text])
    if done.returncode: sys.exit(f"exit status {done.returncode}:\\n{text}")

def command(line):
    sys.argv = shlex.split(line, comments=True)
    try: main()
    except SystemExit as stop:
        if stop.code: sys.exit(f"exit status {stop.code}:\\n{line}")
"""
_PLAIN = re.compile(r"medqdeg [^|&;<>$`\\]*")
"""A line that needs no shell: `medqdeg` is called without a process, and imports, of its own."""


def steps(block: Block) -> list[str]:
    """The lines of the page's program that run a block."""
    if block.language == "python":
        return [block.text]
    lines = block.text.splitlines()
    if all(_PLAIN.fullmatch(line) for line in lines):
        return [f"command({line!r})" for line in lines]
    return [f"shell({block.text!r})"]


def program(page: str) -> str:
    """The page's unmarked blocks as one program in Python; of its plain commands the first goes through the shell."""
    lines = [step for block in ALL if block.page == page and block.runs for step in steps(block)]
    first = next((number for number, line in enumerate(lines) if line.startswith("command(")), None)
    if first is not None:
        lines[first] = lines[first].replace("command(", "shell(", 1)
    return "\n".join([PRELUDE, *lines])


@pytest.mark.parametrize("page", sorted({block.page for block in ALL if block.runs}))
def test_the_blocks_of_a_page_run(page: str, place: Path) -> None:
    (place / "page.py").write_text(program(page), encoding="utf-8")
    there = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{there}{os.pathsep}{os.environ['PATH']}", "PYTHONUTF8": "1"}
    command = [sys.executable, "page.py"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]


def test_commands_in_a_line_of_text_have_their_options() -> None:
    """`medqdeg NAME --option` between backquotes: the command is there, and so is each option."""
    top = typer.main.get_command(app)
    seen, wrong = 0, []
    for page in PAGES:
        for text in re.findall(r"`medqdeg ([^`\n]+)`", page.read_text(encoding="utf-8")):
            command, words = top, text.split()
            while words and words[0] in getattr(command, "commands", {}):
                command = command.commands[words.pop(0)]
            known = {option for each in _with_default(command) for one in each.params for option in one.opts}
            unknown = [
                word for word in words if word.startswith("--") and word.partition("=")[0] not in known | {"--help"}
            ]
            seen += 1
            if (command is top and words[0] not in known) or unknown:
                wrong.append(f"{page.name}: medqdeg {text}")
    assert seen >= 50
    assert wrong == []


def _with_default(command: Any) -> list[Any]:
    """The command; for a group, also those inside it, one of which is meant where none is named."""
    return [command, *getattr(command, "commands", {}).values()]


def test_nothing_is_said_to_be_on_the_index() -> None:
    """`pip install medqdeg` by name works only once it is there."""
    wrong = [
        f"{page.relative_to(ROOT)}: {line.strip()}"
        for page in [*PAGES, ROOT / "pyproject.toml"]
        for line in page.read_text(encoding="utf-8").splitlines()
        if re.search(r"pip install ['\"]?medqdeg", line)
    ]
    assert wrong == []
