"""A whole build: the plan, its parts on all cores (or some of them, or an engine's machines), and what is written last.

Killed at any point, the same call continues: a part whose report is there and whose files have the hashes that the
report names is not made again. Every file is a function of the plan, so neither the number of processes, nor the order
of the sources, nor a kill changes a byte.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..base.errors import InputError, one_line
from ..base.worker_processes import as_completed
from .finish.finishing import finish
from .layout import MANIFEST, WorkFolder, read_json, write_json
from .make.gate import KEEP, read_review
from .make.make_parts import holding, make_part
from .plan.front import Progress, Sources
from .plan.planning import BuildRequest, make_plan
from .waiting import read_waiting_texts
from .writing import item_id

Engine = Callable[[Path, Sequence[str], int], Iterator[dict[str, Any]]]
"""Makes parts: takes the folder, the parts' names and a number of workers, yields the reports in any order."""


@dataclass
class BuildSummary:
    """The outcome of a build.

    Attributes:
        parts: in the plan; `made` now, `kept` of an earlier run, `missing` yet (other shards').
        items, images: of this call's parts, written now or kept.
        pairs, excluded, replacements: tried in this call's parts, how many of them are out, and how many of those that
            are in were made for one that the gate rejected.
        short: "pairs" or "clean items" -> wanted and got, where a whole set has fewer than the mix wants.
        contradictory: items left out since they contradict another about the same image.
        problems: rows of the sources that should not have been skipped; `failed`: lines about items that failed later.
        finished: whether the set is whole.
    """

    parts: int = 0
    made: int = 0
    kept: int = 0
    missing: int = 0
    items: int = 0
    images: int = 0
    pairs: int = 0
    excluded: int = 0
    replacements: int = 0
    short: dict[str, tuple[int, int]] = field(default_factory=dict)
    contradictory: int = 0
    problems: int = 0
    failed: list[str] = field(default_factory=list)
    finished: bool = False


def build(
    request: BuildRequest,
    out: Path,
    sources: Sources,
    *,
    workers: int = 1,
    shard: tuple[int, int] = (1, 1),
    review: Path | None = None,
    tsv: bool = False,
    engine: Engine | None = None,
    progress: Progress = lambda *_: None,
) -> BuildSummary:
    """Build a set, or continue.

    Args:
        request: what is wanted.
        out: the folder; made where absent.
        sources: where items come from; `front.readers()` for those of the command line.
        workers: processes on this machine; with 1, all is done in this one. As many threads look at images before.
        shard: (i, n), i from 1: make only every n-th part. Shards may run at the same time in one folder; whoever
            finds all parts made writes what comes last.
        review: a `review.csv` with a person's decisions.
        tsv: also write the four TSV files.
        engine: makes the parts in place of local processes.
        progress: called as things go on; for parts with the number of images.

    Raises:
        InputError: bad input, a folder that cannot be written or holds another build, or a worker that died.
    """
    decisions = {} if review is None else read_review(review)
    work = WorkFolder(out)
    if out.is_dir() and not work.root.is_dir() and any(out.iterdir()):
        raise InputError(f"{out} is not empty and no build: choose another folder")
    try:
        work.root.mkdir(parents=True, exist_ok=True)
        with _locked(work, out):
            plan = make_plan(request, out, sources, workers, progress)
            _write_decisions(work, plan, decisions, review)
        summary = _make_parts(plan, out, workers, shard, engine or on_this_machine, progress)
        with _locked(work, out):
            if not summary.missing:
                manifest = finish(out, plan, tsv=tsv)
                summary.finished = True
                sizes = manifest["selection"]["size"]
                summary.short = {
                    name: (size["wanted"], size["got"]) for name, size in sizes.items() if size["got"] < size["wanted"]
                }
                summary.failed += [
                    f"{review}: {pair[0]} with {pair[1]} was not made, so nothing was to be decided"
                    for pair in manifest["gate"]["decisions_without_pair"]
                ]
    except BrokenProcessPool:
        raise InputError(
            "a worker died (often: out of memory); what is done is kept: run again with fewer --workers"
        ) from None
    except MemoryError as error:
        raise InputError(
            f"not enough memory ({one_line(error)}); what is done is kept: run again with fewer --workers"
        ) from None
    except OSError as error:
        raise InputError(f"{error.filename or out}: cannot be written ({error.strerror or error})") from None
    return summary


def on_this_machine(out: Path, parts: Sequence[str], workers: int) -> Iterator[dict[str, Any]]:
    """Make parts in processes of this machine."""
    jobs = ((out, part) for part in parts)
    yield from as_completed(make_part, jobs, min(workers, len(parts)), waiting=2)


def _make_parts(
    plan: Mapping[str, Any], out: Path, workers: int, shard: tuple[int, int], engine: Engine, progress: Progress
) -> BuildSummary:
    index, shards = shard
    names = [part["name"] for part in plan["parts"]]
    own = names[index - 1 :: shards]
    planned = {part["name"]: part["items"] + 2 * part["pairs"] for part in plan["parts"]}
    total = sum(planned[name] for name in own)
    summary = BuildSummary(parts=len(names), problems=plan["problems"], contradictory=plan["contradictory"])
    progress("degrading", 0, total)
    done = 0
    for report in engine(out, own, workers):
        summary.made += not report["kept"]
        summary.kept += report["kept"]
        summary.items += sum(file["rows"] for file in report["files"].values())
        summary.images += report["images"]
        summary.pairs += len(report["pairs"])
        summary.excluded += sum(pair["decision"] != KEEP for pair in report["pairs"])
        summary.replacements += sum(bool(pair["replaces"]) and pair["decision"] == KEEP for pair in report["pairs"])
        summary.failed += [f"{each['item_id']}: {each['reason']}" for each in report["failed"]]
        done += planned[report["part"]]
        progress("degrading", done, total)
    work = WorkFolder(out)
    review = {(row[0], row[1]): row[2] for row in read_json(work.review) or ()}
    others = set(names) - set(own)
    summary.missing = sum(holding(out, name, plan["key"], review, hashes=False) is None for name in others)
    return summary


def _write_decisions(
    work: WorkFolder, plan: Mapping[str, Any], decisions: Mapping[tuple[str, str], str], review: Path | None
) -> None:
    """Keep a person's decisions where the parts find them; refuse those about pairs that are not in the plan."""
    if decisions:
        planned = set()
        for part in plan["parts"]:
            for each in read_waiting_texts(work.clean(part["name"])):
                planned |= {(item_id(each.item), name) for name in (*each.names, *each.spares)}
        if strays := sorted(set(decisions) - planned):
            raise InputError(f"{review}: {strays[0][0]} with {strays[0][1]} is not a pair of this build")
    rows = [[*pair, decision] for pair, decision in sorted(decisions.items())]
    if read_json(work.review) != rows:
        (work.root.parent / MANIFEST).unlink(missing_ok=True)
        write_json(work.review, rows)


@contextlib.contextmanager
def _locked(work: WorkFolder, out: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock = FileLock(work.lock, timeout=3600)
    try:
        lock.acquire()
    except Timeout:
        raise InputError(f"{out}: another process has been planning or finishing here for an hour") from None
    try:
        yield
    finally:
        lock.release()
