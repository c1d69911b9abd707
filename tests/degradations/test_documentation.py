"""`docs/degradations.md` runs as written: its Python blocks in order, its shell commands, its table."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from medqdeg.utils.command_line import app

PAGE = Path(__file__).parents[2] / "docs" / "degradations.md"
OPTIONAL = ("torch", "torchvision", "datasets", "albumentations", "monai", "torchio")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """What the page's reader has: scan.png, scans/ with a DICOM file, clean/ with five images, the page's table."""
    y, x = np.mgrid[:96, :128]
    grey = (120 + 70 * np.sin(x / 9) * np.cos(y / 11) + 20 * (x > y)).astype(np.uint8)
    scan = Image.fromarray(np.repeat(grey[..., None], 3, axis=2))
    scan.save(tmp_path / "scan.png")
    (tmp_path / "scans" / "ct").mkdir(parents=True)
    scan.save(tmp_path / "scans" / "chest.png")
    (tmp_path / "clean").mkdir()
    for number in range(5):
        Image.fromarray(np.roll(grey, 7 * number, axis=1)).save(tmp_path / "clean" / f"{number}.png")
    testing = pytest.importorskip("pydicom.data")
    data = Path(testing.get_testdata_file("CT_small.dcm")).read_bytes()
    (tmp_path / "scans" / "ct" / "slice1.dcm").write_bytes(data)
    (table,) = blocks("yaml")
    (tmp_path / "my_table.yaml").write_text(table)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_python_blocks_run_in_order(place):
    with Image.open("scan.png") as image:
        image.load()
    namespace: dict[str, object] = {"image": image}
    ran = 0
    for block in blocks("python"):
        wanted = [name for name in OPTIONAL if re.search(rf"^(import|from) {name}\b", block, re.MULTILINE)]
        if any(importlib.util.find_spec(name) is None for name in wanted):
            continue
        exec(compile(block, str(PAGE), "exec"), namespace)
        ran += 1
    assert ran >= 9
    assert (place / "scan_motion_blur_L2.png").exists()
    if "tensor" in namespace:
        assert namespace["tensor"].shape == (3, 224, 224)
        assert namespace["label"] == 3
    if "turned" in namespace:
        assert namespace["turned"]["diagnosis"] == 2
        assert namespace["turned"]["lesions"] != namespace["sample"]["lesions"]
    if "worse" in namespace:
        assert '"low_dose"' in namespace["worse"][0]["record"]


def test_the_shell_commands_run(place):
    commands = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("medqdeg ")]
    assert len(commands) >= 3
    for command in commands:
        program = [sys.executable, "-c", "from medqdeg.utils.command_line import main; main()"]
        result = subprocess.run(program + shlex.split(command)[1:], capture_output=True, text=True, check=False)
        assert result.returncode == 0, f"{command}\n{result.stderr}"
    assert (place / "degraded/motion_blur/L2/ct/slice1.png").exists()
    assert (place / "degraded/limited_angle/L1/chest.png").exists()
    assert (place / "sheet.png").exists()


def test_the_catalogue_is_up_to_date():
    """If it fails: `medqdeg degrade --list --markdown`, pasted between the page's two marks."""
    listed = CliRunner().invoke(app, ["degrade", "--list", "--markdown"]).output
    between = PAGE.read_text(encoding="utf-8").split("<!-- catalogue -->\n")[1].split("<!-- end of catalogue -->")[0]
    assert between == listed
