"""The command line on real model classes and the authors' 57 images, in one process and in two."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers", reason="transformers is not installed")

from medqdeg.utils.models.tiny import build_tiny_checkpoint

from .test_evaluation import TOLERANCE, brute_force

LEVELS = ("l0", "l1", "l2")
# What each integration needs on a processor; small images keep a request at some tens of milliseconds.
MODELS = {
    "qwen2_5_vl": ("qwen2_5_vl", "device=cpu,device_map=cpu,min_pixels=784,max_pixels=50176"),
    "llava_hf": ("llava", "device=cpu,device_map=cpu"),
}


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("checkpoints")
    return {model: build_tiny_checkpoint(folder / model, architecture) for model, (architecture, _) in MODELS.items()}


def run(
    launcher: list[str], model: str, checkpoint: Path, data: Path, output: Path, *flags: str
) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """Run the group `medqdeg` and return lmms-eval's results file and samples."""
    command = [
        *(sys.executable, "-m", *launcher, "--model", model, "--tasks", "medqdeg"),
        *("--model_args", f"pretrained={checkpoint},{MODELS[model][1]}"),
        *("--output_path", str(output), "--log_samples", *flags),
    ]
    environment = {
        **os.environ,
        "MEDQDEG_DATA": str(data),
        "HF_HUB_OFFLINE": "1",
        "ACCELERATE_USE_CPU": "true",
        "OMP_NUM_THREADS": "1",  # a tiny model only loses time to threads
        "MEDQDEG_ONLY_OWN_TASKS": "1",  # lmms-eval's own take seconds to index
    }
    done = subprocess.run(
        command, env=environment, cwd=output, capture_output=True, text=True, check=False, timeout=560
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (results,) = output.rglob("*_results.json")
    samples = {}
    for level in LEVELS:
        (file,) = output.rglob(f"*_samples_medqdeg_{level}.jsonl")
        samples[level] = [json.loads(line) for line in file.read_text().splitlines()]
    return json.loads(results.read_text()), samples


def check(results: dict[str, Any], samples: dict[str, list[dict[str, Any]]], trials: int) -> None:
    """Check the files of a run against each other."""
    for level in LEVELS:
        records = [sample["medqdeg"] for sample in samples[level]]
        assert len({record["item_id"] for record in records}) == 19
        assert all(record["level"] == level.upper() for record in records)
        assert all(len(record["letters"]) == trials and record["error"] is None for record in records)
        scores = [brute_force(record["letters"], record["options"], record["answer"]) for record in records]
        found = results["results"][f"medqdeg_{level}"]
        for name in ("accuracy", "confidence", "calibration_shift"):
            expected = sum(score[name] for score in scores) / len(scores)
            assert found[f"{name},votes"] == pytest.approx(expected, abs=TOLERANCE)
        nodes = found["medqdeg,votes"]["nodes"]
        assert {node: scores["n"] for node, scores in nodes["modality"].items()} == {
            **{"CT": 2, "MRI": 5, "X-ray": 5, "Histopathology": 3, "Endoscopy": 3, "Ultrasound": 1}
        }
        assert found["medqdeg,votes"]["overall"]["unread_rate"] < 0.2
    assert set(results["results"]["medqdeg"]["medqdeg,votes"]["overall"]) == {"L0_to_L1", "L0_to_L2"}
    degradations = results["results"]["medqdeg_l2"]["medqdeg,votes"]["nodes"]["degradation"]
    assert sum(scores["n"] for scores in degradations.values()) == 19
    assert degradations["motion_blur"]["n"] == 2  # the X-ray variant is motion blur too


@pytest.mark.parametrize("trials", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_qwen2_5_vl_chat(trials: int, reference: Path, checkpoints: dict[str, Path], tmp_path: Path) -> None:
    flags = [] if trials == 10 else ["--repeats", str(trials)]
    results, samples = run(["lmms_eval"], "qwen2_5_vl", checkpoints["qwen2_5_vl"], reference, tmp_path, *flags)
    check(results, samples, trials)


@pytest.mark.slow
def test_llava_hf_in_one_process_and_in_two(reference: Path, checkpoints: dict[str, Path], tmp_path: Path) -> None:
    """By the launcher; `tests/utils/sampling/test_resume.py` has two ranks without it."""
    launchers = {
        "one": ["lmms_eval"],
        "two": ["torch.distributed.run", "--nproc_per_node", "2", "-m", "lmms_eval"],
    }
    items = {}
    for name, launcher in launchers.items():
        output = tmp_path / name
        output.mkdir()
        results, samples = run(launcher, "llava_hf", checkpoints["llava_hf"], reference, output, "--repeats", "3")
        check(results, samples, trials=3)
        items[name] = {
            level: sorted(
                (sample["medqdeg"]["item_id"], sample["medqdeg"]["answer"], sample["medqdeg"]["source_question_id"])
                for sample in samples[level]
            )
            for level in LEVELS
        }
    assert items["one"] == items["two"]
