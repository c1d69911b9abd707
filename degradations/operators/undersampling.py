"""Accelerated MRI: phase-encoding lines left out, missing ones taken as zero.

Scan time is proportional to the number of phase-encoding lines. A variable-density scheme keeps the centre of
k-space, which holds the contrast, and a random part of the outer lines; zero-filling the rest blurs along the
phase-encoding axis (the columns, x) and adds incoherent ripples on both sides of edges. Here every line with
|kx| <= centre W / 2 is kept, and an outer line with probability `density exp(-(kx / (decay W))^2)`; the
result is the real part of the inverse transform. After M. Lustig, D. Donoho and J. M. Pauly, "Sparse MRI",
Magn Reson Med 58, 2007, without their iterative reconstruction.

Colour: the authors sample each channel of the RGB file with a mask of its own, which leaves coloured ripples
    on a grey image; this is the default. A scanner acquires one k-space: `shared_mask=True` uses one mask
    for all channels, so grey stays grey.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..kspace import line_numbers, line_weights, rows_from_spectrum, transform_rows


def draw(
    rng: np.random.Generator,
    shape: tuple[int, ...],
    *,
    density: float,
    decay: float,
    centre: float = 0.08,
    shared_mask: bool = False,
) -> dict[str, Any]:
    """Draw the kept lines.

    Args:
        rng: random generator.
        shape: (H, W, ...) of the image.
        density: probability of an outer line, extrapolated to the centre.
        decay: distance, as a share of the width, at which it has fallen to 1/e.
        centre: share of the lines, around kx = 0, that is always kept.
        shared_mask: one mask for all channels rather than one for each of three.

    Returns:
        `{"lines": [[kx, ...], ...]}`: kept line numbers, one list or three.

    Raises:
        ValueError: a decay that is not positive, or a negative centre, which would leave no line at all.
    """
    if not (decay > 0 and centre >= 0):
        raise ValueError(f"undersampling: decay must be positive and centre not negative, not {decay} and {centre}")
    width = shape[1]
    kx = line_numbers(width)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # a tiny decay leaves the centre alone
        probability = np.nan_to_num(density * np.exp(-((kx / (decay * width)) ** 2)))
    probability[np.abs(kx) <= centre * width / 2] = 1.0
    masks = rng.random((1 if shared_mask else 3, width)) < probability
    return {"lines": [kx[mask].tolist() for mask in masks]}


def apply(image: np.ndarray, *, lines: list[list[int]]) -> np.ndarray:
    """Keep only some k-space lines across the columns.

    Args:
        image: float32 (H, W) or (H, W, 3), 0..255.
        lines: kept line numbers kx in -(W // 2)..(W - 1) // 2, for each channel in turn; a grey image uses
            the first list, a single list serves all channels.

    Raises:
        ValueError: an image one pixel wide, which has a single line; a line number out of range.
    """
    width = image.shape[1]
    check_lines(lines, width)
    planes = [image] if image.ndim == 2 else [image[..., channel] for channel in range(image.shape[2])]
    out = np.empty(image.shape, np.float32)
    for channel, plane in enumerate(planes):
        # In double precision: the authors truncate to whole levels, and a rounding error across a level would
        # show.
        spectrum = transform_rows(plane.astype(np.float64))
        spectrum *= line_weights(lines[channel % len(lines)], width)
        (out if image.ndim == 2 else out[..., channel])[...] = rows_from_spectrum(spectrum)
    return out


def check_lines(lines: list[list[int]], width: int) -> None:
    """Raise a ValueError where there are no lines to choose from, or none is kept."""
    if width < 2:
        raise ValueError("undersampling needs an image at least 2 pixels wide")
    if len(lines) not in (1, 3):
        raise ValueError(f"undersampling: lines must hold 1 or 3 lists, got {len(lines)}")
    if not all(lines):
        raise ValueError("undersampling: without a single line the image would be black")
