"""A small build that several tests look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from medqdeg.utils.building.plan.planning import BuildRequest
from medqdeg.utils.building.running import build

from .phantom_source import front

ITEMS = 21


@pytest.fixture(scope="session")
def request_for_tests() -> BuildRequest:
    return BuildRequest((f"phantoms={ITEMS}",), part_items=5, dev_share=0.2)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, request_for_tests: BuildRequest) -> Path:
    """A finished build with its TSV files."""
    out = tmp_path_factory.mktemp("built") / "set"
    build(request_for_tests, out, front(), tsv=True)
    return out
