"""The same items in EleutherAI's lm-eval: the same tasks, prompt, letters and scores as in lmms-eval."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("lm_eval", reason="lm-eval is not installed (the extra `lm-eval`)")

from medqdeg.tasks import TASKS_FOLDER, hooks, lm_eval_hooks
from medqdeg.utils import lm_eval_tasks
from medqdeg.utils.checkpoints.tiny import build_tiny_checkpoint

FOLDER = Path(lm_eval_tasks.__file__).parent
LEVELS = ("l0", "l1", "l2")


class _Loader(yaml.SafeLoader):
    """Reads `!function NAME` as the name."""


_Loader.add_constructor("!function", lambda loader, node: loader.construct_scalar(node))


def read(path: Path) -> dict[str, Any]:
    return yaml.load(path.read_text(), _Loader)


def test_every_task_and_group_is_there_under_the_same_name() -> None:
    ours = {path.name for path in FOLDER.glob("*.yaml")}
    theirs = {path.name for path in TASKS_FOLDER.glob("medqdeg*.yaml")}
    assert {name for name in theirs if name.rpartition("_")[2] in ("l0.yaml", "l1.yaml", "l2.yaml")} <= ours
    assert {"medqdeg.yaml", "medqdeg_dev.yaml"} <= ours


def test_sampling_and_metrics_are_those_of_lmms_eval() -> None:
    ours, theirs = read(FOLDER / "_votes.yaml"), read(TASKS_FOLDER / "_votes.yaml")
    assert ours["repeats"] == theirs["repeats"]
    sampling = dict(theirs["generation_kwargs"])
    sampling["max_gen_toks"] = sampling.pop("max_new_tokens")
    assert ours["generation_kwargs"] == sampling
    assert [metric["metric"] for metric in ours["metric_list"]] == [m["metric"] for m in theirs["metric_list"]]


def test_items_are_the_same_without_their_images(small_dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDQDEG_DATA", str(small_dataset))
    lm_eval_hooks._items.cache_clear()
    items = lm_eval_hooks.load_items("test", "L1")["items"]
    whole = lm_eval_hooks._items("test", "L1")
    assert items["item_id"][:] == whole["item_id"][:]
    assert "images" not in items.column_names
    for doc, row in zip(items, whole, strict=True):
        images = lm_eval_hooks.doc_to_image(doc)
        assert [image.tobytes() for image in images] == [image.tobytes() for image in hooks.doc_to_visual(row)]
        assert lm_eval_hooks.doc_to_text(doc) == "<image>" * len(images) + hooks.doc_to_text(row)
        json.dumps(doc)
    lm_eval_hooks._items.cache_clear()


def test_bad_data_ends_with_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDQDEG_DATA", str(tmp_path))
    lm_eval_hooks._items.cache_clear()
    with pytest.raises(SystemExit, match=r"medqdeg: .*has no file"):
        lm_eval_hooks.load_items("test", "L1")


def run(command: list[str], output: Path, data: Path) -> None:
    environment = {**os.environ, "MEDQDEG_DATA": str(data), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", *command, "--output_path", str(output), "--log_samples"],
        env=environment,
        cwd=output.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def records(output: Path, pattern: str) -> dict[str, dict[str, Any]]:
    (file,) = output.rglob(pattern)
    found = [json.loads(line)["medqdeg"] for line in file.read_text().splitlines()]
    return {record["item_id"]: record for record in found}


@pytest.mark.slow
def test_both_harnesses_get_the_same_letters(reference: Path, tmp_path: Path) -> None:
    checkpoint = build_tiny_checkpoint(tmp_path / "checkpoint", "qwen2_5_vl")
    size = f"pretrained={checkpoint},min_pixels=784,max_pixels=50176"
    lmms, lm = tmp_path / "lmms", tmp_path / "lm"
    run(
        [
            *("lmms_eval", "--model", "qwen2_5_vl", "--tasks", "medqdeg", "--gen_kwargs", "temperature=0"),
            *("--model_args", f"{size},device=cpu,device_map=cpu"),
        ],
        lmms,
        reference,
    )
    run(
        [
            *("lm_eval", "--model", "hf-multimodal", "--tasks", "medqdeg", "--include_path", str(FOLDER)),
            *("--model_args", f"{size},dtype=auto", "--device", "cpu", "--apply_chat_template"),
            *("--gen_kwargs", "do_sample=False,temperature=0.0"),
        ],
        lm,
        reference,
    )
    compared = 0
    for level in LEVELS:
        theirs = records(lmms, f"*_samples_medqdeg_{level}.jsonl")
        ours = records(lm, f"samples_medqdeg_{level}_*.jsonl")
        assert ours.keys() == theirs.keys()
        assert {key: record["letters"] for key, record in ours.items()} == {
            key: record["letters"] for key, record in theirs.items()
        }
        compared += len(ours)
    assert compared == 57
    (results,) = lm.rglob("results_*.json")
    summary = json.loads(results.read_text())["results"]["medqdeg_l2"]["medqdeg,votes"]
    assert summary["overall"]["n"] == 19
