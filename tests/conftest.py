"""What several tests share: the reference data beside the repository, where it is."""

from __future__ import annotations

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared"


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


def shared_folder(name: str, what: str) -> Path:
    """A folder of the shared data, which is no part of the repository; without it the test is skipped."""
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"{what} are not at {folder}")
    return folder


@pytest.fixture(scope="session")
def reference() -> Path:
    """The authors' images and the same in the data set's layout."""
    return shared_folder("reference", "the authors' reference images")


@pytest.fixture(scope="session")
def paper() -> Path:
    """The paper's tables as CSV."""
    return shared_folder("paper", "the paper's tables")
