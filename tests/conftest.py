"""What several tests share: the reference data beside the repository, where it is."""

from __future__ import annotations

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared"


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def reference() -> Path:
    """The authors' images and the same in the data set's layout; not part of the repository."""
    folder = SHARED / "reference"
    if not folder.is_dir():
        pytest.skip(f"the authors' reference images are not at {folder}")
    return folder


@pytest.fixture(scope="session")
def paper() -> Path:
    """The paper's tables as CSV; not part of the repository."""
    folder = SHARED / "paper"
    if not folder.is_dir():
        pytest.skip(f"the paper's tables are not at {folder}")
    return folder
