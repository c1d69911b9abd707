"""`medqdeg degrade`: files and folders in, degraded copies, a manifest and a contact sheet out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..base.console import output_console
from ..base.cores import usable_cores
from ..base.errors import InputError, one_line

if TYPE_CHECKING:
    from ..degrade_files.requests import DegradeRequest
    from ..images.folders import Search

_SHEET_ROWS = 120


def degrade(
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="IN...",
            help="Images (PNG, JPEG, TIFF, WebP, BMP, DICOM) and folders, searched to the bottom.",
        ),
    ] = None,
    types: Annotated[
        list[str] | None,
        typer.Option("--type", "-t", help="Degradation; repeat it or separate with commas. `all`: every one."),
    ] = None,
    severities: Annotated[
        list[str] | None,
        typer.Option(
            "--severity",
            "-s",
            help="0, 1 or 2, or any number of a series, such as 0.5,1.5; repeat it or separate with commas.",
            show_default="1,2",
        ),
    ] = None,
    series: Annotated[
        bool, typer.Option("--series", help="1 and 2 belong to the series, too, which shares the draw of L1.")
    ] = False,
    seed: Annotated[
        str, typer.Option(help="A number or a text. Each image's draw follows from it and its content.")
    ] = "0",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the outputs and their manifest.jsonl.")
    ] = None,
    modality: Annotated[
        str | None,
        typer.Option(
            help="CT, MRI, X-ray ...: chooses the strengths, and what `all` and --list mean. "
            "DICOM files bring their own."
        ),
    ] = None,
    table: Annotated[
        Path | None, typer.Option("--severities", metavar="TABLE.yaml", help="Your own table of strengths.")
    ] = None,
    reference_size: Annotated[
        float | None,
        typer.Option(
            help="Scale lengths with the image: the size in pixels for which the table is meant.",
            show_default="lengths in pixels of the image",
        ),
    ] = None,
    keep_markings: Annotated[
        bool | None,
        typer.Option(
            "--keep-markings/--degrade-markings",
            help="Coloured outlines on grey images.",
            show_default="as the authors do",
        ),
    ] = None,
    allow_unchanged: Annotated[
        bool,
        typer.Option("--allow-unchanged", help="Write an image that a degradation leaves as it is, too."),
    ] = False,
    window: Annotated[
        str | None,
        typer.Option(
            metavar="CENTRE,WIDTH|full",
            help="Grey levels of DICOM and of 16-bit files.",
            show_default="the file's own, else the range in use",
        ),
    ] = None,
    frames: Annotated[
        str,
        typer.Option(help="Of files with several frames: `single` refuses them; `first`, `middle`, `all`."),
    ] = "single",
    format: Annotated[str, typer.Option(help="Of the outputs: png, tiff, webp (lossless), jpeg (not).")] = "png",
    png_level: Annotated[
        int, typer.Option(min=0, max=9, help="How hard PNG is compressed: 0 fastest, 9 smallest; same pixels.")
    ] = 2,
    volumes: Annotated[
        bool,
        typer.Option(
            "--volumes",
            help="Each input is one volume: a NIfTI file, or a folder with one DICOM series; written as such.",
        ),
    ] = False,
    value_range: Annotated[
        str | None,
        typer.Option(
            metavar="LOW,HIGH",
            help="Of volumes: what counts as black and white, in Hounsfield units for CT.",
            show_default="the volume's least and greatest value",
        ),
    ] = None,
    neutral_names: Annotated[
        bool,
        typer.Option(
            "--neutral-names", help="Name outputs by a hash of each file's content: names of files may name a patient."
        ),
    ] = False,
    follow_links: Annotated[
        bool, typer.Option("--follow-links", help="Read files outside a folder to which links in it lead.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes.", show_default="one per core, fewer for few files")
    ] = None,
    grid: Annotated[
        Path | None,
        typer.Option(
            "--grid",
            metavar="FILE.png",
            help="Contact sheet: one row per degradation, clean, L1 and L2 (or the series) side by side.",
        ),
    ] = None,
    grid_images: Annotated[int, typer.Option(min=1, help="How many of the images the sheet shows.")] = 1,
    show_list: Annotated[bool, typer.Option("--list", help="Print the degradations and their strengths.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="With --list: as Markdown.")] = False,
) -> None:
    """Degrade images, reproducibly.

    The same images, options and seed give the same bytes on any number of cores, in any order, and after a
    kill: run the same command again and it continues. A file that fails is named, the rest goes on, and the
    exit status is 1.

    Example: medqdeg degrade scans/ --type gaussian_noise,motion_blur --severity 1,2 --seed 7 --out degraded/
    """
    from ...degradations import load_severities

    strengths = _checked(load_severities, table)
    if show_list:
        _print_list(modality, strengths, markdown)
        return
    if not inputs:
        raise InputError("no input: name images or folders (medqdeg degrade --help)")
    if out is None and grid is None:
        raise InputError("nothing to write: give --out DIR, or --grid FILE.png, or both")
    if grid is not None and grid.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise InputError(f"--grid {grid}: the name must end in .png, .jpg or .webp")

    request = _request(
        types,
        severities,
        series,
        seed,
        modality,
        strengths,
        reference_size,
        keep_markings,
        allow_unchanged,
        window,
        frames,
        format,
        png_level,
    )
    if value_range is not None and not volumes:
        raise InputError("--value-range is for --volumes; for files of images, see --window")
    if volumes:
        _degrade_volumes(inputs, request, out, value_range, forbidden=grid is not None or neutral_names)
        return
    from ..images.folders import find_sources

    search = find_sources(inputs, excluding=out, follow_links=follow_links, neutral_names=neutral_names)
    _report_search(search, inputs)
    failed = bool(search.errors)
    if out is not None:
        failed |= _run(search, request, out, workers or _worth_starting(len(search.sources)))
    if grid is not None:
        failed |= _draw_sheet(search, request, grid, grid_images)
    if failed:
        raise typer.Exit(1)


def _severity(text: str, series: bool) -> int | str:
    """Return 0, 1 or 2, or the label of a severity of a series."""
    from ...degradations import read_severity

    try:
        severity = read_severity(text, series)
    except ValueError as error:
        raise InputError(f"--severity {text}: {error}") from None
    return severity.label if severity.series and severity.value else int(severity.value)


def _degrade_volumes(
    inputs: list[Path], request: DegradeRequest, out: Path | None, value_range: str | None, *, forbidden: bool
) -> None:
    from ..degrade_files.volumes import degrade_volumes

    if out is None or forbidden:
        raise InputError("--volumes needs --out, and goes neither with --grid nor with --neutral-names")
    found = None
    if value_range is not None:
        try:
            low, high = (float(part) for part in value_range.split(","))
        except ValueError:
            low = high = 0.0
        if not low < high:
            raise InputError(f"--value-range {value_range}: give the least and the greatest value, such as -1000,1000")
        found = (low, high)
    try:
        summary = degrade_volumes(inputs, request, out, value_range=found)
    except KeyboardInterrupt:
        typer.echo("interrupted; the same command continues", err=True)
        raise typer.Exit(130) from None
    _print_errors(summary.errors)
    kept = f", kept {summary.kept} of an earlier run" if summary.kept else ""
    typer.echo(f"wrote {_counted(summary.made, 'volume')} to {out}{kept}")
    if summary.errors:
        raise typer.Exit(1)


def _request(
    types: list[str] | None,
    severities: list[str] | None,
    series: bool,
    seed: str,
    modality: str | None,
    strengths: Any,
    reference_size: float | None,
    keep_markings: bool | None,
    allow_unchanged: bool,
    window: str | None,
    frames: str,
    format: str,
    png_level: int,
) -> DegradeRequest:
    """Check every option before a file is touched."""
    from ...degradations import largest_severity, list_degradations
    from ..degrade_files.requests import FRAME_CHOICES, DegradeRequest
    from ..images import OUTPUT_FORMATS

    names = []
    modality = _canonical_modality(modality)
    for text in _split(types):
        if text == "all":
            names += list_degradations(modality)
        else:
            names.append(_canonical_name(text))
    if not names:
        raise InputError("no degradation: give --type (medqdeg degrade --list shows them), or --type all")
    levels = [_severity(text, series) for text in _split(severities) or ["1", "2"]]
    for name in names:
        for level in levels:
            if isinstance(level, str) and float(level[1:]) > (largest := largest_severity(name, modality, strengths)):
                raise InputError(f"--severity {level[1:]}: {name} goes up to {largest:g}")
    if reference_size is not None and not reference_size > 0:
        raise InputError(f"--reference-size {reference_size:g}: must be a positive number of pixels")
    if frames not in FRAME_CHOICES:
        raise InputError(f"--frames {frames}: must be one of {', '.join(FRAME_CHOICES)}")
    if format not in OUTPUT_FORMATS:
        raise InputError(f"--format {format}: must be one of {', '.join(OUTPUT_FORMATS)}")
    return DegradeRequest(
        names=tuple(dict.fromkeys(names)),
        severities=tuple(dict.fromkeys(levels)),
        seed=seed,
        modality=modality,
        table=strengths,
        reference_size=reference_size,
        keep_markings=keep_markings,
        allow_unchanged=allow_unchanged,
        window=_parse_window(window),
        frames=frames,
        format=format,
        png_level=png_level,
    )


def _canonical_name(text: str) -> str:
    from ...degradations import get

    if text.lower().startswith("xray_motion_blur"):
        # An alias that implies a modality cannot stand for the folder's name.
        raise InputError(f"--type {text}: use --type motion_blur --modality X-ray")
    return _checked(get, text).name


def _canonical_modality(modality: str | None) -> str | None:
    from ...degradations.vocabulary import check_modality

    return _checked(check_modality, modality)


def _checked(function: Any, argument: Any) -> Any:
    """Call the library; its ValueError and OSError are the user's input."""
    try:
        return function(argument)
    except OSError as error:
        raise InputError(f"{argument}: cannot be read ({error.strerror or error})") from None
    except ValueError as error:
        raise InputError(str(error)) from None


def _split(values: list[str] | None) -> list[str]:
    return [part.strip() for value in values or [] for part in value.split(",") if part.strip()]


def _parse_window(text: str | None) -> tuple[float, float] | str | None:
    if text is None or text == "full":
        return text
    try:
        center, width = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--window {text}: give CENTRE,WIDTH (such as 40,400) or full") from None
    if not (width >= 1 and abs(center) < float("inf") and width < float("inf")):
        raise InputError(f"--window {text}: the width must be at least 1")
    return center, width


def _worth_starting(files: int) -> int:
    """Processes for so many files: a process takes longer to start than a few files take to degrade."""
    return max(1, min(usable_cores(), files // 4))


def _report_search(search: Search, inputs: list[Path]) -> None:
    _print_errors(search.errors)
    if search.passed_over:
        typer.echo(f"passed over {_counted(search.passed_over, 'file')} that hold no image", err=True)
    if not search.sources:
        raise InputError(f"no image found in {', '.join(map(str, inputs))}")


def _run(search: Search, request: DegradeRequest, out: Path, workers: int) -> bool:
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


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _print_errors(errors: Iterable[str]) -> None:
    for error in errors:
        typer.echo(f"medqdeg: {one_line(error)}", err=True)


def _draw_sheet(search: Search, request: DegradeRequest, path: Path, count: int) -> bool:
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


def _print_list(modality: str | None, strengths: Any, markdown: bool) -> None:
    from ..degrade_files.catalogue import as_markdown, as_rich_table, entries

    listed = entries(_canonical_modality(modality), strengths)
    if markdown:
        typer.echo(as_markdown(listed), nl=False)
        return

    output_console().print(as_rich_table(listed))
