"""`medqdeg lm-eval-path`: where the task files of EleutherAI's lm-eval lie."""

from __future__ import annotations


def lm_eval_path() -> None:
    """Print the folder of the lm-eval tasks, for lm_eval --include_path."""
    from ...tasks import LM_EVAL_TASKS_FOLDER

    print(LM_EVAL_TASKS_FOLDER)
