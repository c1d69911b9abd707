"""From paths to runs: find the files, put together what belongs together, and say in one line each what is amiss."""

from __future__ import annotations

import gc
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...base.errors import InputError
from ...base.secrets import arguments_by_name, public_argument, public_arguments, without_secrets
from ...base.wrong_folders import what_it_is
from ...dataset.taxonomy import GONE, LEVELS
from ...scoring.level_summary import run_conditions
from .answer_files import is_answer_file, read_answer_files
from .conditions import of_all_parts, stated_conditions
from .files import RECORD, Samples, file_date, read_results, read_samples, results_date, samples_name
from .model_names import spoken_name
from .origin import of_all_parts as origin_of_all_parts
from .origin import stated_origin
from .run import Collection, OtherResult, Run
from .wrapped import LOG_T, WRAPPED_RECORD

# What records of schema 1 lack, as records of votes have it.
_ADDED_LATER = {
    **{"elicitation": "votes", "stated": None, "stated_missing": 0, "stated_out_of_range": 0},
    **{"probabilities": None, "letter_mass": None, "invalid": False},
}
_LEVEL_IN_TASK = re.compile(r"_(?:l[012]|gone|s\d+_\d+)(?=_|$)", re.IGNORECASE)


@dataclass
class _Part:
    """The records of one samples file that were elicited alike, with what its results file says."""

    model: str
    integration: str
    model_args: str
    family: str
    elicitation: str
    date: str
    records: tuple[Mapping[str, Any], ...]
    stated: dict[str, Any]
    warnings: list[str]
    origin: dict[str, str] = field(default_factory=dict)
    paths: list[Path] = field(default_factory=list)

    @property
    def items(self) -> set[tuple[str, str]]:
        return {(record["level"], record["item_id"]) for record in self.records}


def read_runs(paths: Iterable[Path]) -> Collection:
    """Read every MedQ-Deg run under some files and folders.

    Samples files of the same model, model arguments, task family and elicitation make one run as long as they share no
    item: levels run one by one, parts of a level, the files of several ranks. Where they share items they are two runs.

    Args:
        paths: results files, samples files (with what lies beside them of the same date), and folders, searched to the
            bottom.

    Returns:
        The runs by date, with one line for each thing that is amiss.

    Raises:
        InputError: for a path that does not exist, or where no run is found; the reason follows.
    """
    paths = list(paths)
    results_files, samples_files, answer_files = _find(paths)
    results: dict[tuple[Path, str], dict[str, Any]] = {}
    files: dict[tuple[Path, str], Path] = {}
    warnings: list[str] = []
    for path in results_files:
        content, lines = read_results(path)
        warnings += lines
        if content is not None:
            key = (path.parent, str(results_date(path)))
            results[key], files[key] = content, path
    parts: list[_Part] = []
    sampled: dict[tuple[Path, str], set[str]] = defaultdict(set)
    for path in samples_files:
        with _collector_held():
            samples = read_samples(path)
        if isinstance(samples, str):
            warnings.append(samples)
        elif samples is not None:
            key = (path.parent, samples.date)
            sampled[key].add(samples.task)
            if samples.records:
                parts += _parts(samples, results.get(key), files.get(key))
            else:
                warnings += samples.warnings
    parts += [
        _Part(model_args="", elicitation=found.records[0]["elicitation"], **vars(found))
        for found in read_answer_files(answer_files, warnings)
    ]
    for key, content in results.items():
        for task in _our_tasks(content):
            if task not in sampled[key]:
                warnings.append(f"{files[key]}: no samples file of {task}, so nothing to analyse (use --log_samples)")
    runs = _named([_run(group) for group in _grouped(parts)], warnings)
    for run in runs:
        if not run.records:
            what = f"only items of the level {GONE}," if run.gone else "a series"
            warnings.append(f"{run.name}: {what} without its clean items; it is left out")
    runs = [run for run in runs if run.records]
    if not runs:
        raise InputError("; ".join(["no MedQ-Deg run found", *_instead(paths), *warnings[:3]]))
    others = tuple(other for key, content in results.items() for other in _other_results(content, files[key]))
    return Collection(tuple(runs), others, tuple(warnings))


@contextmanager
def _collector_held() -> Iterator[None]:
    """Hold Python's collector of cycles back: it would look through all records again and again, which have none."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _find(paths: Sequence[Path]) -> tuple[list[Path], list[Path], list[Path]]:
    """Return results files, samples files, and the answers that other programs left behind."""
    results: dict[Path, None] = {}
    answers: dict[Path, None] = {}
    samples: dict[Path, None] = {}
    for given in paths:
        if given.is_dir():
            found: Iterable[Path] = (path for path in sorted(given.rglob("*")) if path.is_file())
        elif is_answer_file(given) and given.is_file():
            found = [given]
        elif given.is_file():
            date = file_date(given)
            if date is None:
                raise InputError(
                    f"{given} is neither a results file (DATE_results.json, results_DATE.json) nor a samples file "
                    "(.jsonl), and no log of Inspect (.eval)"
                )
            of_same_date = (path for path in sorted(given.parent.iterdir()) if file_date(path) == date)
            is_results = results_date(given) is not None
            found = [given, *(path for path in of_same_date if is_results or results_date(path))]
        else:
            raise InputError(f"{given} does not exist")
        for path in map(Path.resolve, found):
            if results_date(path):
                results[path] = None
            elif samples_name(path):
                samples[path] = None
            elif is_answer_file(path):
                answers[path] = None
    if not results and not samples and not answers:
        nothing = (
            "no lmms-eval results (DATE_results.json, DATE_samples_TASK.jsonl) and no lm-eval results "
            "(results_DATE.json, samples_TASK_DATE.jsonl) in what was given"
        )
        raise InputError("; ".join([nothing, *_instead(paths)]))
    return list(results), list(samples), list(answers)


def _instead(paths: Iterable[Path]) -> list[str]:
    """Say what the folders are, where they are another command's."""
    found = (what_it_is(path) for path in paths if path.is_dir())
    return [line for line in found if line is not None][:3]


def _parts(samples: Samples, content: Mapping[str, Any] | None, results_path: Path | None) -> Iterator[_Part]:
    config = (content or {}).get("config") or {}
    by_elicitation: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for record in samples.records:
        by_elicitation[record.get("elicitation") or "votes"].append(record)
    for elicitation, records in sorted(by_elicitation.items()):
        part = _Part(
            model=without_secrets(str((content or {}).get("model_name") or samples.path.parent.name)),
            integration=str(config.get("model") or ""),
            model_args=_model_args(config.get("model_args") or ""),
            family=_LEVEL_IN_TASK.sub("", samples.task),
            elicitation=elicitation,
            date=samples.date,
            records=tuple(records),
            stated=_stated(content or {}, samples.task),
            origin=stated_origin(content or {}, _task_summary(content or {}, samples.task)),
            warnings=list(samples.warnings),
            paths=[samples.path, *([results_path] if results_path else [])],
        )
        if content is None:
            part.warnings.append(
                f"{samples.path}: no readable results file beside it; the model is named by the folder"
            )
        if len(by_elicitation) > 1:
            part.warnings.append(
                f"{samples.path}: mixes elicitations ({', '.join(sorted(by_elicitation))}); told apart"
            )
        levels = Counter(record["level"] for record in records)
        if len(levels) > 1 and levels.keys() <= set(LEVELS):  # a series is one file by design
            part.warnings.append(f"{samples.path}: mixes levels {dict(sorted(levels.items()))}; told apart")
        part.warnings += _incomplete(samples, config, content or {})
        yield part


def _model_args(given: str | Mapping[str, Any]) -> str:
    """Return them as on the command line, secrets struck out: lm-eval writes them down taken apart."""
    if isinstance(given, Mapping):
        return ",".join(public_argument(str(name), str(value)) for name, value in given.items())
    return public_arguments(str(given))


def _incomplete(samples: Samples, config: Mapping[str, Any], content: Mapping[str, Any]) -> Iterator[str]:
    counts = (content.get("n-samples") or {}).get(samples.task)
    expected, original = (
        value if isinstance(counts, Mapping) and isinstance(value := counts.get(name), int) else None
        for name in ("effective", "original")
    )
    if config.get("limit") is not None or (expected and original and expected < original):
        of = f"{expected} of {original} items" if expected and original else "not all items"
        yield f"{samples.task}: run with --limit {config.get('limit')}: {of}, the figures describe those only"
    if expected and len(samples.records) < expected:
        yield f"{samples.path}: {len(samples.records)} of the run's {expected} items are there"


def _task_summary(content: Mapping[str, Any], task: str) -> Mapping[str, Any]:
    """Return what our aggregation wrote of a task; empty where it wrote nothing."""
    scores = (content.get("results") or {}).get(task)
    return (_summary(scores) if isinstance(scores, Mapping) else None) or {}


def _stated(content: Mapping[str, Any], task: str) -> dict[str, Any]:
    """Return what a results file says about the conditions of a task."""
    summary = _task_summary(content, task)
    given = (content.get("config") or {}).get("model_args") or {}
    arguments = given if isinstance(given, Mapping) else arguments_by_name(str(given))
    return stated_conditions(content, task, summary, arguments)


def _grouped(parts: Sequence[_Part]) -> list[list[_Part]]:
    """Put together parts of one model and family that share no item, the earliest first."""
    groups: list[list[_Part]] = []
    held: list[set[tuple[str, str]]] = []
    for part in sorted(parts, key=lambda part: (part.date, str(part.paths[0]))):
        for group, items in zip(groups, held, strict=True):
            if _kind(group[0]) == _kind(part) and items.isdisjoint(part.items):
                group.append(part)
                items |= part.items
                break
        else:
            groups.append([part])
            held.append(part.items)
    return groups


def _kind(part: _Part) -> tuple[str, ...]:
    return part.model, part.integration, part.model_args, part.family, part.elicitation


def _run(parts: Sequence[_Part]) -> Run:
    first = parts[0]
    # What later schemas added is filled in, so that nobody has to ask for the schema.
    records: Any = sorted(
        (
            record if _ADDED_LATER.keys() <= record.keys() else {**_ADDED_LATER, **record}
            for part in parts
            for record in part.records
        ),
        key=lambda record: (record["level"], record["item_id"]),
    )
    gone = tuple(record for record in records if record["level"] == GONE)
    records = [record for record in records if record["level"] != GONE]
    levels = tuple(level for level in LEVELS if any(record["level"] == level for record in records))
    conditions = {**run_conditions(records), "elicitation": first.elicitation}
    series = tuple(record for record in records if record["level"] not in LEVELS)
    warnings = [warning for part in parts for warning in part.warnings] + conditions.pop("warnings")
    if scales := Counter(scale for record in records if (scale := record.get("confidence_scale")) is not None):
        warnings.append(_on_scales(first.family, scales))
    stated, apart = of_all_parts([part.stated for part in parts])
    conditions |= stated
    warnings += [f"the run's files differ in {name}; levels may not compare" for name in apart]
    if (missing := [level for level in LEVELS if level not in levels]) and not series:
        warnings.append(f"no items of {', '.join(missing)}: what needs them is left out")
    dates = sorted({part.date for part in parts})
    if len(dates) > 1:
        warnings.append(f"put together from {len(dates)} evaluations: {', '.join(dates)}")
    name = spoken_name(first.model)
    return Run(
        name=name,
        model=first.model,
        integration=first.integration,
        model_args=first.model_args,
        family=first.family,
        date=dates[0],
        levels=levels,
        records=tuple(record for record in records if record["level"] in LEVELS),
        conditions=conditions,
        warnings=tuple(dict.fromkeys(warnings)),
        paths=tuple(sorted({path for part in parts for path in part.paths})),
        gone=gone,
        origin=origin_of_all_parts([part.origin for part in parts]),
        series=series,
    )


def _on_scales(family: str, scales: Mapping[str, int]) -> str:
    said = f"{family} is a wrapped task: accuracy is the score that the task itself gives"
    if not scales.get(LOG_T):
        return said
    items = f"{scales[LOG_T]} of {sum(scales.values())} items"
    return (
        f"{said}; on {items} the number of possible answers is open and confidence is relative to log T: compare its "
        "change between levels, not its height, with that of items with options"
    )


def _named(runs: Sequence[Run], warnings: list[str]) -> list[Run]:
    """Give every run a unique name: the model's and, where needed, what distinguishes the run, in words if possible."""
    names = [run.name for run in runs]
    extras: tuple[Callable[[Run], Any], ...] = (
        lambda run: run.family,
        lambda run: run.conditions["elicitation"],
        lambda run: run.model,
        lambda run: run.conditions["harness"] or "unknown harness",
        lambda run: run.integration or "unknown integration",
        lambda run: run.date,
    )
    for extra in extras:
        counts = Counter(names)
        alike = {name for name in counts if counts[name] > 1}
        telling = {
            name for name in alike if len({extra(run) for run, own in zip(runs, names, strict=True) if own == name}) > 1
        }
        names = [f"{name} ({extra(run)})" if name in telling else name for run, name in zip(runs, names, strict=True)]
    seen: Counter[str] = Counter()
    named = []
    for run, name in zip(runs, names, strict=True):
        seen[name] += 1
        named.append(replace(run, name=name if seen[name] == 1 else f"{name} #{seen[name]}"))
    by_kind = defaultdict(list)
    for run in named:
        by_kind[run.model, run.family, run.conditions["elicitation"]].append(run.name)
    for (model, *_), alike_names in by_kind.items():
        if len(alike_names) > 1:
            warnings.append(f"{len(alike_names)} runs of {model}: {', '.join(alike_names)}")
    return named


def _our_tasks(content: Mapping[str, Any]) -> list[str]:
    """Return the tasks, not groups, of a results file that have a summary of ours."""
    return [
        task
        for task, scores in content["results"].items()
        if isinstance(scores, dict) and "level" in (_summary(scores) or {})
    ]


def _summary(scores: Mapping[str, Any]) -> Mapping[str, Any] | None:
    keys = (RECORD, WRAPPED_RECORD)
    found = (value for key, value in scores.items() if key.partition(",")[0] in keys and isinstance(value, dict))
    return next(found, None)


def _is_ours(scores: Mapping[str, Any]) -> bool:
    """Whether a task is of MedQ-Deg; a wrapped one also has numbers of its own."""
    return any(key.partition(",")[0] == RECORD and isinstance(value, dict) for key, value in scores.items())


def _other_results(content: Mapping[str, Any], path: Path) -> Iterator[OtherResult]:
    for task, scores in content["results"].items():
        if not isinstance(scores, dict) or _is_ours(scores):
            continue
        for key, value in scores.items():
            metric, comma, filtered = key.partition(",")
            ours = metric.startswith("votes_") and _summary(scores) is not None
            if ours or not comma or "_stderr" in metric or (number := _as_float(value)) is None:
                continue
            model = spoken_name(without_secrets(str(content.get("model_name") or path.parent.name)))
            yield OtherResult(model, task, key, number, _as_float(scores.get(f"{metric}_stderr,{filtered}")), path)


def _as_float(value: Any) -> float | None:
    """Return a number as a float, or None for anything that is none or too large for one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None
