"""`medqdeg demo`: the main job end to end on this machine's processor, through lmms-eval itself."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from ..base.errors import InputError
from ..base.harness import require_harness


def demo(
    data: Annotated[
        Path | None,
        typer.Argument(
            help="Folder with the data set's TSV files.", show_default="the phantoms that come with medqdeg"
        ),
    ] = None,
    output: Annotated[Path, typer.Option("--out", "-o", "--output", help="Folder for the results.")] = Path(
        "results/demo"
    ),
    full: Annotated[bool, typer.Option("--full", help="All 700 clean phantoms instead of 84.")] = False,
    guesser: Annotated[
        bool, typer.Option("--guesser", help="An untrained checkpoint instead of the reference model.")
    ] = False,
) -> None:
    """Run all three levels with the small reference model, offline, and write analysis and report.

    The model reads medqdeg's own phantoms and nothing else. Started again after a kill, the run continues.
    """
    if data is not None and not data.is_dir():
        raise InputError(f"{data} is not a folder")
    if data is not None and full:
        raise InputError("--full is about the phantoms; leave it out with a folder")
    require_harness("the demo")
    try:
        _run(data, output, full=full, guesser=guesser)
    except KeyboardInterrupt:
        typer.echo("interrupted; the same command continues", err=True)
        raise typer.Exit(130) from None


def _run(data: Path | None, output: Path, *, full: bool, guesser: bool) -> None:
    places = f"store={output / 'responses'},pretrained={_checkpoint(output, guesser)}"
    command = [
        *(sys.executable, "-m", "lmms_eval", "--tasks", _tasks(data, full), "--model", "medqdeg"),
        *("--model_args", f"inner=llava_hf,{places},device=cpu,device_map=cpu"),
        *("--output_path", str(output), "--log_samples"),
    ]
    # A model this small only loses time to threads.
    environment = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "MEDQDEG_ONLY_OWN_TASKS": "1"}
    if data is not None:
        environment["MEDQDEG_DATA"] = str(data.resolve())
    print(" ".join(f"{name}={value}" for name, value in environment.items()), shlex.join(command), flush=True)
    before = set(output.rglob("*.json*"))
    status = _call(command, {**os.environ, **environment})
    written = sorted(set(output.rglob("*.json*")) - before)
    # lmms-eval's own failures can end with status 0; only a results file says that it came through.
    if status or not any(path.name.endswith("_results.json") for path in written):
        raise SystemExit(f"medqdeg: the run failed (exit status {status}); what lmms-eval said stands above")
    pages = _analyse(written, output, data)
    print(f"The results are in {written[0].parent.resolve()}, their analysis in {(output / 'analysis').resolve()}")
    print(
        f"Open {pages[0].resolve()}; its figure for a paper or a README is in {(output / 'report/figures').resolve()}"
    )


def _call(command: list[str], environment: dict[str, str]) -> int:
    """Run a command and return its exit status; ctrl-C ends it with all that it started, at once and without a word.

    In a session of its own, or the terminal would send ctrl-C to each of its processes, which print a traceback and
    finish what they are at. Nothing is lost: each response is in the store when it is there.
    """
    asked: list[int] = []
    # Between the start of the process and the moment when its number is known here, ctrl-C only leaves a mark.
    handler = signal.signal(signal.SIGINT, lambda number, _: asked.append(number))
    try:
        process = subprocess.Popen(command, env=environment, start_new_session=True)
    except BaseException:
        signal.signal(signal.SIGINT, handler)
        raise
    try:
        signal.signal(signal.SIGINT, handler)
        if asked:
            raise KeyboardInterrupt
        # The run takes one core; the other one can import meanwhile what comes afterwards.
        threading.Thread(target=_import_what_follows, daemon=True).start()
        return process.wait()
    except BaseException:
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
        raise


def _import_what_follows() -> None:
    from ..analysis import analyse  # noqa: F401
    from ..report import content, writing  # noqa: F401


def _tasks(data: Path | None, full: bool) -> str:
    if data is None:
        return "medqdeg_phantom" if full else "medqdeg_phantom_small"
    from ..dataset.location import file_name
    from ..dataset.taxonomy import CLEAN

    return "medqdeg" if (data / file_name("test", CLEAN)).exists() else "medqdeg_dev"


def _checkpoint(output: Path, guesser: bool) -> Path:
    if not guesser:
        from ..models.reference_model import CHECKPOINT

        return CHECKPOINT
    from ..models.tiny import build_tiny_checkpoint

    return build_tiny_checkpoint(output / "guesser", "llava")


def _analyse(written: list[Path], output: Path, data: Path | None) -> list[Path]:
    from ..analysis.analyse import analyse
    from ..analysis.runs.reading import read_runs
    from ..analysis.writing import write_analysis
    from ..report.content import report_frames
    from ..report.terminal import print_headline
    from ..report.writing import write_report

    analysis = analyse(read_runs(written))
    write_analysis(analysis, output / "analysis")
    print_headline(analysis)
    return write_report(analysis, report_frames(analysis), output / "report", data=data, for_papers=False)
