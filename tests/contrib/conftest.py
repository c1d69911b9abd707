"""The task files of `contrib/lmms_eval` as a module, without lmms-eval."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from ..small_dataset import write_dataset


@pytest.fixture(scope="session")
def task_folder(repository: Path) -> Path:
    folder = repository / "contrib" / "lmms_eval" / "medqdeg"
    if not folder.is_dir():
        pytest.skip("contrib/ is part of a clone only")
    return folder


@pytest.fixture(scope="session")
def upstream(task_folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("upstream_medqdeg_utils", task_folder / "utils.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def small_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("dataset"))
