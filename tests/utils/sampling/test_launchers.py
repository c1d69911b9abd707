"""Ranks on two machines of `torch.distributed.run`, and as Ray actors, give the single process's results."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.sampling import on_ray

from .conftest import Run, records
from .test_resume import ENVIRONMENT

ITEMS = 5
TASK = "medqdeg_l1"


def arguments(checkpoint: Path, store: Path, output: Path) -> list[str]:
    own = f"inner=llava_hf,store={store},pretrained={checkpoint},device=cpu,device_map=cpu"
    return [
        *("--model", "medqdeg", "--model_args", own, "--tasks", TASK, "--repeats", "3", "--limit", str(ITEMS)),
        *("--output_path", str(output), "--log_samples"),
    ]


def written(output: Path) -> tuple[dict[str, int], dict[str, Any]]:
    """Trials over all ranks, and the records by item."""
    (results,) = output.rglob("*_results.json")
    (samples,) = output.rglob(f"*_samples_{TASK}.jsonl")
    sampling = json.loads(results.read_text())["results"][TASK]["medqdeg,votes"]["sampling"]
    found = [json.loads(row)["medqdeg"] for row in samples.read_text(encoding="utf-8").splitlines()]
    return sampling["trials"], {record["item_id"]: record for record in found}


def environment(data: Path, folder: Path, **more: str) -> dict[str, str]:
    return {**os.environ, **ENVIRONMENT, "MEDQDEG_DATA": str(data), "HF_DATASETS_CACHE": str(folder / "cache"), **more}


@pytest.fixture(scope="module")
def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def by_one(llava: Path, evaluate: Run) -> dict[str, Any]:
    own = f"inner=llava_hf,pretrained={llava},device=cpu,device_map=cpu"
    found = records(evaluate(own, tasks=(TASK,), repeats=3, limit=ITEMS), TASK)
    assert len(found) == ITEMS
    return {record["item_id"]: record for record in found}


@pytest.mark.slow
def test_two_machines_of_the_launcher(
    small_dataset: Path, llava: Path, tmp_path: Path, by_one: dict[str, Any], free_port: int
) -> None:
    launcher = ["torch.distributed.run", "--nnodes", "2", "--nproc_per_node", "1", "--master_addr", "127.0.0.1"]
    machines = []
    for number, name in enumerate("ab"):
        command = [*launcher, "--master_port", str(free_port), "--node_rank", str(number), "-m", "lmms_eval"]
        machines.append(
            subprocess.Popen(
                [sys.executable, "-m", *command, *arguments(llava, tmp_path / "store", tmp_path / "out")],
                env=environment(small_dataset, tmp_path / name, MEDQDEG_NODE=name), cwd=tmp_path,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )
        )  # fmt: skip
    for machine in machines:
        told, _ = machine.communicate(timeout=400)
        assert machine.returncode == 0, told[-3000:]
    trials, found = written(tmp_path / "out")
    assert trials == {"requested": 15, "asked": 15, "reused": 0, "failed": 0}
    assert found == by_one
    assert {path.name for path in (tmp_path / "store").glob("*.sqlite")} == {
        *("responses.a.sqlite", "responses.b.sqlite")
    }


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")
def test_actors_on_ray(small_dataset: Path, llava: Path, tmp_path: Path, by_one: dict[str, Any]) -> None:
    command = [sys.executable, "-m", on_ray.__name__, "--actors", "2", "--"]
    command += arguments(llava, tmp_path / "store", tmp_path / "out")
    own = environment(small_dataset, tmp_path, RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO="0")
    done = subprocess.run(command, env=own, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=400)
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-3000:]
    trials, found = written(tmp_path / "out")
    assert trials == {"requested": 15, "asked": 15, "reused": 0, "failed": 0}
    assert found == by_one
    wrong = [*command[:6], "--model", "medqdeg", "--model_args", "inner=nothing", "--tasks", TASK]
    done = subprocess.run(wrong, env=own, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=400)
    assert done.returncode == 1
    assert "inner=nothing is no model that this lmms-eval knows" in done.stderr.splitlines()[-1]


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is installed")
def test_without_ray_a_line_says_what_to_install() -> None:
    with pytest.raises(InputError, match=r"a run on Ray needs Ray: .*ray"):
        on_ray.run_on_ray([], actors=1)
