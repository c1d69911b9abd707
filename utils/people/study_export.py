"""A reader study as runs: one per reader and one of the panel, which `analyze` and `report` read beside models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from ..analysis.runs.reading import read_runs
from ..answer_sheets.run_folder import RunInfo, write_run
from ..base.atomic_files import write_atomically
from ..base.errors import InputError
from ..scoring.elicitation import VERBALIZED
from ..scoring.records import PERSON, ItemRecord, score_item
from .desks import ANSWER
from .imrmc import imrmc_csv
from .items import ItemSet
from .plans import MAIN, REPEAT, ROLES, Trial
from .reader_checks import intra_reader
from .readings import Reading, one_plan
from .review_export import table

ANSWERS, LONG, SUMMARY, RUNS = "answers.csv", "imrmc.csv", "study.txt", "runs"
PANEL = "Panel of {} readers"
_ANSWER_COLUMNS = (
    *("reader", "session", "position", "role", "item_id", "level", "letter", "confidence", "not_diagnostic"),
    "seconds",
)

Given = tuple[Reading, Trial, Mapping[str, Any]]


def export_study(
    readings: Sequence[Reading], items: ItemSet | None, out: Path, now: datetime | None = None
) -> list[str]:
    """Write `runs/`, one run per reader and one of the panel, and tables of all answers.

    Practice and repeats are in `answers.csv` alone. The panel has the items that every reader has answered at the same
    level, with the readers as trials: all of them once each reader has read all three sessions.

    Args:
        readings: of the desk.
        items: the set that was read.
        out: folder, made if need be.
        now: date in the names of the runs' files; None asks the clock.

    Returns:
        What is to be told.

    Raises:
        InputError: no set or another one, different plans, no answer, an export that is there, or the disk says no.
    """
    plan = one_plan(readings)
    if items is None:
        raise InputError("a reader study is scored with its set: give --data SET")
    if items.sha256 != plan.set_sha256:
        raise InputError("--data is not the set that was read (items, levels or texts differ)")
    given: dict[str, list[Given]] = defaultdict(list)
    for reading in readings:
        given[reading.reader] += [(reading, trial, body) for trial, body in reading.answered(ANSWER, MAIN)]
    given = {reader: own for reader, own in given.items() if own}
    if not given:
        raise InputError("nothing was answered yet, practice apart")
    runs = {f"Reader {reader}": [_record(items, [one]) for one in own] for reader, own in sorted(given.items())}
    panel = _panel(given)
    if panel:
        runs[PANEL.format(len(given))] = [_record(items, together) for together in panel]
    folder = out / RUNS
    if folder.exists():
        raise InputError(f"{folder} is there already, and the same readers twice are two studies: give a new --out")
    written = {model: write_run(folder, records, _info(model, items), now) for model, records in runs.items()}
    of_readers = read_runs([path for model, path in written.items() if model != PANEL.format(len(given))]).runs
    lines = [
        f"{len(given)} readers, {sum(map(len, given.values()))} answers: {len(runs)} runs in {folder}",
        *(line for reading in readings for line in _of_reader(reading)),
    ]
    if len(given) > 1 and not panel:
        lines.append("no item was answered by all readers at the same level: no run of a panel, until more sessions")
    lines += [f"{name}: head {head}" for name, head in dict.fromkeys((one.path.name, one.head) for one in readings)]
    try:
        write_atomically(out / ANSWERS, table(_ANSWER_COLUMNS, _answers(readings)))
        write_atomically(out / LONG, imrmc_csv(of_readers).encode())
        write_atomically(out / SUMMARY, "".join(f"{line}\n" for line in lines).encode())
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror or error})") from None
    return [*lines, f"next: medqdeg report {folder} RESULTS_OF_MODELS --out report"]


def _info(model: str, items: ItemSet) -> RunInfo:
    return RunInfo(model, items.family, source="medqdeg people, reader study", integration="people")


def _panel(given: Mapping[str, Sequence[Given]]) -> list[list[Given]]:
    """Return what every reader answered at the same level, readers in order."""
    if len(given) < 2:
        return []
    by_item: dict[tuple[str, str], dict[str, Given]] = defaultdict(dict)
    for reader, own in given.items():
        for one in own:
            by_item[one[1].level, one[1].item_id][reader] = one
    return [[own[reader] for reader in sorted(own)] for _, own in sorted(by_item.items()) if len(own) == len(given)]


def _record(items: ItemSet, together: Sequence[Given]) -> ItemRecord:
    """Return the record of an item, one trial per reader."""
    _, first, _ = together[0]
    doc = items.doc(first.level, first.item_id)
    replies = [f"Answer: {body['letter']}\nConfidence: {body['confidence']}%" for _, _, body in together]
    record = score_item(doc, replies, VERBALIZED)
    record["respondent"] = PERSON
    record["reader"] = [reading.reader for reading, _, _ in together]
    record["session"] = [reading.session for reading, _, _ in together]
    record["seconds"] = [body["seconds"] for _, _, body in together]
    record["not_diagnostic"] = [body["not_diagnostic"] for _, _, body in together]
    return record


def _answers(readings: Sequence[Reading]) -> Iterable[dict[str, Any]]:
    for reading in readings:
        for trial, body in reading.answered(ANSWER, *ROLES):
            yield {
                **{"reader": reading.reader, "session": reading.session, "position": trial.position},
                **{"role": trial.role, "item_id": trial.item_id, "level": trial.level},
                **{name: body[name] for name in ("letter", "confidence", "not_diagnostic", "seconds")},
            }


def _of_reader(reading: Reading) -> list[str]:
    first = {trial.position: body["letter"] for trial, body in reading.answered(ANSWER, MAIN)}
    again = [
        (ord(first[trial.repeat_of]), ord(body["letter"]))
        for trial, body in reading.answered(ANSWER, REPEAT)
        if trial.repeat_of in first
    ]
    pairs = np.array(again, dtype=int).reshape(-1, 2)
    seconds = [body["seconds"] for _, body in reading.answered(ANSWER, MAIN) if body["seconds"] is not None]
    pace = f"; median {np.median(seconds):.1f} s" if seconds else ""
    name = f"{reading.reader}, session {reading.session}"
    of = sum(trial.role == MAIN for trial in reading.trials)
    lines = [f"{name}: {len(first)} of {of} answered; the same letter again {intra_reader(*pairs.T)}{pace}"]
    if reading.display is False:
        lines.append(f"{name}: a display check failed; repeat the evaluation without this session")
    return lines
