"""`medqdeg build`: sources in, a degraded, documented data set out. `medqdeg push`: that set to the Hub."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..base.cores import usable_cores
from ..base.errors import InputError, one_line

if TYPE_CHECKING:
    from ..building.plan.front import Sources
    from ..building.running import BuildSummary

_NAMED = 20
ENGINES = ("local", "ray")


def build(
    sources: Annotated[
        list[str] | None,
        typer.Option(
            "--source",
            metavar="NAME=WHERE",
            help="gmai=PATH, omnimedvqa=PATH, medxpertqa=PATH, own=PATH:map.yaml (also .xlsx); repeat it.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder of the set.")] = None,
    seed: Annotated[str, typer.Option(help="A number or a text: decides items, degradations and every draw.")] = "0",
    mix: Annotated[
        Path | None, typer.Option(metavar="MIX.yaml", help="Your own mix.", show_default="the paper's tables 4 and 5")
    ] = None,
    severities: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TABLE.yaml|S,S,...",
            help="Your own table of strengths; or severities such as 0.25,0.5,1,1.5,2,3, at which every pair is made "
            "beside L1 and L2. Give it twice for both.",
        ),
    ] = None,
    dev_share: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Share of the clean items in the dev split.", show_default="0.05 from 500 items, else 0"
        ),
    ] = None,
    part_items: Annotated[int, typer.Option(min=1, help="Clean items in a part (three Parquet files).")] = 64,
    keep_contradictions: Annotated[
        bool, typer.Option("--keep-contradictions", help="Keep items whose answers contradict each other.")
    ] = False,
    review: Annotated[
        Path | None, typer.Option(metavar="REVIEW.csv", help="A build's review.csv with your decisions in it.")
    ] = None,
    tsv: Annotated[bool, typer.Option("--tsv", help="Also write the four TSV files of the published layout.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes.", show_default="one per core")] = None,
    shard: Annotated[
        str, typer.Option(metavar="I/N", help="Make every N-th part only, from the I-th on: one call per machine.")
    ] = "1/1",
    engine: Annotated[str, typer.Option(help="What makes the parts: local processes, or ray.")] = "local",
) -> None:
    """Build a data set of clean and degraded items.

    The same sources, options and seed give the same bytes on any number of cores and machines, and after a kill: run
    the same command again and it continues. What cannot be used is named, the rest is built, and the exit status is 1.

    Example: medqdeg build --source gmai=VAL.tsv --source own=ward/:map.yaml --out set/ && MEDQDEG_DATA=set/ ...
    """
    from ..building.plan.planning import BuildRequest
    from ..building.plan.selection import Mix, load_mix
    from ..building.running import build as run

    if not sources:
        raise InputError("no source: give --source NAME=WHERE (medqdeg build --help)")
    if out is None:
        raise InputError("nothing to write to: give --out DIR")
    if engine not in ENGINES:
        raise InputError(f"--engine {engine}: must be one of {', '.join(ENGINES)}")
    table, series = _table_and_series(severities or [])
    request = BuildRequest(
        sources=tuple(dict.fromkeys(sources)),
        seed=seed,
        mix=Mix() if mix is None else load_mix(mix),
        severities=None if table is None else _severities(table),
        series=series,
        dev_share=dev_share,
        part_items=part_items,
        keep_contradictions=keep_contradictions,
    )
    started = time.monotonic()
    with _Bar() as bar:
        try:
            summary = run(
                request,
                out,
                sources_of_the_command(),
                workers=workers or usable_cores(),
                shard=_shard(shard),
                review=review,
                tsv=tsv,
                engine=_engine(engine),
                progress=bar.show,
            )
        except KeyboardInterrupt:
            typer.echo("interrupted; the same command continues", err=True)
            raise typer.Exit(130) from None
    _report(summary, out, time.monotonic() - started)
    if summary.problems or summary.failed:
        raise typer.Exit(1)


def push(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a finished build.")],
    repository: Annotated[str, typer.Option("--repo", metavar="OWNER/NAME", help="Dataset repository of the Hub.")],
    public: Annotated[bool, typer.Option("--public", help="Let everyone see it; private otherwise.")] = False,
    permitted: Annotated[
        list[str] | None,
        typer.Option(
            "--i-have-permission-to-redistribute",
            metavar="SOURCE",
            help="A source whose licence does not say so, but whose items you may pass on; repeat it.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be uploaded, and send nothing.")] = False,
) -> None:
    """Upload a built set to the Hugging Face Hub, private unless you say otherwise.

    Refused where a source's licence does not permit that changed copies are passed on.
    """
    from ..building.finish.publishing import prepare
    from ..building.finish.publishing import push as upload

    what = prepare(folder, repository, private=not public, permitted=permitted or ())
    size = f"{len(what.files):,} files, {what.bytes / 1e6:,.1f} MB"
    if dry_run:
        for name in what.files:
            typer.echo(name)
        typer.echo(f"would push {size} to {repository} ({'private' if what.private else 'public'})")
        return
    typer.echo(f"pushed {size}: {upload(folder, what)}")


def sources_of_the_command() -> Sources:
    """Return what reads the sources."""
    from ..building.plan.front import readers

    return readers()


def _table_and_series(given: list[str]) -> tuple[Path | None, tuple[float, ...]]:
    """Tell a table of strengths from severities of a series."""
    from ...degradations import largest_severity as largest
    from ...degradations import list_degradations, read_severity

    tables: list[Path] = []
    series: set[float] = set()
    for text in given:
        try:
            series |= {read_severity(part, series=True).value for part in text.split(",")}
        except ValueError as error:
            if "," in text or not Path(text).suffix:
                raise InputError(f"--severities {text}: {one_line(error)}") from None
            tables.append(Path(text))
    if len(tables) > 1:
        raise InputError(f"--severities: two tables, {tables[0]} and {tables[1]}; give one")
    furthest = max(largest(name) for name in list_degradations())
    if series and not 0 < max(series) <= furthest:
        raise InputError(f"--severities: a series lies above 0 and goes up to {furthest:g}, not {max(series):g}")
    return (tables[0] if tables else None), tuple(sorted(series - {0.0}))


def _severities(table: Path) -> Any:
    """Return the user's table as it stands in the file, once it is known to be one."""
    import yaml

    from ...degradations import load_severities

    try:
        load_severities(table)
        return yaml.safe_load(table.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{table}: cannot be read ({error.strerror or error})") from None
    except ValueError as error:
        raise InputError(one_line(error)) from None


def _shard(text: str) -> tuple[int, int]:
    index, slash, shards = text.partition("/")
    if not (slash and index.isdecimal() and shards.isdecimal() and 1 <= int(index) <= int(shards)):
        raise InputError(f"--shard {text}: give I/N with I from 1 to N, such as 2/8")
    return int(index), int(shards)


def _engine(name: str) -> Any:
    if name == "ray":
        from ..building.make.on_ray import on_ray

        return on_ray
    return None


def _report(summary: BuildSummary, out: Path, seconds: float) -> None:
    from ..building.layout import SKIPPED

    for line in summary.failed[:_NAMED]:
        typer.echo(f"medqdeg: {one_line(line)}", err=True)
    if summary.problems:
        _name_problems(out, summary.problems)
    text = f"{summary.items:,} items ({summary.images:,} images) in {summary.parts - summary.missing} of "
    text += f"{summary.parts} parts ({summary.made} made now) in {seconds:.1f} s"
    if summary.pairs:
        text += f"; {summary.excluded:,} of {summary.pairs:,} pairs left out by the gate or by a person, "
        text += f"{summary.replacements:,} others made in their place"
    typer.echo(f"{text}: {out}")
    if summary.contradictory:
        typer.echo(
            f"{summary.contradictory:,} items left out whose answers contradict each other (same question, same "
            f"image); {SKIPPED} names them"
        )
    for name, (wanted, got) in summary.short.items():
        typer.echo(f"fewer {name} than the mix wants: {got:,} of {wanted:,}; README.md says where")
    if not summary.finished:
        typer.echo(f"{summary.missing} parts are missing yet; when the other shards are done, any of these calls again")


def _name_problems(out: Path, number: int) -> None:
    """Name the first rows that should not have been skipped, of each reason in turn; the rest are in the file."""
    import csv
    from collections import Counter

    from ..building.layout import SKIPPED, WorkFolder

    with WorkFolder(out).skipped.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["harmless"] == "no"]
    before: Counter[tuple[str, str]] = Counter()
    turns = []
    for row in rows:
        before[row["source"], row["reason"]] += 1
        turns.append(before[row["source"], row["reason"]])
    for _, row in sorted(zip(turns, rows, strict=True), key=lambda pair: pair[0])[:_NAMED]:
        detail = f" ({row['detail']})" if row["detail"] else ""
        text = f"{row['source']}, {row['where']}: {row['reason']}{detail}"
        typer.echo(f"medqdeg: {one_line(text)}", err=True)
    if number > _NAMED:
        typer.echo(f"medqdeg: and {number - _NAMED:,} more, see {out / SKIPPED}", err=True)


class _Bar:
    """A progress bar with rate and time left, on a terminal only."""

    def __enter__(self) -> _Bar:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._progress.start()
        self._what: str | None = None
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, what: str, done: int, total: int | None) -> None:
        """Show how far a step is."""
        if what != self._what:
            if self._what is not None:
                self._progress.remove_task(self._task)
            self._what, self._started = what, time.monotonic()
            self._task = self._progress.add_task(what, total=total, rate="")
        passed = time.monotonic() - self._started
        rate = f"{done / passed:,.1f}/s" if passed > 1 and done else ""
        self._progress.update(self._task, completed=done, total=total, rate=rate)
