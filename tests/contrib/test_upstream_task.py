"""The files for lmms-eval's own tree against this package: same prompt, letters and figures."""

from __future__ import annotations

import ast
import csv
import json
import os
import random
import shutil
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from medqdeg.tasks.prompts import prompt
from medqdeg.utils.dataset.loading import load_level
from medqdeg.utils.scoring.answers import read_answer
from medqdeg.utils.scoring.confidence import UNREAD
from medqdeg.utils.scoring.records import score_item

from ..conftest import SHARED

CASES = Path(__file__).parents[1] / "utils" / "scoring" / "answers" / "held_out_cases.yaml"


def rows_by_item(folder: Path) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    """Every row of a data set as upstream's task gets it, and as ours does."""
    csv.field_size_limit(2**27)
    ours = {(level, doc["item_id"]): doc for level in ("L0", "L1", "L2") for doc in undecoded(level)}
    for kind in ("good", "simulate"):
        with (folder / f"MedQ-Robust-{kind}-test.tsv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                level = "L" + (row["degradation_severity"].strip("L") or "0")
                yield row, ours.pop((level, row["index"]))
    assert not ours


def undecoded(level: str) -> list[dict[str, Any]]:
    return list(load_level("test", level).remove_columns("images"))


def check_items(upstream: ModuleType, folder: Path, instruction: dict[str, Any]) -> int:
    rng = random.Random(3)
    count = 0
    for row, doc in rows_by_item(folder):
        options = upstream.medqdeg_options(row)
        assert options == dict(zip(doc["letters"], doc["options"], strict=True))
        assert upstream.medqdeg_doc_to_text(row, instruction) == prompt(doc)
        replies = [f"{rng.choice([*options, 'no idea '])}." for _ in range(10)]
        if count % 5 == 0:
            replies[3] = "[LMMS_EVAL_REQUEST_FAILED] timeout"
        found, expected = upstream.medqdeg_process_results(row, replies), score_item(doc, replies)
        votes = [letter for letter in expected["letters"] if letter != "missing"]
        assert [letter or UNREAD for letter in found["medqdeg_accuracy"]["votes"]] == votes
        for name in ("accuracy", "confidence", "calibration_shift", "unread_rate"):
            assert found[f"medqdeg_{name}"]["score"] == pytest.approx(expected[name], abs=1e-12)  # type: ignore[literal-required]
        count += 1
    return count


@pytest.fixture(scope="module")
def instruction(task_folder: Path) -> dict[str, Any]:
    text = (task_folder / "_default_template_yaml").read_text(encoding="utf-8").replace("!function ", "")
    return yaml.safe_load(text)["lmms_eval_specific_kwargs"]["default"]


def test_prompt_options_votes_and_figures_are_ours(
    upstream: ModuleType, small_dataset: Path, instruction: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDQDEG_DATA", str(small_dataset))
    assert check_items(upstream, small_dataset, instruction) == 36


def test_the_same_on_the_reference_files(
    upstream: ModuleType, reference: Path, instruction: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDQDEG_DATA", str(reference))
    assert check_items(upstream, reference, instruction) == 57


def test_letters_of_the_shared_replies(upstream: ModuleType, task_folder: Path) -> None:
    path = SHARED / "replies.jsonl"
    if not path.is_file():
        pytest.skip(f"the shared replies are not at {path}")
    entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    pairs = []
    for entry in entries:
        options = dict(zip(string.ascii_uppercase, entry["options"], strict=False))
        pairs.append((upstream.read_letter(entry["reply"], options), read_answer(entry["reply"], options)))
    same = sum(theirs == ours for theirs, ours in pairs)
    assert same >= 0.9 * len(pairs)
    assert f"on {same} of {len(pairs)} replies" in (task_folder.parent / "README.md").read_text(encoding="utf-8")
    assert [pair for pair in pairs if pair[0] and pair[0] != pair[1]] == []


def test_letters_of_replies_that_it_was_not_made_with(upstream: ModuleType) -> None:
    data = yaml.safe_load(CASES.read_text(encoding="utf-8"))
    pairs = []
    for case in data["cases"]:
        options = data["options"][case["options"]]
        pairs.append((upstream.read_letter(case["reply"], options), read_answer(case["reply"], options)))
    assert len(pairs) >= 150
    assert sum(theirs == ours for theirs, ours in pairs) >= 0.75 * len(pairs)
    assert sum(theirs not in (None, ours) for theirs, ours in pairs) <= 0.02 * len(pairs)


def test_images_are_the_dataset_s(upstream: ModuleType, small_dataset: Path) -> None:
    with (small_dataset / "MedQ-Robust-good-test.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [len(upstream.medqdeg_doc_to_visual(row)) for row in rows[:3]] == [2, 1, 1]
    (message,) = upstream.medqdeg_doc_to_messages(rows[0])
    assert [part["type"] for part in message["content"]] == ["image", "image", "text"]


def test_it_stands_alone_and_is_short(task_folder: Path) -> None:
    text = (task_folder / "utils.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 300
    imported = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert not any(name.startswith("medqdeg") for name in imported)


def test_its_own_tests_pass(task_folder: Path, tmp_path: Path) -> None:
    package = tmp_path / "lmms_eval" / "tasks"
    shutil.copytree(task_folder, package / "medqdeg", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in (package.parent, package, package / "medqdeg"):
        (folder / "__init__.py").touch()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(package / "medqdeg" / "tests")]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{done.stdout.split(' passed')[0].split()[-1]} tests" in (task_folder.parent / "README.md").read_text()
