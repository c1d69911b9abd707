"""The page of tasks that can be wrapped: it is what the command prints for the lmms-eval that is installed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import pytest

pytest.importorskip("lmms_eval", reason="lmms-eval is not installed")

from lmms_eval.api.task import TaskConfig

from medqdeg.utils.wrapping.catalogue import Listed, as_markdown, list_tasks
from medqdeg.utils.wrapping.generate import WrapOptions, write_wrapped_task
from medqdeg.utils.wrapping.hooks import RECORD
from medqdeg.utils.wrapping.original import all_entries, load_config
from medqdeg.utils.wrapping.wrappable import MISSING_PACKAGE, refusal


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs/wrappable_tasks.md").read_text()


def wrappable(page: str) -> Mapping[str, str]:
    """Return task -> folder."""
    rows = re.findall(r"^\| (\S+) \| ([^|]+) \|$", page.partition("| the others |")[0], re.MULTILINE)
    return {task: folder for folder, tasks in rows for task in tasks.split(", ") if folder != "folder"}


def others(page: str) -> Mapping[str, str]:
    """Return task -> kind of refusal, of the examples."""
    rows = re.findall(r"^\| ([^|]+) \| \d+ \| ([^|]+) \|$", page, re.MULTILINE)
    return {task: kind for kind, tasks in rows for task in tasks.split(", ")}


def test_the_page_is_of_the_installed_version(page: str) -> None:
    can, total, written_for = re.search(r"^(\d+) of the (\d+) tasks of lmms-eval (\S+),", page, re.MULTILINE).groups()
    assert written_for == version("lmms-eval"), "make it anew: medqdeg wrap --list --markdown"
    assert len(wrappable(page)) == int(can)
    refused = sum(map(int, re.findall(r"^\| [^|]+ \| (\d+) \| [^|]+ \|$", page, re.MULTILINE)))
    assert int(can) + refused == int(total)


def test_a_sample_of_the_page_is_what_the_command_says(page: str) -> None:
    can, cannot = wrappable(page), others(page)
    sample = [*sorted(can)[::12], *cannot]
    listed = {task.name: task for task in list_tasks(sample)}
    assert listed.keys() == set(sample)
    compared = 0
    for name, task in listed.items():
        # These two depend on what else is installed and on the network.
        if any(
            (task.reason or cannot.get(name, "")).startswith(kind) for kind in (MISSING_PACKAGE, "its file cannot be")
        ):
            continue
        assert task.reason is None if name in can else str(task.reason).startswith(cannot[name])
        compared += 1
    assert compared > 0.7 * len(sample)


def test_the_page_of_three_tasks() -> None:
    listed = [
        Listed("one", "alpha", None),
        Listed("two", "beta", f"{MISSING_PACKAGE} (spacy)"),
        Listed("three", "beta", "it is judged by another model or service (gpt_eval)"),
    ]
    page = as_markdown(listed, {"lmms-eval": "9.9"})
    assert "1 of the 3 tasks of lmms-eval 9.9" in page
    assert wrappable(page) == {"one": "alpha"}
    assert others(page) == {"two": MISSING_PACKAGE, "three": "it is judged by another model or service"}
    assert page.endswith("need them: spacy (1).\n")


def test_what_the_page_lists_is_wrapped_into_files_that_load(page: str, tmp_path: Path) -> None:
    entries = all_entries()
    wrapped = 0
    for name in sorted(wrappable(page))[::12]:
        if refusal(entries[name]) is not None:  # needs a package that is not here
            continue
        (task,) = write_wrapped_task(entries[name], WrapOptions(levels=("L1",)), tmp_path / name)
        (file,) = (tmp_path / name).glob("*.yaml")
        config = TaskConfig(**load_config(file))
        assert (config.task, config.repeats) == (task, 10)
        assert config.metric_list[-1]["metric"] == RECORD
        wrapped += 1
    assert wrapped > 20
