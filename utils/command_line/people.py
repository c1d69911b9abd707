"""`medqdeg people`: people at the same pictures as the models, on one local page."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from ..base.errors import InputError

if TYPE_CHECKING:
    from ..people.items import ItemSet


class _OpensByDefault(TyperGroup):
    """`people SET ...` is `people open SET ...`; a set of the name of a command is given as `./export`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command that opens a desk in front where none is named."""
        if args and args[0] not in (*self.commands, "-h", "--help"):
            args = ["open", *args]
        return super().parse_args(ctx, args)


people = typer.Typer(
    name="people",
    cls=_OpensByDefault,
    no_args_is_help=True,
    help="People at the same pictures: review, severity calibration, reader study. `medqdeg people SET` opens a desk "
    "(`medqdeg people open --help` lists its options).",
)

_Set = Annotated[
    str, typer.Argument(metavar="SET", help="Folder of a data set, or phantom, or phantom_small.", show_default=False)
]
_Split = Annotated[Literal["test", "dev"], typer.Option(help="Of a folder.")]


@people.command("open", no_args_is_help=True)
def open_desk(
    data: _Set,
    reader: Annotated[str, typer.Option(metavar="CODE", help="The reader's code, such as R1; no name.")],
    desk: Annotated[Literal["review", "calibrate", "study"], typer.Option(help="Which desk.")] = "review",
    store: Annotated[Path, typer.Option(help="File that keeps everything.")] = Path("people.sqlite"),
    split: _Split = "test",
    seed: Annotated[int, typer.Option(min=0, help="Of every choice and order; the same for all readers.")] = 0,
    session: Annotated[
        int | None, typer.Option(min=1, help="Of a study: 1 to 3.", show_default="the first unfinished")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Pairs or questions.", show_default="review all, study 120")
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Review: leave out the blind step.")] = False,
    adjudicate: Annotated[
        list[Path] | None, typer.Option(metavar="STORE", help="Review: only what these stores leave tied; repeat it.")
    ] = None,
    cell: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME:MODALITY", help="Calibrate: degradation, modality, or both; repeat it."),
    ] = None,
    images: Annotated[int, typer.Option(min=1, help="Calibrate: images per cell.")] = 4,
    step: Annotated[float, typer.Option(min=0.05, max=1, help="Calibrate: between severities.")] = 0.15,
    override_washout: Annotated[
        str, typer.Option(metavar="REASON", help="Study: begin a session before its 28 days; recorded.")
    ] = "",
    times: Annotated[bool, typer.Option("--times", help="Keep moments, not days.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of this machine; 0 takes a free one.")] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the browser.")] = True,
) -> None:
    """Open a desk: one page in the browser, for one reader, on this machine only.

    Every answer is on the disk before the next picture comes. Close the window or press ctrl-C at any time: the same
    command continues.

    Example: medqdeg people set/ --desk review --reader R1
    """
    import webbrowser

    from ..people.opening import DeskRequest, open_sitting
    from ..people.server import Screens, Server

    items = _items(data, split)
    pairs = None
    if adjudicate:
        from ..people.decisions import tied_pairs

        pairs = tied_pairs(adjudicate, reader)
    request = DeskRequest(
        desk=desk,
        reader=reader,
        seed=seed,
        session=session,
        limit=limit,
        fast=fast,
        pairs=pairs,
        cells=tuple(cell or ()),
        images=images,
        step=step,
        washout_overridden=override_washout,
    )
    sitting, book = open_sitting(request, items, store, times=times)
    with contextlib.closing(sitting.store), _ended_like_ctrl_c():
        screens = Screens(sitting, book)
        server = Server(screens, book, port)
        with contextlib.suppress(KeyboardInterrupt):
            print(f"{desk}, {reader}, session {sitting.session}: {sitting.done} of {len(sitting.trials)} answered")
            print(f"open in a browser of this machine: {server.guard.address}", flush=True)
            if browser:
                webbrowser.open(server.guard.address)
            server.run()
        if screens.ended is None:
            screens.ended = sitting.close()
        print(f"{sitting.done} of {len(sitting.trials)} answered; everything is in {store}")
        print(f"head of the chain: {screens.ended}")


@contextlib.contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """Have what ends a process from outside (`kill`, a closed terminal, a shutdown) end a desk as ctrl-C does.

    uvicorn stops at SIGTERM and then sends it again, to whoever handled it before: by default nobody, and the chain
    would lack its last event. What the caller ignores, as `nohup` does, stays ignored.
    """
    handlers: dict[str, Any] = {
        "SIGTERM": signal.default_int_handler,
        "SIGHUP": lambda *_: signal.raise_signal(signal.SIGTERM),  # of which uvicorn knows nothing; nor does Windows
    }
    numbers = {name: getattr(signal, name) for name in handlers if hasattr(signal, name)}
    unhandled = [name for name, number in numbers.items() if signal.getsignal(number) is signal.SIG_DFL]
    for name in unhandled:
        signal.signal(numbers[name], handlers[name])
    try:
        yield
    finally:
        for name in unhandled:
            signal.signal(numbers[name], signal.SIG_DFL)


@people.command(no_args_is_help=True)
def verify(
    stores: Annotated[list[Path], typer.Argument(metavar="STORE...", help="Files of `medqdeg people`.")],
    head: Annotated[
        str | None, typer.Option(metavar="HASH", help="A head that must be in the chain: nothing was cut off.")
    ] = None,
) -> None:
    """Check that nothing in a store was changed since it was written; exit status 1 if something was."""
    from ..people.verifying import verify as look

    changed = False
    for path in stores:
        found = look(path, head)
        changed |= bool(found.faults)
        print(f"{path}: {found.events} events, {'as written' if not found.faults else 'CHANGED'}, head {found.head}")
        for fault in found.faults:
            print(f"  {fault}")
    if changed:
        raise typer.Exit(1)


@people.command(no_args_is_help=True)
def export(
    stores: Annotated[
        list[Path], typer.Argument(metavar="STORE...", help="Files of `medqdeg people`, of all readers.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write to.")],
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="SET", help="The set: a reader study is scored with it.", show_default="none"),
    ] = None,
    split: _Split = "test",
    seed: Annotated[int, typer.Option(min=0, help="Of the intervals.")] = 0,
) -> None:
    """Export what readers answered: a review as review.csv, a study as runs, a calibration as a severity table.

    The stores are verified first. Nothing leaves this machine.

    Example: medqdeg people export R1.sqlite R2.sqlite R3.sqlite --out review/
    """
    from ..people.exporting import export as write

    for line in write(stores, out, None if data is None else _items(data, split), seed):
        print(line)
    print(f"written to {out.resolve()}")


def _items(data: str, split: str) -> ItemSet:
    """Return the set of a folder, or the phantoms."""
    from ..dataset.loading import load_level
    from ..dataset.location import LocalFolder
    from ..dataset.taxonomy import LEVELS
    from ..people.items import ItemSet
    from ..phantoms.cache import load_default_suite

    if data in ("phantom", "phantom_small"):
        small = data == "phantom_small"
        return ItemSet({level: load_default_suite(level, small_only=small) for level in LEVELS}, f"medqdeg_{data}")
    folder = Path(data)
    if not folder.is_dir():
        raise InputError(f"{data}: give the folder of a data set, or phantom, or phantom_small")
    family = "medqdeg" if split == "test" else "medqdeg_dev"
    return ItemSet({level: load_level(split, level, LocalFolder(folder)) for level in LEVELS}, family)
