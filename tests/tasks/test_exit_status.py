"""A run of ours that ends without results ends with status 1 and one line, though lmms-eval swallows the reason."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import filelock
import lmms_eval.__main__ as command_line
import pytest
from lmms_eval.loggers import EvaluationTracker
from lmms_eval.models import MODEL_REGISTRY_V2
from lmms_eval.models.registry_v2 import ModelManifest
from lmms_eval.tasks import TaskManager

from medqdeg.tasks import TASKS_FOLDER, exit_status, register
from medqdeg.utils.base.harness import hint_without_a_gpu

from .failing_model import Failing


def _only_our_tasks(verbosity: str, include_path: str | None, model_name: str) -> TaskManager:
    return TaskManager(verbosity, include_path=str(TASKS_FOLDER), include_defaults=False, model_name=model_name)


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1]


def _run(*arguments: str, data: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env={
            **os.environ,
            **{"MEDQDEG_DATA": str(data), "HF_HUB_OFFLINE": "1", "MEDQDEG_ONLY_OWN_TASKS": "1"},
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_a_fault_inside_the_wrapper_model(small_dataset: Path, tmp_path: Path) -> None:
    script = str(Path(__file__).with_name("failing_model.py"))
    model = ("--model", "medqdeg", "--model_args", f"inner=failing,store={tmp_path / 'store'}")
    done = _run(script, "sampler", *model, "--tasks", "medqdeg_l0", "--limit", "2", data=small_dataset)
    assert done.returncode == 1
    assert re.match(r"medqdeg: the run .* \(AttributeError: a fault of ours", _last_line(done.stderr))


@pytest.fixture
def without_the_name(tmp_path: Path) -> Path:
    """A folder with filelock as it is from 4.3 on: all there, but not `filelock._api`."""
    source = Path(filelock.__file__).parent
    package = tmp_path / "packages" / "filelock"
    shutil.copytree(source, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "_api.py").rename(package / "_lock_api.py")
    for path in package.rglob("*.py"):
        path.write_text(re.sub(r"\b_api\b", "_lock_api", path.read_text(encoding="utf-8")), encoding="utf-8")
    return package.parent


def test_a_package_without_what_lmms_eval_reaches_into(without_the_name: Path, tmp_path: Path) -> None:
    line = (
        r"medqdeg: lmms-eval [\d.]+ does not run with the installed filelock [\d.]+ \(ModuleNotFoundError: No module "
        r"named 'filelock._api'\): pip install 'filelock<4\.3,>=3\.12'"
    )
    commands = {
        "demo": ("-c", "from medqdeg.utils.command_line import main; main()", "demo", "--output", str(tmp_path / "o")),
        "tasks": ("-m", "lmms_eval", "--model", "qwen2_5_vl", "--tasks", "medqdeg_l0"),
    }
    for command in commands.values():
        done = _run(*command, data=tmp_path, PYTHONPATH=str(without_the_name))
        assert done.returncode == 1
        assert re.fullmatch(line, _last_line(done.stderr)), done.stderr[-2000:]
        assert "Traceback" not in done.stderr
        assert "Selected Tasks" not in done.stdout
    assert not (tmp_path / "o").exists()


@pytest.fixture
def leaves(monkeypatch: pytest.MonkeyPatch, small_dataset: Path) -> Callable[..., object]:
    """lmms-eval's command line, called in this process; what `exit_status` changes in it is put back."""
    monkeypatch.setenv("MEDQDEG_DATA", str(small_dataset))
    monkeypatch.setattr(Failing, "where", "never")
    monkeypatch.setattr(command_line, "traceback", command_line.traceback)
    for name in ("save_results_aggregated", "save_results_samples"):
        monkeypatch.setattr(EvaluationTracker, name, getattr(EvaluationTracker, name))
    failing = ModelManifest("failing", chat_class_path=f"{Failing.__module__}.Failing")
    MODEL_REGISTRY_V2.register_manifest(failing, overwrite=True)
    register()
    # lmms-eval's own tasks take seconds to index.
    monkeypatch.setattr(command_line, "TaskManager", _only_our_tasks)

    def call(*arguments: str) -> object:
        monkeypatch.setattr("sys.argv", ["lmms_eval", "--model", "failing", "--limit", "2", *arguments])
        try:
            command_line.cli_evaluate()
        except SystemExit as stop:
            return stop.code
        return 0

    return call


@pytest.mark.parametrize(("where", "why"), [("create", "no such checkpoint"), ("generate", "out of memory")])
def test_a_model_that_fails(
    where: str, why: str, leaves: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Failing, "where", where)
    assert leaves("--tasks", "medqdeg_l0") == f"medqdeg: the run ended without results (RuntimeError: {why})"


@pytest.mark.parametrize(
    ("message", "gpu", "hint"),
    [
        ("Torch not compiled with CUDA enabled", False, True),
        ("Found no NVIDIA driver on your system.", False, True),
        ("No CUDA GPUs are available", False, True),
        ("When passing device_map as a string, the value needs to be a device name", False, True),
        ("CUDA out of memory", True, False),
        ("no such checkpoint", False, False),
    ],
)
def test_without_a_gpu_the_arguments_to_add_are_named(
    message: str, gpu: bool, hint: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    said = hint_without_a_gpu(RuntimeError(message))
    assert (said == "; there is no GPU here: add device=cpu,device_map=cpu to --model_args") == hint
    assert (said == "") != hint


def test_bad_data(
    leaves: Callable[..., object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MEDQDEG_DATA", str(tmp_path))
    said = str(leaves("--tasks", "medqdeg_l2"))
    assert said.startswith("medqdeg: ")
    assert "has no file MedQ-Robust-simulate-test.tsv" in said
    assert "\n" not in said
    assert "Traceback" not in capsys.readouterr().err


def test_a_run_described_by_a_file(
    leaves: Callable[..., object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run.yaml").write_text("model: failing\ntasks: medqdeg_l0\n", encoding="utf-8")
    monkeypatch.setattr(Failing, "where", "create")
    monkeypatch.setattr(exit_status, "_HOOKS", "not loaded")
    assert "no such checkpoint" in str(leaves("--config", str(tmp_path / "run.yaml")))


def test_a_misspelt_task(leaves: Callable[..., object], capsys: pytest.CaptureFixture[str]) -> None:
    said = str(leaves("--tasks", "medqdeg_l0,medqdeg_l4"))
    assert said.startswith("medqdeg: there is no task medqdeg_l4; did you mean ")
    assert "medqdeg_l2" in said
    assert "Traceback" not in capsys.readouterr().err


def test_a_failure_of_somebody_else_stays_as_it_was(
    leaves: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exit_status, "_HOOKS", "not loaded")
    assert leaves("--tasks", "another_task") == 0


def test_results_and_samples_that_cannot_be_written(
    leaves: Callable[..., object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("--tasks", "medqdeg_l0", "--log_samples", "--output_path")
    (tmp_path / "file").touch()
    said = str(leaves(*arguments, str(tmp_path / "file" / "out")))
    assert said.startswith(f"medqdeg: the results could not be written to {tmp_path / 'file' / 'out'}")

    # From here on the folder takes no samples file.
    save = EvaluationTracker.save_results_samples
    monkeypatch.setattr(EvaluationTracker, "save_results_samples", lambda self, task_name, samples: None)
    monkeypatch.setattr(command_line, "traceback", traceback)
    said = str(leaves(*arguments, str(tmp_path / "out")))
    assert said.startswith(f"medqdeg: the samples could not be written to {tmp_path / 'out'}")

    monkeypatch.setattr(EvaluationTracker, "save_results_samples", save)
    assert leaves(*arguments, str(tmp_path / "good")) == 0
    assert len(list((tmp_path / "good").rglob("*_samples_medqdeg_l0.jsonl"))) == 1


def test_repeats_1_is_said_to_change_nothing(leaves: Callable[..., object], capsys: pytest.CaptureFixture[str]) -> None:
    assert leaves("--tasks", "medqdeg_l0") == 0
    assert "--repeats" not in capsys.readouterr().out
    assert leaves("--tasks", "medqdeg_l0", "--repeats", "1") == 0
    assert "T stays as in the task file (10 for the votes)" in capsys.readouterr().out
