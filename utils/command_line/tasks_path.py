"""`medqdeg tasks-path`: the folder of the task files, for harness commands that do not find them by themselves."""

from __future__ import annotations


def tasks_path() -> None:
    """Print the folder of the lmms-eval tasks, for --include_path."""
    from ...tasks import TASKS_FOLDER

    print(TASKS_FOLDER)
