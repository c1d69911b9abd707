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
RANKS = Path(__file__).with_name("ranks.py")


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
    assert found["blocks"] == found["different_blocks"] == 2 * 12 * 2, "15 trials are two blocks of ten"
    assert found["equal"], "the finished run differs from the uninterrupted one"
    # Once more only what was in flight when a kill came (the two blocks of an item), and what a torn write took.
    assert found["blocks"] <= found["asked"] <= found["blocks"] + 2 * found["kills"] + found["torn"]
    assert found["stored_before_the_last_run"] % 10 == 0, "a block is stored as one"
    # Of the twenty drawn per item the run needs fifteen.
    assert 0.5 * found["stored_before_the_last_run"] <= found["reused_by_the_last_run"] > 0
    assert found["torn"] >= kills // 3


def in_ranks(data: Path, checkpoint: Path, folder: Path, *scenarios: str) -> dict[str, Any]:
    """What the runs of `ranks.py` gave, by their names."""
    folder.mkdir()
    command = [sys.executable, str(RANKS), str(data), str(checkpoint), str(folder), *scenarios]
    environment = {**os.environ, **ENVIRONMENT, "HF_DATASETS_CACHE": str(folder / "cache")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=560)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def by_item(run: dict[str, Any]) -> dict[str, Any]:
    assert set(run["statuses"]) == {0}
    return {record["item_id"]: record for record in run["records"]}


def trials(run: dict[str, Any]) -> list[int]:
    """Requested, asked, reused, failed, over all ranks."""
    return list(run["sampling"]["trials"].values())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the script forks")
def test_items_that_do_not_divide_by_the_ranks_and_a_second_run(
    small_dataset: Path, llava: Path, tmp_path: Path
) -> None:
    runs = in_ranks(small_dataset, llava, tmp_path / "runs", "one of five items", "five items", "five items, repeated")
    assert trials(runs["five items"]) == [15, 15, 0, 0]
    assert trials(runs["five items, repeated"]) == [15, 0, 15, 0]
    assert len(by_item(runs["one of five items"])) == 5
    assert by_item(runs["one of five items"]) == by_item(runs["five items"]) == by_item(runs["five items, repeated"])


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the script forks")
def test_two_ranks_answer_as_one_process_whatever_happens(small_dataset: Path, llava: Path, tmp_path: Path) -> None:
    runs = in_ranks(small_dataset, llava, tmp_path / "runs")
    whole = by_item(runs["one"])
    assert len(whole) == 12
    for name in runs.keys() - {"one", "one of five items", "five items", "five items, repeated", "one item", "killed"}:
        assert by_item(runs[name]) == whole, name
    assert trials(runs["two machines"]) == [36, 36, 0, 0]
    assert trials(runs["two machines, repeated the other way round"]) == [36, 0, 36, 0]
    assert trials(runs["fresh"]) == [36, 36, 0, 0]
    assert trials(runs["repeated"]) == trials(runs["three ranks of one's store"]) == [36, 0, 36, 0]
    requested, asked, reused, failed = trials(runs["resumed"])
    assert (requested, failed) == (asked + reused, 0)
    assert reused >= 9, "of four items that the killed rank had prepared, three were answered three times"
    assert trials(runs["one item"]) == [3, 3, 0, 0]


def run_ranks(count: int, data: Path, checkpoint: Path, store: Path, output: Path) -> tuple[dict[str, Any], Path]:
    output.mkdir()
    launcher = ["torch.distributed.run", "--nproc_per_node", str(count), "-m", "lmms_eval"]
    command = [
        *(sys.executable, "-m", *launcher, "--model", "medqdeg", "--tasks", "medqdeg_l1", "--repeats", "3"),
        *("--model_args", f"inner=llava_hf,store={store},pretrained={checkpoint},device=cpu,device_map=cpu"),
        *("--limit", "11", "--output_path", str(output), "--log_samples"),
    ]
    environment = {**os.environ, **ENVIRONMENT, "MEDQDEG_DATA": str(data), "HF_DATASETS_CACHE": str(store / "cache")}
    done = subprocess.run(
        command, env=environment, cwd=output, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (results,) = output.rglob("*_results.json")
    (samples,) = output.rglob("*_samples_medqdeg_l1.jsonl")
    return json.loads(results.read_text()), samples


@pytest.mark.slow
def test_the_launcher_s_two_ranks_share_a_store_and_answer_as_one(
    small_dataset: Path, llava: Path, tmp_path: Path, evaluate: Run
) -> None:
    results, samples = run_ranks(2, small_dataset, llava, tmp_path / "store", tmp_path / "two")
    report = results["results"]["medqdeg_l1"]["medqdeg,votes"]["sampling"]
    assert report["trials"] == {"requested": 33, "asked": 33, "reused": 0, "failed": 0}
    by_two = {record["item_id"]: record for record in (json.loads(row)["medqdeg"] for row in samples.open())}
    assert len(by_two) == 11
    repeated, _ = run_ranks(2, small_dataset, llava, tmp_path / "store", tmp_path / "repeated")
    report = repeated["results"]["medqdeg_l1"]["medqdeg,votes"]["sampling"]
    assert report["trials"] == {"requested": 33, "asked": 0, "reused": 33, "failed": 0}
    arguments = f"inner=llava_hf,pretrained={llava},device=cpu,device_map=cpu"
    by_one = records(evaluate(arguments, tasks=("medqdeg_l1",), repeats=3, limit=11), "medqdeg_l1")
    assert {record["item_id"]: record for record in by_one} == by_two
    again = evaluate(f"{arguments},store={tmp_path / 'store'}", tasks=("medqdeg_l1",), repeats=4)
    found = again["results"]["medqdeg_l1"]["medqdeg,votes"]["sampling"]["trials"]
    # The store has whole blocks of ten trials of the eleven items, the fourth among them; the twelfth item is new.
    assert found == {"requested": 48, "asked": 4, "reused": 44, "failed": 0}
