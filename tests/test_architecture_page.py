"""docs/architecture.md names only what is there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

_OUTSIDE_UTILS = ("degradations", "tasks")


def _page(repository: Path) -> str:
    path = repository / "docs" / "architecture.md"
    if not path.is_file():
        pytest.skip(f"{path} is not here: the page is read from a clone")
    return path.read_text(encoding="utf-8")


def _names(page: str) -> list[str]:
    return sorted(set(re.findall(r"`([a-z_.]+:[\w.]+)`", page)))


def test_every_function_that_the_page_names_exists(repository: Path) -> None:
    names = _names(_page(repository))
    assert len(names) > 40
    missing = []
    for name in names:
        module, _, attributes = name.partition(":")
        if module == "sampling.sampler" or module.startswith("tasks."):
            continue  # they need the harness; see below
        if not _has(module, attributes):
            missing.append(name)
    assert missing == []


@pytest.mark.harness
def test_every_function_of_the_harness_s_side_exists(repository: Path) -> None:
    names = [name.partition(":") for name in _names(_page(repository))]
    assert [name for name in names if not _has(name[0], name[2])] == []


def test_every_file_that_the_page_names_exists(repository: Path) -> None:
    page = _page(repository)
    paths = set(re.findall(r"`((?:degradations|utils|medqdeg_tasks|tests|docs)/[\w./]*)`", page))
    assert len(paths) > 15
    assert [path for path in sorted(paths) if not (repository / path).exists()] == []


def _has(module: str, attributes: str) -> bool:
    prefix = "medqdeg." if module.startswith(_OUTSIDE_UTILS) else "medqdeg.utils."
    found = importlib.import_module(prefix + module)
    for attribute in attributes.split("."):
        if not hasattr(found, attribute):
            return False
        found = getattr(found, attribute)
    return True
