"""`medqdeg grade`: how severely one's own images are degraded, on the axis of a degradation."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..base.console import output_console
from ..base.errors import InputError, one_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..grading.yardstick import Yardstick

_COLUMNS = ("image", "degradation", "severity", "low", "high", "fits")


def grade(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGES...", help="Images and folders to place.")],
    like: Annotated[
        list[Path],
        typer.Option("--like", metavar="REFERENCE", help="Clean images of the same kind, or folders of them."),
    ],
    types: Annotated[
        list[str] | None,
        typer.Option("--type", "-t", help="Degradation; repeat it or separate with commas.", show_default="all told"),
    ] = None,
    modality: Annotated[str | None, typer.Option(help="CT, MRI, X-ray ...: chooses the strengths.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the draws that the references are degraded with.")] = 0,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE.csv", help="The same as a table.")] = None,
) -> None:
    """Place images on the axis of a degradation: 0 is clean, 1 is L1, 2 is L2.

    The reference images are degraded along the axis, and each image is held against them. Brackets hold 95% of the
    references that were placed there by the others. A degradation is told apart from a clean image, not from another
    degradation.

    Example: medqdeg grade clinic/ --like clean/ --type gaussian_noise --modality X-ray
    """
    from ...degradations import get
    from ..grading.traits import TRAITS, UNTOLD

    try:
        names = [get(name).name for text in types or [] for name in text.split(",")] or list(TRAITS)
    except ValueError as error:
        raise InputError(str(error)) from None
    for name in names:
        if name not in TRAITS:
            raise InputError(f"the severity of {name} cannot be told from an image: {UNTOLD[name]}")
    references, _ = _read(like)
    placed, failed = _read(images)
    yardsticks = [_yardstick(name, list(references.values()), modality, seed) for name in names]
    rows = [
        {"image": str(path), "degradation": yardstick.name, **vars(yardstick.place(values))}
        for path, values in placed.items()
        for yardstick in yardsticks
    ]
    _print(rows, yardsticks)
    if types is None:
        print(f"Not told from an image: {', '.join(UNTOLD)}")
    if out is not None:
        _write(rows, out)
    if failed:
        raise SystemExit(1)


def _read(paths: Sequence[Path]) -> tuple[dict[Path, NDArray[np.generic]], int]:
    """Return the images by path, each on the 0..255 scale, and how many could not be read; these are named."""
    from ...degradations.pixels import unpack
    from ..images import read_image
    from ..images.folders import find_sources

    found: dict[Path, NDArray[np.generic]] = {}
    search = find_sources(paths)
    for line in search.errors:
        print(f"medqdeg: {line}", file=sys.stderr)
    failed = len(search.errors)
    for source in search.sources:
        try:
            found[source.path] = unpack(read_image(source.path).image).values
        except (InputError, ValueError, OSError) as error:
            print(f"medqdeg: {source.path}: {one_line(error)}", file=sys.stderr)
            failed += 1
    if not found:
        raise InputError(f"no image could be read in {', '.join(map(str, paths))}")
    return found, failed


def _yardstick(name: str, references: Sequence[Any], modality: str | None, seed: int) -> Yardstick:
    from ..grading.yardstick import Yardstick

    try:
        return Yardstick(name, references, modality, seed)
    except ValueError as error:
        raise InputError(one_line(error)) from None


def _print(rows: Sequence[dict[str, Any]], yardsticks: Sequence[Yardstick]) -> None:
    from rich import box
    from rich.table import Table

    from ..grading.yardstick import TOO_UNSURE

    console = output_console()
    table = Table(box=box.SIMPLE)
    for head in ("image", "degradation", "severity"):
        table.add_column(head, overflow="fold")
    for row in rows:
        where = f"{row['severity']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"
        table.add_row(row["image"], row["degradation"], where if row["fits"] else f"{where}, unlike the references")
    console.print(table)
    for yardstick in yardsticks:
        error = yardstick.typical_error
        line = f"{yardstick.name}: four fifths of the references are placed within {error:.2f} by the others"
        if error > TOO_UNSURE:
            line += "; they differ too much to tell a severity"
        console.print(line, markup=False, highlight=False)


def _write(rows: Sequence[dict[str, Any]], out: Path) -> None:
    try:
        with out.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise InputError(f"{out} cannot be written ({error.strerror})") from None
