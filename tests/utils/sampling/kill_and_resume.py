"""Kill a run at random moments with SIGKILL, tear the store's last write, finish the run; print what happened as JSON.

Run as a script. It imports lmms-eval once and forks a process for each attempt, which costs a second instead of ten.
The attempts are lmms-eval itself with a tiny real model; every block of trials is noted in a file before it is drawn.

    python kill_and_resume.py DATA CHECKPOINT FOLDER KILLS SEED
"""

from __future__ import annotations

import gc
import json
import os
import random
import signal
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import torch
from lmms_eval.evaluator import simple_evaluate
from lmms_eval.tasks import TaskManager

from medqdeg.tasks import TASKS_FOLDER
from medqdeg.utils.sampling import asking_blocks
from medqdeg.utils.sampling.store_files import own_file

TRIALS = 15

torch.set_num_threads(1)  # a fork takes no threads along
TASKS = TaskManager(include_path=str(TASKS_FOLDER), include_defaults=False)  # read once, for every fork


def attempt(checkpoint: Path, store: Path, asked: Path, output: Path) -> None:
    """One run of lmms-eval, in a process of its own."""
    original = asking_blocks.decode_block
    log = os.open(asked, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def noted(model: Any, generate: Any, prompt: Any, seeds: Any, **options: Any) -> Any:
        for start in range(0, len(seeds), 10):
            os.write(log, f"{sorted(seeds[start : start + 10])}\n".encode())
        return original(model, generate, prompt, seeds, **options)

    asking_blocks.decode_block = noted
    results = simple_evaluate(
        model="medqdeg",
        model_args=f"inner=llava_hf,store={store},pretrained={checkpoint},device=cpu,device_map=cpu",
        tasks=["medqdeg_l0", "medqdeg_l2"],
        task_manager=TASKS,
        bootstrap_iters=0,
        log_samples=True,
        repeats=TRIALS,
    )
    report = None
    for scores in results["results"].values():
        report = scores["medqdeg,votes"].pop("sampling", report)
    kept = {"results": results["results"], "samples": results["samples"], "trials": report["trials"]}
    output.write_text(json.dumps(kept, default=str, sort_keys=True))


def forked(*arguments: Path) -> int:
    """Start an attempt; return its process id."""
    sys.stdout.flush()
    process = os.fork()
    if process == 0:
        code = 1
        try:
            silent = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silent, 1)
            os.dup2(silent, 2)
            attempt(*arguments)
            code = 0
        finally:
            os._exit(code)
    return process


def stored(store: Path) -> int:
    """Responses that a reader finds."""
    if not own_file(store).exists():
        return 0
    connection = sqlite3.connect(own_file(store))
    try:
        return connection.execute("SELECT count(*) FROM responses").fetchone()[0]
    except sqlite3.OperationalError:  # killed before the tables were made
        return 0
    finally:
        connection.close()


def calls(asked: Path) -> int:
    return len(asked.read_text().splitlines()) if asked.exists() else 0


def main(checkpoint: Path, folder: Path, kills: int, seed: int) -> dict[str, Any]:
    rng = random.Random(seed)
    whole = (checkpoint, folder / "whole", folder / "whole.asked", folder / "whole.json")
    assert os.waitpid(forked(*whole), 0)[1] == 0, "the uninterrupted run failed"
    total = calls(whole[2])

    broken = (checkpoint, folder / "broken", folder / "broken.asked", folder / "broken.json")
    log, shared = (Path(f"{own_file(folder / 'broken')}-{part}") for part in ("wal", "shm"))
    torn = done = 0
    while done < kills:
        process = forked(*broken)
        # Any moment from before the first answer to the end of what is left, spread over the kills.
        before, share = calls(broken[2]), (total - calls(broken[2])) / (kills - done)
        until, delay = before + rng.randint(0, max(1, round(share))), rng.uniform(0, 0.03)
        finished = 0
        while calls(broken[2]) < until and not finished:
            finished = os.waitpid(process, os.WNOHANG)[0]
            time.sleep(0.001)
        assert not finished, "the run ended before all kills were done"
        time.sleep(delay)
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        done += 1
        if done % 2 and log.exists() and log.stat().st_size > 64:
            # No reader before this: it would put the log into the file.
            with log.open("r+b") as file:
                file.truncate(log.stat().st_size - rng.randint(1, 4096))
            shared.unlink(missing_ok=True)
            torn += 1
    left = stored(folder / "broken")
    assert os.waitpid(forked(*broken), 0)[1] == 0, "the run that finishes failed"
    one, other = (json.loads(paths[3].read_text()) for paths in (whole, broken))
    trials = [run.pop("trials") for run in (one, other)]
    return {
        "blocks": total,
        "different_blocks": len(set(broken[2].read_text().splitlines())),
        "asked": calls(broken[2]),
        "kills": done,
        "torn": torn,
        "stored_before_the_last_run": left,
        "reused_by_the_last_run": trials[1]["reused"],
        "equal": one == other,
    }


if __name__ == "__main__":
    gc.freeze()  # the imports need not be looked at by every collection of every fork
    data, checkpoint, folder, kills, seed = sys.argv[1:]
    os.environ["MEDQDEG_DATA"] = data
    print(json.dumps(main(Path(checkpoint), Path(folder), int(kills), int(seed))))
