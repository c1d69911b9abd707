"""lmms-eval's ranks as actors on a Ray cluster, where `torch.distributed.run` would need a shell on every machine.

    python -m medqdeg.utils.sampling.on_ray --actors 4 --gpus 1 -- --model medqdeg --model_args ... --tasks medqdeg

Each actor is one rank and runs lmms-eval's own command line; the first one's machine is the meeting point. Every
machine must see the data, the checkpoint and the store under the same paths. Joins the cluster that `RAY_ADDRESS`
names, else starts one on this machine.
"""

from __future__ import annotations

import argparse
import importlib
import math
import os
import runpy
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..base.errors import InputError, one_line
from ..base.extras import how_to_install

_PASSED_ON = ("MEDQDEG_", "HF_", "ACCELERATE_", "OPENAI_", "OMP_", "TOKENIZERS_", "LMMS_EVAL_")
"""Beginnings of the environment variables that the ranks get from the process that starts them."""


class Rank:
    """One rank of a run, in a process of its own."""

    def meeting_point(self) -> tuple[str, int]:
        """Return this machine's address and a port that is free on it."""
        util: Any = importlib.import_module("ray.util")
        with socket.socket() as free:
            free.bind(("", 0))
            return util.get_node_ip_address(), free.getsockname()[1]

    def run(self, arguments: Sequence[str], environment: Mapping[str, str], folder: str) -> str | None:
        """Run lmms-eval.

        Args:
            arguments: of its command line.
            environment: variables to set.
            folder: the working folder, if this machine has it.

        Returns:
            What it ended with, None if all was well.
        """
        os.environ.update(environment)
        if Path(folder).is_dir():
            os.chdir(folder)
        sys.argv = ["lmms_eval", *arguments]
        try:
            runpy.run_module("lmms_eval", run_name="__main__", alter_sys=True)
        except SystemExit as end:  # to Ray it would be the end of the actor
            return None if end.code in (None, 0) else str(end.code)
        except BaseException as error:
            return f"{type(error).__name__}: {one_line(error, 300)}"
        return None


def run_on_ray(arguments: Sequence[str], *, actors: int, gpus: float = 0.0, cpus: float = 1.0) -> str | None:
    """Run lmms-eval on a pool of actors.

    Args:
        arguments: of lmms-eval's command line.
        actors: how many ranks.
        gpus: GPUs per rank.
        cpus: processor cores per rank.

    Returns:
        What the first rank that failed ended with, None if none did. The others are ended then.

    Raises:
        InputError: Ray is not installed or cannot be reached, or the cluster lacks what was asked.
    """
    try:
        ray: Any = importlib.import_module("ray")
    except ImportError:
        raise InputError(f"a run on Ray needs Ray: {how_to_install('ray')}") from None
    if not ray.is_initialized():
        own = {} if os.environ.get("RAY_ADDRESS") else {"num_cpus": max(1, math.ceil(actors * cpus))}
        try:
            ray.init(**own)
        except Exception as error:  # Ray raises plain exceptions, of nodes that do not start among others
            raise InputError(f"Ray cannot be started or reached ({one_line(error, 300)})") from None
    for kind, wanted in (("CPU", actors * cpus), ("GPU", actors * gpus)):
        if (there := ray.cluster_resources().get(kind, 0)) < wanted:
            raise InputError(f"{actors} actors take {wanted:g} {kind}s; the cluster has {there:g}")
    made: Any = ray.remote(Rank).options(num_cpus=cpus, num_gpus=gpus, scheduling_strategy="SPREAD")
    pool = [made.remote() for _ in range(actors)]
    try:
        host, port = ray.get(pool[0].meeting_point.remote())
        common = {name: value for name, value in os.environ.items() if name.startswith(_PASSED_ON)}
        common.update(MASTER_ADDR=host, MASTER_PORT=str(port), WORLD_SIZE=str(actors))
        running = []
        for rank, actor in enumerate(pool):
            # Ray shows an actor its own GPUs alone, of which it takes the first.
            place = {"RANK": str(rank), "LOCAL_RANK": "0" if gpus else str(rank)}
            running.append(actor.run.remote(list(arguments), {**common, **place}, str(Path.cwd())))
        while running:
            (done, *_), running = ray.wait(running, num_returns=1)
            try:
                ended: str | None = ray.get(done)
            except ray.exceptions.RayError as error:
                ended = f"a rank is gone ({one_line(error, 300)})"
            if ended is not None:
                return ended
        return None
    finally:
        for actor in pool:
            ray.kill(actor)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m medqdeg.utils.sampling.on_ray",
        description="Run lmms-eval with one rank per actor of a Ray cluster.",
    )
    parser.add_argument("--actors", type=int, required=True, help="ranks")
    parser.add_argument("--gpus", type=float, default=0.0, help="GPUs per rank")
    parser.add_argument("--cpus", type=float, default=1.0, help="processor cores per rank")
    parser.add_argument("arguments", nargs="+", help="after --: those of lmms-eval")
    options = parser.parse_args()
    try:
        ended = run_on_ray(options.arguments, actors=options.actors, gpus=options.gpus, cpus=options.cpus)
    except InputError as error:
        raise SystemExit(f"medqdeg: {error}") from None
    if ended is not None:
        raise SystemExit(ended)


if __name__ == "__main__":
    main()
