"""The wrapper model in this process, around scripted and tiny real models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lmms_eval", reason="lmms-eval is not installed")

import torch
from lmms_eval.evaluator import simple_evaluate
from lmms_eval.models import MODEL_REGISTRY_V2
from lmms_eval.models.registry_v2 import ModelManifest
from lmms_eval.tasks import TaskManager

from medqdeg.tasks import TASKS_FOLDER
from medqdeg.utils.models.tiny import build_tiny_checkpoint

from ...lmms_eval_fixtures import *  # noqa: F403 - fixtures
from . import scripted

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Matrices this small only lose time to threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_checkpoint(tmp_path_factory.mktemp("checkpoint") / "llava", "llava")


@pytest.fixture(scope="session")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_checkpoint(tmp_path_factory.mktemp("checkpoint") / "qwen2_5_vl", "qwen2_5_vl")


@pytest.fixture(scope="session", autouse=True)
def scripted_models() -> None:
    """Known to lmms-eval as any integration is."""
    for name in ("ScriptedChat", "ScriptedSimple"):
        path = f"{scripted.__name__}.{name}"
        chat = {"chat_class_path": path} if name == "ScriptedChat" else {"simple_class_path": path}
        MODEL_REGISTRY_V2.register_manifest(ModelManifest(f"medqdeg_{name}", **chat), overwrite=True)


@pytest.fixture
def evaluate(small_dataset: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """lmms-eval itself, on the small data set's clean level unless told otherwise."""
    monkeypatch.setenv("MEDQDEG_DATA", str(small_dataset))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    def run(
        model_args: str, *, model: str = "medqdeg", tasks: tuple[str, ...] = ("medqdeg_l0",), **options: Any
    ) -> Any:
        return simple_evaluate(
            model=model,
            model_args=model_args,
            tasks=list(tasks),
            task_manager=TaskManager(include_path=str(TASKS_FOLDER), include_defaults=False),
            bootstrap_iters=0,
            log_samples=True,
            **options,
        )

    return run


def records(results: dict[str, Any], task: str = "medqdeg_l0") -> list[dict[str, Any]]:
    return [sample["medqdeg"] for sample in results["samples"][task]]


def sampling(results: dict[str, Any], task: str = "medqdeg_l0") -> dict[str, Any]:
    return results["results"][task]["medqdeg,votes"]["sampling"]
