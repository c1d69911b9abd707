"""Intensity non-uniformity of MRI: a smooth multiplicative field.

The sensitivity of a receive coil falls off with distance and the transmit field is not uniform, so the same
tissue is bright on one side and dark on the other. The field is a random cubic polynomial P of the position,
scaled to [0, 1]:

    y = x max(1 - strength (1 - P), floor),   P(u, v) = sum over i + j <= 3 of c_ij u^i v^j,

with u, v in [-1, 1] from left to right and top to bottom. The polynomial model is that of K. Van Leemput et
al., "Automated model-based bias field correction of MR images of the brain", IEEE TMI 18, 1999. All channels
share the field.
"""

from __future__ import annotations

from typing import Any

import numpy as np

FLOOR = 0.30
"""Lowest value of a field where none is given."""

_POWERS = [(i, j) for i in range(4) for j in range(4 - i)]


def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> dict[str, Any]:
    """Draw ten coefficients: `{"coefficients": [c_00, c_01, c_02, c_03, c_10, ...]}`.

    Uniform from -0.4 to 1, then mirrored in u and in v with probability 1/2 each. The skew lets most of the
    image lie in the darker part of the field, as near a surface coil: half of them have a mean of P below
    0.38, where signs drawn evenly would give 0.5. The two fields known of the authors have 0.38 and 0.41.
    """
    coefficients = rng.uniform(-0.4, 1.0, len(_POWERS))
    mirror = rng.choice([-1.0, 1.0], 2)
    return {
        "coefficients": [
            float(c * mirror[0] ** i * mirror[1] ** j) for c, (i, j) in zip(coefficients, _POWERS, strict=True)
        ]
    }


def apply(
    image: np.ndarray,
    *,
    coefficients: list[float],
    strength: float,
    floor: float = FLOOR,
    normalise: bool = True,
) -> np.ndarray:
    """Multiply by a smooth field between `max(1 - strength, floor)` and 1.

    Args:
        image: float32 (H, W) or (H, W, 3), 0..255.
        coefficients: c_ij of u^i v^j for i in 0..3, j in 0..3 - i.
        strength: how much of the signal is lost where the field is lowest.
        floor: lowest value of the field.
        normalise: scale the polynomial to [0, 1] on this image, so that the coefficients' scale and c_00 do
            not matter; False where they describe such a polynomial already.

    Raises:
        ValueError: not ten coefficients.
    """
    field = polynomial(image.shape[:2], coefficients)
    _to_gain(field, strength, floor, normalise)
    out: np.ndarray = image * (field if image.ndim == 2 else field[..., None])
    return out


_POWERS_3D = [(i, j, k) for i in range(4) for j in range(4 - i) for k in range(4 - i - j)]


def draw_in_3d(rng: np.random.Generator) -> dict[str, Any]:
    """Draw twenty coefficients c_ijk of u^i v^j w^k, w from the first slice to the last, as `draw` does."""
    coefficients = rng.uniform(-0.4, 1.0, len(_POWERS_3D))
    mirror = rng.choice([-1.0, 1.0], 3)
    signs = [np.prod(mirror ** np.array(powers)) for powers in _POWERS_3D]
    return {"coefficients": (coefficients * signs).tolist()}


def field_in_3d(
    shape: tuple[int, ...], *, coefficients: list[float], strength: float, floor: float = FLOOR, normalise: bool = True
) -> np.ndarray:
    """What multiplies a volume (D, H, W), float32; the arguments are those of `apply`, with c_ijk.

    Raises:
        ValueError: not twenty coefficients.
    """
    if len(coefficients) != len(_POWERS_3D):
        raise ValueError(f"bias_field: {len(_POWERS_3D)} coefficients expected, got {len(coefficients)}")
    matrix = np.zeros((4, 4, 4))
    for (i, j, k), coefficient in zip(_POWERS_3D, coefficients, strict=True):
        matrix[k, j, i] = coefficient
    deep, down, across = (_powers(size) for size in shape)
    field: np.ndarray = np.einsum("kji,dk,hj,wi->dhw", matrix, deep, down, across, optimize=True).astype(np.float32)
    _to_gain(field, strength, floor, normalise)
    return field


def _to_gain(field: np.ndarray, strength: float, floor: float, normalise: bool) -> None:
    """Turn a polynomial's values, float32, into what multiplies an image, in place."""
    if normalise:
        low, high = float(field.min()), float(field.max())
        field -= np.float32(low)
        field *= np.float32(1 / (high - low) if high > low else 0.0)
    field *= np.float32(strength)
    field += np.float32(1 - strength)
    np.maximum(field, np.float32(floor), out=field)


def polynomial(shape: tuple[int, int], coefficients: list[float]) -> np.ndarray:
    """Return the sum of c_ij u^i v^j on the grid, (H, W) float32."""
    down, across = factors(shape, coefficients)
    field: np.ndarray = down @ across
    return field


def factors(shape: tuple[int, int], coefficients: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Return two float32 matrices, (H, 4) and (4, W), whose product is the polynomial on the grid.

    Raises:
        ValueError: not ten coefficients.
    """
    if len(coefficients) != len(_POWERS):
        raise ValueError(f"bias_field: {len(_POWERS)} coefficients expected, got {len(coefficients)}")
    matrix = np.zeros((4, 4))
    for (i, j), coefficient in zip(_POWERS, coefficients, strict=True):
        matrix[j, i] = coefficient
    down, across = (_powers(size) for size in shape)
    return (down @ matrix).astype(np.float32), across.T.astype(np.float32)


def _powers(size: int) -> np.ndarray:
    """Powers 0..3 of the coordinate of each pixel, -1 to 1, (size, 4)."""
    coordinate = np.linspace(-1.0, 1.0, size) if size > 1 else np.zeros(1)
    return coordinate[:, None] ** np.arange(4)
