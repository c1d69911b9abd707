"""lmms-eval finds the tasks from anywhere, and ours never stands in anybody's way."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import lmms_eval.tasks
import pytest
from lmms_eval.tasks import TaskManager

from medqdeg.tasks import TASKS_FOLDER, register, registration

NAMES = {
    *("medqdeg", "medqdeg_l0", "medqdeg_l1", "medqdeg_l2"),
    *("medqdeg_dev", "medqdeg_dev_l0", "medqdeg_dev_l1", "medqdeg_dev_l2"),
    *(
        f"{suite}{level}{way}"
        for suite in ("medqdeg", "medqdeg_phantom", "medqdeg_phantom_small")
        for way in ("_flag", "_abstain")
        for level in ("", "_l0", "_l1", "_l2", "_gone")
    ),
    *("medqdeg_gone", "medqdeg_phantom_gone", "medqdeg_phantom_small_gone"),
    *("medqdeg_verbalized", "medqdeg_l0_verbalized", "medqdeg_l1_verbalized", "medqdeg_l2_verbalized"),
}


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A working folder with modules of the user's own under our folders' names."""
    for name in ("utils", "degradations", "medqdeg_tasks"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a module of the working folder was imported')\n")
    return tmp_path


# What a program sees that imports lmms-eval: the tasks, and its exceptions as they were.
BY_LMMS_EVAL = """
import sys
import lmms_eval.evaluator as e
print(*e.TaskManager().all_tasks, sep='\\n')
from lmms_eval.loggers import EvaluationTracker
assert 'lmms_eval.__main__' not in sys.modules
assert not hasattr(EvaluationTracker.save_results_aggregated, '__wrapped__')
"""
# Nothing of the wrapper is imported before it is asked for.
BY_HAND = """
import sys
import medqdeg.tasks
assert medqdeg.tasks.register()[0].model_id == 'medqdeg'
assert 'medqdeg.utils.sampling.wrapper' not in sys.modules
from lmms_eval.tasks import TaskManager
print(*TaskManager().all_tasks, sep='\\n')
"""


@pytest.mark.parametrize(
    ("command", "whose"),
    [
        (["-m", "lmms_eval", "--tasks", "list"], "all"),
        (["-c", BY_LMMS_EVAL], "ours"),
        (["-c", BY_HAND], "ours"),
    ],
    ids=["command line", "evaluator", "register()"],
)
def test_tasks_are_listed_from_any_folder(command: list[str], whose: str, elsewhere: Path) -> None:
    environment = {**os.environ, **({"MEDQDEG_ONLY_OWN_TASKS": "1"} if whose == "ours" else {})}
    done = subprocess.run(
        [sys.executable, *command],
        env=environment,
        capture_output=True,
        text=True,
        cwd=elsewhere,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    listed = {line.strip(" -") for line in done.stdout.splitlines()}
    assert listed >= NAMES
    assert ("mmmu_val" in listed) == (whose == "all")


def test_other_people_s_names_win(tmp_path: Path) -> None:
    register()
    (tmp_path / "mine.yaml").write_text("task: medqdeg_l0\ndataset_path: json\n")
    manager = TaskManager(include_path=str(tmp_path))
    assert manager.task_index["medqdeg_l0"]["yaml_path"] == str(tmp_path / "mine.yaml")
    assert manager.task_index["medqdeg_l1"]["yaml_path"].startswith(str(TASKS_FOLDER))


def test_without_defaults_only_the_user_s_tasks(tmp_path: Path) -> None:
    register()
    (tmp_path / "mine.yaml").write_text("task: mine\ndataset_path: json\n")
    assert TaskManager(include_path=str(tmp_path), include_defaults=False).all_tasks == ["mine"]


def test_registering_twice_wraps_once() -> None:
    register()
    once = TaskManager.initialize_tasks
    register()
    assert TaskManager.initialize_tasks is once


def test_the_wrapper_model_is_known_by_name_in_both_forms() -> None:
    from lmms_eval.models import MODEL_REGISTRY_V2

    assert not MODEL_REGISTRY_V2.get_model_class("medqdeg").is_simple
    assert MODEL_REGISTRY_V2.get_model_class("medqdeg", force_simple=True).is_simple


def test_no_name_of_ours_is_lmms_eval_s_own() -> None:
    builtin = Path(lmms_eval.tasks.__file__).parent
    index = TaskManager(include_path=str(builtin), include_defaults=False).task_index
    assert not NAMES & set(index)


def test_another_lmms_eval_gets_one_warning_and_no_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    registration._warn_once.cache_clear()
    monkeypatch.delattr(lmms_eval.tasks, "TaskManager")
    with pytest.warns(UserWarning, match="use --include_path") as caught:
        register()
    assert str(TASKS_FOLDER) in str(caught[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        register()


def test_an_lmms_eval_without_manifests_gets_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lmms_eval.models.registry_v2", None)
    assert register() == []


def test_an_index_that_changed_its_ways_keeps_everybody_else_s_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    registration._warn_once.cache_clear()

    class Changed:
        _get_task_and_group = None

        def initialize_tasks(self, include_path: object = None, include_defaults: bool = True) -> dict[str, str]:
            return {"theirs": "kept"}

    monkeypatch.setattr(lmms_eval.tasks, "TaskManager", Changed)
    register()
    with pytest.warns(UserWarning, match="use --include_path"):
        assert Changed().initialize_tasks() == {"theirs": "kept"}
