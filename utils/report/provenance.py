"""Where a run's figures come from, and what they do not show: the block below the headline of the page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..analysis.analyse import Analysis
from ..analysis.runs.model_names import spoken_name
from ..analysis.runs.run import Run
from ..analysis.statistics.bootstrap import SMALL
from ..analysis.tables import overall
from ..base.errors import one_line
from ..base.secrets import arguments_by_name
from ..dataset.taxonomy import LEVELS
from ..phantoms.suite import SOURCE as PHANTOMS
from ..scoring.elicitation import EXACT, VERBALIZED, VOTES

NOT_RECORDED = "not recorded"

DRAWINGS = "The images are drawings, not patients"
"""What has to be said wherever pictures of the phantoms, which look like images of patients, are shown or measured."""

_ELICITATIONS = {
    VOTES: "votes: the most frequent letter of T sampled replies",
    VERBALIZED: "verbalised: the model states its confidence",
    EXACT: "exact: the probabilities of the letters",
}


@dataclass(frozen=True)
class Provenance:
    """How one run came about.

    Attributes:
        model: the run's name.
        rows: (what, value), every value on one line; `NOT_RECORDED` where the results do not say.
        notes: what -> a remark on its value, on one line, that is no part of it.
        prompt: the template, with its lines; empty where it is not recorded.
        limits: sentences: what was not measured, and what does not follow.
    """

    model: str
    rows: tuple[tuple[str, str], ...]
    prompt: str
    limits: tuple[str, ...]
    notes: Mapping[str, str] = field(default_factory=dict)


def provenances(analysis: Analysis) -> list[Provenance]:
    """Return the provenance of every run."""
    nodes = overall(analysis.tables["nodes"])
    return [
        Provenance(
            run.name,
            tuple((what, one_line(value, 4000) if value else NOT_RECORDED) for what, value in _rows(run, nodes)),
            str(run.conditions.get("prompt") or ""),
            tuple(_limits(analysis, run, nodes)),
            {what: one_line(note) for what, note in _notes(run)},
        )
        for run in analysis.collection.runs
    ]


def data_name(run: Run) -> str:
    """Return what a run's items are called; empty where nothing says it."""
    sources = {record["source"] for record in run.records}
    return PHANTOMS if sources == {PHANTOMS} else run.origin.get("data_name", "")


def drawings_note(runs: Sequence[Run]) -> str:
    """Return the sentence that the images are drawings, or nothing where none are known to be."""
    drawn = [data_name(run) == PHANTOMS for run in runs]
    if not any(drawn):
        return ""
    return f"{DRAWINGS}." if all(drawn) else f"{DRAWINGS}, in the items of {PHANTOMS}."


def _rows(run: Run, nodes: Any) -> Iterable[tuple[str, str | None]]:
    own = nodes[nodes["run"] == run.name]
    conditions, origin = run.conditions, run.origin
    weights = f"; weights {origin['weights']}" if "weights" in origin else ""
    name = spoken_name(run.model) if Path(run.model).is_absolute() else run.model  # no path of somebody's machine
    parameters = origin.get("parameters", "")
    size = f"; {int(parameters):,} parameters" if parameters.isdigit() else ""
    yield "Model", f"{name}{size}{weights}"
    yield "Integration and arguments", "; ".join(part for part in (run.integration, run.model_args) if part)
    revision = origin.get("data_revision")
    yield "Data set", ", ".join(part for part in (data_name(run), revision and f"revision {revision}") if part)
    yield "Items", "; ".join(f"{row.level}: {row.n:,} on {row.clusters:,} source questions" for row in own.itertuples())
    yield "Trials T and options K", f"T = {_mix(own['trials'])} on each item; K = {_mix(own['options'])}"
    yield "Elicitation", _ELICITATIONS.get(conditions["elicitation"], conditions["elicitation"])
    yield "Sampling", _sampling(conditions, origin)
    read_as = conditions.get("read_as") or {}
    by = (conditions.get("versions") or {}).get("medqdeg")
    tiers = ", ".join(f"{name} {count:,}" for name, count in read_as.items())
    yield "Answers read by", "; ".join(part for part in (by and f"medqdeg {by}", tiers) if part)
    found = conditions.get("versions") or {}
    yield "Versions", ", ".join(f"{name} {version}" for name, version in found.items() if version != "absent")
    yield "Date", _date(run.date)
    yield "Command", origin.get("command")


def _notes(run: Run) -> Iterable[tuple[str, str]]:
    """Yield (what, remark) on values of `_rows`."""
    arguments = arguments_by_name(run.model_args)
    if inner := arguments.get("inner"):
        yield "Model", f"run by the integration {inner}, inside the wrapper that samples the votes"
    if "store" in arguments:
        yield "Integration and arguments", "store: an answer that is already in that folder is replayed, not asked anew"
    if run.date:
        clock = f"by the clock of {run.origin['timezone']}" if "timezone" in run.origin else "time zone not recorded"
        yield "Date", f"when the evaluation began, {clock}"
    if "command" in run.origin:
        yield "Command", run.origin["command_from"]


def _sampling(conditions: Mapping[str, Any], origin: Mapping[str, str]) -> str:
    stated = conditions.get("generation_kwargs")
    parts = [f"{name} {value}" for name, value in stated.items() if value != []] if isinstance(stated, Mapping) else []
    parts += [f"gen_kwargs {conditions['gen_kwargs']}"] if conditions.get("gen_kwargs") else []
    parts += [f"seed {origin['seed']}"] if "seed" in origin else []
    parts += [f"system prompt “{conditions['system_prompt']}”"] if conditions.get("system_prompt") else []
    return ", ".join(parts)


def _limits(analysis: Analysis, run: Run, nodes: Any) -> Iterable[str]:
    """Yield what a reader must not conclude, the gravest first."""
    if data_name(run) == PHANTOMS:
        yield f"{DRAWINGS}: nothing here says how the model reads medical images."
    own = nodes[nodes["run"] == run.name]
    if missing := [level for level in LEVELS if level not in set(own["level"])]:
        yield f"Not measured: {', '.join(missing)}."
    if run.conditions.get("limit") is not None:
        yield f"Only a part of the items was asked (--limit {run.conditions['limit']})."
    if any("weight" in record for record in run.records):
        yield "The items are a subset; each stands for several of the whole set."
    if small := [row.level for row in own.itertuples() if row.small]:
        yield f"Fewer than {SMALL} source questions at {', '.join(small)}: the intervals there are not to be relied on."
    if standing := analysis.standing[run.name].not_published:
        yield f"Not the published items ({standing}): no comparison with the paper's models, row by row."
    yield "An agreement gap of 0 does not prove calibration, and nothing here is a judgement of fitness for use."
    if run.conditions["elicitation"] == VOTES:
        yield "Each item was asked with one prompt; another prompt may give other figures."


def _mix(column: Iterable[str]) -> str:
    return ", ".join(sorted({key for text in column for key in json.loads(text)}, key=int))


def _date(date: str) -> str:
    day = date[:8]
    if not (len(day) == 8 and day.isdigit()):
        return date
    time = date[9:15]
    clock = f" {time[:2]}:{time[2:4]}:{time[4:]}" if len(time) == 6 and time.isdigit() else ""
    return f"{day[:4]}-{day[4:6]}-{day[6:]}{clock}"
