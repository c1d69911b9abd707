"""What MedQ-Deg adds to lmms-eval's own time.

Two measurements:

1. Hooks and aggregations alone: `process_results` for every item and the aggregation of all metrics, for as many items
   and votes as the benchmark has (24,894 x 10), with a mix of replies that a real model gives.
2. A whole `lmms_eval` process with the `dummy` model: a task of ours against a plain task over the same items (same
   prompt, same requests, first reply compared with the answer), in turn, several times; the ratio of the medians.

    python benchmarks/harness_cost.py [--items 24894] [--pairs 3] [--pair-items 3000]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

REPLIES = (
    "{letter}",
    "{letter}.",
    "({letter})",
    "The answer is {letter}",
    "**{letter}**",
    "Looking at the image, the margins are irregular and the density is high. The correct option is {letter}.",
    "I cannot determine this from the image.",
)
WEIGHTS = (70, 8, 4, 6, 2, 8, 2)

PLAIN_TASK = """\
task: plain
dataset_path: parquet
dataset_kwargs: {{data_files: {{test: {parquet}}}}}
test_split: test
output_type: generate_until
doc_to_visual: !function plain_hooks.doc_to_visual
doc_to_text: |-
{prompt}
doc_to_target: answer
repeats: 10
generation_kwargs: {{do_sample: true, temperature: 1.0, top_p: 1.0, max_new_tokens: 1024, until: []}}
filter_list: [{{name: votes, filter: []}}]
process_results: !function plain_hooks.process_results
metric_list: [{{metric: accuracy, aggregation: mean, higher_is_better: true}}]
"""
PLAIN_HOOKS = """\
def doc_to_visual(doc):
    return [image.convert("RGB") for image in doc["images"]]


def process_results(doc, results):
    return {"accuracy": float(results[0] == doc["answer"])}
"""


def hooks_alone(items: int, votes: int) -> None:
    """Print seconds and peak memory of scoring and aggregating `items` x `votes` replies in this process."""
    from medqdeg.tasks import hooks
    from medqdeg.utils.dataset import taxonomy
    from medqdeg.utils.scoring import level_summary

    rng = random.Random(0)
    docs, replies = [], []
    for number in range(items):
        k = rng.choice((2, 4, 4, 4, 5))
        modality = rng.choice(taxonomy.MODALITIES)
        docs.append(
            {
                "item_id": str(number),
                "question": "What is the most likely diagnosis for the finding in the marked region?",
                "letters": list("ABCDE"[:k]),
                "options": ["pneumothorax", "pulmonary fibrosis", "rib fracture", "pleural effusion", "no finding"][:k],
                "answer": rng.choice("ABCDE"[:k]),
                "level": "L2",
                "modality": modality,
                "degradation": rng.choice(taxonomy.degradations_for(modality)),
                "skill": rng.choice(taxonomy.SKILLS),
                "source": rng.choice(list(taxonomy.SOURCES)),
                "source_question_id": f"index:{rng.randrange(items // 4)}",
                "source_question_rule": "column",
            }
        )
        texts = rng.choices(REPLIES, WEIGHTS, k=votes)
        replies.append([text.format(letter=rng.choice(docs[-1]["letters"])) for text in texts])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    scored = [hooks.process_results(doc, texts) for doc, texts in zip(docs, replies, strict=True)]
    middle = time.perf_counter()
    for name in level_summary.SCORES:
        hooks.mean_score([metrics[name] for metrics in scored])
    hooks.summarise_level([metrics["medqdeg"] for metrics in scored])
    end = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"hooks and aggregations, {items} items x {votes} votes, one process, one thread")
    print(f"  scoring {middle - start:.2f} s, aggregation {end - middle:.2f} s, together {end - start:.2f} s")
    print(f"  peak memory {peak / 1024:.0f} MiB, of which {before / 1024:.0f} MiB before (imports, items, replies)")


def whole_runs(items: int, pairs: int) -> None:
    """Print the processor time of whole `lmms_eval` processes, ours and a plain task, in turn."""
    from medqdeg.tasks.prompts import PROMPT_FILE
    from medqdeg.utils.dataset.loading import load_level
    from medqdeg.utils.dataset.location import LocalFolder

    prompt = textwrap.indent(PROMPT_FILE.read_text().rstrip(), "  ")
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from tests.small_dataset import write_dataset

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {**os.environ, "HF_HOME": str(folder / "cache"), "MEDQDEG_DATA": str(folder)}
        write_dataset(folder, items)
        load_level("test", "L0", LocalFolder(folder)).to_parquet(folder / "plain.parquet")
        (folder / "plain.yaml").write_text(PLAIN_TASK.format(parquet=folder / "plain.parquet", prompt=prompt))
        (folder / "plain_hooks.py").write_text(PLAIN_HOOKS)
        seconds: dict[str, list[float]] = {"medqdeg_l0": [], "plain": []}
        for turn in range(pairs + 1):
            for task, times in seconds.items():
                command = [
                    *(sys.executable, "-m", "lmms_eval", "--model", "dummy", "--tasks", task),
                    *("--include_path", str(folder), "--log_samples", "--output_path", str(folder / "out")),
                ]
                start = _children_seconds()
                done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
                if turn:  # the first turn fills the caches
                    times.append(_children_seconds() - start)
                assert f"|{task}" in done.stdout.replace(" ", ""), done.stdout[-2000:]
    medians = {task: statistics.median(times) for task, times in seconds.items()}
    print(f"processor time of whole lmms_eval processes, dummy model, {items} items x 10 requests, {pairs} pairs")
    print(f"  medqdeg_l0 {_seconds(seconds['medqdeg_l0'])}; plain task {_seconds(seconds['plain'])}")
    difference = medians["medqdeg_l0"] - medians["plain"]
    ratios = [a / b for a, b in zip(*seconds.values(), strict=True)]
    print(
        f"  ratio of medians {medians['medqdeg_l0'] / medians['plain']:.3f} (pair by pair {min(ratios):.3f} to "
        f"{max(ratios):.3f}); {1e6 * difference / (10 * items):.0f} microseconds a request"
    )
    print(json.dumps(seconds))


def _children_seconds() -> float:
    """User and system time of all finished child processes: unlike the clock, the same on a busy machine."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _seconds(times: list[float]) -> str:
    return f"median {statistics.median(times):.2f} s ({min(times):.2f} to {max(times):.2f})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=24_894)
    parser.add_argument("--votes", type=int, default=10)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--pair-items", type=int, default=3_000)
    arguments = parser.parse_args()
    hooks_alone(arguments.items, arguments.votes)
    if arguments.pairs:
        whole_runs(arguments.pair_items, arguments.pairs)
