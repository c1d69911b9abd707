"""`medqdeg reference-model`: the path of the small model that comes with the package, or training it anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def reference_model(
    train: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Train it from nothing into this folder (about half an hour).")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the training: phantoms, start weights, order.")] = 0,
) -> None:
    """Print the folder of the reference model, for `--model_args pretrained=`.

    It reads medqdeg's phantoms and nothing else: an instrument to try the others with, not a model to compare.

    Example: python -m lmms_eval --model llava_hf --model_args
    pretrained=$(medqdeg reference-model),device=cpu,device_map=cpu --tasks medqdeg_phantom
    """
    from ..models.reference_model import CHECKPOINT

    if train is None:
        print(CHECKPOINT)
        return
    from ..base.harness import require_harness

    require_harness("the training")
    import json

    from ...tasks.prompts import prompt
    from ..base.cores import usable_cores
    from ..models.reference_model.training import train as train_model

    report = train_model(train, prompt, seed=seed, threads=usable_cores())
    print(json.dumps(report, indent=2))
    print(f"The checkpoint is in {train.resolve()}")
