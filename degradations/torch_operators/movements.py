"""Rotated and shifted images: the source of each pixel from a matrix, bilinear."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional

from ..operators import object_rotation as object_rotation_in_numpy
from .batch import Arguments, Batch


def object_rotation(batch: Batch, arguments: Arguments) -> torch.Tensor:
    """See `operators.object_rotation`."""
    height, width = batch.values.shape[2:]
    sources = [object_rotation_in_numpy.source_matrix((height, width), **one) for one in arguments]
    edges = [np.stack(object_rotation_in_numpy.columns_inside((height, width), **one)) for one in arguments]
    starts, stops = batch.upload(np.stack(edges, axis=1))[:, :, None, :, None]
    column = torch.arange(width, device=batch.values.device)
    turned: torch.Tensor = warped(batch.values, sources, outside="border") * ((column >= starts) & (column < stops))
    return turned


def warped(values: torch.Tensor, sources: Sequence[np.ndarray], *, outside: str) -> torch.Tensor:
    """Take each pixel from its source.

    Args:
        values: (B, C, H, W).
        sources: for each image (2, 3) float64; its product with (row, column, 1) is the source's (row, column).
        outside: how the image goes on: "border" repeats its last pixel, "reflection" mirrors it, that pixel twice.
    """
    height, width = values.shape[2:]
    to_pixels = np.array([[0, height / 2, (height - 1) / 2], [width / 2, 0, (width - 1) / 2], [0, 0, 1]])
    # From torch's (x, y), in which the image's edges are -1 and 1, to the source's, by way of rows and columns.
    back = np.array([[0, 2 / width], [2 / height, 0]])
    shift = np.array([1 / width - 1, 1 / height - 1])
    thetas = []
    for source in sources:
        theta = back @ np.asarray(source, np.float64) @ to_pixels
        theta[:, 2] += shift
        thetas.append(theta)
    theta = torch.from_numpy(np.stack(thetas).astype(np.float32)).to(values.device)
    grid = functional.affine_grid(theta, list(values.shape), align_corners=False)
    return functional.grid_sample(values, grid, mode="bilinear", padding_mode=outside, align_corners=False)
