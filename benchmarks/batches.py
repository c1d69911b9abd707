"""Batches in torch (`degrade_batch`) beside a loop of `degrade` over the same images.

    python benchmarks/batches.py [--device cuda] [--size 256] [--batch 16] [--markdown TABLE.md]

Both take a tensor (B, 3, H, W), uint8, on the device and leave one there; the loop brings each image to the CPU and
back, as the backend "numpy" of `Degrade` does. On the CPU, both have one thread, and the time is the processor's; on
another device, it is the wall's. Rounds of the two take turns, the ratio is that of the medians: above 1, the batch is
faster. The last columns say how far the results are apart, in grey levels.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

from degradations import geometric, picture  # noqa: E402  # beside this file
from medqdeg.degradations import degrade, get, list_degradations  # noqa: E402
from medqdeg.degradations.batches import degrade_batch  # noqa: E402
from medqdeg.degradations.tensors import from_array, to_array  # noqa: E402

cv2.setNumThreads(1)


def loop(batch: torch.Tensor, name: str, level: int, seeds: list[int]) -> torch.Tensor:
    """Degrade image by image in NumPy."""
    pairs = zip(batch, seeds, strict=True)
    return torch.stack([from_array(degrade(to_array(one), name, level, seed=seed), one) for one, seed in pairs])


def measure(routes: list[Callable[[], object]], device: torch.device, seconds: float) -> list[float]:
    """Median milliseconds of each route, one round of each in turn."""
    on_cpu = device.type == "cpu"
    clock = time.process_time if on_cpu else time.perf_counter
    times: list[list[float]] = [[] for _ in routes]
    while min(len(each) for each in times) < 4 or (sum(map(sum, times)) < seconds and len(times[0]) < 100):
        for route, own in zip(routes, times, strict=True):
            start = clock()
            route()
            if not on_cpu:
                getattr(torch, device.type).synchronize()
            own.append(clock() - start)
    return [1e3 * statistics.median(each[1:]) for each in times]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--size", type=int, nargs="+", default=[256, 512])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each operator and size")
    parser.add_argument("--markdown", type=Path, help="write the table here")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    if device.type == "cpu":
        torch.set_num_threads(1)

    heading = (
        f"{platform.machine()}, torch {torch.__version__} on {device}, numpy {np.__version__}, "
        f"opencv {cv2.__version__}; batches of {arguments.batch} RGB images at L2\n\n"
    )
    lines = [
        "| operator | px | loop, ms per image | batch, ms per image | ratio | largest difference | share that differs |"
    ]
    lines.append("|---|---:|---:|---:|---:|---:|---:|")
    ratios = []
    for name in (name for name in list_degradations() if get(name).batched):
        for size in arguments.size:
            image = torch.from_numpy(picture(size)).permute(2, 0, 1)
            batch = torch.stack([image.roll(number, dims=2) for number in range(arguments.batch)]).to(device)
            seeds = list(range(arguments.batch))
            apart = (loop(batch, name, 2, seeds).int() - degrade_batch(batch, name, 2, seeds=seeds).int()).abs()
            alone, together = measure(
                [
                    lambda batch=batch, name=name, seeds=seeds: loop(batch, name, 2, seeds),
                    lambda batch=batch, name=name, seeds=seeds: degrade_batch(batch, name, 2, seeds=seeds),
                ],
                device,
                arguments.seconds,
            )
            ratios.append(alone / together)
            cells = (name, size, f"{alone / len(seeds):.2f}", f"{together / len(seeds):.2f}", f"{ratios[-1]:.2f}")
            lines.append(f"| {' | '.join(map(str, cells))} | {int(apart.max())} | {apart.bool().float().mean():.2%} |")
            print(lines[-1], flush=True)
    report = "\n".join(lines) + f"\n\nGeometric mean of the ratios: **{geometric(ratios):.2f}**.\n"
    print(report)
    if arguments.markdown:
        arguments.markdown.write_text(heading + report)


if __name__ == "__main__":
    sys.exit(main())
