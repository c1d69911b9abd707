"""How well do votes agree with the probabilities that they estimate, and what does each cost?

Asks a checkpoint for T = 100 votes and for exact probabilities on every level, through lmms-eval and the wrapper model,
counts the forward passes, and prints Markdown. T = 3 and T = 10 are the first votes of the hundred: a trial's seed does
not depend on T. Run again with the same --store, it asks nothing anew.

    MEDQDEG_DATA=FOLDER OMP_NUM_THREADS=1 python benchmarks/elicitation.py CHECKPOINT --inner llava_hf \
        [--inner-args device=cpu,device_map=cpu] [--levels l0,l2] [--trials 3,10,100] [--limit N] [--store DIR]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.stats

from medqdeg.utils.scoring.confidence import score_votes


def ask(mode: str, options: argparse.Namespace, trials: int) -> dict[str, Any]:
    """Run lmms-eval once: records by task, forward passes and seconds of the inner model, requests asked."""
    from lmms_eval.evaluator import simple_evaluate
    from lmms_eval.models import get_model
    from lmms_eval.tasks import TaskManager

    from medqdeg.tasks import TASKS_FOLDER

    store = f",store={options.store}" if options.store else ""
    arguments = f"inner={options.inner}{store},mode={mode},min_letter_mass=0,pretrained={options.checkpoint}"
    lm = get_model("medqdeg").create_from_arg_string(f"{arguments},{options.inner_args}")
    passes = 0

    def count(*_: object) -> None:
        nonlocal passes
        passes += 1

    handle = lm.model.register_forward_pre_hook(count)  # after the preflight, which is one of its own
    start = time.perf_counter()
    results = simple_evaluate(
        model=lm,
        tasks=[f"medqdeg_{level}" for level in options.levels.split(",")],
        task_manager=TaskManager(include_path=str(TASKS_FOLDER), include_defaults=False),
        bootstrap_iters=0,
        log_samples=True,
        limit=options.limit,
        repeats=trials,
    )
    seconds = time.perf_counter() - start
    handle.remove()
    found = {task: [sample["medqdeg"] for sample in samples] for task, samples in results["samples"].items()}
    report = next(iter(results["results"].values()))["medqdeg,votes"]["sampling"]
    return {"records": found, "passes": passes, "seconds": seconds, "trials": report["trials"]}


def first_votes(record: dict[str, Any], trials: int) -> Any:
    return score_votes(record["letters"][:trials], record["options"], record["answer"])


def agreement(exact: Sequence[dict[str, Any]], votes: Sequence[dict[str, Any]], trials: int) -> dict[str, float]:
    """Compare the first `trials` votes of each item with its probabilities.

    Returns:
        Means of accuracy, confidence and shift by votes; the mean difference (bias) and root mean square difference of
        confidence from the exact one; Spearman's rank correlation of the two; the share of items whose most voted
        letter is the most probable one (ties shared).
    """
    by_votes = [first_votes(record, trials) for record in votes]
    confidence = np.array([scores.confidence for scores in by_votes])
    target = np.array([record["confidence"] for record in exact])
    same = []
    for model, record in zip(exact, votes, strict=True):
        best = model["options"][int(np.argmax(model["probabilities"]))]
        letters = [letter for letter in record["letters"][:trials] if letter in record["options"]]
        top = max((letters.count(letter) for letter in record["options"]), default=0)
        leaders = [letter for letter in record["options"] if top and letters.count(letter) == top]
        same.append(1 / len(leaders) if best in leaders else 0.0)
    return {
        "accuracy": statistics.fmean(scores.accuracy for scores in by_votes),
        "confidence": float(confidence.mean()),
        "shift": statistics.fmean(scores.calibration_shift for scores in by_votes),
        "bias": float((confidence - target).mean()),
        "rmse": float(np.sqrt(((confidence - target) ** 2).mean())),
        "spearman": float(scipy.stats.spearmanr(confidence, target).statistic),
        "same letter": statistics.fmean(same),
    }


def main(options: argparse.Namespace) -> None:
    """Ask, compare, print."""
    trials = sorted(int(number) for number in options.trials.split(","))
    exact, votes = ask("exact", options, trials[-1]), ask("votes", options, trials[-1])
    items = sum(map(len, exact["records"].values()))
    asked = votes["trials"]["asked"]
    # With a store some or all votes may be there already; what one costs is then from those that were asked.
    each = votes["passes"] / asked if asked else None
    names = ("accuracy", "confidence", "shift", "bias", "rmse", "spearman", "same letter")
    print(f"Checkpoint `{Path(options.checkpoint).name}` through `{options.inner}`, {items} items.\n")
    print("| level | elicitation | n | " + " | ".join(names) + " |\n|---|---|---|" + "---|" * len(names))
    kept_everywhere = []
    for task, by_model in sorted(exact["records"].items()):
        pairs = [
            pair
            for pair in zip(by_model, votes["records"][task], strict=True)
            if pair[0]["letter_mass"] is not None
            and pair[0]["letter_mass"] >= options.min_letter_mass
            and pair[1]["trials"] == trials[-1]
        ]
        kept_everywhere.append((len(pairs), len(by_model), [record["letter_mass"] for record in by_model]))
        if not pairs:
            continue
        left, right = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        own = {name: statistics.fmean(r[key] for r in left) for name, key in (("accuracy",) * 2, ("confidence",) * 2)}
        shift = own["confidence"] - own["accuracy"]
        level = task.rpartition("_")[2].upper()
        cells = f"{own['accuracy']:.3f} | {own['confidence']:.3f} | {shift:+.3f}"
        print(f"| {level} | exact | {len(left)} | {cells} | | | | |")
        for number in trials:
            found = agreement(left, right, number)
            cells = (f"{found[name]:{'+' if name in ('shift', 'bias') else ''}.3f}" for name in names)
            print(f"| {level} | votes, T = {number} | {len(left)} | " + " | ".join(cells) + " |")
    kept, there = sum(one[0] for one in kept_everywhere), sum(one[1] for one in kept_everywhere)
    masses = [mass for one in kept_everywhere for mass in one[2] if mass is not None]
    print(
        f"\n{kept} of {there} items have at least {options.min_letter_mass} of the probability on their letters (mean "
        f"over all {statistics.fmean(masses):.3f}, smallest {min(masses):.3f}); the others are left out.\n"
    )
    print("| elicitation | forward passes an item | of exact |\n|---|---|---|")
    exact_each = exact["passes"] / (exact["trials"]["asked"] / trials[-1]) if exact["trials"]["asked"] else None
    print(f"| exact | {'from the store' if exact_each is None else f'{exact_each:.1f}'} | 1 |")
    for number in trials:
        cost = "from the store" if each is None else f"{each * number:.1f}"
        ratio = "" if each is None or exact_each is None else f"{each * number / exact_each:.0f}"
        print(f"| votes, T = {number} | {cost} | {ratio} |")
    print(
        f"\nSeconds of the whole runs on this machine: exact {exact['seconds']:.1f}, {trials[-1]} votes "
        f"{votes['seconds']:.1f}."
    )
    if options.json:
        options.json.write_text(json.dumps({"exact": exact, "votes": votes}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint")
    parser.add_argument("--inner", default="llava_hf")
    parser.add_argument("--inner-args", default="device=cpu,device_map=cpu")
    parser.add_argument("--levels", default="l0,l1,l2")
    parser.add_argument("--trials", default="3,10,100")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--min-letter-mass", type=float, default=0.9)
    parser.add_argument("--json", type=Path, help="also write everything here")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    if "MEDQDEG_DATA" not in os.environ:
        sys.exit("set MEDQDEG_DATA to the folder with the data")
    main(parser.parse_args())
