"""Every test has its own cache of `datasets`, so that none meets what another, or the user, left there."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    import datasets

    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", folder)  # read from the environment at import
    monkeypatch.setenv("HF_DATASETS_CACHE", str(folder))
    return folder
