"""The one quantity that a scanner measures, from an RGB file.

CT and MR images are grey; RGB files of them carry three equal channels, and coloured markings. Operators that
simulate the scanner work on the luma (ITU-R BT.601, as PIL's mode L has it) and return it in every channel,
as the authors' do.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def on_luma(image: np.ndarray, operation: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Apply an operation to the luma of a (H, W) or (H, W, 3) image; same shape, float32."""
    if image.ndim == 2:
        return operation(image.astype(np.float32, copy=False))
    red, green, blue = np.moveaxis(image.astype(np.float32, copy=False), 2, 0)
    # Differences, so that equal channels give exactly their value.
    luma = green + np.float32(0.299) * (red - green) + np.float32(0.114) * (blue - green)
    return np.repeat(operation(luma)[..., None], image.shape[2], axis=2)
