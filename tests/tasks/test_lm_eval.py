"""The same items in EleutherAI's lm-eval: the same tasks, prompt, letters and scores as in lmms-eval."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("lm_eval", reason="lm-eval is not installed (the extra `lm-eval`)")

from lm_eval import simple_evaluate
from lm_eval.api.model import LM
from lm_eval.tasks import TaskManager
from lmms_eval.evaluator import simple_evaluate as lmms_eval_simple_evaluate
from lmms_eval.tasks import TaskManager as LmmsTaskManager

from medqdeg.tasks import LM_EVAL_TASKS_FOLDER as FOLDER
from medqdeg.tasks import TASKS_FOLDER, hooks, lm_eval_hooks
from medqdeg.utils.analysis.analyse import analyse
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.dataset.loading import load_level
from medqdeg.utils.dataset.location import LocalFolder
from medqdeg.utils.models.tiny import build_tiny_checkpoint
from medqdeg.utils.phantoms.cache import make_suite

from ..conftest import SHARED

LEVELS = ("l0", "l1", "l2")


class _Loader(yaml.SafeLoader):
    """Reads `!function NAME` as the name."""


_Loader.add_constructor("!function", lambda loader, node: loader.construct_scalar(node))


def read(path: Path) -> dict[str, Any]:
    return yaml.load(path.read_text(), _Loader)


@pytest.fixture(autouse=True)
def _fresh_items() -> None:
    lm_eval_hooks._items.cache_clear()


def test_every_task_and_group_is_there_under_the_same_name_with_the_same_items() -> None:
    names = {path.name for path in TASKS_FOLDER.glob("medqdeg*.yaml")}
    assert {path.name for path in FOLDER.glob("medqdeg*.yaml")} == names
    for name in names:
        ours, theirs = read(FOLDER / name), read(TASKS_FOLDER / name)
        assert (ours.get("group"), ours["task"]) == (theirs.get("group"), theirs["task"])
        if "group" not in theirs:
            which = ours["dataset_kwargs"]
            assert f"{which['split']}_{which['level'].lower()}" == theirs["test_split"]
            assert ours["include"] == theirs["include"]


def test_sampling_and_metrics_are_those_of_lmms_eval() -> None:
    ours, theirs = read(FOLDER / "_votes.yaml"), read(TASKS_FOLDER / "_votes.yaml")
    assert ours["repeats"] == theirs["repeats"]
    sampling = dict(theirs["generation_kwargs"])
    sampling["max_gen_toks"] = sampling.pop("max_new_tokens")
    assert ours["generation_kwargs"] == sampling
    assert [metric["metric"] for metric in ours["metric_list"]] == [m["metric"] for m in theirs["metric_list"]]


def test_items_are_the_same_without_their_images(small_dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDQDEG_DATA", str(small_dataset))
    items = lm_eval_hooks.load_items("test", "L1")["items"]
    whole = lm_eval_hooks._items("test", "L1")
    assert items["item_id"][:] == whole["item_id"][:]
    assert "images" not in items.column_names
    for doc, row in zip(items, whole, strict=True):
        images = lm_eval_hooks.doc_to_image(doc)
        placeholders = "<image>" * len(images)
        assert [image.tobytes() for image in images] == [image.tobytes() for image in hooks.doc_to_visual(row)]
        assert lm_eval_hooks.doc_to_text(doc) == placeholders + hooks.doc_to_text(row)
        assert lm_eval_hooks.doc_to_text_verbalized(doc) == placeholders + hooks.doc_to_text_verbalized(row)
        json.dumps(doc)


def test_a_question_cannot_ask_for_an_image() -> None:
    doc = {"place": "", "question": "What does <image> show?", "letters": ["A", "B"], "options": ["a", "b"]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lm_eval_hooks, "doc_to_image", lambda doc: ["one image"])
        assert lm_eval_hooks.doc_to_text(doc).count("<image>") == 1


def test_bad_data_ends_with_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDQDEG_DATA", str(tmp_path))
    with pytest.raises(SystemExit, match=r"medqdeg: .*has no file"):
        lm_eval_hooks.load_items("test", "L1")


class Scripted(LM):
    """Answers every request alike, with blanks that lm-eval leaves on."""

    MULTIMODAL = True

    def __init__(self, reply: str) -> None:
        super().__init__()
        self.reply = reply
        self.prompts: set[str] = set()

    def generate_until(self, requests: list[Any], **_: Any) -> list[str]:
        for request in requests:
            text, _, media = request.args
            assert text.count("<image>") == len(media["visual"]) == len(list(media["visual"]))
            self.prompts.add(text)
        return [self.reply] * len(requests)

    def loglikelihood(self, requests: list[Any], **_: Any) -> list[Any]:
        raise NotImplementedError

    def loglikelihood_rolling(self, requests: list[Any], **_: Any) -> list[Any]:
        raise NotImplementedError


def evaluate(task: str, model: Scripted) -> dict[str, Any]:
    manager = TaskManager(include_path=str(FOLDER), include_defaults=False)
    return simple_evaluate(model=model, tasks=[task], task_manager=manager, bootstrap_iters=0, log_samples=True)


def test_verbalized(small_dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDQDEG_DATA", str(small_dataset))
    model = Scripted(" A, 80%\n")
    results = evaluate("medqdeg_verbalized", model)
    for level in LEVELS:
        samples = results["samples"][f"medqdeg_{level}_verbalized"]
        assert len(samples) == 12
        for record in (sample["medqdeg"] for sample in samples):
            assert record["elicitation"] == "verbalized"
            assert (record["letters"], record["stated"]) == (["A"] * 10, [0.8] * 10)
    assert all("%" in prompt or "percent" in prompt for prompt in model.prompts)


@pytest.mark.parametrize("task", ["medqdeg_phantom", "medqdeg_phantom_small"])
def test_phantoms(task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = LocalFolder(make_suite(tmp_path / "phantoms", items=7, small_only=True))
    asked = []

    def load(level: str, small_only: bool) -> Any:
        asked.append((level, small_only))
        return load_level("dev", level, suite)

    monkeypatch.setattr(hooks, "load_default_suite", load)
    results = evaluate(task, Scripted("B"))
    assert asked == [(level.upper(), task.endswith("_small")) for level in LEVELS]
    for level in LEVELS:
        records = [sample["medqdeg"] for sample in results["samples"][f"{task}_{level}"]]
        assert {record["level"] for record in records} == {level.upper()}
        right = sum(record["answer"] == "B" for record in records) / len(records)
        assert results["results"][f"{task}_{level}"]["accuracy,votes"] == pytest.approx(right)


TRIALS = 2


@pytest.fixture(scope="module")
def data(small_dataset: Path) -> tuple[Path, int]:
    """The authors' 57 images where they are, else a small data set, and the number of items."""
    folder = SHARED / "reference"
    return (folder, 57) if folder.is_dir() else (small_dataset, 36)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Of the two architectures this is the one whose images both harnesses hand to the model's processor as they are.
    return build_tiny_checkpoint(tmp_path_factory.mktemp("model") / "checkpoint", "llava")


def run(command: list[str], output: Path, data: Path) -> str:
    environment = {**os.environ, "MEDQDEG_DATA": str(data), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *command, "--output_path", str(output), "--log_samples"],
        env=environment,
        cwd=output.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


# lm-eval collects garbage after every request, half a second each time, and no result depends on it.
LM_EVAL = "import gc; gc.collect = lambda *_: 0; from lm_eval.__main__ import cli_evaluate; cli_evaluate()"


@pytest.fixture(scope="module")
def lm_run(data: tuple[Path, int], checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """What lm-eval's own command line wrote and printed."""
    folder = tmp_path_factory.mktemp("lm")
    # As docs/wrapping.md says: T is changed in a copy of the folder.
    tasks = shutil.copytree(FOLDER, folder / "tasks")
    votes = tasks / "_votes.yaml"
    votes.write_text(votes.read_text().replace("repeats: 10", f"repeats: {TRIALS}"))
    printed = run(
        [
            *("-c", LM_EVAL, "--model", "hf-multimodal", "--tasks", "medqdeg", "--include_path", str(tasks)),
            *("--model_args", f"pretrained={checkpoint}", "--device", "cpu", "--apply_chat_template"),
            *("--gen_kwargs", "do_sample=False,temperature=0.0"),
        ],
        folder / "results",
        data[0],
    )
    return folder / "results", printed


def samples(output: Path, pattern: str) -> dict[str, Mapping[str, Any]]:
    (file,) = output.rglob(pattern)
    found = [json.loads(line) for line in file.read_text().splitlines()]
    return {sample["medqdeg"]["item_id"]: sample for sample in found}


def test_both_harnesses_get_the_same_letters(
    data: tuple[Path, int], checkpoint: Path, lm_run: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDQDEG_DATA", str(data[0]))
    lmms_run = lmms_eval_simple_evaluate(
        model="llava_hf",
        model_args=f"pretrained={checkpoint},device=cpu,device_map=cpu",
        tasks=["medqdeg"],
        task_manager=LmmsTaskManager(include_path=str(TASKS_FOLDER), include_defaults=False),
        repeats=TRIALS,
        gen_kwargs="temperature=0",
        bootstrap_iters=0,
        log_samples=True,
    )
    compared, letters = 0, set()
    for level in LEVELS:
        theirs = {sample["medqdeg"]["item_id"]: sample for sample in lmms_run["samples"][f"medqdeg_{level}"]}
        ours = samples(lm_run[0], f"samples_medqdeg_{level}_*.jsonl")
        assert ours.keys() == theirs.keys()
        for item_id, sample in ours.items():
            assert sample["medqdeg"] == theirs[item_id]["medqdeg"]
            assert [reply.strip() for reply in sample["filtered_resps"][0]] == theirs[item_id]["filtered_resps"][0]
            assert len(sample["medqdeg"]["letters"]) == TRIALS
            letters |= set(sample["medqdeg"]["letters"])
        compared += len(ours)
    assert compared == data[1]
    assert len(letters - {"unread", "missing"}) >= 3


def test_files_of_lm_eval_can_be_analysed(data: tuple[Path, int], checkpoint: Path, lm_run: tuple[Path, str]) -> None:
    output, printed = lm_run
    rows = [line for line in printed.splitlines() if line.startswith("|")]  # above them stand paths
    assert max(map(len, rows)) < 200, "the level's summary is printed"
    (row, *_) = (line for line in printed.splitlines() if "|medqdeg " in line.replace("| ", "|") and "votes" in line)
    assert "see the results file" in row.replace("'", "").replace(":", "")
    assert "{}" not in printed
    (results_file,) = output.rglob("results_*.json")
    results = json.loads(results_file.read_text())["results"]
    (run,) = (collection := read_runs([output])).runs
    assert collection.warnings == ()
    assert collection.other_results == ()
    assert (run.name, run.integration, run.family) == ("checkpoint", "hf-multimodal", "medqdeg")
    assert (run.model, run.model_args) == (str(checkpoint), f"pretrained={checkpoint}")
    assert (run.levels, len(run.records)) == (("L0", "L1", "L2"), data[1])
    assert run.conditions["prompt"].startswith("{{ question }}")
    assert run.conditions["versions"]["lm-eval"] == version("lm-eval")
    assert run.conditions["gen_kwargs"] == {"do_sample": False, "temperature": 0.0}
    figures = analyse(collection, replicates=100).tables["figures"]
    for row in figures[figures.axis == "overall"].itertuples():
        scores = results[f"medqdeg_{row.level.lower()}"]
        if f"{row.figure},votes" in scores:
            stated = scores[f"{row.figure},votes"]  # greedy votes do not vary: no agreement gap in either
            expected = math.nan if stated is None else stated
            assert row.estimate == pytest.approx(expected, abs=1e-9, nan_ok=True)
            assert scores["medqdeg,votes"]["overall"][row.figure] == pytest.approx(stated, abs=1e-9)
    for path in output.rglob("*medqdeg_l1*"):
        (alone,) = read_runs([path]).runs
        assert (alone.levels, alone.model) == (("L1",), str(checkpoint))
    assert read_runs([results_file]).runs[0].levels == ("L0", "L1", "L2")


@pytest.mark.slow
def test_the_shipped_folder_samples_ten_votes(data: tuple[Path, int], checkpoint: Path, tmp_path: Path) -> None:
    """The line of docs/wrapping.md, as it stands there."""
    folder = subprocess.run(
        [sys.executable, "-c", "from medqdeg.utils.command_line import main; main()", "lm-eval-path"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    run(
        [
            *("-m", "lm_eval", "--model", "hf-multimodal", "--tasks", "medqdeg_l2", "--include_path", folder),
            *("--model_args", f"pretrained={checkpoint}", "--device", "cpu", "--apply_chat_template"),
        ],
        tmp_path / "results",
        data[0],
    )
    (run_read,) = read_runs([tmp_path / "results"]).runs
    assert {len(record["letters"]) for record in run_read.records} == {10}
    assert any(len(set(record["letters"])) > 1 for record in run_read.records)
    assert len(run_read.records) == data[1] / 3
