"""Two ranks over the same store, fresh, repeated, killed and resumed; prints what each run gave as JSON.

Run as a script. It imports lmms-eval once and forks a process for each rank, which costs a second instead of ten; the
ranks find each other as those of `torch.distributed.run` do.

    python ranks.py DATA CHECKPOINT FOLDER [scenario ...]
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lmms_eval.models
import torch
from lmms_eval.evaluator import simple_evaluate
from lmms_eval.tasks import TaskManager

from medqdeg.tasks import TASKS_FOLDER

TRIALS = 3
TASK = "medqdeg_l0"

torch.set_num_threads(1)  # a fork takes no threads along
TASKS = TaskManager(include_path=str(TASKS_FOLDER), include_defaults=False)  # read once, for every fork


class Ranks:
    """Runs over one data set and one model.

    Attributes:
        more: further arguments of the wrapper, from a comma on.
    """

    def __init__(self, checkpoint: Path, folder: Path, more: str = "") -> None:
        self.checkpoint, self.folder, self.more = checkpoint, folder, more
        self.runs = 0

    def run(
        self,
        ranks: int,
        store: str,
        *,
        limit: int | None = None,
        trials: int = TRIALS,
        kill_after: int | None = None,
        nodes: str = "",
    ) -> dict[str, Any]:
        """Start the ranks and wait for them; with `kill_after`, kill -9 the last one when it prepared so many items.

        With `nodes`, each rank is on the machine whose name is its letter.

        Returns:
            `statuses`: exit status of each rank, negative for a signal; `records` and `sampling` of rank 0.
        """
        self.runs += 1
        output = self.folder / f"{self.runs}.json"
        asked = self.folder / f"{self.runs}.asked"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]

        def attempt(rank: int) -> None:
            os.environ.update(
                *({"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(ranks)},) if ranks > 1 else (),
                MASTER_ADDR="127.0.0.1",
                MASTER_PORT=str(port),
            )
            if nodes:
                os.environ["MEDQDEG_NODE"] = nodes[rank]
            note_replies(asked.with_suffix(f".{rank}"))
            results = self.evaluate(store, limit, trials)
            if rank == 0:
                sampling = results["results"][TASK]["medqdeg,votes"]["sampling"]
                records = [sample["medqdeg"] for sample in results["samples"][TASK]]
                output.write_text(json.dumps({"sampling": sampling, "records": records}, default=str))

        processes = [forked(attempt, rank) for rank in range(ranks)]
        if kill_after is not None:
            log = asked.with_suffix(f".{ranks - 1}")
            began = time.monotonic()
            while (log.stat().st_size if log.exists() else 0) < kill_after:
                assert time.monotonic() - began < 120, f"there were not {kill_after} requests"
                time.sleep(0.002)
            os.kill(processes[-1], signal.SIGKILL)
            os.waitpid(processes[-1], 0)
            # The launcher ends the others, which would wait for ever.
            for process in processes[:-1]:
                os.kill(process, signal.SIGTERM)
                os.waitpid(process, 0)
            return {}
        statuses = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in processes]
        return {"statuses": statuses, **(json.loads(output.read_text()) if output.exists() else {})}

    def evaluate(self, store: str, limit: int | None, trials: int) -> dict[str, Any]:
        arguments = f"inner=llava_hf,store={self.folder / store},pretrained={self.checkpoint}"
        return simple_evaluate(
            model="medqdeg",
            model_args=f"{arguments},device=cpu,device_map=cpu{self.more}",
            tasks=[TASK],
            task_manager=TASKS,
            bootstrap_iters=0,
            log_samples=True,
            limit=limit,
            repeats=trials,
        )


def note_replies(path: Path) -> None:
    """Have the integration write one byte for each request that it answered: one per item, whose trials share it."""
    integration = lmms_eval.models.get_model("llava_hf")
    original = integration.generate_until
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def noted(self: Any, requests: list[Any]) -> list[Any]:
        replies = original(self, requests)
        os.write(log, b"." * sum(request.metadata["task"] != "medqdeg_preflight" for request in requests))
        return replies

    integration.generate_until = noted


def forked(function: Callable[[int], None], rank: int) -> int:
    """Call a function in a process of its own; return the process id."""
    sys.stdout.flush()
    process = os.fork()
    if process == 0:
        code = 1
        try:
            silent = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silent, 1)
            os.dup2(silent, 2)
            function(rank)
            code = 0
        finally:
            os._exit(code)
    return process


if __name__ == "__main__":
    gc.freeze()  # the imports need not be looked at by every collection of every fork
    data, checkpoint, folder, *scenarios = sys.argv[1:]
    os.environ["MEDQDEG_DATA"] = data
    ranks = Ranks(Path(checkpoint), Path(folder))
    runs: dict[str, Callable[[], dict[str, Any]]] = {
        "one": lambda: ranks.run(1, "one"),
        "one of five items": lambda: ranks.run(1, "one-five", limit=5),
        "fresh": lambda: ranks.run(2, "two"),
        "repeated": lambda: ranks.run(2, "two"),
        "five items": lambda: ranks.run(2, "two-five", limit=5),
        "five items, repeated": lambda: ranks.run(2, "two-five", limit=5),
        "one item": lambda: ranks.run(2, "two-one", limit=1),
        "killed": lambda: ranks.run(2, "killed", kill_after=4),
        "resumed": lambda: ranks.run(2, "killed"),
        "two machines": lambda: ranks.run(2, "machines", nodes="ab"),
        "two machines, repeated the other way round": lambda: ranks.run(2, "machines", nodes="ba"),
        "three ranks of one's store": lambda: ranks.run(3, "one"),
    }
    print(json.dumps({name: run() for name, run in runs.items() if name in (scenarios or runs)}))
