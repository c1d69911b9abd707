"""The files for lmms-eval's own tree, run by lmms-eval beside our own tasks on the same replies."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest
from lmms_eval.api.model import lmms
from lmms_eval.evaluator import simple_evaluate
from lmms_eval.tasks import TaskManager

from medqdeg.tasks import TASKS_FOLDER

from ..lmms_eval_fixtures import index_once, own_cache  # noqa: F401


class ByTheQuestion(lmms):
    """Answers from the question and the trial, so that two runs of the same items get the same replies."""

    is_simple = False

    def generate_until(self, requests: list[Any]) -> list[str]:
        asked: dict[tuple[str, int], int] = {}
        replies = []
        for request in requests:
            _, doc_to_messages, _, doc_id, task, split = request.args
            (message,) = doc_to_messages(self.task_dict[task][split][doc_id])
            text = message["content"][-1]["text"]
            pixels = b"".join(part["url"].tobytes() for part in message["content"][:-1])
            trial = asked[task, doc_id] = asked.get((task, doc_id), -1) + 1
            digest = hashlib.sha256(f"{text} {trial}".encode() + pixels).digest()
            letters = [line[0] for line in text.splitlines() if line[1:3] == ". "]
            replies.append([*letters, f"The answer is {letters[0]}.", "I cannot tell."][digest[0] % (len(letters) + 2)])
        return replies

    def loglikelihood(self, requests: list[Any]) -> list[Any]:
        raise NotImplementedError

    def generate_until_multi_round(self, requests: list[Any]) -> list[str]:
        raise NotImplementedError


def evaluate(folder: Path) -> dict[str, Any]:
    return simple_evaluate(
        model=ByTheQuestion(),
        tasks=["medqdeg"],
        task_manager=TaskManager(include_path=str(folder), include_defaults=False),
        bootstrap_iters=0,
        log_samples=False,
    )["results"]


def compare(task_folder: Path, data: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDQDEG_DATA", str(data))
    shutil.copytree(task_folder, folder / "medqdeg")
    template = folder / "medqdeg" / "_default_template_yaml"
    published = "dataset_path: jiyaoliufd/MedQ-DEG-Bench"
    text = template.read_text(encoding="utf-8")
    assert published in text
    template.write_text(text.replace(published, f"dataset_path: {data}"), encoding="utf-8")
    theirs, ours = evaluate(folder), evaluate(TASKS_FOLDER)
    for level in ("l0", "l1", "l2"):
        for name in ("accuracy", "confidence", "calibration_shift", "unread_rate"):
            found, expected = (
                run[f"medqdeg_{level}"][f"{prefix}{name},votes"] for run, prefix in ((theirs, "medqdeg_"), (ours, ""))
            )
            assert found == pytest.approx(expected, abs=1e-9), (level, name)
            assert 0 < abs(found) < 1
    # The group's: the mean over all items.
    sizes = [theirs[f"medqdeg_{level}"]["medqdeg_accuracy,votes"] for level in ("l0", "l1", "l2")]
    assert min(sizes) <= theirs["medqdeg"]["medqdeg_accuracy,votes"] <= max(sizes)


def test_same_figures(task_folder: Path, small_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compare(task_folder, small_dataset, tmp_path, monkeypatch)


def test_same_figures_on_the_reference_files(
    task_folder: Path, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare(task_folder, reference, tmp_path, monkeypatch)
