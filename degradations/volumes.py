"""Volumes: one draw for all slices, and the third dimension where the physics has it.

A volume is a stack of slices (D, H, W). How each degradation takes it:

- ``whole``: ``adjust_brightness``, ``exposure``, ``reduce_contrast`` and ``gaussian_noise`` act on all voxels alike;
  the mean and the standard deviation that they refer to are those of the volume.
- ``3-D``: ``bias_field`` is a cubic polynomial in all three directions, as a coil's field has no slices.
- ``slices``: all others. ``object_rotation`` turns every slice by the same angle. ``object_movement``, ``ghosting`` and
  ``undersampling`` are those of a multi-slice acquisition, in which each slice has a 2-D k-space of its own and all are
  read in the same breath: every slice has the same movements, weights and lines. In ``limited_angle``,
  ``sparse_view`` and ``low_dose`` each slice is a turn of the gantry, with photons of its own in ``low_dose``. What a
  microscope or an endoscope shows is no volume; spots, bubbles and cells then lie at the same place in each slice.

Slice by slice, a volume is what `degrade` makes of each slice with the volume's seed, but for ``low_dose``, where this
holds for the first one.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from .api import Record, UnchangedImageError, degrade_with_record
from .operators import bias_field
from .pixels import unpack
from .registry import get
from .seeding import generator
from .tensors import own_noise
from .vocabulary import read_severity

WHOLE = ("adjust_brightness", "exposure", "reduce_contrast", "gaussian_noise")
SOLID = ("bias_field",)


def treatment(name: str) -> Literal["whole", "3-D", "slices"]:
    """How a degradation takes a volume, see the module.

    Raises:
        ValueError: unknown name.
    """
    canonical = get(name).name
    return "whole" if canonical in WHOLE else "3-D" if canonical in SOLID else "slices"


def degrade_volume(
    volume: np.ndarray,
    name: str,
    severity: float | str,
    *,
    seed: int | str,
    value_range: tuple[float, float] | None = None,
    allow_unchanged: bool = False,
    **settings: Any,
) -> np.ndarray:
    """Degrade a volume as one: see `degrade_volume_with_record`."""
    return degrade_volume_with_record(
        volume, name, severity, seed=seed, value_range=value_range, allow_unchanged=allow_unchanged, **settings
    )[0]


def degrade_volume_with_record(
    volume: np.ndarray,
    name: str,
    severity: float | str,
    *,
    seed: int | str,
    value_range: tuple[float, float] | None = None,
    allow_unchanged: bool = False,
    **settings: Any,
) -> tuple[np.ndarray, Record]:
    """Degrade a volume as one.

    Args:
        volume: ``(D, H, W)``: D slices of H rows and W columns; any number dtype with ``value_range``, without it
            uint8, uint16 or floating point in [0, 1]. It is not changed.
        name: a degradation's name or alias.
        severity: as for `degrade`.
        seed: a non-negative integer, or a text such as the volume's id.
        value_range: the least and the greatest value that count, such as (-1000, 1000) Hounsfield units: black and
            white. What lies outside is cut off.
        allow_unchanged: return the volume where the degradation has no effect on it, rather than raise.
        **settings: passed to `degrade` (``series``, ``modality``, ``severities``, ``reference_size``, overrides).

    Returns:
        A new volume of the same shape and dtype, and the record: that of the first slice, with ``size`` (D, H, W) and
        ``volume``: how it was taken.

    Raises:
        TypeError: not an array, or a dtype whose range is not known.
        ValueError: another shape, values out of range, and whatever `degrade` refuses.
        UnchangedImageError: (a ValueError) no slice changed.
    """
    if not isinstance(volume, np.ndarray):
        raise TypeError(f"a volume must be a NumPy array (D, H, W), not {type(volume).__name__}")
    if volume.ndim != 3 or 0 in volume.shape:
        raise ValueError(f"array of shape {volume.shape}: expected a volume (D, H, W)")
    values = volume if value_range is None else to_unit(volume, value_range)
    clean = read_severity(severity).value == 0
    how = treatment(name)
    settings = {**settings, "seed": seed}
    if how == "whole":
        tall = values.reshape(-1, values.shape[2])
        flat, record = degrade_with_record(tall, name, severity, allow_unchanged=allow_unchanged, **settings)
        out: np.ndarray = flat.reshape(values.shape)
    elif how == "3-D" and not clean:
        out, record = _bias_field(values, name, severity, allow_unchanged, settings)
    else:
        out, record = _slice_by_slice(values, name, severity, allow_unchanged, settings)
    record = {**record, "size": list(volume.shape), "volume": how}
    if clean:
        return volume.copy(), record
    return (out if value_range is None else from_unit(out, value_range, volume.dtype)), record


def to_unit(values: np.ndarray, value_range: tuple[float, float]) -> np.ndarray:
    """Values on [0, 1], float32; what lies outside of the range is cut off."""
    low, high = value_range
    unit: np.ndarray = np.clip((values.astype(np.float32) - np.float32(low)) / np.float32(high - low), 0, 1)
    return unit


def from_unit(unit: np.ndarray, value_range: tuple[float, float], dtype: np.dtype) -> np.ndarray:
    """The inverse of `to_unit`; whole numbers are rounded."""
    low, high = value_range
    back = unit * np.float32(high - low) + np.float32(low)
    values: np.ndarray = (back if dtype.kind == "f" else np.rint(back)).astype(dtype)
    return values


def _slice_by_slice(
    values: np.ndarray, name: str, severity: float | str, allow_unchanged: bool, settings: dict[str, Any]
) -> tuple[np.ndarray, Record]:
    out, records, changed = np.empty_like(values), [], False
    for number, plane in enumerate(values):
        noise = own_noise(name, settings["seed"], number)
        try:
            degraded, record = degrade_with_record(plane, name, severity, **{**settings, **noise})
            changed = True
        except UnchangedImageError:  # a slice of air
            degraded, record = degrade_with_record(plane, name, severity, allow_unchanged=True, **{**settings, **noise})
        out[number] = degraded
        records.append(record)
    if not (changed or allow_unchanged):
        raise _unchanged(name, values.shape)
    return out, records[0]


def _bias_field(
    values: np.ndarray, name: str, severity: float | str, allow_unchanged: bool, settings: dict[str, Any]
) -> tuple[np.ndarray, Record]:
    """The strength is the slices', the field that of the volume."""
    # A slice with structure, so that it does not matter whether the first one is air.
    plane = np.linspace(0, 1, values[0].size, dtype=np.float32).reshape(values[0].shape)
    record = degrade_with_record(plane, name, severity, allow_unchanged=True, **settings)[1]
    stream = "L1" if record["severity"].startswith("S") else record["severity"]
    drawn = bias_field.draw_in_3d(generator(settings["seed"], record["name"], f"volume {stream}"))
    parameters = {**record["parameters"], **drawn}
    pixels = unpack(values.reshape(-1, values.shape[2]))
    product = pixels.values * bias_field.field_in_3d(values.shape, **parameters).reshape(pixels.values.shape)
    rounding = "nearest" if read_severity(severity).value < 1 else get(name).rounding
    out = pixels.pack(product, rounding).reshape(values.shape)
    if not allow_unchanged and np.array_equal(out, values):
        raise _unchanged(record["name"], values.shape)
    return out, {**record, "parameters": parameters}


def _unchanged(name: str, shape: tuple[int, ...]) -> UnchangedImageError:
    size = " x ".join(str(side) for side in shape)
    return UnchangedImageError(
        f"{name} leaves this volume of {size} voxels as it is: drop it, or pass allow_unchanged=True"
    )
