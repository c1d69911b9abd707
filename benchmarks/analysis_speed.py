"""Seconds and memory of `medqdeg analyze` on a run of the benchmark's size.

Writes lmms-eval's files for 4,306 clean items and 10,294 at L1 and at L2, ten votes each, spread over all capabilities,
degradations, modalities and sources, and analyses them in a fresh process with 1,000 replicates over all nodes. With
`--models 2` a second run on the same items is compared with the first. For the size of the job, the usual way is timed
beside it: pandas, which draws the source questions, joins their items and takes the mean accuracy, confidence and shift
of every node; a few replicates, from which 1,000 are extrapolated.

    python benchmarks/analysis_speed.py [--clean 4306] [--degraded 10294] [--models 1]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from medqdeg.utils.dataset import taxonomy
from medqdeg.utils.scoring.records import score_item

TRIALS = 10
PANDAS_REPLICATES = 5


def documents(clean: int, degraded: int, seed: int) -> dict[str, list[dict[str, object]]]:
    """Return the items of each level, without images."""
    rng = random.Random(seed)
    questions = []
    for number in range(clean):
        k = rng.choice([2, 3, 4, 4, 4, 5])
        questions.append(
            {
                "item_id": str(number),
                "letters": list("ABCDE"[:k]),
                "options": [f"option {letter}" for letter in "ABCDE"[:k]],
                "answer": rng.choice("ABCDE"[:k]),
                "modality": rng.choice(taxonomy.MODALITIES),
                "skill": rng.choice(taxonomy.SKILLS),
                "source": rng.choice(list(taxonomy.SOURCES)),
                "source_question_id": f"index:{number}",
                "source_question_rule": "column",
                "degradation": None,
                "level": "L0",
            }
        )
    docs: dict[str, list[dict[str, object]]] = {"L0": questions, "L1": [], "L2": []}
    places = [number % clean for number in range(degraded)]
    used: dict[int, list[str]] = {}
    for number, place in enumerate(places):
        question = questions[place]
        free = [name for name in taxonomy.degradations_for(question["modality"]) if name not in used.get(place, [])]
        name = rng.choice(free)
        used.setdefault(place, []).append(name)
        for level in ("L1", "L2"):
            docs[level].append({**question, "item_id": f"{level}-{number}", "degradation": name, "level": level})
    return docs


def write_run(folder: Path, docs: dict[str, list[dict[str, object]]], model: str, seed: int) -> None:
    """Write the results file and the samples files of a model that knows less at a higher level."""
    rng = random.Random(seed)
    own = folder / model
    own.mkdir(parents=True)
    counts = {}
    for level, items in docs.items():
        task = f"medqdeg_{level.lower()}"
        with (own / f"20261122_000000_samples_{task}.jsonl").open("w") as file:
            for number, doc in enumerate(items):
                weights = [4.0 - int(level[1]) if letter == doc["answer"] else 1.0 for letter in doc["letters"]]
                replies = rng.choices([*doc["letters"], "I cannot tell"], [*weights, 0.2], k=TRIALS)
                record = score_item(doc, replies)
                file.write(json.dumps({"doc_id": number, "filtered_resps": replies, "medqdeg": record}) + "\n")
        counts[task] = {"original": len(items), "effective": len(items)}
    results = {
        "results": {task: {} for task in counts},
        "n-samples": counts,
        "model_name": model,
        "config": {"model": "synthetic", "model_args": "", "limit": None},
    }
    (own / "20261122_000000_results.json").write_text(json.dumps(results))


def pandas_way(items: pd.DataFrame, replicates: int) -> float:
    """Return seconds of the bootstrap that one writes first, for three means of every node."""
    axes = ("capability", "task", "skill", "degradation_category", "degradation", "modality", "source")
    names = ["accuracy", "confidence", "calibration_shift"]
    questions = items["source_question_id"].unique()
    indexed = items.set_index("source_question_id")
    rng = np.random.default_rng(0)
    begin = time.perf_counter()
    for _ in range(replicates):
        drawn = indexed.loc[rng.choice(questions, len(questions))]
        for axis in axes:
            drawn.groupby(["level", axis])[names].mean()
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clean", type=int, default=4306)
    parser.add_argument("--degraded", type=int, default=10_294)
    parser.add_argument("--models", type=int, default=1)
    parser.add_argument("--replicates", type=int, default=1000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        docs = documents(arguments.clean, arguments.degraded, seed=0)
        for number in range(arguments.models):
            write_run(folder / "results", docs, f"model-{number}", seed=number)
        size = sum(path.stat().st_size for path in (folder / "results").rglob("*.jsonl"))
        command = [sys.executable, "-c", "from medqdeg.utils.command_line import main; main()", "analyze"]
        command += [str(folder / "results"), "--out", str(folder / "out"), "--replicates", str(arguments.replicates)]
        begin = time.perf_counter()
        done = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - begin
        if done.returncode:
            sys.exit(done.stderr)
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(f"{arguments.models} models x {sum(map(len, docs.values()))} items x {TRIALS} votes, {size / 1e6:.0f} MB")
        print(f"analyze: {seconds:.1f} s ({usage.ru_utime + usage.ru_stime:.1f} s of processor time), ", end="")
        print(f"{usage.ru_maxrss * 1024 / 1e9:.2f} GB at the peak")
        figures = pd.read_parquet(folder / "out" / "figures.parquet")
        print(f"{len(figures)} figures of {len(figures[['level', 'axis', 'node']].drop_duplicates())} cells, ", end="")
        print(f"{len(pd.read_parquet(folder / 'out' / 'changes.parquet'))} changes")
        items = pd.read_parquet(folder / "out" / "items.parquet")
        taken = pandas_way(items[items["run"] == "model-0"], PANDAS_REPLICATES)
        print(f"pandas, three means of every node: {taken / PANDAS_REPLICATES * 1000:.0f} s for 1,000 replicates")


if __name__ == "__main__":
    main()
