"""What the tests that run lmms-eval in this process share; their `conftest.py` import it."""

from __future__ import annotations

import copy
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .small_dataset import write_dataset

__all__ = ["index_once", "own_cache", "small_dataset"]


@pytest.fixture(scope="session", autouse=True)
def index_once() -> Iterator[None]:
    """Read each folder of task files once: ours takes most of a second, lmms-eval's four, and neither changes."""
    if importlib.util.find_spec("lmms_eval") is None:
        yield
        return
    import lmms_eval.tasks
    from lmms_eval.tasks import TaskManager

    from medqdeg.tasks import TASKS_FOLDER

    read = TaskManager._get_task_and_group
    known: dict[Path, Any] = dict.fromkeys((TASKS_FOLDER, Path(lmms_eval.tasks.__file__).parent))

    def once(self: TaskManager, folder: str) -> Any:
        if Path(folder) not in known:
            return read(self, folder)
        if known[Path(folder)] is None:
            known[Path(folder)] = read(self, folder)
        return copy.deepcopy(known[Path(folder)])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TaskManager, "_get_task_and_group", once)
        yield


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
