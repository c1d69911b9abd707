"""The hooks of a wrapped task: the original's own functions, with degraded images before and votes behind them.

`medqdeg wrap` writes a small module for each wrapped task that makes a `WrappedTask`; the task file names its methods.
lmms-eval runs that module once for each name, so equal settings share one instance.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...degradations import largest_severity, list_degradations
from ...degradations.vocabulary import check_modality
from ..base.errors import one_line
from ..dataset.taxonomy import LEVELS, severity_of
from ..scoring.aggregations import across_levels, mean_score
from ..scoring.answers import is_missing_trial
from .images import Degrader, pick
from .original import Original
from .same_answer import ByTheTasksScoring, own_copy
from .summary import compare_levels, summarise_level
from .votes import RECORD, count_votes, record_fields

if TYPE_CHECKING:
    import datasets

SCHEMA_VERSION = 2
"""2 added `confidence_scale`, `right_vote` and `right_votes_scored_0`; confidence on short texts is another."""

ITEM_ID = "medqdeg_item_id"
"""The column that `process_docs` adds; the original's functions never see it."""

ID_COLUMNS = (
    *("question_id", "questionId", "id", "idx", "index", "qid", "uid", "pid", "item_id", "sample_id", "data_id"),
    *("question_index", "ID", "Index"),
)
MODALITY_COLUMNS = ("modality", "Modality", "image_modality", "modality_type", "image_type", "img_type")


@dataclass(frozen=True)
class WrapSettings:
    """What `medqdeg wrap` was asked for.

    Attributes:
        task: the wrapped task's name in lmms-eval.
        path: its file.
        level: "L0", "L1" or "L2", or the label of a series, such as "S1.50".
        degradations: from which each item gets one, by its id; empty: those of the item's own modality.
        modality: of all items, or None; chooses strengths.
        scores: the task's metrics that can say whether a reply is right; the first that an item has does.
        k: number of possible short answers, or None.
        reference_size: as in `medqdeg.degradations.degrade`.
    """

    task: str
    path: str
    level: str
    degradations: tuple[str, ...]
    modality: str | None
    scores: tuple[str, ...]
    k: int | None = None
    reference_size: float | None = None


Settings = WrapSettings
"""The name in the modules that `medqdeg wrap` wrote before 0.2."""


@functools.cache
def wrapped_task(settings: WrapSettings) -> WrappedTask:
    """Return the one instance of these settings in this process."""
    return WrappedTask(settings)


class WrappedTask:
    """The functions that a wrapped task's file names."""

    def __init__(self, settings: WrapSettings) -> None:
        self.settings = settings
        self.original = Original(Path(settings.path))
        self.degrader = Degrader(settings.level, settings.reference_size)
        self.item_id_rule = "row"
        self._image_counts: dict[str, int] = {}

    # Data

    def process_docs(self, dataset: datasets.Dataset) -> datasets.Dataset:
        """Return the original's items with an id each: a column of theirs that tells them apart, or else the row."""
        if callable(self.original.task.config.process_docs):
            dataset = self.original.task.config.process_docs(dataset)
            if not hasattr(dataset, "add_column"):
                raise SystemExit(
                    f"medqdeg: {self.settings.task} cannot be wrapped: its process_docs returns "
                    f"{type(dataset).__name__}, not a Dataset"
                )
        evaluated = self.original.evaluated_split
        if getattr(dataset, "split", None) in (None, evaluated) or not self.original.task.features:
            self.original.learn(dataset)
        ids, self.item_id_rule = _item_ids(dataset)
        if not self.settings.degradations and self.settings.level != "L0":
            self._check_modalities(dataset, ids)
        dataset = dataset.add_column(ITEM_ID, ids)
        return dataset if self.settings.level in LEVELS else self._that_reach_it(dataset)

    def _that_reach_it(self, dataset: datasets.Dataset) -> datasets.Dataset:
        """Return the items whose degradation goes as far as this severity of the series."""
        severity, kept = severity_of(self.settings.level), []
        named = [name for name in (ITEM_ID, *MODALITY_COLUMNS) if name in dataset.column_names]
        for place, doc in enumerate(dataset.select_columns(named)):
            name, modality = self._assigned(doc)
            if severity <= largest_severity(name, modality):
                kept.append(place)
        if not kept:
            raise SystemExit(
                f"medqdeg: {self.settings.task}: no item's degradation goes as far as {severity:g}; wrap it again with "
                "smaller --severities"
            )
        return dataset.select(kept)

    def _check_modalities(self, dataset: datasets.Dataset, ids: Sequence[str]) -> None:
        column = next((name for name in MODALITY_COLUMNS if name in dataset.features), None)
        if column is None:
            raise SystemExit(
                f"medqdeg: {self.settings.task} has no column that names the modality "
                f"({', '.join(MODALITY_COLUMNS)}); wrap it again with --types or --modality"
            )
        for item_id, value in zip(ids, dataset[column], strict=True):
            try:
                check_modality(value)
            except ValueError as error:
                raise SystemExit(
                    f"medqdeg: item {item_id}: {error}; wrap {self.settings.task} again with --types or --modality"
                ) from None

    # Prompt and images

    def doc_to_text(self, doc: Mapping[str, Any], lmms_eval_specific_kwargs: Any = None) -> Any:
        """Return the original's prompt."""
        self.original.remember_kwargs(lmms_eval_specific_kwargs)
        return self.original.prompt(_own(doc))

    def doc_to_target(self, doc: Mapping[str, Any], model_specific_target_kwargs: Any = None) -> Any:
        """Return the original's target."""
        self.original.remember_target_kwargs(model_specific_target_kwargs)
        return self.original.target(_own(doc))

    def doc_to_visual(self, doc: Mapping[str, Any], lmms_eval_specific_kwargs: Any = None) -> Any:
        """Return the original's images, degraded."""
        self.original.remember_kwargs(lmms_eval_specific_kwargs)
        images = self.original.images(_own(doc))
        self._image_counts[doc[ITEM_ID]] = len(images or ())
        if not images or self.settings.level == "L0":
            return images
        return [self._degraded(doc, image, number) for number, image in enumerate(images)]

    def doc_to_messages(self, doc: Mapping[str, Any], lmms_eval_specific_kwargs: Any = None) -> Any:
        """Return the original's messages with their images degraded."""
        self.original.remember_kwargs(lmms_eval_specific_kwargs)
        messages = self.original.messages(_own(doc))
        number = 0
        changed = []
        for message in messages:
            content = message["content"]
            if isinstance(content, list):
                parts = []
                for part in content:
                    if part.get("type") == "image":
                        if self.settings.level != "L0":
                            key = "url" if "url" in part else "image"
                            part = {**part, key: self._degraded(doc, part[key], number)}
                        number += 1
                    parts.append(part)
                content = parts
            changed.append({**message, "content": content})
        self._image_counts[doc[ITEM_ID]] = number
        return changed

    def _degraded(self, doc: Mapping[str, Any], image: Any, number: int) -> Any:
        name, modality = self._assigned(doc)
        try:
            return self.degrader.degrade(image, name, self._seed(doc, number), modality)
        except Exception as error:  # lmms-eval would lose the run and still exit with status 0
            raise SystemExit(
                f"medqdeg: {self.settings.task}, item {doc[ITEM_ID]}, image {number + 1}: "
                f"{name} failed ({type(error).__name__}: {one_line(error, 200)})"
            ) from None

    def _seed(self, doc: Mapping[str, Any], number: int) -> str:
        return f"{self.settings.task}:{doc[ITEM_ID]}:{number}"

    def _assigned(self, doc: Mapping[str, Any]) -> tuple[str, str | None]:
        """Return the item's degradation, the same at every level, and its modality."""
        names, modality = self.settings.degradations, self.settings.modality
        if not names:
            modality = modality or check_modality(
                next((doc[name] for name in MODALITY_COLUMNS if isinstance(doc.get(name), str)), None)
            )
            names = tuple(list_degradations(modality))
        return pick(names, f"{self.settings.task}:{doc[ITEM_ID]}"), modality

    # Scoring

    def process_results(self, doc: Mapping[str, Any], replies: Sequence[str], **kwargs: Any) -> dict[str, Any]:
        """Score one item: the original's metrics of the first trial, and the record of all trials.

        An exception of the original's own scoring passes, as it would without us.
        """
        doc_of_theirs = _own(doc)
        metrics = self.original.metrics(own_copy(doc_of_theirs), replies[0], **kwargs)
        try:
            record = {**self._identity(doc), **self._scores(doc_of_theirs, replies, metrics, kwargs), "error": None}
        except Exception as error:  # one bad item must not cost the run
            record = {**self._identity(doc), **_NO_SCORES, "error": f"{type(error).__name__}: {error}"}
        values = {name: record[name] for name in ("accuracy", "confidence", "calibration_shift")}
        return {
            **metrics,
            **{f"votes_{name}": {} if value is None else {"score": value} for name, value in values.items()},
            RECORD: record,
        }

    def _scores(
        self, doc: Mapping[str, Any], replies: Sequence[str], first: Mapping[str, Any], kwargs: Mapping[str, Any]
    ) -> dict[str, Any]:
        name = next((name for name in self.settings.scores if first.get(name) is not None), None)
        if name is None:
            raise ValueError(f"the task gave this item no {' or '.join(self.settings.scores)}")

        def score(own: Mapping[str, Any], reply: str) -> float:
            return self.original.correctness(self.original.metrics(own_copy(own), reply, **kwargs), name)

        correct: dict[str, float] = {}
        for reply in replies:
            if reply not in correct and not is_missing_trial(reply):
                correct[reply] = self.original.correctness(first, name) if reply == replies[0] else score(doc, reply)
        target = self.original.target(own_copy(doc))
        scoring = ByTheTasksScoring(doc, target, score)
        votes = count_votes(replies, self.original.prompt(doc), target, self.settings.k, correct, scoring)
        # Not "score": lmms-eval would take the value of that key for the item's.
        return {**record_fields(votes, correct, replies), "score_metric": name}

    def _identity(self, doc: Mapping[str, Any]) -> dict[str, Any]:
        clean = self.settings.level == "L0"
        try:
            assigned, modality = self._assigned(doc)
        except ValueError:  # L0 needs no modality
            assigned, modality = None, None  # type: ignore[assignment]
        images = self._image_counts.get(doc[ITEM_ID])
        seeds = (self._seed(doc, number) for number in range(images or 0))
        return {
            "schema": SCHEMA_VERSION,
            "task": self.settings.task,
            "item_id": doc[ITEM_ID],
            "item_id_rule": self.item_id_rule,
            "level": self.settings.level,
            "modality": modality,
            "degradation": None if clean else assigned,
            "assigned": assigned,
            # None where another process asked the model.
            "images": images,
            **({} if self.settings.level in LEVELS else {"severity": severity_of(self.settings.level)}),
            "unchanged_images": 0 if clean else sum(map(self.degrader.left_unchanged, seeds)),
        }

    # Aggregations

    mean_score = staticmethod(mean_score)
    summarise_level = staticmethod(summarise_level)
    across_levels = staticmethod(across_levels)
    compare_levels = staticmethod(compare_levels)

    # What a task file names by number: the original's aggregations and filters

    def __getattr__(self, name: str) -> Any:
        kind, _, number = name.rpartition("_")
        if kind == "aggregation" and number.isdigit():
            return self.original.config["metric_list"][int(number)]["aggregation"]
        if kind == "filter" and number.isdigit():
            steps = list(self.original.filters())[int(number)][1]
            return lambda: EachVote(steps)
        raise AttributeError(name)

    def __deepcopy__(self, memo: Any) -> WrappedTask:
        # lmms-eval copies a task's configuration, our methods in it included, to write it down.
        return self


_NO_SCORES: dict[str, Any] = {
    **dict.fromkeys(("accuracy", "confidence", "calibration_shift", "unread_rate", "missing_rate")),
    **{
        "score_metric": None,
        "k": 0,
        "k_rule": None,
        "confidence_scale": None,
        "right_vote": None,
        "right_votes_scored_0": 0,
        "options": [],
        "votes": [],
        "correct": [],
        "trials": 0,
        "distinct_replies": 0,
    },
}


class EachVote:
    """A filter of lmms-eval that runs the original's steps on each trial by itself and keeps all trials.

    lmms-eval's own filters take the first trial, or one that they choose; run on one trial at a time they return what
    an unwrapped run gives. A failed request is no reply, so it passes as it is.
    """

    def __init__(self, steps: Sequence[Any]) -> None:
        self.steps = steps

    def apply(self, replies: Sequence[Sequence[str]], docs: Any) -> list[list[str]]:
        """Return a list of T filtered replies for each item."""
        kept: list[list[str]] = [[] for _ in replies]
        for trial in range(max(map(len, replies), default=0)):
            places = [place for place, own in enumerate(replies) if len(own) > trial]
            here = docs if len(places) == len(replies) else [docs[place] for place in places]
            part: Any = [[replies[place][trial]] for place in places]
            for step in self.steps:
                part = list(step.apply(part, here))
            for place, filtered in zip(places, part, strict=True):
                raw = replies[place][trial]
                kept[place].append(raw if raw and is_missing_trial(raw) else _only(filtered))
        return kept


def _only(filtered: Any) -> str:
    while isinstance(filtered, list | tuple):
        filtered = filtered[0] if filtered else ""
    return "" if filtered is None else filtered


def _own(doc: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in doc.items() if key != ITEM_ID}


def _item_ids(dataset: datasets.Dataset) -> tuple[list[str], str]:
    for column in ID_COLUMNS:
        if column in dataset.features:
            values = dataset[column][:]
            if all(isinstance(value, str | int) for value in values) and len(set(map(str, values))) == len(values):
                return [str(value) for value in values], f"column {column}"
    return [str(row) for row in range(len(dataset))], "row"
