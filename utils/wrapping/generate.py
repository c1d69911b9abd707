"""Write the files of a wrapped task: one YAML file and one small module per level, and a group over the levels."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from ...degradations import get, largest_severity, list_degradations
from ...degradations.vocabulary import check_modality
from ..base.atomic_files import write_atomically
from ..base.errors import InputError
from ..dataset.taxonomy import LEVELS, severity_of
from .hooks import WrapSettings
from .images import general_degradations
from .original import TaskEntry, load_config, metric_names, score_metrics
from .votes import RECORD
from .wrappable import refusal

_SAMPLING = {"do_sample": True, "temperature": 1.0, "top_p": 1.0}
_DECODING = ("do_sample", "temperature", "top_p", "top_k", "num_beams")


@dataclass(frozen=True)
class WrapOptions:
    """How to wrap a task.

    Attributes:
        levels: of "L0", "L1" and "L2", and labels of a series such as "S1.50".
        degradations: by name; empty for those that apply to any image, or with `modality` or `by_item` to a modality.
        by_item: take each item's own modality from its columns.
        modality: of all items, or None.
        trials: T; at 1 the task's own decoding stays.
        score: the task's metric that says whether a reply is right; None takes the first that an item has.
        k: number of possible short answers, or None.
        reference_size: as in `medqdeg.degradations.degrade`.
    """

    levels: tuple[str, ...] = LEVELS
    degradations: tuple[str, ...] = ()
    by_item: bool = False
    modality: str | None = None
    trials: int = 10
    score: str | None = None
    k: int | None = None
    reference_size: float | None = None


def write_wrapped_task(entry: TaskEntry, options: WrapOptions, folder: Path) -> list[str]:
    """Write the files and return the names of the wrapped tasks, the group (if several levels) first.

    The files name the original's file by its path on this machine and take everything from it when they are loaded,
    so a change there reaches them. Existing files of the same names are replaced.

    Raises:
        InputError: the task cannot be wrapped, or an option cannot be met. Nothing is written.
    """
    if reason := refusal(entry):
        raise InputError(f"{entry.name} cannot be wrapped: {reason}")
    assert entry.path is not None
    config = load_config(entry.path)
    degradations, modality = _degradations(options)
    _check_reach(options.levels, degradations, modality)
    scores = _scores(entry.name, config, options.score)
    files: dict[str, str] = {}
    names = []
    for level in options.levels:
        name = f"{entry.name}_medqdeg_{level.lower().replace('.', '_')}"
        module = _stem(name)
        settings = WrapSettings(
            task=entry.name,
            path=str(entry.path.resolve()),
            level=level,
            degradations=degradations,
            modality=modality,
            scores=scores,
            k=options.k,
            reference_size=options.reference_size,
        )
        files[f"{module}.py"] = _module(name, settings)
        files[f"{module}.yaml"] = _task_file(name, module, config, settings, options.trials)
        names.append(name)
    if len(names) > 1:
        group = f"{entry.name}_medqdeg"
        files[f"{_stem(group)}.yaml"] = _group_file(group, names, config, options.levels)
        names.insert(0, group)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            write_atomically(folder / file, text.encode())
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror or error})") from None
    return names


def _stem(name: str) -> str:
    """Return a task's name as a file's: a dot would part a module from its function."""
    return re.sub(r"\W", "_", name)


def _degradations(options: WrapOptions) -> tuple[tuple[str, ...], str | None]:
    try:
        modality = check_modality(options.modality)
        if options.degradations:
            return tuple(dict.fromkeys(get(name).name for name in options.degradations)), modality
    except ValueError as error:
        raise InputError(str(error)) from None
    if options.by_item:
        return (), modality
    return tuple(list_degradations(modality) if modality else general_degradations()), modality


def _check_reach(levels: Sequence[str], degradations: Sequence[str], modality: str | None) -> None:
    """Refuse a severity that none of the degradations reaches."""
    names = degradations or list_degradations(modality)
    furthest = max(largest_severity(name, modality) for name in names)
    if beyond := [level for level in levels if level not in LEVELS and severity_of(level) > furthest]:
        raise InputError(f"--severities: the degradations end at {furthest:g}, before {severity_of(beyond[0]):g}")


def _scores(task: str, config: dict[str, Any], wanted: str | None) -> tuple[str, ...]:
    if wanted is None:
        return tuple(score_metrics(config))
    names = metric_names(config)
    if wanted not in names:
        raise InputError(f"--score {wanted}: {task} has no such metric; it has {', '.join(names)}")
    return (wanted,)


class _Function(str):
    """A dotted name that the file holds as `!function NAME`."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(_Function, lambda dumper, name: dumper.represent_scalar("!function", str(name)))


def _yaml(content: dict[str, Any], heading: str) -> str:
    return f"# {heading}\n" + yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def _module(name: str, settings: WrapSettings) -> str:
    values = "".join(f"    {field.name}={getattr(settings, field.name)!r},\n" for field in fields(settings))
    return (
        f'"""The functions of {name}, written by `medqdeg wrap`."""\n\n'
        "from medqdeg.utils.wrapping.hooks import WrapSettings, wrapped_task\n\n"
        f"_task = wrapped_task(WrapSettings(\n{values}))\n\n\n"
        "def __getattr__(name):\n"
        '    if name.startswith("__"):\n'
        "        raise AttributeError(name)\n"
        "    return getattr(_task, name)\n"
    )


def _task_file(name: str, module: str, config: dict[str, Any], settings: WrapSettings, trials: int) -> str:
    def ours(function: str) -> _Function:
        return _Function(f"{module}.{function}")

    content: dict[str, Any] = {"include": settings.path, "task": name}
    content |= {key: [] for key in ("tag", "group") if config.get(key) is not None}
    content["process_docs"] = ours("process_docs")
    for key in ("doc_to_text", "doc_to_target", "doc_to_messages"):
        if callable(config.get(key)):
            content[key] = ours(key)
    if config.get("doc_to_visual") is not None:
        content["doc_to_visual"] = ours("doc_to_visual")
    content["process_results"] = ours("process_results")
    content["repeats"] = trials
    if trials > 1:
        own = config.get("generation_kwargs") or {"until": ["\n\n"]}
        content["generation_kwargs"] = _without_decoding(own) | _SAMPLING
        if by_model := config.get("model_specific_generation_kwargs"):
            # lmms-eval lays them over the others, so a temperature of theirs would win.
            content["model_specific_generation_kwargs"] = {
                model: _without_decoding(kwargs) for model, kwargs in by_model.items()
            }
    described = config.get("filter_list") or [{"name": "none"}]
    content["filter_list"] = [
        {"name": entry["name"], "filter": [{"function": ours(f"filter_{number}")}]}
        for number, entry in enumerate(described)
    ]
    content["metric_list"] = [*_own_metrics(config, ours), *_our_metrics(ours)]
    return _yaml(content, f"{settings.task} at {settings.level}, written by `medqdeg wrap`.")


def _without_decoding(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in kwargs.items() if key not in _DECODING}


def _our_metrics(ours: Callable[[str], _Function]) -> list[dict[str, Any]]:
    mean = ours("mean_score")
    return [
        {"metric": "votes_accuracy", "aggregation": mean, "higher_is_better": True},
        {"metric": "votes_confidence", "aggregation": mean, "higher_is_better": None},
        {"metric": "votes_calibration_shift", "aggregation": mean, "higher_is_better": None},
        {"metric": RECORD, "aggregation": ours("summarise_level"), "higher_is_better": None},
    ]


def _own_metrics(config: dict[str, Any], ours: Callable[[str], _Function]) -> list[dict[str, Any]]:
    if config.get("metric_list") is None:
        return [{"metric": name} for name in metric_names(config)]
    entries = []
    for number, (name, metric) in enumerate(zip(metric_names(config), config["metric_list"], strict=True)):
        entry: dict[str, Any] = {"metric": name}
        if "aggregation" in metric:
            named = metric["aggregation"]
            entry["aggregation"] = ours(f"aggregation_{number}") if callable(named) else named
        if "higher_is_better" in metric:
            entry["higher_is_better"] = metric["higher_is_better"]
        entries.append(entry)
    return entries


def _group_file(group: str, names: Sequence[str], config: dict[str, Any], levels: Sequence[str]) -> str:
    module = _stem(names[0])  # any level's has them
    filter_name = (config.get("filter_list") or [{"name": "none"}])[0]["name"]
    metrics = []
    if tuple(levels) == LEVELS:
        across = _Function(f"{module}.across_levels")
        metrics += [
            {"metric": f"votes_{name}", "aggregation": across, "filter_list": filter_name}
            for name in ("accuracy", "confidence", "calibration_shift")
        ]
    compare = _Function(f"{module}.compare_levels")
    metrics.append({"metric": RECORD, "aggregation": compare, "filter_list": filter_name})
    content = {"group": group, "task": list(names), "aggregate_metric_list": metrics, "metadata": {"version": 1.0}}
    return _yaml(content, "Written by `medqdeg wrap`.")
