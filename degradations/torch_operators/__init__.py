"""The operators on batches of tensors, in torch: the same arguments and draws as `operators`, other roundings.

Every function takes a `Batch` and one dictionary of arguments per image, those of the NumPy operator of its name, which
also checks them. Whatever is small, or must not depend on the device (kernels, masks, random bits), is made in NumPy.
Only float32 is used on the device, as not every device has float64.

`MODULES` can be read without torch; `torch_operator` imports it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

MODULES = {
    "adjust_brightness": "intensity",
    "exposure": "intensity",
    "reduce_contrast": "intensity",
    "gaussian_noise": "intensity",
    "bias_field": "fields",
    "dark_spots": "fields",
    "gaussian_blur": "blurs",
    "motion_blur": "blurs",
    "bubble": "blurs",
    "low_resolution": "blurs",
    "object_rotation": "movements",
    "object_movement": "k_space",
    "undersampling": "k_space",
    "ghosting": "k_space",
}
"""By a degradation's name, the module here that holds its function."""


def torch_operator(name: str) -> Callable[..., Any]:
    """The function of a degradation's name in `MODULES`: from a `Batch` and arguments to (B, C, H, W) float32."""
    module = importlib.import_module(f".{MODULES[name]}", __package__)
    function: Callable[..., Any] = getattr(module, name)
    return function
