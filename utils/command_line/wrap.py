"""`medqdeg wrap`: MedQ-Deg's protocol on another lmms-eval task."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..base.errors import InputError
from ..base.harness import require_harness


def wrap(
    task: Annotated[str | None, typer.Argument(help="Name of an lmms-eval task.", show_default=False)] = None,
    levels: Annotated[
        str | None,
        typer.Option(help="Of l0, l1 and l2, separated by commas.", show_default="all; with --severities l0"),
    ] = None,
    severities: Annotated[
        str | None, typer.Option(help="Of a series, such as 0.5,1,1.5,2, for curves.", show_default="none")
    ] = None,
    types: Annotated[
        list[str] | None,
        typer.Option("--types", help="Degradations, separated by commas.", show_default="those for any image"),
    ] = None,
    auto: Annotated[
        str | None,
        typer.Option(metavar="modality", help="`modality`: the degradations of each item's own modality."),
    ] = None,
    modality: Annotated[str | None, typer.Option(help="CT, MRI, X-ray ...: of all items; chooses strengths.")] = None,
    votes: Annotated[int, typer.Option(min=1, help="T. At 1 the task's own decoding stays.")] = 10,
    score: Annotated[
        str | None, typer.Option(help="The task's metric that says whether a reply is right.", show_default="its first")
    ] = None,
    answers: Annotated[
        int | None,
        typer.Option(min=2, help="K of short answers: how many are possible.", show_default="distinct answers seen"),
    ] = None,
    reference_size: Annotated[
        float | None, typer.Option(help="Scale lengths with the image: the size in pixels that the strengths are for.")
    ] = None,
    include_path: Annotated[Path | None, typer.Option(help="Your own folder of tasks.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for the task files.")] = None,
    show_list: Annotated[bool, typer.Option("--list", help="Say of every task whether it can be wrapped.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="With --list: as Markdown.")] = False,
) -> None:
    """Write task files that ask an lmms-eval task about degraded images, several times.

    They inherit prompt, scoring, splits and filters, and add confidence and Calibration Shift.

    Example: medqdeg wrap scienceqa_img --votes 10 --out wrapped, then
    python -m lmms_eval --include_path wrapped --tasks scienceqa_img_medqdeg ...
    """
    from ..base.log import only_warnings

    only_warnings()
    if show_list:
        require_harness("medqdeg wrap")
        _print_list([task] if task else None, include_path, markdown)
        return
    if task is None:
        raise InputError("no task: name one (medqdeg wrap --list shows which can be wrapped)")
    if out is None:
        raise InputError("nothing to write: give --out DIR")
    if auto not in (None, "modality"):
        raise InputError(f"--auto {auto}: the one choice is `modality`")
    if auto and types:
        raise InputError("--auto and --types exclude each other")
    if reference_size is not None and not reference_size > 0:
        raise InputError(f"--reference-size {reference_size:g}: must be a positive number of pixels")
    chosen = (*_levels(levels or ("l0" if severities else "l0,l1,l2")), *_series(severities))
    require_harness("medqdeg wrap")
    from ..wrapping.generate import WrapOptions, write_wrapped_task
    from ..wrapping.original import find_entry

    options = WrapOptions(
        levels=chosen,
        degradations=tuple(part.strip() for value in types or [] for part in value.split(",") if part.strip()),
        by_item=auto == "modality",
        modality=modality,
        trials=votes,
        score=score,
        k=answers,
        reference_size=reference_size,
    )
    names = write_wrapped_task(find_entry(task, include_path), options, out)
    typer.echo(f"wrote {', '.join(names)} to {out}")
    typer.echo(f"python -m lmms_eval --include_path {out} --tasks {names[0]} --log_samples --output_path ...")


def _levels(text: str) -> tuple[str, ...]:
    from ..dataset.taxonomy import LEVELS

    wanted = [part.strip().upper() for part in text.split(",") if part.strip()]
    if unknown := [part for part in wanted if part not in LEVELS]:
        raise InputError(f"--levels {unknown[0].lower()}: must be l0, l1 or l2")
    if not wanted:
        raise InputError("--levels: name at least one of l0, l1 and l2")
    return tuple(level for level in LEVELS if level in wanted)


def _series(text: str | None) -> tuple[str, ...]:
    """Return the labels of a series: "0.5,1" gives S0.50 and S1.00."""
    from ...degradations import read_severity

    if text is None:
        return ()
    try:
        found = {read_severity(part, series=True) for part in text.split(",") if part.strip()}
    except ValueError as error:
        raise InputError(f"--severities: {error}") from None
    if not found or min(severity.value for severity in found) <= 0:
        raise InputError(f"--severities {text}: name severities above 0; clean images are l0")
    return tuple(severity.label for severity in sorted(found, key=lambda severity: severity.value))


def _print_list(names: list[str] | None, include_path: Path | None, markdown: bool) -> None:
    from ..base.versions import versions
    from ..wrapping.catalogue import as_markdown, list_tasks

    def show(done: int, total: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{done} of {total}", end="" if done < total else "\n", file=sys.stderr)

    listed = list_tasks(names, include_path, show)
    if names and not listed:
        raise InputError(f"lmms-eval has no task {names[0]!r}, or it is a group")
    if markdown:
        typer.echo(as_markdown(listed, versions()), nl=False)
        return
    for task in listed:
        typer.echo(f"{task.name}: {task.reason or 'can be wrapped'}")
