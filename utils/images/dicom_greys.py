"""The grey-scale pipeline of DICOM (PS3.3 C.11, PS3.4 N.2): from stored monochrome values to 8 bits.

Modality LUT or rescale, then VOI LUT or window, then the photometric interpretation. The formulas are pydicom's; here
is what applies. Headers in archives often hold what no viewer can use, so each step is taken only where it makes
sense, and what was left out is noted:

* An empty sequence is an absent one. An empty or zero slope, or one that is no number, is 1; such an intercept is 0.
* The first usable window of several counts. A `LINEAR` window needs a width of at least 1 (C.11.2.1.2.1); a positive
  one below that is applied by `LINEAR_EXACT`, whose formula allows it. Without a usable window the image is shown over
  the full range of its values, padding left out.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pydicom import Dataset

_FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


def grey_levels(
    pixels: np.ndarray, dataset: Dataset, index: int, window: tuple[float, float] | str | None
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return a frame as a viewer shows it first, and what decided its levels.

    Args:
        pixels: stored values, (H, W).
        dataset: the file's.
        index: of the frame, whose functional groups may hold settings of its own.
        window: as in `dicom.decode_dicom`.

    Returns:
        uint8 (H, W), 0 dark, and the VOI step: `source`, and where they apply `function`, `center`, `width`, `low`,
        `high`, and in `notes` what of the header could not be used.
    """
    notes: list[str] = []
    padding = _padding(pixels, dataset)
    values = _rescaled(pixels, dataset, index, notes)
    settings = _frame_settings(dataset, index, "FrameVOILUTSequence") or dataset
    voi = _voi(settings, window, notes)
    if voi["source"] == "VOI LUT":
        levels = _voi_lut(values, settings, dataset)
    elif voi["source"] == "full range":
        levels, voi["low"], voi["high"] = _full_range(values, padding)
    else:
        levels = _window(values, voi)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        levels = 255.0 - levels
    if padding is not None:
        levels[padding] = 0.0
    if notes:
        voi["notes"] = notes
    return np.rint(levels).clip(0, 255).astype(np.uint8), voi


def _rescaled(pixels: np.ndarray, dataset: Dataset, index: int, notes: list[str]) -> np.ndarray:
    from pydicom.pixels.processing import apply_modality_lut

    rescale = _frame_settings(dataset, index, "PixelValueTransformationSequence")
    if rescale is None or "RescaleSlope" not in rescale:
        if dataset.get("ModalityLUTSequence"):
            return apply_modality_lut(pixels, dataset)
        rescale = dataset
    if "RescaleSlope" not in rescale and "RescaleIntercept" not in rescale:
        return pixels
    slope, intercept = _number(rescale.get("RescaleSlope")), _number(rescale.get("RescaleIntercept"))
    if not slope:
        notes.append(f"rescale slope {_shown(rescale.get('RescaleSlope'))} taken as 1")
    if intercept is None:
        notes.append(f"rescale intercept {_shown(rescale.get('RescaleIntercept'))} taken as 0")
    return pixels.astype(np.float64) * (slope or 1.0) + (intercept or 0.0)


def _voi(settings: Dataset, window: tuple[float, float] | str | None, notes: list[str]) -> dict[str, Any]:
    """Decide the VOI step."""
    if isinstance(window, tuple):
        return _linear({"source": "given", "center": float(window[0]), "width": float(window[1])}, "LINEAR")
    if window == "full":
        return {"source": "full range"}
    if settings.get("VOILUTSequence"):
        return {"source": "VOI LUT"}
    centres, widths = _all(settings.get("WindowCenter")), _all(settings.get("WindowWidth"))
    if not centres and not widths:
        return {"source": "full range"}
    function = str(settings.get("VOILUTFunction") or "LINEAR").upper()
    if function not in _FUNCTIONS:
        notes.append(f"VOI function {_shown(function)} is not known")
        return {"source": "full range"}
    for centre, width in zip(map(_number, centres), map(_number, widths), strict=False):
        if centre is not None and width is not None and width > 0:
            return _linear({"source": "file", "center": centre, "width": width}, function)
    notes.append(
        f"window of centre {', '.join(map(_shown, centres)) or 'none'} and width "
        f"{', '.join(map(_shown, widths)) or 'none'} cannot be used"
    )
    return {"source": "full range"}


def _linear(voi: dict[str, Any], function: str) -> dict[str, Any]:
    exact = function == "LINEAR" and voi["width"] < 1
    return {"source": voi["source"], "function": "LINEAR_EXACT" if exact else function, **voi}


def _frame_settings(dataset: Dataset, index: int, sequence: str) -> Dataset | None:
    """Return a functional group's item for a frame: its own, else the shared one (PS3.3 C.7.6.16)."""
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence") or []
    shared = dataset.get("SharedFunctionalGroupsSequence") or []
    groups = [per_frame[index]] if index < len(per_frame) else []
    groups += [shared[0]] if len(shared) else []
    for group in groups:
        items = group.get(sequence)
        if items:
            first: Dataset = items[0]
            return first
    return None


def _padding(pixels: np.ndarray, dataset: Dataset) -> np.ndarray | None:
    """Mask of the pixels outside the image proper (PS3.3 C.7.5.1.1.2), or None."""
    low = _number(dataset.get("PixelPaddingValue"))
    if low is None:
        return None
    high = _number(dataset.get("PixelPaddingRangeLimit"))
    low, high = sorted((int(low), int(low if high is None else high)))
    mask = (pixels >= low) & (pixels <= high)
    # Where every pixel would be padding, the header is wrong rather than the image empty.
    return mask if mask.any() and not mask.all() else None


def _full_range(values: np.ndarray, padding: np.ndarray | None) -> tuple[np.ndarray, float, float]:
    values = values.astype(np.float64)
    inside = values[np.isfinite(values) if padding is None else np.isfinite(values) & ~padding]
    low, high = (float(inside.min()), float(inside.max())) if inside.size else (0.0, 0.0)
    if high == low:
        return np.zeros_like(values), low, high
    levels = (np.nan_to_num(values, nan=low, posinf=high, neginf=low) - low) * (255.0 / (high - low))
    return levels.clip(0.0, 255.0), low, high


def _window(values: np.ndarray, voi: dict[str, Any]) -> np.ndarray:
    """Window with pydicom's formulas, asked for an 8-bit output range."""
    from pydicom import Dataset
    from pydicom.pixels.processing import apply_windowing
    from pydicom.valuerep import DSfloat

    view = Dataset()
    view.PhotometricInterpretation = "MONOCHROME2"
    view.BitsStored = 8
    view.PixelRepresentation = 0
    view.WindowCenter = DSfloat(voi["center"], auto_format=True)
    view.WindowWidth = DSfloat(voi["width"], auto_format=True)
    view.VOILUTFunction = voi["function"]
    return apply_windowing(np.asarray(values, dtype=np.float64), view)


def _voi_lut(values: np.ndarray, settings: Dataset, dataset: Dataset) -> np.ndarray:
    """Look values up in the first VOI LUT (PS3.3 C.11.2.1.1).

    Not by pydicom's `apply_voi`, which indexes a table of more than 256 entries of 8 bits modulo 256 (3.0.2).
    """
    item = settings.VOILUTSequence[0]
    entries, first, bits = (int(number) for number in item.LUTDescriptor)
    table = item.LUTData
    if isinstance(table, bytes):
        little_endian = dataset.original_encoding[1] is not False
        table = np.frombuffer(table, "<u2" if little_endian else ">u2")
    table = np.asarray(table, dtype=np.float64)[: entries or 2**16]
    # The table is indexed by whole numbers; a rescale has made them floats.
    index = (np.rint(values).astype(np.int64) - first).clip(0, len(table) - 1)
    looked_up: np.ndarray = (table * (255.0 / (2**bits - 1)))[index]
    return looked_up


def _all(value: Any) -> list[Any]:
    """Return the values of an element that may hold none, one or several."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return []
    return list(value) if hasattr(value, "__len__") and not isinstance(value, str) else [value]


def _number(value: Any) -> float | None:
    """Return an element's (first) value as a finite number, or None where it is none."""
    try:
        number = float(_all(value)[0])
    except (IndexError, TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _shown(value: Any) -> str:
    """Return a header's value for a note: a number plainly, anything else quoted."""
    number = _number(value)
    return repr(" ".join(str("" if value is None else value).split())[:40]) if number is None else f"{number:g}"
