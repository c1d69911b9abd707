"""How long the paper's 20,588 degraded images take, from a share of them on two processes."""

from __future__ import annotations

import os
import statistics
import time
from concurrent.futures import ProcessPoolExecutor

import cv2
import numpy as np

from medqdeg.degradations import degrade

from .measuring import picture

# Images of each kind in the paper's 20,588 (its Table 5, L1 and L2 together).
PAPERS_MIX = {
    "limited_angle": 1440, "sparse_view": 1440, "bias_field": 936, "undersampling": 672, "ghosting": 352,
    "blood_cell": 304, "dark_spots": 178, "object_rotation": 2718, "object_movement": 274,
    "adjust_brightness": 916, "exposure": 518, "reduce_contrast": 412, "gaussian_noise": 2680,
    "low_dose": 1116, "low_resolution": 3046, "motion_blur": 2820, "gaussian_blur": 470, "bubble": 296,
}  # fmt: skip

_IMAGE: np.ndarray | None = None


def _work(task: tuple[str, int, int]) -> float:
    global _IMAGE
    if _IMAGE is None:
        _IMAGE = picture(512)
        cv2.setNumThreads(1)
    name, level, number = task
    start = time.process_time()
    degrade(_IMAGE, name, level, seed=number)
    return time.process_time() - start


def papers_mix(share: float) -> dict[str, float]:
    """Degrade a share of the paper's 20,588 images at 512 x 512 on two processes.

    Each kind's mean processor time is weighted with the paper's count, so that rounding small counts up does
    not matter.
    """
    tasks = [
        (name, 1 + number % 2, number)
        for name, count in PAPERS_MIX.items()
        for number in range(max(2 * round(count * share / 2), 4))
    ]
    order = np.random.default_rng(0).permutation(len(tasks))
    tasks = [tasks[index] for index in order]
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(_work, tasks[:20]))  # start and warm up
        start = time.perf_counter()
        busy = list(pool.map(_work, tasks, chunksize=4))
        wall = time.perf_counter() - start
    total = sum(
        count * statistics.fmean(time for time, task in zip(busy, tasks, strict=True) if task[0] == name)
        for name, count in PAPERS_MIX.items()
    )
    return {
        "images": len(tasks),
        "wall": wall,
        "load": os.getloadavg()[0],
        "minutes": total / 2 / 60,
        "rate": 2 * sum(PAPERS_MIX.values()) / total,
    }
