"""Patient movement during an MR scan: parts of k-space read at different positions.

k-space is filled line by line. When the patient moves between lines, each part belongs to another position of
the body, and their composite shows blurring and ghosts along the phase-encoding axis (the rows, y). Here ky
is split into equal bands; band i is taken from the transform of the image after its own rigid movement
(rotation about the centre, then a shift; bilinear, mirrored at the border so that no black wedge moves in),
and the result is the real part of the inverse transform. After R. Shaw et al., "MRI k-space motion artefact
augmentation", MIDL 2019.

Colour: a body that moves keeps its colour, so each channel is composed of the same movements. The authors' one
published example is grey at every level and says nothing of colour. A grey image has one k-space, which is computed
once, from the luma; so is that of a colour image with `per_channel=False`, which then comes out grey.
"""

from __future__ import annotations

from math import cos, radians, sin
from typing import Any

import cv2
import numpy as np

from ..kspace import band_lines, line_weights, rows_from_spectrum, transform_rows
from ..luma import is_grey, on_luma


def draw(
    rng: np.random.Generator, shape: tuple[int, ...], *, positions: int, rotation: float, shift: float
) -> dict[str, Any]:
    """Draw a rigid movement for each position, uniformly.

    Args:
        rng: random generator.
        shape: (H, W, ...) of the image.
        positions: number of positions, hence of bands.
        rotation: largest angle, in degrees.
        shift: largest shift along each axis, in pixels.

    Returns:
        `{"movements": [[degrees, down, right], ...]}`.
    """
    limits = np.array([rotation, shift, shift])
    return {"movements": (rng.uniform(-1.0, 1.0, (int(positions), 3)) * limits).tolist()}


def apply(image: np.ndarray, *, movements: list[list[float]], per_channel: bool = True) -> np.ndarray:
    """Compose k-space from moved copies of the image.

    Args:
        image: float32 (H, W) or (H, W, 3), 0..255.
        movements: for each band, from the most negative ky: rotation in degrees, shift down and right in
            pixels.
        per_channel: move each channel of a colour image; False: reduce it to its luma. A grey image, stored in
            three channels or in one, is treated alike by both.

    Raises:
        ValueError: fewer rows than bands.
    """
    if per_channel and not is_grey(image):
        channels = np.moveaxis(image.astype(np.float32, copy=False), 2, 0)
        return np.stack([_compose(np.ascontiguousarray(channel), movements) for channel in channels], axis=2)
    return on_luma(image, lambda luma: _compose(luma, movements))


def _compose(luma: np.ndarray, movements: list[list[float]]) -> np.ndarray:
    height, width = luma.shape
    spectrum = np.zeros((width, height), np.float32)  # of the transposed image, so that ky runs along a row
    for lines, movement in zip(band_lines(height, len(movements)), movements, strict=True):
        weights = line_weights(lines, height).astype(np.float32)
        used = np.flatnonzero(weights)
        part = slice(used[0], used[-1] + 1)
        spectrum[:, part] += transform_rows(_move_and_transpose(luma, *movement))[:, part] * weights[part]
    out: np.ndarray = rows_from_spectrum(spectrum).T
    return out


MIRRORED = True  # beyond the border, in a moved image


def source_matrix(shape: tuple[int, ...], *, movements: list[list[float]], per_channel: bool = True) -> np.ndarray:
    """Where in the input a pixel of the band with ky = 0 lies: (2, 3), to be multiplied with (row, column, 1).

    The composite has no single map. This band holds the mean and the coarse structure; with an even number of bands,
    it is the upper one of the two that meet there.
    """
    centre = next(
        number for number, lines in enumerate(band_lines(shape[0], len(movements))) if lines[0] <= 0 <= lines[-1]
    )
    return band_source((shape[0], shape[1]), *movements[centre])


def band_source(shape: tuple[int, int], rotation: float, down: float, right: float) -> np.ndarray:
    """(2, 3): the input's (row, column) from the output's (row, column, 1), in an image after one movement."""
    return _source_of_transposed(*shape, rotation, down, right)[::-1]


def _source_of_transposed(height: int, width: int, rotation: float, down: float, right: float) -> np.ndarray:
    """(2, 3): the input's (x, y) from the output's (row, column, 1)."""
    c, s = cos(radians(rotation)), sin(radians(rotation))
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    from_x, from_y = middle_x + right, middle_y + down
    return np.array(
        [
            [s, c, middle_x - c * from_x - s * from_y],
            [c, -s, middle_y + s * from_x - c * from_y],
        ]
    )


def _move_and_transpose(luma: np.ndarray, rotation: float, down: float, right: float) -> np.ndarray:
    """Rotate about the centre, then shift; (H, W) to (W, H)."""
    height, width = luma.shape
    return cv2.warpAffine(
        luma,
        _source_of_transposed(height, width, rotation, down, right),
        (height, width),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT,
    ).reshape(width, height)
