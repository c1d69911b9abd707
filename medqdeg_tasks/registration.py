"""How lmms-eval finds the tasks without a flag, and the wrapper model.

lmms-eval has no entry point for tasks, but one for models, which it reads before its command line builds a
`TaskManager`. Ours brings the wrapper model `medqdeg`; on the way it makes every `TaskManager` index our folder too.
The index is built when lmms-eval is imported as a whole and has done nothing yet: there a harness that cannot run is
named, and `exit_status` put in place.
"""

from __future__ import annotations

import functools
import os
import warnings
from pathlib import Path
from typing import Any

from ..utils.base.harness import INSTALL, harness_fault
from ..utils.base.log import logger
from .exit_status import command_line_arguments, is_ours, leave_with_status_1

TASKS_FOLDER = Path(__file__).resolve().parent / "lmms_eval"
"""The task files of lmms-eval."""

LM_EVAL_TASKS_FOLDER = TASKS_FOLDER.with_name("lm_eval")
"""Those of EleutherAI's lm-eval. Each harness indexes every YAML file below the folder that it is given, and both use
the same names of tasks with different keys, so neither folder may lie in the other."""

WRAPPER = "medqdeg"
"""Name of the wrapper model; see `medqdeg.utils.sampling`."""

ONLY_OURS = "MEDQDEG_ONLY_OWN_TASKS"
"""Environment variable: "1" leaves lmms-eval's own tasks out of the index, whose reading takes it four seconds."""

_MARK = "_medqdeg_tasks_added"


def register() -> list[Any]:
    """Make lmms-eval's `TaskManager` know the MedQ-Deg tasks; safe to call more than once.

    Returns:
        The wrapper model's manifest, as an entry point of the group `lmms_eval.models` does; empty where this lmms-eval
        has none.

    Warns:
        UserWarning: if this lmms-eval is built otherwise; it names the flag to use instead. Nothing is raised, since
            an exception here would make lmms-eval skip everybody's plugins.
    """
    try:
        from lmms_eval.tasks import TaskManager

        original = TaskManager.initialize_tasks
        if not getattr(original, _MARK, False):
            TaskManager._get_task_and_group  # the method that the wrapper relies on  # noqa: B018
            TaskManager.initialize_tasks = _with_our_tasks(original)
    except ModuleNotFoundError as error:
        if error.name != "lmms_eval":
            _warn(error)
        else:
            warnings.warn(f"MedQ-Deg's tasks need lmms-eval, which is not installed: {INSTALL}", stacklevel=2)
    except Exception as error:
        _warn(error)
    return _wrapper_model()


def _wrapper_model() -> list[Any]:
    """The manifest by name only: nothing of the wrapper is imported before it is asked for."""
    try:
        from lmms_eval.models.registry_v2 import ModelManifest

        module = f"{__package__.rpartition('.')[0]}.utils.sampling.wrapper"
        return [ModelManifest(WRAPPER, f"{module}.SimpleWrapper", f"{module}.ChatWrapper")]
    except Exception:
        return []


def _with_our_tasks(original: Any) -> Any:
    @functools.wraps(original)
    def initialize_tasks(
        self: Any, include_path: Any = None, include_defaults: bool = True, *args: Any, **kwargs: Any
    ) -> Any:
        _before_a_run(self)
        if include_defaults and os.environ.get(ONLY_OURS) == "1":
            return {**self._get_task_and_group(str(TASKS_FOLDER)), **original(self, include_path, False)}
        index = original(self, include_path, include_defaults, *args, **kwargs)
        if not include_defaults:
            return index
        try:
            # Ours come first: a name that lmms-eval or the user's own folder has already stays theirs.
            return {**self._get_task_and_group(str(TASKS_FOLDER)), **index}
        except Exception as error:
            _warn(error)
            return index

    setattr(initialize_tasks, _MARK, True)
    return initialize_tasks


def _before_a_run(manager: Any) -> None:
    """Warn of what would spoil a run before the run costs anything.

    Raises:
        SystemExit: lmms-eval's command line was asked for ours, and an installed package keeps it from running.
    """
    fault = harness_fault()
    if fault and is_ours():
        raise SystemExit(f"medqdeg: {fault}")
    if fault:
        warnings.warn(fault, stacklevel=4)
    leave_with_status_1(lambda: manager.all_tasks)
    arguments = command_line_arguments()
    if arguments and arguments.repeats == 1 and is_ours():
        logger.warning(
            "medqdeg: --repeats 1 is what lmms-eval assumes without the flag and changes nothing: "
            "T stays as in the task file (10 for the votes). --repeats 2 and more change it"
        )


@functools.cache
def _warn_once(reason: str) -> None:
    warnings.warn(
        f"MedQ-Deg could not add its tasks to lmms-eval by itself ({reason}); use --include_path {TASKS_FOLDER}",
        stacklevel=3,
    )


def _warn(error: Exception) -> None:
    _warn_once(f"{type(error).__name__}: {error}")
