"""What `medqdeg degrade` does once its options are checked, and what it prints of it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..base.cores import usable_cores
from ..base.errors import InputError, one_line
from .degrade_options import parse_value_range

if TYPE_CHECKING:
    from ..degrade_files.requests import DegradeRequest
    from ..images.folders import Search

_SHEET_ROWS = 120


def report_search(search: Search, inputs: list[Path]) -> None:
    """Print what was passed over; raise `InputError` where no image was found."""
    _print_errors(search.errors)
    if search.passed_over:
        typer.echo(f"passed over {_counted(search.passed_over, 'file')} that hold no image", err=True)
    if not search.sources:
        raise InputError(f"no image found in {', '.join(map(str, inputs))}")


def worth_starting(files: int) -> int:
    """Processes for so many files: a process takes longer to start than a few files take to degrade."""
    return max(1, min(usable_cores(), files // 4))


def run_files(search: Search, request: DegradeRequest, out: Path, workers: int) -> bool:
    """Degrade with a progress bar; return whether anything failed."""
    import time

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from ..degrade_files.manifests import MANIFEST
    from ..degrade_files.runs import Outcome, degrade_files

    console = Console(stderr=True)
    started = time.monotonic()
    with Progress(
        TextColumn("degrading"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("[red]{task.fields[failed]}"),
        TimeRemainingColumn(),
        console=console,
        # Nothing but the summary where no one watches.
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task("", total=len(search.sources), failed="")
        failed = 0

        def show(outcome: Outcome) -> None:
            nonlocal failed
            failed += bool(outcome.errors)
            progress.update(task, advance=1, failed=f"{failed} failed" if failed else "")

        try:
            summary = degrade_files(search.sources, request, out, workers=workers, on_progress=show)
        except KeyboardInterrupt:
            typer.echo("interrupted; the same command continues", err=True)
            raise typer.Exit(130) from None
    _print_errors(sorted(summary.errors))
    seconds = time.monotonic() - started
    text = f"wrote {summary.made}"
    if summary.kept:
        text += f", kept {summary.kept} of an earlier run"
    text += f" from {_counted(summary.files, 'file')} in {seconds:.1f} s"
    if summary.failed_files:
        text += f"; {_counted(summary.failed_files, 'file')} failed"
    typer.echo(f"{text}; manifest: {out / MANIFEST}")
    return bool(summary.errors)


def run_volumes(
    inputs: list[Path], request: DegradeRequest, out: Path | None, value_range: str | None, *, forbidden: bool
) -> None:
    """Degrade each input as one volume; with `forbidden`, an option was given that does not go with volumes."""
    from ..degrade_files.volumes import degrade_volumes

    if out is None or forbidden:
        raise InputError("--volumes needs --out, and goes neither with --grid nor with --neutral-names")
    try:
        summary = degrade_volumes(inputs, request, out, value_range=parse_value_range(value_range))
    except KeyboardInterrupt:
        typer.echo("interrupted; the same command continues", err=True)
        raise typer.Exit(130) from None
    _print_errors(summary.errors)
    kept = f", kept {summary.kept} of an earlier run" if summary.kept else ""
    typer.echo(f"wrote {_counted(summary.made, 'volume')} to {out}{kept}")
    if summary.errors:
        raise typer.Exit(1)


def draw_sheet(search: Search, request: DegradeRequest, path: Path, count: int) -> bool:
    """Draw the contact sheet; return whether anything failed."""
    from ..base.atomic_files import write_atomically
    from ..degrade_files.requests import level_name
    from ..degrade_files.sheet import sheet_rows, sheet_severities
    from ..images import encode_image
    from ..images.contact_sheet import draw_contact_sheet

    resolved = path.resolve()
    if any(Path(os.path.realpath(source.path)) == resolved for source in search.sources):
        raise InputError(f"--grid {path} would overwrite an input; choose another name")
    shown = search.sources[:count]
    if len(shown) * len(request.names) > _SHEET_ROWS:
        raise InputError(f"the sheet would have more than {_SHEET_ROWS} rows; give fewer --type or --grid-images")
    rows, errors = sheet_rows(shown, request)
    _print_errors(errors)
    if not rows:
        return True
    of = f", {len(shown)} of {len(search.sources)} images" if len(search.sources) > len(shown) else ""
    heads = ("L0  clean", *map(level_name, sheet_severities(request)))
    page = draw_contact_sheet(rows, heads, title=f"seed {request.seed}{of}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, encode_image(page, {".png": "png", ".webp": "webp"}.get(path.suffix.lower(), "jpeg")))
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from None
    typer.echo(f"contact sheet: {path}")
    return bool(errors)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _print_errors(errors: Iterable[str]) -> None:
    for error in errors:
        typer.echo(f"medqdeg: {one_line(error)}", err=True)
