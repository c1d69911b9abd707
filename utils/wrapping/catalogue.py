"""Which of lmms-eval's tasks can be wrapped."""

from __future__ import annotations

import contextlib
import io
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .original import TaskEntry, all_entries
from .wrappable import MISSING_PACKAGE, refusal


@dataclass(frozen=True)
class Listed:
    """A task, the folder of its file, and why it cannot be wrapped (None if it can)."""

    name: str
    folder: str
    reason: str | None


def list_tasks(
    names: Sequence[str] | None = None,
    include_path: Path | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Listed]:
    """Load every task's file, without data and without the network, and say whether it can be wrapped.

    Args:
        names: of tasks; None takes all of them. Groups and tags are left out: they are their members.
        include_path: one's own folder of tasks.
        on_progress: called with how many of how many are done.
    """
    # Some files would fetch something at import; without the network they are refused with the reason. Others ask for
    # the cache's folder, which few people name.
    for variable in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"):
        os.environ.setdefault(variable, "1")
    os.environ.setdefault("HF_HOME", str(Path.home() / ".cache/huggingface"))
    entries = all_entries(include_path)
    wanted = [
        entry
        for name, entry in entries.items()
        if entry.kind in ("task", "python_task") and not _ours(entry) and (names is None or name in names)
    ]
    listed = []
    for number, entry in enumerate(wanted, 1):
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            reason = refusal(entry)
        listed.append(Listed(entry.name, entry.path.parent.name if entry.path else "", reason))
        if on_progress:
            on_progress(number, len(wanted))
    return listed


def _ours(entry: TaskEntry) -> bool:
    return entry.name.startswith("medqdeg")


def as_markdown(listed: Sequence[Listed], versions: Mapping[str, str]) -> str:
    """Return the list as a page: a table of folders, the reasons of the others, the packages that were missing."""
    can = [task for task in listed if task.reason is None]
    cannot = [task for task in listed if task.reason is not None]
    lines = [
        "# Which tasks of lmms-eval can be wrapped",
        "",
        f"{len(can)} of the {len(listed)} tasks of lmms-eval {versions['lmms-eval']}, by their files and their code "
        "alone. Made by `medqdeg wrap --list --markdown`; [what wrapping is](wrapping.md).",
        "",
        "| folder | tasks that can be wrapped |",
        "|---|---|",
    ]
    for folder in sorted({task.folder for task in can}):
        lines.append(f"| {folder} | {', '.join(task.name for task in can if task.folder == folder)} |")
    lines += ["", "| the others | tasks | for example |", "|---|---:|---|"]
    for kind, count in Counter(_kind(task) for task in cannot).most_common():
        examples = [task.name for task in cannot if _kind(task) == kind][:4]
        lines.append(f"| {kind} | {count} | {', '.join(examples)} |")
    if packages := Counter(_detail(task) for task in cannot if _kind(task) == MISSING_PACKAGE):
        named = (f"{package} ({count})" for package, count in packages.most_common())
        lines += ["", f"Packages that were missing, with the tasks that need them: {', '.join(named)}."]
    return "\n".join(lines) + "\n"


def _kind(task: Listed) -> str:
    """Return the reason without what is in brackets, which differs from task to task."""
    return (task.reason or "").partition(" (")[0]


def _detail(task: Listed) -> str:
    return (task.reason or "").partition(" (")[2].removesuffix(")")
