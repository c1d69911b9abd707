"""How a run came about, as its files say: what a reader needs to judge it and to make it again.

Nothing here decides whether two runs compare; that is `conditions`.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from ...base.secrets import public_arguments, without_secrets

ORIGIN: tuple[str, ...] = (
    *("command", "command_from", "data_name", "data_revision", "weights", "message_form", "seed"),
    *("timezone", "parameters"),
)
"""What `stated_origin` may hold."""

RECORDED, REBUILT = "as it was typed", "put together from the results file"
"""Where a command is from."""

_OPTIONS = ("model", "model_args", "tasks", "limit", "gen_kwargs", "batch_size", "output_path")


def stated_origin(content: Mapping[str, Any], summary: Mapping[str, Any]) -> dict[str, str]:
    """Return what a results file says about how a task's run was made; what it does not say is absent.

    Args:
        content: of the results file.
        summary: what our aggregation wrote of the task.

    Returns:
        Some of `ORIGIN`, as texts without secrets.
    """
    recorded, sampling = _mapping(summary.get("origin")), _mapping(summary.get("sampling"))
    data, model = _mapping(recorded.get("data")), _mapping(sampling.get("model"))
    config = _mapping(content.get("config"))
    command = recorded.get("command")
    found = {
        "command": command or _rebuilt(content),
        "command_from": RECORDED if command else REBUILT,
        "data_name": data.get("name"),
        "data_revision": data.get("revision"),
        "weights": model.get("weights"),
        "message_form": sampling.get("form"),
        "seed": sampling.get("sampling_seed"),
        "timezone": _mapping(config.get("resolved_cli_args")).get("timezone"),
        "parameters": config.get("model_num_parameters"),
    }
    if not found["command"]:
        del found["command_from"]
    return {name: str(without_secrets(str(value))) for name, value in found.items() if value not in (None, "")}


def of_all_parts(parts: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return the origin of a run from those of its files, the first that is stated of each."""
    return {
        name: next(part[name] for part in parts if name in part) for name in ORIGIN if any(name in p for p in parts)
    }


def _rebuilt(content: Mapping[str, Any]) -> str:
    called = _mapping(_mapping(content.get("config")).get("resolved_cli_args"))
    if not called.get("tasks"):
        return ""
    options = [
        text
        for name in _OPTIONS
        if (value := called.get(name)) not in (None, "")
        for text in (f"--{name}", shlex.quote(public_arguments(str(value))))
    ]
    return " ".join(["python -m lmms_eval", *options, *(["--log_samples"] if called.get("log_samples") else [])])


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
