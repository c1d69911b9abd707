"""DICOM to the 8-bit image that a viewer would show first.

Monochrome pixels pass through the standard's grey-scale pipeline (PS3.3 C.11, PS3.4 N.2): modality LUT or
rescale slope and intercept, then VOI LUT or window, then the photometric interpretation. Each step is
pydicom's; this module decides which applies:

* The file's VOI LUT comes before its window, and the first of several windows counts. A file with neither is
  shown over the full range of its values, padding left out.
* `MONOCHROME1` (low values bright) is inverted. Padding pixels come out black either way.
* `RGB` and `YBR_*` come out as RGB, `PALETTE COLOR` through its table. More than 8 bits a channel are scaled
  to 8.
* Enhanced multi-frame objects keep these settings per frame; they are read from the frame's functional
  groups.
* A file with several frames is refused until one is chosen.
* Not applied: overlays, presentation states, ICC profiles, non-square pixels. Not carried over: anything of
    the header.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from ..errors import InputError, one_line
from .limits import check_size, choose_frame
from .strictness import strict_decoding

if TYPE_CHECKING:
    from pydicom import Dataset

MODALITIES = {
    "CT": "CT",
    "MR": "MRI",
    "CR": "X-ray",
    "DX": "X-ray",
    "IO": "X-ray",
    "MG": "X-ray",
    "PX": "X-ray",
    "RF": "X-ray",
    "RG": "X-ray",
    "XA": "X-ray",
    "US": "Ultrasound",
    "IVUS": "Ultrasound",
    "ES": "Endoscopy",
    "SM": "Histopathology",
    "DMS": "Dermoscopy",
}
"""DICOM's Modality (0008,0060; PS3.16 CID 29) in the names that the degradations use."""

_DECODERS_OF_THE_EXTRA = ("python-gdcm", "pylibjpeg-openjpeg", "pyjpegls")


def decode_dicom(
    data: bytes,
    *,
    name: str,
    frame: int | None = None,
    window: tuple[float, float] | str | None = None,
) -> tuple[Image.Image, dict[str, Any]]:
    """Decode one frame of a DICOM file to an 8-bit image.

    Args:
        data: the whole file.
        name: what messages call it.
        frame: which frame, from 0; may be left out where there is only one.
        window: monochrome only. `None`: as the file says. `"full"`: from the least to the greatest value. A
            pair (centre, width), in the units after rescale (Hounsfield units for CT): a linear window.

    Returns:
        The image, mode `L` or `RGB`, and how it was made (JSON-able): `format`, `photometric_interpretation`,
        `transfer_syntax`, `modality` (ours, where the header gives one), `frame`, `voi`.

    Raises:
        InputError: no DICOM, no pixels, cut short, a transfer syntax that nothing installed decodes (the
            message names the package), a photometric interpretation that is not read, several frames and none
            chosen.
    """
    with _one_line_errors(name), strict_decoding():
        return _decode(_read(data, name), name, frame, window)


def _decode(
    dataset: Dataset, name: str, frame: int | None, window: tuple[float, float] | str | None
) -> tuple[Image.Image, dict[str, Any]]:
    frames = _count(dataset, name)
    index = choose_frame(frames, frame, name)
    photometric = str(dataset.get("PhotometricInterpretation", "")).strip()
    rendering: dict[str, Any] = {"format": "DICOM", "photometric_interpretation": photometric}
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if syntax is not None:
        rendering["transfer_syntax"] = str(syntax)
    modality = MODALITIES.get(str(dataset.get("Modality", "")))
    if modality:
        rendering["modality"] = modality
    if frames > 1:
        rendering["frame"] = index

    pixels = _decode_frame(dataset, index, name)
    if photometric in ("MONOCHROME1", "MONOCHROME2"):
        grey, rendering["voi"] = _grey_levels(pixels, dataset, index, window)
        return Image.fromarray(grey), rendering
    if photometric == "PALETTE COLOR":
        from pydicom.pixels.processing import apply_color_lut

        coloured = apply_color_lut(pixels, dataset)[..., :3]
        return Image.fromarray(_to_8_bits(coloured, coloured.dtype.itemsize * 8)), rendering
    if photometric in ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT"):
        # pydicom has converted YBR to RGB while decoding.
        return Image.fromarray(_to_8_bits(pixels, int(dataset.BitsStored))), rendering
    raise InputError(
        f"{name}: photometric interpretation {photometric or 'missing'} is not read; "
        "MONOCHROME1/2, RGB, YBR_FULL(_422), YBR_RCT/ICT and PALETTE COLOR are"
    )


def count_dicom_frames(data: bytes, *, name: str) -> int:
    """Return the number of frames of a DICOM file.

    Raises:
        InputError: no DICOM or no pixels.
    """
    with _one_line_errors(name):
        return _count(_read(data, name), name)


def dicom_modality(data: bytes, *, name: str) -> str | None:
    """Return the modality of a DICOM file in our names, or None where its header gives none of them.

    Raises:
        InputError: no DICOM.
    """
    with _one_line_errors(name):
        dataset = _parse(data, name, stop_before_pixels=True, specific_tags=["Modality"])
        return MODALITIES.get(str(dataset.get("Modality", "")))


@contextlib.contextmanager
def _one_line_errors(name: str) -> Iterator[None]:
    """Turn what pydicom raises into one line; elements are parsed when touched, so damage shows anywhere."""
    with warnings.catch_warnings():
        # pydicom warns of each oddity of a header; what matters here ends as an error.
        warnings.simplefilter("ignore")
        try:
            yield
        except MemoryError:
            raise
        except InputError as error:
            raise InputError(one_line(error)) from None
        except Exception as error:
            raise InputError(f"{name}: damaged DICOM file ({one_line(error)})") from None


def _parse(data: bytes, name: str, **options: Any) -> Dataset:
    try:
        import pydicom
    except ImportError:
        raise InputError(f"{name}: reading DICOM needs pydicom: pip install 'pydicom>=3'") from None
    return pydicom.dcmread(io.BytesIO(data), **options)


def _read(data: bytes, name: str) -> Dataset:
    dataset = _parse(data, name)
    if not any(keyword in dataset for keyword in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        kind = getattr(dataset.get("SOPClassUID"), "name", None) or "no pixel data"
        raise InputError(f"{name}: this DICOM file holds no image ({one_line(kind)})")
    return dataset


def _count(dataset: Dataset, name: str) -> int:
    if "Rows" not in dataset or "Columns" not in dataset:
        raise InputError(f"{name}: damaged DICOM file (it does not say its rows and columns)")
    check_size(int(dataset.Columns), int(dataset.Rows), name)
    return max(1, int(dataset.get("NumberOfFrames") or 1))


def _decode_frame(dataset: Dataset, index: int, name: str) -> np.ndarray:
    """Return one frame as stored: (H, W), or (H, W, 3) in RGB."""
    from pydicom.pixels import get_decoder, pixel_array

    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if syntax is None:
        raise InputError(f"{name}: damaged DICOM file (it does not say its transfer syntax)")
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        raise InputError(
            f"{name}: transfer syntax {syntax.name} ({syntax}) is not read; convert it to uncompressed first"
        ) from None
    if not decoder.is_available:
        raise InputError(f"{name}: compressed as {_short(syntax.name)}; {_how_to_install(decoder)}")
    try:
        return pixel_array(dataset, index=index)
    except Exception as error:  # each decoder plugin raises its own kinds
        hint = ""
        if syntax.is_compressed and decoder.missing_dependencies:
            hint = f"; if the file is sound, {_how_to_install(decoder)}"
        raise InputError(f"{name}: its pixels cannot be decoded ({one_line(error)}){hint}") from None


def _how_to_install(decoder: Any) -> str:
    """Name the packages that would decode it, from pydicom's own list; our extra first where it has one."""
    lines = [line.partition(" - requires ")[2] for line in decoder.missing_dependencies]
    packages = [line.replace("numpy and ", "").replace("gdcm>", "python-gdcm>") for line in lines if line]
    if any(name in line for line in packages for name in _DECODERS_OF_THE_EXTRA):
        return f"pip install 'medqdeg[dicom]' to read it (or {', or '.join(packages)})"
    return f"to read it install {', or '.join(packages)}"


def _grey_levels(
    pixels: np.ndarray, dataset: Dataset, index: int, window: tuple[float, float] | str | None
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return uint8 (H, W) levels, 0 dark, and what decided them."""
    from pydicom.pixels.processing import apply_modality_lut

    padding = _padding(pixels, dataset)
    rescale = _frame_settings(dataset, index, "PixelValueTransformationSequence")
    if rescale is not None and "RescaleSlope" in rescale:
        values = pixels.astype(np.float64) * float(rescale.RescaleSlope) + float(rescale.RescaleIntercept)
    else:
        values = apply_modality_lut(pixels, dataset)

    settings = _frame_settings(dataset, index, "FrameVOILUTSequence") or dataset
    voi: dict[str, Any]
    if isinstance(window, tuple):
        voi = {"source": "given", "function": "LINEAR", "center": float(window[0]), "width": float(window[1])}
    elif window == "full":
        voi = {"source": "full range"}
    elif settings.get("VOILUTSequence"):
        voi = {"source": "VOI LUT"}
    elif settings.get("WindowCenter") not in (None, "") and settings.get("WindowWidth") not in (None, ""):
        voi = {
            "source": "file",
            "function": str(settings.get("VOILUTFunction") or "LINEAR").upper(),
            "center": _first(settings.WindowCenter),
            "width": _first(settings.WindowWidth),
        }
    else:
        voi = {"source": "full range"}

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
    return np.rint(levels).clip(0, 255).astype(np.uint8), voi


def _frame_settings(dataset: Dataset, index: int, sequence: str) -> Dataset | None:
    """Return a functional group's item for a frame: its own, else the shared one (PS3.3 C.7.6.16)."""
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence") or []
    shared = dataset.get("SharedFunctionalGroupsSequence") or []
    groups = [per_frame[index]] if index < len(per_frame) else []
    groups += [shared[0]] if len(shared) else []
    for group in groups:
        items = group.get(sequence)
        if items:
            return items[0]
    return None


def _padding(pixels: np.ndarray, dataset: Dataset) -> np.ndarray | None:
    """Mask of the pixels outside the image proper (PS3.3 C.7.5.1.1.2), or None."""
    low = dataset.get("PixelPaddingValue")
    if low is None:
        return None
    high = dataset.get("PixelPaddingRangeLimit")
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
    return (table * (255.0 / (2**bits - 1)))[index]


def _to_8_bits(pixels: np.ndarray, bits: int) -> np.ndarray:
    if bits == 8:
        return np.ascontiguousarray(pixels, dtype=np.uint8)
    return np.rint(pixels * (255.0 / (2**bits - 1))).clip(0, 255).astype(np.uint8)


def _first(value: Any) -> float:
    return float(value) if not hasattr(value, "__len__") or isinstance(value, str) else float(value[0])


def _short(name: str) -> str:
    return name.partition(", Non-Hierarchical")[0].partition(" Image Compression")[0]
