"""Processor time and memory of each route on one picture."""

from __future__ import annotations

import statistics
import time
import tracemalloc

import cv2
import numpy as np

from medqdeg.degradations import degrade, degrade_with_record, get, list_degradations

from .packages import Route, to_bytes
from .routes import routes

cv2.setNumThreads(1)


def picture(side: int) -> np.ndarray:
    """A body of discs with grain, in colour, uint8 (side, side, 3)."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:side, :side] / side - 0.5
    image = 150.0 * (x**2 + y**2 < 0.23)
    for _ in range(15):
        cy, cx = rng.uniform(-0.3, 0.3, 2)
        image[(x - cx) ** 2 + (y - cy) ** 2 < rng.uniform(0.02, 0.1) ** 2] += rng.uniform(-60, 60)
    colour = image[..., None] * (1.0, 0.8, 0.9) + rng.normal(0, 5, (side, side, 3)) * (image > 0)[..., None]
    return np.clip(colour, 0, 255).astype(np.uint8)


def measure(named: dict[str, Route], seconds: float) -> dict[str, float]:
    """Median milliseconds of processor time of each route, one repetition of each in turn."""
    once = {}
    for name, route in named.items():
        route()
        start = time.process_time()
        route()
        once[name] = time.process_time() - start
    times: dict[str, list[float]] = {name: [once[name]] for name in named}
    for turn in range(200):
        for name, route in named.items():
            if turn < 3 or sum(times[name]) < seconds:
                if turn >= 2 and sum(times[name]) > 4 * seconds:
                    continue
                start = time.process_time()
                route()
                times[name].append(time.process_time() - start)
    return {name: 1e3 * statistics.median(values) for name, values in times.items()}


def peak(route: Route) -> float:
    """Highest memory of arrays during a call, MiB."""
    tracemalloc.start()
    route()
    highest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return highest / 2**20


def _operator(name: str, image: np.ndarray, modality: str | None) -> Route:
    """Our operator alone, as the other routes are: from uint8 to uint8, parameters at hand."""
    entry = get(name)
    parameters = degrade_with_record(image, name, 2, seed=1, modality=modality)[1]["parameters"]
    if entry.uint8:
        return lambda: entry.apply(image, **parameters)
    return lambda: to_bytes(entry.apply(image.astype(np.float32), **parameters))


def check(name: str, image: np.ndarray, named: dict[str, Route]) -> None:
    """Routes marked "=" must agree with ours within one level (rounding), but for single pixels."""
    ours = named["ours"]().astype(int)
    for label, route in named.items():
        if label.endswith("="):
            off = (np.abs(route().astype(int) - ours) > 1).mean()
            if off > 0.01:
                raise SystemExit(f"{name}: {label} differs from ours in {off:.1%} of values")


def run_sizes(sizes: list[int], seconds: float) -> list[dict]:
    rows = []
    for name in list_degradations():
        for size in sizes:
            image = picture(size)
            modality = "X-ray" if name == "low_resolution" else None
            named = {
                "ours": lambda image=image, name=name, modality=modality: degrade(
                    image, name, 2, seed=1, modality=modality
                )
            }
            named["ours, operator"] = _operator(name, image, modality)
            named |= routes(name, image)
            check(name, image, named)
            times = measure(named, seconds)
            for label, value in times.items():
                memory = peak(named[label])
                rows.append({"name": name, "size": size, "route": label, "ms": value, "MiB": memory})
                print(
                    f"{name:18} {size:5} {label:36} {value:9.2f} ms {memory:7.1f} MiB x{value / times['ours']:7.2f}",
                    flush=True,
                )
    return rows
