"""`medqdeg demo`: the main job end to end on this machine's processor, through lmms-eval itself."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import InputError

# What each integration needs on a processor; small images keep a request at some tens of milliseconds.
MODELS = {
    "qwen2_5_vl": ("qwen2_5_vl", "device=cpu,device_map=cpu,min_pixels=784,max_pixels=50176"),
    "llava_hf": ("llava", "device=cpu,device_map=cpu"),
}


def demo(
    data: Annotated[
        Path | None,
        typer.Argument(help="Folder with the data set's TSV files.", envvar="MEDQDEG_DATA", show_default=False),
    ] = None,
    output: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("results/demo"),
    model: Annotated[str, typer.Option(help=f"lmms-eval integration: {', '.join(MODELS)}.")] = "qwen2_5_vl",
) -> None:
    """Run all three levels with a tiny untrained checkpoint, offline, and print accuracy, confidence and shift."""
    if data is None:
        raise InputError("give the folder with the data set's TSV files: medqdeg demo FOLDER")
    if not data.is_dir():
        raise InputError(f"{data} is not a folder")
    if model not in MODELS:
        raise InputError(f"unknown model {model!r}: known are {', '.join(MODELS)}")
    from ..checkpoints.tiny import build_tiny_checkpoint

    architecture, arguments = MODELS[model]
    checkpoint = build_tiny_checkpoint(output / f"checkpoint-{architecture}", architecture)
    command = [
        *(sys.executable, "-m", "lmms_eval", "--tasks", "medqdeg", "--model", model),
        *("--model_args", f"pretrained={checkpoint.resolve()},{arguments}"),
        *("--output_path", str(output), "--log_samples"),
    ]
    # A model this small only loses time to threads.
    environment = {"MEDQDEG_DATA": str(data.resolve()), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    print(" ".join(f"{name}={value}" for name, value in environment.items()), shlex.join(command), flush=True)
    before = set(output.rglob("*_results.json"))
    done = subprocess.run(command, env={**os.environ, **environment}, check=False)
    results = sorted(set(output.rglob("*_results.json")) - before)
    # lmms-eval exits with status 0 after most failures; only a results file says that it came through.
    if done.returncode or not results:
        raise SystemExit(f"medqdeg: the run failed (exit status {done.returncode}); what lmms-eval said stands above")
    print_levels(json.loads(results[-1].read_text())["results"])
    print(f"\nThe results are in {results[-1].parent.resolve()}")


def print_levels(results: dict[str, Any]) -> None:
    """Print one line a level and the change from L0, from the `results` of lmms-eval's results file."""
    from rich.console import Console
    from rich.table import Table

    from ..taxonomy import LEVELS

    table = Table(title="MedQ-Deg", title_justify="left")
    columns = ("n", "accuracy", "confidence", "calibration_shift", "unread_rate")
    table.add_column("level")
    for name in columns:
        table.add_column(name.replace("_", " "), justify="right")
    for level in LEVELS:
        scores = results[f"medqdeg_{level.lower()}"]["medqdeg,votes"]["overall"]
        table.add_row(level, str(scores["n"]), *(_number(scores[name]) for name in columns[1:]))
    console = Console()
    console.print(table)
    for step, change in results["medqdeg"]["medqdeg,votes"]["overall"].items():
        effect = {True: "yes", False: "no", None: "unknown"}[change["dunning_kruger"]]
        console.print(
            f"{step.replace('_', ' ')}: accuracy drop {_number(change['accuracy_drop'])}, "
            f"shift change {_number(change['shift_change'], '+')}, Dunning-Kruger effect: {effect}",
            highlight=False,
        )


def _number(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{value:{sign}.3f}"
