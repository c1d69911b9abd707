"""What the tests that run lmms-eval in this process share; their `conftest.py` import it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .small_dataset import write_dataset

__all__ = ["own_cache", "small_dataset"]


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache of `datasets` that does not touch the user's."""
    import datasets

    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", folder)
        patch.setenv("HF_DATASETS_CACHE", str(folder))
        yield


@pytest.fixture(scope="session")
def small_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("dataset"))
