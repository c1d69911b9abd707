"""`medqdeg subset`: which items a share of the benchmark holds, and how far its figures are from the whole's."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Literal

import typer


def subset(
    share: Annotated[str, typer.Argument(help="Share of the items, such as 0.167 or 16.7%.")],
    data: Annotated[
        Path | None, typer.Option(help="Folder with the data set's files.", show_default="as the tasks find them")
    ] = None,
    split: Annotated[
        Literal["test", "dev", "phantom", "phantom_small"], typer.Option(help="Which set of items.")
    ] = "test",
    trials: Annotated[int, typer.Option(min=1, help="Trials per item, for the calls and the error.")] = 3,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write ids and weights as JSON.")] = None,
) -> None:
    """Describe a subset: fixed items, spread over tasks and numbers of degradations, weighted in the analysis.

    To run it, set MEDQDEG_SUBSET to the share. The analysis weighs the items by itself.

    Example: medqdeg subset 16.7% --trials 3
    """
    from ..base.atomic_files import write_atomically
    from ..base.errors import InputError
    from ..dataset.loading import load_level
    from ..dataset.subset import VARIABLE, chosen_questions, questions_of, requested_share
    from ..dataset.subset_plan import ITEMS_PER_QUESTION, published_error, whole_size
    from ..dataset.taxonomy import LEVELS
    from ..phantoms.cache import load_default_suite

    if data is not None:
        os.environ["MEDQDEG_DATA"] = str(data.resolve())
    wanted = requested_share(share)
    if wanted is None:
        raise InputError("a subset is less than all items; give a share below 1")
    last = LEVELS[-1]
    if split in ("test", "dev"):
        degraded = load_level(split, last)
    else:
        degraded = load_default_suite(last, small_only=split == "phantom_small")
    chosen, questions = chosen_questions(degraded, wanted), questions_of(degraded)
    whole, number = whole_size(questions), ITEMS_PER_QUESTION * len(chosen)
    print(
        f"{len(chosen):,} of {len(questions):,} source questions, each in one degradation: {number:,} of {whole:,} "
        f"items ({number / whole:.1%}), {number * trials:,} calls at T = {trials} "
        f"({number * trials / (10 * whole):.1%} of all items at T = 10)"
    )
    errors = published_error(len(chosen), len(questions), trials)
    spoken = ", ".join(f"{name} {100 * error:.1f}" for name, error in errors.items())
    print(
        f"95% of the errors of accuracy lie within {spoken} points of all items asked without end (simulated models, "
        "degradations as in MedQ-Deg); single nodes are off by more"
    )
    print(f"{VARIABLE}={share} python -m lmms_eval --tasks medqdeg --repeats {trials} ...")
    if out is not None:
        document = {
            "share": wanted,
            "split": split,
            "items": [
                {"source_question_id": one.question_id, "degradation": one.degradation, "weight": one.weight}
                for one in chosen
            ],
        }
        write_atomically(out, (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode())
        print(f"ids and weights in {out.resolve()}")
