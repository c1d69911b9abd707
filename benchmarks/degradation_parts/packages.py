"""The same degradations by other packages: routes of those that are installed and run."""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Callable
from types import ModuleType

import cv2
import numpy as np

Route = Callable[[], object]


def to_bytes(values: np.ndarray) -> np.ndarray:
    return np.clip(values, 0, 255).astype(np.uint8)


ABSENT: dict[str, str] = {}
"""Package -> why its routes are left out, in all rows or in some."""


def _peer(package: str, make: Callable[[ModuleType], dict[str, Route]]) -> dict[str, Route]:
    """Routes of a package; none where it is absent or fails in any way, which the report names."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = make(importlib.import_module(package))
            for route in found.values():
                route()
    except Exception as error:
        ABSENT[package] = f"{type(error).__name__}: {error}".split("\n")[0][:120]
        return {}
    return found


def astra_routes(x, angles, distance, noise=None) -> dict[str, Route]:
    """astra's CPU projectors with our ramp filter between: its CPU FBP refuses fan beams."""
    return _peer("astra", lambda astra: _of_astra(astra, x, angles, distance, noise))


def _of_astra(astra, x, angles, distance, noise) -> dict[str, Route]:
    from medqdeg.degradations.tomography.back_projection import filter_ramp

    side = x.shape[0]
    geometry = astra.create_proj_geom("fanflat", 2.0, distance, np.deg2rad(angles), distance, distance)
    projector = astra.create_projector("line_fanflat", geometry, astra.create_vol_geom(side, side))

    def run():
        grey = cv2.cvtColor(x, cv2.COLOR_RGB2GRAY).astype(np.float32)
        number, sinogram = astra.create_sino(grey, projector)
        filtered = filter_ramp(sinogram if noise is None else noise(sinogram))
        back, result = astra.create_backprojection(filtered, projector)
        astra.data2d.delete([number, back])
        return np.repeat(to_bytes(result * np.float32(math.pi / 2 / len(angles)))[..., None], 3, axis=2)

    return {"astra line_fanflat": run}


def skimage_routes(make, label) -> dict[str, Route]:
    def routes(skimage: ModuleType) -> dict[str, Route]:
        for part in ("exposure", "filters", "transform", "util"):
            importlib.import_module(f"skimage.{part}")
        return {f"scikit-image {label}": make(skimage)}

    return _peer("skimage", routes)


def albumentations_routes(name, x, **settings) -> dict[str, Route]:
    def routes(albumentations: ModuleType) -> dict[str, Route]:
        transform = getattr(albumentations, name)(p=1, **settings)
        return {f"albumentations {name}": lambda: transform(image=x)["image"]}

    return _peer("albumentations", routes)


def imagecorruptions_routes(name, x) -> dict[str, Route]:
    def routes(imagecorruptions: ModuleType) -> dict[str, Route]:
        return {"imagecorruptions": lambda: imagecorruptions.corrupt(x, corruption_name=name, severity=3)}

    return _peer("imagecorruptions", routes)  # breaks with new NumPy and scikit-image in places


def torchio_routes(name, x, **settings) -> dict[str, Route]:
    def routes(torchio: ModuleType) -> dict[str, Route]:
        import torch

        torch.set_num_threads(1)
        transform = getattr(torchio, name)(**settings)
        volume = np.ascontiguousarray(np.moveaxis(x, 2, 0)[:1, :, :, None], dtype=np.float32)  # one channel: grey

        def run():
            out = transform(torchio.ScalarImage(tensor=torch.from_numpy(volume))).numpy()[0, ..., 0]
            return np.repeat(to_bytes(out)[..., None], 3, axis=2)

        return {f"TorchIO {name}": run}

    return _peer("torchio", routes)


def monai_routes(name, x, **settings) -> dict[str, Route]:
    """As MONAI's pipelines hold an image: (C, H, W) float32, made of uint8 and turned back here."""

    def routes(transforms: ModuleType) -> dict[str, Route]:
        import torch

        torch.set_num_threads(1)
        transform = getattr(transforms, name)(**settings)

        def run():
            planes = torch.from_numpy(np.ascontiguousarray(np.moveaxis(x, 2, 0), dtype=np.float32))
            return np.moveaxis(to_bytes(np.asarray(transform(planes))), 0, 2)

        return {f"MONAI {name}": run}

    return _peer("monai.transforms", routes)
