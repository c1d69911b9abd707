"""`medqdeg lm-eval-path`: where the task files of EleutherAI's lm-eval lie."""

from __future__ import annotations

from importlib.resources import files


def lm_eval_path() -> None:
    """Print the folder of the lm-eval tasks, for lm_eval --include_path."""
    print(files("medqdeg.tasks.lm_eval"))
