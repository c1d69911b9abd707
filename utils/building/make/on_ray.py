"""The map stage under Ray Data: the same function on the machines of a cluster instead of this machine's processes.

Every machine must see the folder of the build under the same path (NFS, Lustre). Ray deals parts out as machines become
free and deals a part out again whose machine dies; a part that was made twice has the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ...base.errors import InputError
from ...base.extras import how_to_install
from .make_parts import make_part


def on_ray(out: Path, parts: Sequence[str], workers: int) -> Iterator[dict[str, Any]]:
    """Make parts with Ray Data; joins the cluster that `RAY_ADDRESS` names, else starts one on this machine.

    Args:
        out: the folder, with a finished plan.
        parts: their names.
        workers: tasks at a time on a cluster that is started here; of a running cluster, all cores are used.

    Raises:
        InputError: Ray is not installed.
    """
    try:
        import ray
        import ray.data
    except ImportError:
        raise InputError(f"--engine ray needs Ray: {how_to_install('ray')}") from None
    if not parts:
        return
    if not ray.is_initialized():
        import os

        ray.init(log_to_driver=False, **({} if os.environ.get("RAY_ADDRESS") else {"num_cpus": max(1, workers)}))
    ray.data.DataContext.get_current().enable_progress_bars = False
    rows = ray.data.from_items([{"out": str(out.absolute()), "part": part} for part in parts])
    # One block per part: a task is one part, and what a machine holds at a time is one part's row group.
    made = rows.repartition(len(parts)).map(_stage)
    for row in made.iter_rows():
        yield json.loads(row["report"])


def _stage(row: dict[str, Any]) -> dict[str, Any]:
    return {"report": json.dumps(make_part(Path(row["out"]), row["part"]))}
