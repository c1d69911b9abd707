"""Exit status 1 for failed runs: lmms-eval's command line prints the exception and ends with status 0.

It catches every `Exception` of a run, calls `traceback.print_exc()` and goes on; its tracker of results likewise only
remarks that a file could not be written. `SystemExit` passes through both.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import json
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from ..utils.base.errors import one_line
from ..utils.base.harness import hint_without_a_gpu
from ..utils.base.suggestions import did_you_mean

COMMAND_LINE = "lmms_eval.__main__"
_HOOKS = (f"{__package__}.hooks", f"{__package__.rpartition('.')[0]}.utils.wrapping.hooks")
_NAME = "medqdeg"


def leave_with_status_1(known_tasks: Callable[[], Sequence[str]] = tuple) -> None:
    """Make a run of ours that ends without results in lmms-eval's command line end with status 1 and one line.

    Outside that command line nothing is changed: a program that calls lmms-eval gets its exceptions. Call it once the
    command line is imported as a whole; safe to call more than once.

    Args:
        known_tasks: gives the names of the tasks there are, to suggest one for a misspelt name.
    """
    module = sys.modules.get(COMMAND_LINE)
    if module is None or not hasattr(module, "cli_evaluate") or isinstance(module.traceback, _Traceback):
        return
    module.traceback = _Traceback(known_tasks)  # type: ignore[attr-defined]
    tracker = module.EvaluationTracker
    tracker.save_results_aggregated = _checked(tracker.save_results_aggregated, _results_problem)
    tracker.save_results_samples = _checked(tracker.save_results_samples, _samples_problem)


def command_line_arguments() -> argparse.Namespace | None:
    """Return the arguments that lmms-eval's command line was called with, None where it was not, or otherwise.

    `repeats` is None where it was not given; lmms-eval itself cannot tell that from 1.
    """
    module = sys.modules.get(COMMAND_LINE)
    if module is None or not hasattr(module, "cli_evaluate"):
        return None
    with contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(SystemExit, Exception):
        parser, _ = module.parse_eval_args()
        parser.set_defaults(repeats=None)
        arguments: argparse.Namespace = parser.parse_args()
        return arguments
    return None


def is_ours() -> bool:
    """Return whether lmms-eval's command line was asked for our tasks or our wrapper model, or has loaded them."""
    arguments = command_line_arguments()
    asked = f"{arguments.model},{arguments.tasks}" if arguments else ""
    if arguments and arguments.config:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            asked += Path(arguments.config).read_text(encoding="utf-8")
    return _NAME in asked or any(name in sys.modules for name in _HOOKS)


class _Traceback(ModuleType):
    """Stands where lmms-eval's command line has the module `traceback`."""

    def __init__(self, known_tasks: Callable[[], Sequence[str]]) -> None:
        super().__init__(traceback.__name__)
        self._known_tasks = known_tasks

    def __getattr__(self, name: str) -> Any:
        return getattr(traceback, name)

    def print_exc(self, *arguments: Any, **options: Any) -> None:
        error = sys.exc_info()[1]
        if not is_ours():
            traceback.print_exc(*arguments, **options)
            return
        arguments_given = command_line_arguments()
        unknown = _unknown_tasks(str(error), arguments_given.tasks if arguments_given else None)
        if unknown:
            hint = did_you_mean(unknown, self._known_tasks(), most=3) or "lmms-eval --tasks list shows all"
            raise SystemExit(f"medqdeg: there is no task {unknown}; {hint.strip()}") from None
        traceback.print_exc(*arguments, **options)
        why = f"{type(error).__name__}: {one_line(error)}"
        raise SystemExit(f"medqdeg: the run ended without results ({why}){hint_without_a_gpu(error)}") from None


def _unknown_tasks(message: str, asked: str | None) -> str | None:
    """The first of the tasks asked for that lmms-eval says it does not know."""
    if not message.startswith("Tasks not found: "):
        return None
    missing = message.removeprefix("Tasks not found: ").partition(". ")[0].split(", ")
    return next((name for name in (asked or "").split(",") if name in missing), missing[0])


def _checked(save: Callable[..., None], problem: Callable[..., str | None]) -> Callable[..., None]:
    @functools.wraps(save)
    def checked(self: Any, *arguments: Any, **options: Any) -> None:
        save(self, *arguments, **options)
        if self.output_path and is_ours() and (why := problem(self, *arguments, **options)):
            raise SystemExit(f"medqdeg: {why}: is the folder writable, and the disk not full?")

    return checked


def _folder(tracker: Any) -> Path:
    model: str = tracker.general_config_tracker.model_name_sanitized
    return Path(tracker.output_path) / model


def _results_problem(tracker: Any, *_: Any, **__: Any) -> str | None:
    path = _folder(tracker) / f"{getattr(tracker, 'date_id', '')}_results.json"
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return f"the results could not be written to {path.parent}"
    return None


def _samples_problem(
    tracker: Any, task_name: str = "", samples: Sequence[Mapping[str, Any]] = (), **_: Any
) -> str | None:
    path = _folder(tracker) / f"{getattr(tracker, 'date_id', '')}_samples_{task_name}.jsonl"
    try:
        with path.open("rb") as file:
            written = sum(1 for line in file if line.endswith(b"\n"))
    except OSError:
        written = 0
    return None if written >= len(samples) else f"the samples could not be written to {path.parent}"
