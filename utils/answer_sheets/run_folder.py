"""Records as a run's folder, in the layout that lmms-eval writes and everything here reads."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ..base.atomic_files import write_atomically
from ..base.errors import InputError
from ..base.versions import versions
from ..dataset.taxonomy import LEVELS
from ..scoring import level_summary
from ..scoring.elicitation import VERBALIZED
from ..scoring.records import ItemRecord

INTEGRATION = "answer sheet"
"""What stands where lmms-eval names its `--model`."""


@dataclass(frozen=True)
class RunInfo:
    """What the results file says about a run.

    Attributes:
        model: the model's name as people write it.
        family: of the tasks, such as "medqdeg".
        prompt: the template of what was asked; "" leaves it unknown.
        source: where the answers come from, in words; stands where lmms-eval has the model's arguments.
        integration: what stands where lmms-eval names its `--model`.
    """

    model: str
    family: str
    prompt: str = ""
    source: str = ""
    integration: str = INTEGRATION


def write_run(out: Path, records: Sequence[ItemRecord], info: RunInfo, now: datetime | None = None) -> Path:
    """Write OUT/MODEL/DATE_results.json and one samples file per level, each whole or absent, the results file last.

    Args:
        out: folder for runs, made if need be; others' runs in it stay as they are.
        records: of all items.
        info: see `RunInfo`.
        now: the date in the files' names; None asks the clock.

    Returns:
        The results file.

    Raises:
        InputError: no records, a model's name that gives no folder, a run of the same second, or the disk says no.
    """
    if not records:
        raise InputError("there are no records to write")
    folder = out / re.sub(r"[^\w.+-]+", "__", info.model).strip("_")
    if folder == out or folder.name in (".", ".."):
        raise InputError(f"--model {info.model!r}: name the model")
    date = (now or datetime.now()).strftime("%Y%m%d_%H%M%S")
    path = folder / f"{date}_results.json"
    if path.exists():
        raise InputError(f"{path} is there already")
    tasks = _by_task(records, info.family)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for task, own in tasks.items():
            lines = (json.dumps(_sample(place, record), ensure_ascii=False) for place, record in enumerate(own))
            data = "".join(line + "\n" for line in lines).encode("utf-8", "replace")
            write_atomically(folder / f"{date}_samples_{task}.jsonl", data)
        content = _results(tasks, info, date)
        write_atomically(path, (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode("utf-8", "replace"))
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror or error})") from None
    return path


def _by_task(records: Sequence[ItemRecord], family: str) -> dict[str, list[ItemRecord]]:
    tasks: dict[str, list[ItemRecord]] = {}
    series = any(record["level"] not in LEVELS for record in records)
    for record in sorted(records, key=lambda record: (record["level"], record["item_id"])):
        name = f"{family}_curve" if series else f"{family}_{record['level'].lower()}"
        tasks.setdefault(name + ("_verbalized" if record["elicitation"] == VERBALIZED else ""), []).append(record)
    return tasks


def _sample(place: int, record: ItemRecord) -> dict[str, Any]:
    return {"doc_id": place, "target": record["answer"], "medqdeg": record}


def _results(tasks: Mapping[str, Sequence[ItemRecord]], info: RunInfo, date: str) -> dict[str, Any]:
    by_us = versions()
    results = {}
    for task, records in tasks.items():
        summary = level_summary.level_summary(records)
        scores = {f"{name},votes": summary["overall"].get(name) for name in level_summary.SCORES}
        told = {"prompt": info.prompt} if info.prompt else {}
        results[task] = {"alias": task, **scores, "medqdeg,votes": {**summary, **told, "versions": by_us}}
    return {
        "results": results,
        "configs": {task: {"task": task} for task in tasks},
        "n-samples": {task: {"original": len(own), "effective": len(own)} for task, own in tasks.items()},
        "config": {"model": info.integration, "model_args": info.source, "limit": None},
        "model_name": info.model,
        "date": date,
    }
