"""lmms-eval tasks of MedQ-Deg: YAML with Jinja prompts, and the thin hooks that tie them to `medqdeg.utils`.

`register()` makes the tasks known to a `lmms_eval.tasks.TaskManager` that was imported on its own; lmms-eval's
command line and `lmms_eval.evaluator` do it by themselves.
"""

from .registration import LM_EVAL_TASKS_FOLDER, TASKS_FOLDER, register

__all__ = ["LM_EVAL_TASKS_FOLDER", "TASKS_FOLDER", "register"]
