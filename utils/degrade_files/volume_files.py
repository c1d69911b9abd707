"""Volumes in files: NIfTI files, and folders that hold one DICOM series, read and written again with other values.

Affines, spacing and orientation stay. The files of a DICOM series keep their headers, a patient's name included, but
for what makes them derived images: new instance and series UIDs (made from what was done, so that the same call gives
the same), `DERIVED` in the image type, and a description that says so.
"""

from __future__ import annotations

import gzip
import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..base.errors import InputError, one_line
from ..base.extras import how_to_install
from ..images import is_dicom, read_bytes

NIFTI = (".nii", ".nii.gz")


@dataclass(frozen=True)
class Volume:
    """One volume and how to write another one of its kind.

    Attributes:
        values: (D, H, W), in the file's own units (rescaled: Hounsfield units in CT).
        sha256: of what was read.
        item: what the output is called: its file, or its folder.
        modality: of the degradations' names, or None.
        names: of the output's files, in their order.
        files: from new values, a description and a key for new UIDs to the bytes of each of these.
    """

    values: np.ndarray
    sha256: str
    item: str
    modality: str | None
    names: tuple[str, ...]
    files: Callable[[np.ndarray, str, str], list[bytes]]


def read_volume(path: Path) -> Volume:
    """Read a NIfTI file, or a folder with one DICOM series.

    Raises:
        InputError: it is neither, or no volume of grey levels on one grid.
    """
    if path.is_dir():
        return _read_series(path)
    if path.name.endswith(NIFTI):
        return _read_nifti(path)
    raise InputError(f"{path}: a volume is a NIfTI file (.nii, .nii.gz) or a folder with one DICOM series")


def item_of(path: Path) -> str:
    """Return what a volume's output is called, by its path alone."""
    if path.is_dir():
        return path.resolve().name
    return path.name.removesuffix(".gz").removesuffix(".nii") + ".nii.gz"


def _read_nifti(path: Path) -> Volume:
    try:
        import nibabel
    except ImportError:
        raise InputError(f"{path}: NIfTI needs nibabel: {how_to_install('volumes')}") from None
    data = read_bytes(path)
    try:
        image = nibabel.Nifti1Image.from_bytes(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
        voxels = np.asanyarray(image.dataobj)
    except Exception as error:
        raise InputError(f"{path}: no readable NIfTI file ({one_line(error)})") from None
    if voxels.ndim != 3 or voxels.dtype.kind not in "iuf":
        raise InputError(
            f"{path}: {voxels.ndim}-D {voxels.dtype}: a volume has three dimensions and one number per voxel"
        )
    if not np.isfinite(voxels).all():
        raise InputError(f"{path}: voxels that are no numbers (NaN or infinite); set them to a value first")

    def files(values: np.ndarray, description: str, key: str) -> list[bytes]:
        header = image.header.copy()
        moved = np.ascontiguousarray(values.transpose(2, 1, 0))
        header.set_data_dtype(moved.dtype)
        header.set_slope_inter(1, 0)
        header["descrip"] = description.encode()[:79]
        made = nibabel.Nifti1Image(moved, image.affine, header)
        return [gzip.compress(made.to_bytes(), mtime=0)]

    values = voxels if voxels.dtype.kind in "iu" else voxels.astype(np.float32)
    slices = np.ascontiguousarray(values.transpose(2, 1, 0))
    item = item_of(path)
    return Volume(slices, hashlib.sha256(data).hexdigest(), item, None, (item,), files)


def _read_series(folder: Path) -> Volume:
    from pydicom import dcmread
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    from ..images.dicom import MODALITIES

    found = []
    for path in sorted(each for each in folder.iterdir() if each.is_file()):
        data = read_bytes(path)
        if not is_dicom(data):
            continue
        try:
            dataset = dcmread(io.BytesIO(data), force=True)
            pixels = dataset.pixel_array
        except Exception as error:
            raise InputError(f"{path}: cannot be read ({one_line(error)})") from None
        found.append((path, hashlib.sha256(data).digest(), dataset, pixels))
    if not found:
        raise InputError(f"{folder}: no DICOM file in it")
    _check_series(folder, [(path, dataset, pixels) for path, _, dataset, pixels in found])
    found.sort(key=lambda each: (_along_the_normal(each[2]), each[0].name))
    slopes = [float(getattr(each[2], "RescaleSlope", 1) or 1) for each in found]
    intercepts = [float(getattr(each[2], "RescaleIntercept", 0) or 0) for each in found]
    values = np.stack(
        [
            each[3].astype(np.float32) * slope + shift
            for each, slope, shift in zip(found, slopes, intercepts, strict=True)
        ]
    ).astype(np.float32)

    def files(changed: np.ndarray, description: str, key: str) -> list[bytes]:
        made = []
        series_uid = generate_uid(entropy_srcs=[str(found[0][2].SeriesInstanceUID), key])
        for plane, (path, _, original, pixels), slope, shift in zip(changed, found, slopes, intercepts, strict=True):
            dataset = dcmread(io.BytesIO(path.read_bytes()), force=True)
            bits = int(original.BitsStored)
            low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if pixels.dtype.kind == "i" else (0, (1 << bits) - 1)
            stored = np.clip(np.rint((plane - shift) / slope), low, high).astype(pixels.dtype)
            dataset.set_pixel_data(
                stored,
                photometric_interpretation=original.PhotometricInterpretation,
                bits_stored=bits,
                generate_instance_uid=False,
            )
            dataset.SOPInstanceUID = generate_uid(entropy_srcs=[str(original.SOPInstanceUID), key])
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
            dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            dataset.SeriesInstanceUID = series_uid
            kind = list(getattr(original, "ImageType", None) or ["ORIGINAL", "PRIMARY"])
            dataset.ImageType = ["DERIVED", "SECONDARY", *kind[2:]]
            dataset.DerivationDescription = description
            dataset.SeriesDescription = description[:64]
            buffer = io.BytesIO()
            dataset.save_as(buffer, enforce_file_format=True)
            made.append(buffer.getvalue())
        return made

    digest = hashlib.sha256(b"".join(each[1] for each in found)).hexdigest()
    item = item_of(folder)
    names = tuple(f"{item}/{each[0].name}" for each in found)
    return Volume(values, digest, item, MODALITIES.get(str(getattr(found[0][2], "Modality", ""))), names, files)


def _check_series(folder: Path, found: Sequence[tuple[Path, Any, np.ndarray]]) -> None:
    """Raise an InputError unless the files are grey slices of one series on one grid."""
    first = found[0][1]
    for path, dataset, pixels in found:
        if pixels.ndim != 2:
            raise InputError(f"{path}: colour or several frames; a series has one grey slice per file")
        for tag in ("SeriesInstanceUID", "Rows", "Columns", "ImageOrientationPatient"):
            if getattr(dataset, tag, None) != getattr(first, tag, None):
                raise InputError(
                    f"{folder}: {path.name} has another {tag} than {found[0][0].name}; one series per folder"
                )
        missing = [
            tag for tag in ("ImagePositionPatient", "ImageOrientationPatient") if getattr(dataset, tag, None) is None
        ]
        if missing and len(found) > 1:
            raise InputError(f"{path}: has no {missing[0]}, so its place in the volume is not known")


def _along_the_normal(dataset: Any) -> float:
    orientation = getattr(dataset, "ImageOrientationPatient", None)
    position = getattr(dataset, "ImagePositionPatient", None)
    if orientation is None or position is None:
        return 0.0
    normal = np.cross([float(x) for x in orientation[:3]], [float(x) for x in orientation[3:]])
    return float(normal @ np.array([float(x) for x in position]))
