"""`medqdeg phantom`: a suite of phantoms, or pictures of them."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated

import typer

from ..base.errors import InputError


def phantom(
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for the suite.")] = None,
    n: Annotated[int | None, typer.Option("--n", help="Clean items.", show_default="700")] = None,
    seed: Annotated[int, typer.Option(help="Suites of different seeds share no phantom.")] = 0,
    mix: Annotated[
        str | None,
        typer.Option(help="balanced (over modalities and questions) or paper (its skills and degradations)."),
    ] = None,
    severities: Annotated[
        str | None,
        typer.Option(
            help="Of a series, such as 0,0.25,0.5,1,1.5,2,3, for curves; L1 and L2 are not made then.",
            show_default="L1 and L2",
        ),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="As large as MedQ-Deg and in its mix: 4,306 clean items, 24,894 in all.")
    ] = False,
    small: Annotated[bool, typer.Option("--small", help="Only the 84 items of medqdeg_phantom_small.")] = False,
    grey: Annotated[
        bool, typer.Option("--grey", help="Replace every image by plain grey: what does a blind model answer?")
    ] = False,
    gone: Annotated[
        bool,
        typer.Option("--gone", help="Judge what each image still shows, and add the level at which evidence is gone."),
    ] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes.", show_default="one per core")] = None,
    sheets: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Pictures: phantoms by modality, an item of every skill.")
    ] = None,
) -> None:
    """Make phantoms: images whose truth is known by construction, questions about them, and degraded versions.

    The same options give the same bytes on any number of cores. A finished suite is reused. To run on it, set
    MEDQDEG_DATA to the folder and take the tasks medqdeg and medqdeg_dev.

    Example: medqdeg phantom --n 1000 --seed 7 --out phantoms/
    """
    if out is None and sheets is None:
        raise InputError("nothing to make: give --out DIR, or --sheets DIR, or both")
    if full and (n is not None or mix is not None or small):
        raise InputError("--full fixes the number of items and the mix; leave out --n, --mix and --small")
    if gone and (severities is not None or grey or out is None):
        raise InputError("--gone judges L1 and L2 of a suite in --out DIR; leave out --severities and --grey")
    if out is not None:
        _make(out, n, seed, mix, _numbers(severities), full, small, grey, gone, workers)
    if sheets is not None:
        from ..phantoms.sheets import write_sheets

        for path in write_sheets(sheets, seed):
            print(path)


def _numbers(severities: str | None) -> tuple[float, ...]:
    from ...degradations import read_severity

    if severities is None:
        return ()
    try:
        return tuple(read_severity(text, series=True).value for text in severities.split(","))
    except ValueError as error:
        raise InputError(f"--severities {severities}: {error}") from None


def _make(
    out: Path,
    n: int | None,
    seed: int,
    mix: str | None,
    severities: tuple[float, ...],
    full: bool,
    small: bool,
    grey: bool,
    gone: bool,
    workers: int | None,
) -> None:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from ..base.cores import usable_cores
    from ..dataset.composition import PAPER_CLEAN_ITEMS
    from ..evidence.cache import make_judged_suite
    from ..phantoms.cache import DEFAULT_ITEMS, make_suite

    make = make_judged_suite if gone else functools.partial(make_suite, severities=severities, grey=grey)
    columns = (TextColumn("phantoms"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        bar = progress.add_task("", total=None, visible=False)
        folder = make(
            out,
            items=PAPER_CLEAN_ITEMS if full else DEFAULT_ITEMS if n is None else n,
            seed=seed,
            mix="paper" if full else mix or "balanced",
            small_only=small,
            workers=workers or usable_cores(),
            on_start=lambda count: progress.update(bar, total=count, visible=True),
            on_item=lambda: progress.advance(bar),
        )
    print(f"The phantoms are in {folder}")
