"""The worked example of docs/building.md, run as it stands there; its tables against the code."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

from medqdeg.utils.building.plan import described_images
from medqdeg.utils.building.sources import READERS, checks, medxpertqa, own_map, tables

from .samples import picture


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "building.md").read_text(encoding="utf-8")


def block(page: str, mark: str) -> str:
    found = re.search(rf"<!-- {re.escape(mark)} -->\n```\w+\n(.*?)```", page, re.DOTALL)
    assert found, mark
    return found[1]


def test_the_worked_example(page: str, tmp_path: Path) -> None:
    (tmp_path / "mine" / "pictures").mkdir(parents=True)
    for name in ("mine/items.csv", "mine/map.yaml"):
        (tmp_path / name).write_text(block(page, f"file: {name}"), encoding="utf-8")
    for number in (101, 102, 103):
        (tmp_path / "mine" / "pictures" / f"{number}.png").write_bytes(picture(number))
    command = [sys.executable, "-X", "utf8", "-c", block(page, "run")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == block(page, "output")


def test_every_reason_is_explained(page: str) -> None:
    constants = [value for name, value in vars(checks).items() if name.isupper() and isinstance(value, str)]
    reasons = {*constants, medxpertqa.UNTOLD, tables.UNREADABLE_FILE, tables.UNREADABLE_ROW}
    reasons |= {described_images.BAD_IMAGE, described_images.FLAT_IMAGE, described_images.ABSURD_SIZE}
    missing = {reason for reason in reasons if reason not in page}
    assert missing == set()


def test_every_key_of_the_map_is_explained(page: str) -> None:
    keys = {field.name for field in dataclasses.fields(own_map.OwnMap)} - {"options_list"}
    section = page[page.index("### The map") : page.index("## When two items")]
    assert {key for key in keys if f"`{key}`" not in section} == set()
    assert set(own_map.ANSWERS) == {name for name in own_map.ANSWERS if f"`{name}`" in section}


def test_every_reader_is_named(page: str) -> None:
    assert all(f"`{name}=PATH" in page for name in READERS)
