"""A task of lmms-eval as its file describes it: its own prompt, images and scoring, without its data."""

from __future__ import annotations

import contextlib
import inspect
import io
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..base.errors import InputError, one_line
from ..base.suggestions import did_you_mean

_NO_ANSWERS = ("submission", "submit")
_aggregating = threading.Lock()


@dataclass(frozen=True)
class TaskEntry:
    """Where a task comes from: its name, its kind in lmms-eval's index ("task", "python_task", ...), its file."""

    name: str
    kind: str
    path: Path | None


def all_entries(include_path: Path | None = None) -> dict[str, TaskEntry]:
    """Return name -> entry of every task, group and tag that lmms-eval knows, one's own folder included."""
    from lmms_eval.tasks import TaskManager

    manager = TaskManager(include_path=str(include_path) if include_path else None)
    return {
        name: TaskEntry(name, entry["type"], Path(entry["yaml_path"]) if entry["yaml_path"] != -1 else None)
        for name, entry in sorted(manager.task_index.items())
    }


def find_entry(name: str, include_path: Path | None = None) -> TaskEntry:
    """Return the entry of a name, or raise `InputError` with the names that are close."""
    entries = all_entries(include_path)
    if name not in entries:
        raise InputError(f"lmms-eval has no task {name!r}; {did_you_mean(name, entries, most=3)}".rstrip("; "))
    return entries[name]


def load_config(path: Path) -> dict[str, Any]:
    """Return a task file's content with its includes and functions, or raise `InputError` with the reason."""
    from lmms_eval.utils import load_yaml_config

    try:
        return load_yaml_config(str(path), mode="full")
    except (Exception, SystemExit) as error:
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        raise InputError(f"{path}: cannot be loaded ({type(cause).__name__}: {one_line(cause, 120)})") from None


def metric_names(config: Mapping[str, Any]) -> list[str]:
    """Return the names of a task's metrics, in its order."""
    if config.get("metric_list") is None:
        from lmms_eval.api.registry import DEFAULT_METRIC_REGISTRY

        return list(DEFAULT_METRIC_REGISTRY[config.get("output_type") or "generate_until"])
    names = (metric["metric"] for metric in config["metric_list"])
    return [name.__name__ if callable(name) else str(name) for name in names]


def score_metrics(config: Mapping[str, Any]) -> list[str]:
    """Return the metrics that can say whether one reply is right, in the task's order."""
    entries = config.get("metric_list") or [{"metric": name} for name in metric_names(config)]
    scores = []
    for name, metric in zip(metric_names(config), entries, strict=True):
        aggregation = metric.get("aggregation")
        writes_a_file = callable(aggregation) and "args" in inspect.signature(aggregation).parameters
        if (
            not writes_a_file
            and metric.get("higher_is_better", True) is not False
            and not any(part in name.lower() for part in _NO_ANSWERS)
        ):
            scores.append(name)
    return scores


class Original:
    """Calls a task's own functions exactly as lmms-eval calls them.

    lmms-eval keeps all of that in its task classes, whose constructor loads the data; an instance without the
    constructor does the rest.

    Args:
        path: the task's file.

    Raises:
        InputError: the file cannot be loaded.
    """

    def __init__(self, path: Path) -> None:
        from lmms_eval.api.task import ConfigurableMessagesTask, ConfigurableTask, TaskConfig

        self.config = load_config(path)
        task = object.__new__(ConfigurableMessagesTask)
        try:
            task._config = TaskConfig(**self.config)
            task.model_name = None
            task._prepare_model_specific_config()
            task.OUTPUT_TYPE = task.config.output_type
            task._prepare_metric_and_aggregation()
        except Exception as error:
            raise InputError(f"{path}: lmms-eval refuses it ({type(error).__name__}: {one_line(error, 120)})") from None
        task.features, task.multiple_input, task.multiple_target = [], 0, 0
        self.task = task
        # Without the retries, which wait for seconds and are around the caller already.
        self._process_results = ConfigurableTask.process_results.__wrapped__  # type: ignore[attr-defined]

    @property
    def evaluated_split(self) -> str | None:
        """The split that lmms-eval evaluates: the test split, else the validation split; None without both."""
        return self.task.config.test_split or self.task.config.validation_split

    def learn(self, dataset: Any) -> None:
        """Take from the data what lmms-eval's constructor takes from it: the columns, and whether targets are lists."""
        self.task.features = list(dataset.features)
        if not callable(self.task.config.process_results) and len(dataset):
            target = self.task.doc_to_target(dataset[0])
            self.task.multiple_target = len(target) if isinstance(target, list) else 0

    def remember_kwargs(self, kwargs: Any) -> None:
        """Keep the model's own `lmms_eval_specific_kwargs`: only a task with data knows the model's name."""
        if kwargs is not None:
            self.task.lmms_eval_specific_kwargs = kwargs

    def remember_target_kwargs(self, kwargs: Any) -> None:
        """Keep the model's own `model_specific_target_kwargs`."""
        if kwargs is not None:
            self.task.model_specific_target_kwargs = kwargs

    def images(self, doc: Mapping[str, Any]) -> Any:
        """Return what the task's `doc_to_visual` gives for a row: usually a list of PIL images."""
        return self.task.doc_to_visual(doc)

    def messages(self, doc: Mapping[str, Any]) -> Any:
        """Return what the task's `doc_to_messages` gives for a row: chat messages."""
        return self.task.doc_to_messages(doc)

    def prompt(self, doc: Mapping[str, Any]) -> Any:
        """Return what the task's `doc_to_text` gives for a row: usually a text."""
        return self.task.doc_to_text(doc)

    def target(self, doc: Mapping[str, Any]) -> Any:
        """Return what the task's `doc_to_target` gives for a row: a text, a number or a list."""
        return self.task.doc_to_target(doc)

    def metrics(self, doc: Mapping[str, Any], reply: str, **kwargs: Any) -> dict[str, Any]:
        """Return what the task's own scoring says of one reply."""
        return self._process_results(self.task, doc, [reply], **kwargs)

    def correctness(self, metrics: Mapping[str, Any], name: str) -> float:
        """Return how right one reply is by the task's metric `name`, in [0, 1].

        A number stands for itself, and so does the number under `score` of a dictionary. For anything else the
        task's own aggregation is asked about a set of this one reply; an answer in (1, 100] is a percentage.

        Raises:
            ValueError: it is no number in [0, 1].
        """
        value = metrics[name]
        if isinstance(value, Mapping) and isinstance(value.get("score"), int | float):
            value = value["score"]
        if not isinstance(value, int | float):
            with _aggregating, contextlib.redirect_stdout(io.StringIO()):
                value = self.task.aggregation()[name]([value])
            if isinstance(value, int | float) and 1 < value <= 100:
                value = value / 100
        if not isinstance(value, int | float) or not 0 <= value <= 1:
            raise ValueError(f"{name} is {value!r}, not a number from 0 to 1; choose another metric with --score")
        return float(value)

    def filters(self) -> Iterator[tuple[str, list[Any]]]:
        """Yield name and steps of the task's filters, built anew."""
        from lmms_eval.filters import build_filter_ensemble

        described: Sequence[Mapping[str, Any]] | None = self.config.get("filter_list")
        if described is None:
            yield "none", build_filter_ensemble("none", [["take_first", None]]).filters
            return
        for entry in described:
            steps = [
                [step["function"], {key: value for key, value in step.items() if key != "function"}]
                for step in entry["filter"]
            ]
            yield entry["name"], build_filter_ensemble(entry["name"], steps).filters
