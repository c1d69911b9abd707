"""`medqdeg degrade`: files and folders in, degraded copies, a manifest and a contact sheet out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..base.console import output_console
from ..base.errors import InputError
from .degrade_jobs import draw_sheet, report_search, run_files, run_volumes, worth_starting
from .degrade_options import canonical_modality, checked, degrade_request


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

    strengths = checked(load_severities, table)
    if show_list:
        _print_list(modality, strengths, markdown)
        return
    if not inputs:
        raise InputError("no input: name images or folders (medqdeg degrade --help)")
    if out is None and grid is None:
        raise InputError("nothing to write: give --out DIR, or --grid FILE.png, or both")
    if grid is not None and grid.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise InputError(f"--grid {grid}: the name must end in .png, .jpg or .webp")

    request = degrade_request(
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
        run_volumes(inputs, request, out, value_range, forbidden=grid is not None or neutral_names)
        return
    from ..images.folders import find_sources

    search = find_sources(inputs, excluding=out, follow_links=follow_links, neutral_names=neutral_names)
    report_search(search, inputs)
    failed = bool(search.errors)
    if out is not None:
        failed |= run_files(search, request, out, workers or worth_starting(len(search.sources)))
    if grid is not None:
        failed |= draw_sheet(search, request, grid, grid_images)
    if failed:
        raise typer.Exit(1)


def _print_list(modality: str | None, strengths: Any, markdown: bool) -> None:
    from ..degrade_files.catalogue import as_markdown, as_rich_table, entries

    listed = entries(canonical_modality(modality), strengths)
    if markdown:
        typer.echo(as_markdown(listed), nl=False)
        return

    output_console().print(as_rich_table(listed))
