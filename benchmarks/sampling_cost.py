"""What the wrapper model costs: time of `generate_until` through it against the plain integration, in one process.

Two inner models over the same items, T = 10: lmms-eval's `dummy`, which answers in no time and looks at nothing, for
the cost of a request; and `llava_hf` with a tiny checkpoint, the smallest that a real request can be. Plain, wrapped
without a store, wrapped with one and wrapped with everything stored take turns; the ratio of the medians of processor
time.

    MEDQDEG_DATA=FOLDER OMP_NUM_THREADS=1 python benchmarks/sampling_cost.py [--turns 3] [--items 19]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TASK = "medqdeg_l1"


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def seconds(model: str, arguments: str, limit: int) -> tuple[float, int]:
    """Return processor time of the model's `generate_until` and the number of requests."""
    from lmms_eval.evaluator import simple_evaluate
    from lmms_eval.models import get_model
    from lmms_eval.tasks import TaskManager

    from medqdeg.tasks import TASKS_FOLDER

    with quiet():
        lm = get_model(model).create_from_arg_string(arguments)
        inner, taken = lm.generate_until, []

        def timed(requests: list[Any]) -> list[Any]:
            start = time.process_time()
            replies = inner(requests)
            taken.append((time.process_time() - start, len(requests)))
            return replies

        lm.generate_until = timed
        manager = TaskManager(include_path=str(TASKS_FOLDER), include_defaults=False)
        simple_evaluate(model=lm, tasks=[TASK], task_manager=manager, bootstrap_iters=0, limit=limit, log_samples=False)
    return taken[0]


def compare(inner: str, own: str, limit: int, turns: int, folder: Path) -> None:
    """Print the medians of all four ways, and their ratios to the plain one."""
    full = folder / f"{inner}-full"
    ways = {
        "plain": lambda turn: (inner, own),
        "wrapped, no store": lambda turn: ("medqdeg", f"inner={inner},{own}"),
        "wrapped, stored": lambda turn: ("medqdeg", f"inner={inner},store={folder / f'{inner}-{turn}'},{own}"),
        "wrapped, all reused": lambda turn: ("medqdeg", f"inner={inner},store={full},{own}"),
    }
    times: dict[str, list[float]] = {way: [] for way in ways}
    requests = 0
    for turn in range(turns + 1):
        for way, call in ways.items():
            taken, requests = seconds(*call(turn), limit)
            if turn:  # the first turn fills caches and the full store
                times[way].append(taken)
    plain = statistics.median(times["plain"])
    print(f"{inner}: {requests} requests, processor time of generate_until, {turns} turns")
    for way, taken in times.items():
        median = statistics.median(taken)
        ratio = f", {median / plain:.2f} times the plain one" if plain > 1e-3 else ""
        print(
            f"  {way}: median {1e3 * median / requests:.2f} ms a request ({1e3 * min(taken) / requests:.2f} to "
            f"{1e3 * max(taken) / requests:.2f}){ratio}"
        )
    print(json.dumps({inner: times}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--items", type=int, default=19)
    options = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import lmms_eval.models  # noqa: F401  (sets up the log that is silenced here)
    import torch
    from loguru import logger

    logger.remove()
    from medqdeg.utils.models.tiny import build_tiny_checkpoint

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        checkpoint = build_tiny_checkpoint(Path(name) / "llava", "llava")
        compare("dummy", "response=A", options.items, options.turns, Path(name))
        compare(
            "llava_hf", f"pretrained={checkpoint},device=cpu,device_map=cpu", options.items, options.turns, Path(name)
        )
