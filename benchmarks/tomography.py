"""CT simulation side by side: ours, scikit-image, astra's CPU projectors, torch's grid_sample.

Each line is "project a grey image and reconstruct it": median processor time of interleaved repetitions on
one thread, so that other work on the machine hardly counts; the ratio is theirs / ours of the same run. What
is not installed is left out.

    python benchmarks/tomography.py [--sizes 256 512 1024] [--repeat 5] [--torch] [--json FILE]

astra's CPU FBP refuses fan beams, so its lines are forward projection, our ramp filter and back-projection:
the calls that a user of astra would make.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"

import cv2  # noqa: E402
import numpy as np  # noqa: E402

from medqdeg.degradations.operators import low_dose  # noqa: E402
from medqdeg.degradations.tomography import back_projection, geometry, parallel_beams, projection, scanning  # noqa: E402

cv2.setNumThreads(1)

Route = Callable[[], object]


def phantom(side: int) -> np.ndarray:
    """A head-like section: skull, brain, lesions, grain; 0..255 float32, air outside the inscribed circle."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:side, :side] / side - 0.5
    image = 240.0 * (x**2 / 0.15 + y**2 / 0.2 < 1)
    image[x**2 / 0.12 + y**2 / 0.165 < 1] = 110
    for _ in range(12):
        cy, cx = rng.uniform(-0.25, 0.25, 2)
        image[(x - cx) ** 2 + (y - cy) ** 2 < rng.uniform(0.01, 0.06) ** 2] += rng.uniform(-40, 40)
    image += rng.normal(0, 4, image.shape) * (image > 0)
    return np.clip(image, 0, 255).astype(np.float32)


def fan_routes(image: np.ndarray, angles: np.ndarray, distance: int, with_torch: bool) -> dict[str, Route]:
    routes: dict[str, Route] = {"ours": lambda: scanning.scan_and_reconstruct(image, angles, distance=distance)}
    astra = _astra()
    if astra is not None:
        for kind in ("line_fanflat", "strip_fanflat"):
            routes[f"astra {kind}"] = _astra_route(astra, image, angles, distance, kind)
    if with_torch:
        routes["torch grid_sample"] = _torch_fan(image, angles, distance)
    return routes


def parallel_routes(image: np.ndarray, angles: np.ndarray) -> dict[str, Route]:
    side = image.shape[0]
    routes: dict[str, Route] = {
        "ours, FFT": lambda: parallel_beams.parallel_fbp(image, angles),
        "ours, rays": lambda: back_projection.fbp(
            projection.project(image, angles, detectors=side, source_distance=None),
            angles,
            side=side,
            source_distance=None,
        ),
    }
    try:
        from skimage.transform import iradon, radon
    except ImportError:
        pass
    else:
        routes["scikit-image"] = lambda: iradon(radon(image, angles, circle=True), angles, circle=True)
    astra = _astra()
    if astra is not None:
        routes["astra linear"] = _astra_route(astra, image, angles, None, "linear")
    return routes


def _astra():
    try:
        import astra
    except ImportError:
        return None
    return astra


def _astra_route(astra, image: np.ndarray, angles: np.ndarray, distance: int | None, kind: str) -> Route:
    side = image.shape[0]
    volume = astra.create_vol_geom(side, side)
    radians = np.deg2rad(angles)
    if distance is None:
        geometry = astra.create_proj_geom("parallel", 1.0, side, radians)
    else:
        geometry = astra.create_proj_geom("fanflat", 2.0, distance, radians, distance, distance)
    projector = astra.create_projector(kind, geometry, volume)

    def run() -> object:
        number, sinogram = astra.create_sino(image, projector)
        filtered = back_projection.filter_ramp(sinogram)
        back, result = astra.create_backprojection(filtered, projector)
        astra.data2d.delete([number, back])
        return result

    return run


def _torch_fan(image: np.ndarray, angles: np.ndarray, distance: int) -> Route:
    import torch
    from torch.nn.functional import grid_sample

    torch.set_num_threads(1)
    side = image.shape[0]
    half = side / 2
    picture = torch.from_numpy(image)[None, None]
    u = torch.arange(distance, dtype=torch.float32) - (distance - 1) / 2
    steps = torch.arange(int(side * 1.4143), dtype=torch.float32) - int(side * 1.4143) / 2 + 0.5
    row = torch.arange(side, dtype=torch.float32) - (side - 1) / 2
    y, x = torch.meshgrid(row, row, indexing="ij")

    def run() -> object:
        views = []
        for angle in np.deg2rad(angles):
            c, s = float(np.cos(angle)), float(np.sin(angle))
            across = u[None] * (1 + steps[:, None] / distance)
            grid = torch.stack([across * c - steps[:, None] * s, across * s + steps[:, None] * c], -1) / half
            views.append(grid_sample(picture, grid[None], align_corners=False)[0, 0].sum(0))
        filtered = torch.from_numpy(back_projection.filter_ramp(torch.stack(views).numpy()))
        out = torch.zeros(side, side)
        for angle, view in zip(np.deg2rad(angles), filtered, strict=True):
            c, s = float(np.cos(angle)), float(np.sin(angle))
            weight = distance / (distance + y * c - x * s)
            cell = (x * c + y * s) * weight / (distance / 2)
            grid = torch.stack([cell, torch.zeros_like(cell)], -1)[None]
            out += weight * grid_sample(view[None, None, None], grid, align_corners=False)[0, 0]
        return out

    return run


def measure(routes: dict[str, Route], repeat: int) -> dict[str, float]:
    """Median milliseconds of processor time of each route, one repetition of each in turn."""
    for route in routes.values():
        route()
    times: dict[str, list[float]] = {name: [] for name in routes}
    for _ in range(repeat):
        for name, route in routes.items():
            start = time.process_time()
            route()
            times[name].append(1e3 * (time.process_time() - start))
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--torch", action="store_true", help="also torch's grid_sample (slow)")
    parser.add_argument("--json", type=Path, help="write the rows here too")
    arguments = parser.parse_args()
    rows = []

    def report(case: str, size: int, views: int, times: dict[str, float]) -> None:
        ours = next(iter(times.values()))
        for name, value in times.items():
            row = {
                "case": case,
                "size": size,
                "views": views,
                "route": name,
                "ms": value,
                "ratio": value / ours,
            }
            rows.append(row)
            print(
                f"{case:9} {size:5} px {views:4} views  {name:20} {value:9.1f} ms  x{value / ours:6.2f}",
                flush=True,
            )

    for size in arguments.sizes:
        image = phantom(size)
        distance = round(1.5 * size)
        for views in (36, 144, 361):
            arc = 180.0 if views == 361 else 360.0
            angles = geometry.equal_angles(0.0, arc, views, endpoint=views == 361)
            report(
                "fan",
                size,
                views,
                measure(fan_routes(image, angles, distance, arguments.torch), arguments.repeat),
            )
        for views in (30, 60, 180):
            angles = geometry.full_scan(views, None)
            report("parallel", size, views, measure(parallel_routes(image, angles), arguments.repeat))
        angles = geometry.full_scan(720, distance)
        routes = {"ours, with noise": lambda image=image: low_dose.apply(image, photons=1e5, noise_seed=0)}
        astra = _astra()
        if astra is not None:
            routes["astra line_fanflat"] = _astra_route(astra, image, angles, distance, "line_fanflat")
        report("low dose", size, 720, measure(routes, min(arguments.repeat, 3)))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
