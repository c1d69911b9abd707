"""`medqdeg lm-eval-path`: the folder of the task files for EleutherAI's lm-eval."""

from __future__ import annotations


def lm_eval_path() -> None:
    """Print the folder of the lm-eval tasks, for lm_eval --include_path."""
    from ...tasks import LM_EVAL_TASKS_FOLDER

    print(LM_EVAL_TASKS_FOLDER)
