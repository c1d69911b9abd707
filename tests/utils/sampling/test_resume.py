"""Interrupted runs, and runs of several processes, end as if nothing had happened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run, records

ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
SCRIPT = Path(__file__).with_name("kill_and_resume.py")


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.slow)])
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the script forks")
def test_a_killed_run_ends_as_an_uninterrupted_one(
    kills: int, small_dataset: Path, llava: Path, tmp_path: Path
) -> None:
    command = [sys.executable, str(SCRIPT), str(small_dataset), str(llava), str(tmp_path), str(kills), "7"]
    environment = {**os.environ, **ENVIRONMENT, "HF_DATASETS_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=560)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["requested"] == 2 * 12 * 5
    assert found["equal"], "the finished run differs from the uninterrupted one"
    # Once more only what was in flight when a kill came, and what a torn write took.
    assert found["requested"] <= found["asked"] <= found["requested"] + found["kills"] + found["torn"]
    assert found["reused_by_the_last_run"] == found["stored_before_the_last_run"] > 0
    assert found["torn"] >= kills // 3


def run_ranks(count: int, data: Path, checkpoint: Path, store: Path, output: Path) -> tuple[dict[str, Any], Path]:
    output.mkdir()
    launcher = ["torch.distributed.run", "--nproc_per_node", str(count), "-m", "lmms_eval"]
    command = [
        *(sys.executable, "-m", *launcher, "--model", "medqdeg", "--tasks", "medqdeg_l1", "--repeats", "3"),
        *("--model_args", f"inner=llava_hf,store={store},pretrained={checkpoint},device=cpu,device_map=cpu"),
        *("--output_path", str(output), "--log_samples"),
    ]
    environment = {**os.environ, **ENVIRONMENT, "MEDQDEG_DATA": str(data), "HF_DATASETS_CACHE": str(store / "cache")}
    done = subprocess.run(
        command, env=environment, cwd=output, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (results,) = output.rglob("*_results.json")
    (samples,) = output.rglob("*_samples_medqdeg_l1.jsonl")
    return json.loads(results.read_text()), samples


def test_two_ranks_share_a_store_and_answer_as_one(
    small_dataset: Path, llava: Path, tmp_path: Path, evaluate: Run
) -> None:
    results, samples = run_ranks(2, small_dataset, llava, tmp_path / "store", tmp_path / "two")
    report = results["results"]["medqdeg_l1"]["medqdeg,votes"]["sampling"]
    assert report["trials"] == {"requested": 36, "asked": 36, "reused": 0, "failed": 0}
    by_two = {record["item_id"]: record for record in (json.loads(row)["medqdeg"] for row in samples.open())}
    assert len(by_two) == 12
    arguments = f"inner=llava_hf,pretrained={llava},device=cpu,device_map=cpu"
    by_one = records(evaluate(arguments, tasks=("medqdeg_l1",), repeats=3), "medqdeg_l1")
    assert {record["item_id"]: record for record in by_one} == by_two
    again = evaluate(f"{arguments},store={tmp_path / 'store'}", tasks=("medqdeg_l1",), repeats=4)
    trials = again["results"]["medqdeg_l1"]["medqdeg,votes"]["sampling"]["trials"]
    assert trials == {"requested": 48, "asked": 12, "reused": 36, "failed": 0}
