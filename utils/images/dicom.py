"""DICOM to the 8-bit image that a viewer would show first.

Monochrome pixels pass through the standard's grey-scale pipeline (PS3.3 C.11, PS3.4 N.2), whose steps `dicom_greys`
takes:

* The file's VOI LUT comes before its window, and the first of several windows counts. A file with neither is
  shown over the full range of its values, padding left out.
* `MONOCHROME1` (low values bright) is inverted. Padding pixels come out black either way.
* `RGB` and `YBR_*` come out as RGB, `PALETTE COLOR` through its table. More than 8 bits per channel are scaled
  to 8.
* Enhanced multi-frame objects keep these settings per frame; they are read from the frame's functional
  groups.
* A file with several frames is refused until one is chosen.
* A file without the preamble is read; one that does not say its transfer syntax is taken for what its elements
  look like, uncompressed.
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

from ..base.errors import InputError, one_line
from ..base.extras import how_to_install
from .dicom_colours import through_palette, to_8_bits
from .dicom_greys import grey_levels
from .limits import check_size, choose_frame
from .quiet import quiet_libraries
from .recognition import has_preamble
from .strictness import strict_decoding

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.uid import UID

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

_JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"

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
    with _one_line_errors(name), quiet_libraries(), strict_decoding():
        return _decode(_read(data, name), name, frame, window)


def _decode(
    dataset: Dataset, name: str, frame: int | None, window: tuple[float, float] | str | None
) -> tuple[Image.Image, dict[str, Any]]:
    frames = _count(dataset, name)
    index = choose_frame(frames, frame, name)
    photometric = str(dataset.get("PhotometricInterpretation", "")).strip()
    rendering: dict[str, Any] = {"format": "DICOM", "photometric_interpretation": photometric}
    rendering["transfer_syntax"] = str(dataset.file_meta.TransferSyntaxUID)
    modality = MODALITIES.get(str(dataset.get("Modality", "")))
    if modality:
        rendering["modality"] = modality
    if frames > 1:
        rendering["frame"] = index

    pixels = _decode_frame(dataset, index, name)
    if photometric in ("MONOCHROME1", "MONOCHROME2"):
        grey, rendering["voi"] = grey_levels(pixels, dataset, index, window)
        return Image.fromarray(grey), rendering
    if photometric == "PALETTE COLOR":
        return Image.fromarray(through_palette(pixels, dataset)), rendering
    if photometric in ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT"):
        # pydicom has converted YBR to RGB while decoding.
        return Image.fromarray(to_8_bits(pixels, int(dataset.BitsStored))), rendering
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
        except ImportError as error:
            raise _not_importable(name, error) from None
        except Exception as error:
            raise InputError(f"{name}: damaged DICOM file ({one_line(error)})") from None


def _parse(data: bytes, name: str, **options: Any) -> Dataset:
    try:
        import pydicom
        import pydicom.pixels
    except ModuleNotFoundError as error:
        if error.name != "pydicom":
            raise
        raise InputError(f"{name}: reading DICOM needs pydicom: pip install 'pydicom>=3'") from None
    except Exception as error:  # a decoder built for another NumPy raises kinds of its own
        raise _not_importable(name, error) from None
    return pydicom.dcmread(io.BytesIO(data), force=not has_preamble(data), **options)


def _not_importable(name: str, error: Exception) -> InputError:
    return InputError(
        f"{name}: cannot be read, since a package that decodes DICOM does not import ({one_line(error)}); the file may "
        "be sound: install that package again"
    )


def _read(data: bytes, name: str) -> Dataset:
    dataset = _parse(data, name)
    if not any(keyword in dataset for keyword in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        kind = getattr(dataset.get("SOPClassUID"), "name", None) or "of a kind that it does not say"
        raise InputError(f"{name}: this DICOM file holds no image: it has no pixel data ({one_line(kind)})")
    if "TransferSyntaxUID" not in dataset.file_meta:
        dataset.file_meta.TransferSyntaxUID = _uncompressed(*dataset.original_encoding)
    return dataset


def _uncompressed(implicit: bool | None, little_endian: bool | None) -> UID:
    """Return the transfer syntax in which pydicom found a file that does not say."""
    from pydicom import uid

    if implicit:
        return uid.ImplicitVRLittleEndian
    return uid.ExplicitVRBigEndian if little_endian is False else uid.ExplicitVRLittleEndian


def _count(dataset: Dataset, name: str) -> int:
    if "Rows" not in dataset or "Columns" not in dataset:
        raise InputError(f"{name}: damaged DICOM file (it does not say its rows and columns)")
    check_size(int(dataset.Columns), int(dataset.Rows), name)
    return max(1, int(dataset.get("NumberOfFrames") or 1))


def _decode_frame(dataset: Dataset, index: int, name: str) -> np.ndarray:
    """Return one frame as stored: (H, W), or (H, W, 3) in RGB."""
    from pydicom.pixels import get_decoder, pixel_array  # type: ignore[attr-defined]  # public by its documentation

    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        raise InputError(
            f"{name}: transfer syntax {syntax.name} ({syntax}) is not read; convert it to uncompressed first"
        ) from None
    if syntax == _JPEG_EXTENDED and int(dataset.BitsStored) > 8:
        return _decode_12_bit_jpeg(dataset, index, name)
    if not decoder.is_available:
        raise InputError(f"{name}: compressed as {_short(syntax.name)}; {_how_to_install(decoder)}")
    try:
        return pixel_array(dataset, index=index)
    except (ImportError, MemoryError):
        raise
    except Exception as error:  # each decoder plugin raises its own kinds
        hint = ""
        if syntax.is_compressed and decoder.missing_dependencies:
            hint = f"; if the file is sound, {_how_to_install(decoder)}"
        raise InputError(f"{name}: its pixels cannot be decoded ({one_line(error)}){hint}") from None


def _decode_12_bit_jpeg(dataset: Dataset, index: int, name: str) -> np.ndarray:
    """Decode a frame that none of pydicom's own decoders under a free licence can: JPEG of 12 bits."""
    from pydicom.encaps import get_frame

    try:
        import imagecodecs
    except ModuleNotFoundError:
        raise InputError(
            f"{name}: compressed as JPEG with 12 bits; to read it (imagecodecs): {how_to_install('dicom-12bit')}"
        ) from None
    frames = int(dataset.get("NumberOfFrames") or 1)
    pixels = imagecodecs.jpeg8_decode(get_frame(dataset.PixelData, index, number_of_frames=frames))
    if pixels.shape != (dataset.Rows, dataset.Columns):
        raise InputError(f"{name}: its pixels cannot be decoded (not one value for each of its rows and columns)")
    return np.asarray(pixels)


def _how_to_install(decoder: Any) -> str:
    """Name the packages that would decode it, from pydicom's own list; our extra first where it has one."""
    lines = [line.partition(" - requires ")[2] for line in decoder.missing_dependencies]
    packages = [line.replace("numpy and ", "").replace("gdcm>", "python-gdcm>") for line in lines if line]
    if any(name in line for line in packages for name in _DECODERS_OF_THE_EXTRA):
        return f"to read it: {how_to_install('dicom')} (or install {', or '.join(packages)})"
    return f"to read it install {', or '.join(packages)}"


def _short(name: str) -> str:
    return name.partition(", Non-Hierarchical")[0].partition(" Image Compression")[0]
