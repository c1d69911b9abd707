"""The 18 degradations side by side with the libraries that a user would take instead.

    python benchmarks/degradations.py [--sizes 256 512 1024] [--markdown docs/degradations_speed.md]

Each row is one operator at L2 on an RGB uint8 image, uint8 in, uint8 out, on one thread: median processor
time of interleaved repetitions, so that other work on the machine hardly counts. "ours" is the whole call
``degrade(...)``: unpacking, table look-up, draw, operator, rounding, the check that something changed; the
authors' libraries are compared with that. The other routes are bare function calls, so the fastest of them is
compared with our operator alone (parameters at hand). Ratios above 1: ours is faster. Routes marked "=" give
the same values up to one level (checked where deterministic); the others do the same kind of thing on another
grid, rounding or model. A route whose package is not installed, or fails to import or to run, is left out and named.

Peak memory is what NumPy's and OpenCV's arrays take beyond the input at their highest (``tracemalloc``).
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import io
import math
import os
import platform
import statistics
import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import ModuleType

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NO_ALBUMENTATIONS_UPDATE"):
    os.environ[_variable] = "1"
warnings.simplefilter("ignore")

import cv2  # noqa: E402
import numpy as np  # noqa: E402
from PIL import Image, ImageDraw  # noqa: E402
from scipy import fft, ndimage  # noqa: E402

from medqdeg.degradations import degrade, degrade_with_record, get, list_degradations  # noqa: E402

cv2.setNumThreads(1)

Route = Callable[[], object]
AUTHORS = "SciPy", "TorchIO", "NumPy", "scikit-image", "astra", "PIL"
NOT_THEIRS = "RandomGamma", "RandomNoise", "RandomBlur", "RandomAffine"  # of TorchIO; the authors' are NumPy's, SciPy's
SECONDS = 0.5  # for each route and size, unless --seconds says otherwise

# Images of each kind in the paper's 20,588 (its Table 5, L1 and L2 together).
PAPERS_MIX = {
    "limited_angle": 1440, "sparse_view": 1440, "bias_field": 936, "undersampling": 672, "ghosting": 352,
    "blood_cell": 304, "dark_spots": 178, "object_rotation": 2718, "object_movement": 274,
    "adjust_brightness": 916, "exposure": 518, "reduce_contrast": 412, "gaussian_noise": 2680,
    "low_dose": 1116, "low_resolution": 3046, "motion_blur": 2820, "gaussian_blur": 470, "bubble": 296,
}  # fmt: skip


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


def _planes(function: Callable[[np.ndarray], np.ndarray], image: np.ndarray) -> np.ndarray:
    return np.stack([function(image[..., channel]) for channel in range(3)], axis=2)


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.clip(values, 0, 255).astype(np.uint8)


def routes(name: str, image: np.ndarray) -> dict[str, Route]:
    """Other people's routes to the same degradation, with the same parameters."""
    side = image.shape[0]
    drawn = degrade_with_record(image, name, 2, seed=1, modality="X-ray" if name == "low_resolution" else None)[1]
    return globals()[f"_{name}"](image, side, drawn["parameters"])


def _adjust_brightness(x, n, p):
    found = {
        "NumPy =": lambda: _bytes(x.astype(np.int16) + p["offset"]),
        "OpenCV subtract =": lambda: cv2.subtract(x, (-p["offset"],) * 4),
    }
    return (
        found
        | _albumentations("RandomBrightnessContrast", x, brightness_limit=(-0.44, -0.44), contrast_limit=(0, 0))
        | _monai("ShiftIntensity", x, offset=p["offset"])
    )


def _exposure(x, n, p):
    def table():
        return _bytes(255 * (np.arange(256) / 255) ** p["gamma"] + p["offset"])

    return (
        {
            "NumPy =": lambda: _bytes(255 * (x / 255) ** p["gamma"] + p["offset"]),
            "OpenCV LUT =": lambda: cv2.LUT(x, table()),
        }
        | _skimage(lambda s: lambda: s.exposure.adjust_gamma(x, p["gamma"]), "adjust_gamma")
        | (
            _albumentations("RandomGamma", x, gamma_limit=(100 * p["gamma"], 100 * p["gamma"]))
            | _torchio("RandomGamma", x / 255, log_gamma=(math.log(p["gamma"]),) * 2)
            | _monai("AdjustContrast", x, gamma=p["gamma"])
        )
    )


def _reduce_contrast(x, n, p):
    def numpy_route():
        mean = x.mean()
        return _bytes(mean + p["factor"] * (x - mean))

    def table():
        mean = x.mean()
        return cv2.LUT(x, _bytes(mean + p["factor"] * (np.arange(256) - mean)))

    return {"NumPy =": numpy_route, "OpenCV LUT =": table} | (
        _imagecorruptions("contrast", x)
        | _albumentations("RandomBrightnessContrast", x, brightness_limit=(0, 0), contrast_limit=(p["factor"] - 1,) * 2)
    )


def _gaussian_noise(x, n, p):
    sigma = p["relative_sigma"] * x.std()
    rng = np.random.default_rng(0)
    buffer = np.empty(x.shape, np.int16)
    found = {
        "NumPy random.normal": lambda: _bytes(x + np.random.normal(0, sigma, x.shape)),  # noqa: NPY002
        "NumPy Generator": lambda: _bytes(x + sigma * rng.standard_normal(x.shape, np.float32)),
        "OpenCV randn": lambda: cv2.add(x, cv2.randn(buffer, 0, sigma), dtype=cv2.CV_8U),
    }
    found |= _skimage(lambda s: lambda: _bytes(255 * s.util.random_noise(x, var=(sigma / 255) ** 2)), "random_noise")
    found |= _albumentations("GaussNoise", x, std_range=(sigma / 255, sigma / 255))
    found |= _torchio("RandomNoise", x, std=(sigma, sigma)) | _monai("RandGaussianNoise", x, prob=1, std=sigma)
    return found | _imagecorruptions("gaussian_noise", x)


def _low_resolution(x, n, p):
    small = max(round(n * p["keep"]), 1)

    def scipy_route():
        down = _planes(lambda plane: ndimage.zoom(plane, p["keep"], order=1), x)
        return _planes(lambda plane: ndimage.zoom(plane, n / small, order=0), down)

    def remap():
        grid = np.linspace(0, n - 1, small, dtype=np.float32)
        down = cv2.remap(x, *np.meshgrid(grid, grid), cv2.INTER_LINEAR)
        grid = np.floor(np.linspace(0, small - 1, n) + 0.5).astype(np.float32)
        return cv2.remap(down, *np.meshgrid(grid, grid), cv2.INTER_NEAREST)

    def resize():
        return cv2.resize(cv2.resize(x, (small, small)), (n, n), interpolation=cv2.INTER_NEAREST)

    found = {"SciPy =": scipy_route, "OpenCV remap =": remap, "OpenCV resize": resize}
    found |= _albumentations("Downscale", x, scale_range=(p["keep"], p["keep"]))
    return found | _imagecorruptions("pixelate", x)


def _motion_blur(x, n, p):
    size = p["length"]
    line = np.zeros((size, size))
    line[size // 2] = 1 / size
    line = ndimage.rotate(line, p["angle"], reshape=False, order=1)
    line /= line.sum()
    found = {
        "SciPy =": lambda: _planes(lambda plane: ndimage.convolve(plane, line), x),
        "OpenCV filter2D": lambda: cv2.filter2D(x, -1, line),
    }
    return found | _albumentations("MotionBlur", x, blur_limit=(11, 11)) | _imagecorruptions("motion_blur", x)


def _gaussian_blur(x, n, p):
    sigma = p["sigma"]
    found = {
        "SciPy =": lambda: _bytes(ndimage.gaussian_filter(x.astype(float), (sigma, sigma, 0))),
        "OpenCV GaussianBlur": lambda: cv2.GaussianBlur(x, (0, 0), sigma),
    }
    found |= _skimage(lambda s: lambda: s.filters.gaussian(x, sigma, channel_axis=2), "gaussian")
    return (
        found
        | _albumentations("GaussianBlur", x, sigma_limit=(sigma, sigma), blur_limit=0)
        | (_torchio("RandomBlur", x, std=(sigma, sigma)) | _monai("GaussianSmooth", x, sigma=sigma))
    )


def _bubble(x, n, p):
    row, column = np.ogrid[:n, :n]
    inside = (row - p["centre"][0]) ** 2 + (column - p["centre"][1]) ** 2 < p["radius"] ** 2

    def scipy_route():
        blurred = _bytes(ndimage.gaussian_filter(x.astype(float), (p["sigma"], p["sigma"], 0)))
        return np.where(inside[..., None], blurred, x)

    def opencv_route():
        return cv2.copyTo(cv2.GaussianBlur(x, (0, 0), p["sigma"]), inside.view(np.uint8), x.copy())

    return {"SciPy =": scipy_route, "OpenCV GaussianBlur": opencv_route}


def _dark_spots(x, n, p):
    def field(dtype):
        row, column = np.ogrid[:n, :n]
        squares = (row - p["centre"][0]) ** 2 + (column - p["centre"][1]) ** 2
        return (1 - p["depth"] * np.exp(-squares / (2 * p["sigma"] ** 2))).astype(dtype)

    def opencv_route():
        light = field(np.float32)
        return cv2.multiply(x, cv2.merge([light] * 3), dtype=cv2.CV_8U)

    return {"NumPy =": lambda: _bytes(x * field(float)[..., None]), "OpenCV multiply": opencv_route}


def _blood_cell(x, n, p):
    """FrOoDo's way: pictures of cells pasted with PIL; here one drawn picture, resized and turned."""
    cell = Image.new("RGBA", (128, 128))
    ImageDraw.Draw(cell).ellipse((2, 2, 126, 126), fill=(172, 54, 83, 83))

    def pil_route():
        canvas = Image.fromarray(x).convert("RGBA")
        for row, column, diameter, _, angle, _ in p["cells"]:
            size = round(diameter)
            one = cell.resize((size, size)).rotate(angle)
            canvas.alpha_composite(one, (max(int(column - size / 2), 0), max(int(row - size / 2), 0)))
        return np.asarray(canvas.convert("RGB"))

    return {"PIL": pil_route}


def _object_rotation(x, n, p):
    turn = cv2.getRotationMatrix2D(((n - 1) / 2, (n - 1) / 2), p["angle"], 1)
    found = {
        "SciPy =": lambda: ndimage.rotate(x, p["angle"], reshape=False, order=1),
        "OpenCV warpAffine": lambda: cv2.warpAffine(x, turn, (n, n)),
        "PIL": lambda: np.asarray(Image.fromarray(x).rotate(p["angle"], Image.Resampling.BILINEAR)),
    }
    found |= _albumentations("Rotate", x, limit=(p["angle"], p["angle"]))
    found |= _torchio("RandomAffine", x, scales=(1, 1), degrees=(0, 0, 0, 0, p["angle"], p["angle"]))
    found |= _monai("Rotate", x, angle=math.radians(p["angle"]), padding_mode="zeros")
    return found | _skimage(lambda s: lambda: s.transform.rotate(x, p["angle"], order=1), "rotate")


def _bias_field(x, n, p):
    coefficients = np.zeros((4, 4))
    coefficients[tuple(zip(*[(i, j) for i in range(4) for j in range(4 - i)], strict=True))] = p["coefficients"]

    def numpy_route():
        axis = np.linspace(-1, 1, n)
        field = np.polynomial.polynomial.polygrid2d(axis, axis, coefficients).T
        field = (field - field.min()) / np.ptp(field)
        field = np.maximum(1 - p["strength"] * (1 - field), p["floor"])
        return _bytes(x * field[..., None])

    found = {"NumPy =": numpy_route} | _torchio("RandomBiasField", x)
    return found | _monai("RandBiasField", x, prob=1)


def _ghosting(x, n, p):
    spacing = n // (len(p["weights"]) + 2)

    def numpy_route():
        out = x.astype(float)
        for number, weight in enumerate(p["weights"], 1):
            out[number * spacing :] += weight * x[: -number * spacing]
        return _bytes(out)

    def opencv_route():
        out = x.astype(np.float32)
        source = out.copy()
        for number, weight in enumerate(p["weights"], 1):
            below = out[number * spacing :]
            cv2.scaleAdd(source[: -number * spacing], weight, below, dst=below)
        return _bytes(out)

    return {"NumPy =": numpy_route, "OpenCV scaleAdd =": opencv_route} | _torchio("RandomGhosting", x)


def _undersampling(x, n, p):
    masks = np.zeros((3, n))
    for channel, lines in enumerate(p["lines"]):
        masks[channel, np.array(lines) % n] = 1

    def numpy_route():
        spectrum = np.fft.fft2(x, axes=(0, 1)) * masks.T
        return _bytes(np.fft.ifft2(spectrum, axes=(0, 1)).real)

    def scipy_route():
        weights = ((masks + masks[:, -np.arange(n) % n]) / 2)[:, : n // 2 + 1]
        spectrum = fft.rfft(x.astype(float), axis=1) * weights.T
        return _bytes(fft.irfft(spectrum, n=n, axis=1))

    return {"NumPy fft2 =": numpy_route, "scipy.fft rfft =": scipy_route}


def _object_movement(x, n, p):
    edges = [n // len(p["movements"]) * band for band in range(len(p["movements"]))] + [n]

    def route(forward, back, move):
        return np.stack([composite(x[..., channel], forward, back, move) for channel in range(3)], axis=2)

    def composite(plane, forward, back, move):
        out = np.zeros((n, n), complex)
        for band, (degrees, down, right) in enumerate(p["movements"]):
            spectrum = np.fft.fftshift(forward(move(plane.astype(np.float32), degrees, down, right)))
            out[edges[band] : edges[band + 1]] = spectrum[edges[band] : edges[band + 1]]
        return _bytes(back(np.fft.ifftshift(out)).real)

    def scipy_move(grey, degrees, down, right):
        turned = ndimage.rotate(grey, degrees, reshape=False, order=1, mode="reflect")
        return ndimage.shift(turned, (down, right), order=1, mode="reflect")

    def opencv_move(grey, degrees, down, right):
        matrix = cv2.getRotationMatrix2D(((n - 1) / 2, (n - 1) / 2), degrees, 1)
        matrix[:, 2] += right, down
        return cv2.warpAffine(grey, matrix, (n, n), borderMode=cv2.BORDER_REFLECT)

    return {
        "SciPy": lambda: route(np.fft.fft2, np.fft.ifft2, scipy_move),
        "OpenCV and scipy.fft": lambda: route(fft.fft2, fft.ifft2, opencv_move),
    } | _torchio("RandomMotion", x, num_transforms=4)


def _limited_angle(x, n, p):
    views = round(p["arc"] / p["step"]) + 1
    angles = p["start"] + np.linspace(0, p["arc"], views)
    return _astra(x, angles, max(p["distance"], round(p["distance_per_side"] * n)))


def _sparse_view(x, n, p):
    return _astra(x, np.arange(p["views"]) * 360 / p["views"], max(p["distance"], round(p["distance_per_side"] * n)))


def _low_dose(x, n, p):
    rng = np.random.default_rng(0)
    scale = p["attenuation"] / 255

    def noise(sinogram):
        counts = rng.poisson(p["photons"] * np.exp(-scale * sinogram))
        return (-np.log(np.maximum(counts, 1) / p["photons"]) / scale).astype(np.float32)

    distance = max(p["distance"], round(p["distance_per_side"] * n))
    return _astra(x, np.arange(p["views"]) * 360 / p["views"], distance, noise)


_ABSENT: dict[str, str] = {}


def _peer(package: str, make: Callable[[ModuleType], dict[str, Route]]) -> dict[str, Route]:
    """Routes of a package; none where it is absent or fails in any way, which the report names."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = make(importlib.import_module(package))
            for route in found.values():
                route()
    except Exception as error:
        _ABSENT[package] = f"{type(error).__name__}: {error}".split("\n")[0][:120]
        return {}
    return found


def _astra(x, angles, distance, noise=None) -> dict[str, Route]:
    """astra's CPU projectors with our ramp filter between: its CPU FBP refuses fan beams."""
    return _peer("astra", lambda astra: _astra_routes(astra, x, angles, distance, noise))


def _astra_routes(astra, x, angles, distance, noise) -> dict[str, Route]:
    from medqdeg.degradations.tomography import filter_ramp

    side = x.shape[0]
    geometry = astra.create_proj_geom("fanflat", 2.0, distance, np.deg2rad(angles), distance, distance)
    projector = astra.create_projector("line_fanflat", geometry, astra.create_vol_geom(side, side))

    def run():
        grey = cv2.cvtColor(x, cv2.COLOR_RGB2GRAY).astype(np.float32)
        number, sinogram = astra.create_sino(grey, projector)
        filtered = filter_ramp(sinogram if noise is None else noise(sinogram))
        back, result = astra.create_backprojection(filtered, projector)
        astra.data2d.delete([number, back])
        return np.repeat(_bytes(result * np.float32(math.pi / 2 / len(angles)))[..., None], 3, axis=2)

    return {"astra line_fanflat": run}


def _skimage(make, label) -> dict[str, Route]:
    def routes(skimage: ModuleType) -> dict[str, Route]:
        for part in ("exposure", "filters", "transform", "util"):
            importlib.import_module(f"skimage.{part}")
        return {f"scikit-image {label}": make(skimage)}

    return _peer("skimage", routes)


def _albumentations(name, x, **settings) -> dict[str, Route]:
    def routes(albumentations: ModuleType) -> dict[str, Route]:
        transform = getattr(albumentations, name)(p=1, **settings)
        return {f"albumentations {name}": lambda: transform(image=x)["image"]}

    return _peer("albumentations", routes)


def _imagecorruptions(name, x) -> dict[str, Route]:
    def routes(imagecorruptions: ModuleType) -> dict[str, Route]:
        return {"imagecorruptions": lambda: imagecorruptions.corrupt(x, corruption_name=name, severity=3)}

    return _peer("imagecorruptions", routes)  # breaks with new NumPy and scikit-image in places


def _torchio(name, x, **settings) -> dict[str, Route]:
    def routes(torchio: ModuleType) -> dict[str, Route]:
        import torch

        torch.set_num_threads(1)
        transform = getattr(torchio, name)(**settings)
        volume = np.ascontiguousarray(np.moveaxis(x, 2, 0)[:1, :, :, None], dtype=np.float32)  # one channel: grey

        def run():
            out = transform(torchio.ScalarImage(tensor=torch.from_numpy(volume))).numpy()[0, ..., 0]
            return np.repeat(_bytes(out)[..., None], 3, axis=2)

        return {f"TorchIO {name}": run}

    return _peer("torchio", routes)


def _monai(name, x, **settings) -> dict[str, Route]:
    """As MONAI's pipelines hold an image: (C, H, W) float32, made of uint8 and turned back here."""

    def routes(transforms: ModuleType) -> dict[str, Route]:
        import torch

        torch.set_num_threads(1)
        transform = getattr(transforms, name)(**settings)

        def run():
            planes = torch.from_numpy(np.ascontiguousarray(np.moveaxis(x, 2, 0), dtype=np.float32))
            return np.moveaxis(_bytes(np.asarray(transform(planes))), 0, 2)

        return {f"MONAI {name}": run}

    return _peer("monai.transforms", routes)


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
    return lambda: _bytes(entry.apply(image.astype(np.float32), **parameters))


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


def geometric(values: list[float]) -> float:
    return math.exp(statistics.fmean(math.log(value) for value in values)) if values else float("nan")


def summarise(rows: list[dict], mix: dict | None) -> str:
    out = io.StringIO()
    table: dict[tuple, dict[str, dict]] = {}
    for row in rows:
        table.setdefault((row["name"], row["size"]), {})[row["route"]] = row
    authors, fastest, same = [], [], []
    header = ("operator", "px", "ours, ms (MiB)", "authors' library", "ms", "ratio")
    header += ("fastest other route", "ms (MiB)", "our operator, ms", "ratio")
    print("|", " | ".join(header), "|", file=out)
    print("|---|---:|---:|---|---:|---:|---|---:|---:|---:|", file=out)
    for (name, size), found in table.items():
        ours, alone = found.pop("ours"), found.pop("ours, operator")
        if not found:
            print(f"| {name} | {size} | {ours['ms']:.2f} ({ours['MiB']:.1f}) | | | | | | |", file=out)
            continue
        theirs = next(
            (
                r
                for prefix in AUTHORS
                for r in found.values()
                if r["route"].startswith(prefix) and not r["route"].endswith(NOT_THEIRS)
            ),
            None,
        )
        quick = min(found.values(), key=lambda row: row["ms"])
        equal = [row["ms"] for row in found.values() if row["route"].endswith("=")]
        authors.append(theirs["ms"] / ours["ms"])
        fastest.append((quick["ms"] / alone["ms"], name, size, quick["route"]))
        if equal:
            same.append((min(equal) / alone["ms"], name, size))
        print(
            f"| {name} | {size} | {ours['ms']:.2f} ({ours['MiB']:.1f}) | {theirs['route']} |"
            f" {theirs['ms']:.2f} |"
            f" {theirs['ms'] / ours['ms']:.1f} | {quick['route']} | {quick['ms']:.2f} ({quick['MiB']:.1f}) |"
            f" {alone['ms']:.2f} | {quick['ms'] / alone['ms']:.2f} |",
            file=out,
        )
    slower = [
        f"{name} at {size} px ({route}: {1 / ratio:.2f}x)" for ratio, name, size, route in fastest if ratio < 1 / 1.2
    ]
    slower_same = [f"{name} at {size} px ({1 / ratio:.2f}x)" for ratio, name, size in same if ratio < 1 / 1.2]
    print(
        f"\n- Against the authors' libraries, geometric mean of {len(authors)} rows:"
        f" **{geometric(authors):.1f}x faster**."
        f"\n- Slower than 1.2x the fastest other route of any kind: {'; '.join(slower) or 'none'}."
        "\n- Slower than 1.2x the fastest route with the same result (=):"
        f" {'; '.join(slower_same) or 'none'}.",
        file=out,
    )
    if _ABSENT:
        named = "; ".join(f"{package} ({why})" for package, why in sorted(_ABSENT.items()))
        print(f"- Left out, in all rows or in some, as they failed: {named}.", file=out)
    if mix:
        print(
            f"- The paper's 20,588 images at 512 x 512: **{mix['minutes']:.1f} minutes on two cores,"
            f" {mix['rate']:.0f} images a second**, from the processor time of {mix['images']} images in the"
            " paper's mix on two processes (reading and writing files not included; they took"
            f" {mix['wall']:.0f} s of wall time at a load of {mix['load']:.1f}).",
            file=out,
        )
    return out.getvalue()


def versions() -> str:
    names = "numpy scipy opencv-python-headless pillow scikit-image albumentations torchio torch"
    names += " monai imagecorruptions medmnistc astra-toolbox"
    found = []
    for name in names.split():
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} not installed")
    return f"Python {platform.python_version()}, " + ", ".join(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024])
    parser.add_argument("--seconds", type=float, default=SECONDS, help="processor time for each route and size")
    parser.add_argument("--markdown", type=Path, help="write the tables here")
    parser.add_argument("--share", type=float, default=0.03, help="share of the paper's 20,588 images to run; 0: none")
    arguments = parser.parse_args()
    mix = papers_mix(arguments.share) if arguments.share else None
    rows = run_sizes(arguments.sizes, arguments.seconds)
    report = summarise(rows, mix)
    print(report)
    if arguments.markdown:
        notes = __doc__.split("\n\n", 2)[2]
        arguments.markdown.write_text(
            "# How fast the degradations are\n\n"
            "Made by `python benchmarks/degradations.py --markdown docs/degradations_speed.md`;"
            f" {platform.machine()}, {os.cpu_count()} cores, on which other work ran at the same time (load"
            f" {os.getloadavg()[2]:.1f}), {versions()}.\n\n{notes}\n{report}"
        )


if __name__ == "__main__":
    sys.exit(main())
