"""`medqdeg store`: describe, check and merge the responses that runs have stored."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

store = typer.Typer(
    name="store", no_args_is_help=True, help="Describe, check and merge the responses that runs have stored."
)

_Places = Annotated[list[Path], typer.Argument(help="Folders given as store=, or single files of them.")]


@store.command(no_args_is_help=True)
def info(places: _Places) -> None:
    """Print what the files hold: responses, tasks, when they arrived."""
    from ..sampling.store_upkeep import describe, files_of

    for path in files_of(places):
        found = describe(path)
        print(f"{path}: {found.responses} responses to {found.requests} requests in {found.sessions} sessions")
        if found.first is not None and found.last is not None:
            print(f"  from {_moment(found.first)} to {_moment(found.last)}")
        for task, responses in found.tasks.items():
            print(f"  {task}: {responses}")


@store.command(no_args_is_help=True)
def verify(places: _Places) -> None:
    """Check that every response can be used; exit status 1 if one cannot."""
    from ..sampling.store_upkeep import faults, files_of

    damaged = False
    for path in files_of(places):
        wrong = faults(path)
        damaged |= bool(wrong)
        print(f"{path}: {'in order' if not wrong else f'{len(wrong)} faults'}")
        for fault in wrong:
            print(f"  {fault}")
    if damaged:
        raise typer.Exit(1)


@store.command(no_args_is_help=True)
def merge(
    places: _Places,
    into: Annotated[
        Path,
        typer.Option("--out", "-o", "--into", help="Folder for the merged file; it can be given as store= afterwards."),
    ],
) -> None:
    """Put the responses of several machines' stores into one file; the sources stay as they are."""
    from ..sampling.store_upkeep import merge as merge_stores

    done = merge_stores(places, into)
    print(f"{done.path}: {done.responses} responses, {done.added} of them new")
    if done.conflicts:
        print(f"{done.conflicts} trials had different replies; the earlier one was kept")


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
