"""Volumes in files, degraded as one: NIfTI files, and folders that hold one DICOM series.

One input gives `OUT/<degradation>/L<severity>/<item>.nii.gz`, or a folder of DICOM files of that name, with a line in
`OUT/manifest.jsonl`. Affines, spacing and orientation stay. A volume's seed is the text `<seed>:<sha256>` of its file,
or of its slices' files in their order along the patient.

The files of a DICOM series keep their headers, a patient's name included, but for what makes them derived images: new
instance and series UIDs (made from what was done, so that the same call gives the same), `DERIVED` in the image type,
and a description that says so.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from ...degradations import SeverityTable
from ...degradations.volumes import degrade_volume_with_record
from ..base.atomic_files import write_atomically
from ..base.errors import InputError, one_line
from ..base.extras import how_to_install
from ..images import is_dicom, read_bytes

MANIFEST = "manifest.jsonl"
NIFTI = (".nii", ".nii.gz")


@dataclass(frozen=True)
class Volume:
    """One volume and how to write another one of its kind.

    Attributes:
        values: (D, H, W), in the file's own units (rescaled: Hounsfield units in CT).
        sha256: of what was read.
        item: what outputs are called.
        modality: of the degradations' names, or None.
        files: from new values, a description and a key for new UIDs to the output files: name and bytes of each.
    """

    values: np.ndarray
    sha256: str
    item: str
    modality: str | None
    files: Callable[[np.ndarray, str, str], list[tuple[str, bytes]]]


def degrade_volumes(
    inputs: Sequence[Path],
    names: Sequence[str],
    severities: Sequence[int],
    out: Path,
    *,
    seed: int | str,
    value_range: tuple[float, float] | None = None,
    modality: str | None = None,
    table: SeverityTable | None = None,
    **settings: Any,
) -> tuple[int, list[str]]:
    """Degrade volumes into a folder.

    Args:
        inputs: NIfTI files, and folders that each hold one DICOM series.
        names: canonical names of degradations.
        severities: of 0, 1, 2.
        out: the output folder; lines of an earlier run stay in its manifest.
        seed: the run's.
        value_range: what counts as black and white, in the file's units; None: its least and greatest value.
        modality: for every volume; None: a DICOM series' own.
        table: the severity table; None: the paper's.
        **settings: passed to `degrade_volume`.

    Returns:
        How many volumes were written, and one line for each input or degradation that failed.

    Raises:
        InputError: an input lies in the output folder, or another process is writing to that.
    """
    from filelock import FileLock, Timeout

    for path in inputs:
        if path.resolve().is_relative_to(out.resolve()):
            raise InputError(f"{path}: lies in --out {out} and could be overwritten; choose another folder")
    out.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(out / ".manifest.lock", timeout=0):
            return _degrade_all(
                inputs, names, severities, out, seed, value_range, modality, {**settings, "severities": table}
            )
    except Timeout:
        raise InputError(f"{out}: another process is writing to it; wait for it or choose another folder") from None


def _degrade_all(
    inputs: Sequence[Path],
    names: Sequence[str],
    severities: Sequence[int],
    out: Path,
    seed: int | str,
    value_range: tuple[float, float] | None,
    modality: str | None,
    settings: dict[str, Any],
) -> tuple[int, list[str]]:
    errors: list[str] = []
    written = 0
    for path in inputs:
        try:
            volume = read_volume(path)
            low, high = value_range or (float(volume.values.min()), float(volume.values.max()))
            if not low < high:
                raise InputError(f"{path}: all voxels are alike; there is nothing to degrade")
        except InputError as error:
            errors.append(str(error))
            continue
        for name in names:
            for severity in severities:
                own = f"{seed}:{volume.sha256}"
                try:
                    values, record = degrade_volume_with_record(
                        volume.values, name, severity, seed=own, value_range=(low, high),
                        modality=modality or volume.modality, **settings,
                    )  # fmt: skip
                except ValueError as error:
                    errors.append(f"{path}: {name} L{severity}: {one_line(error)}")
                    continue
                record["value_range"] = [low, high]
                _write(out, path, volume, values, record)
                written += 1
    return written, errors


def _write(out: Path, path: Path, volume: Volume, values: np.ndarray, record: dict[str, Any]) -> None:
    folder = f"{record['name']}/{record['severity']}"
    description = f"medqdeg {metadata.version('medqdeg')}: {record['name']} {record['severity']}"
    key = json.dumps(record, sort_keys=True)
    digest = hashlib.sha256()
    for name, data in volume.files(values, description, key):
        target = out / folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, data)
        digest.update(data)
    line = {
        "item": volume.item,
        "input": path.as_posix(),
        "input_sha256": volume.sha256,
        "output": f"{folder}/{volume.item}",
        "output_sha256": digest.hexdigest(),
        "record": record,
    }
    manifest = out / MANIFEST
    lines = manifest.read_text(encoding="utf-8").splitlines() if manifest.exists() else []
    kept = [each for each in lines if json.loads(each)["output"] != line["output"]]
    text = "\n".join(sorted([*kept, json.dumps(line)], key=lambda each: str(json.loads(each)["output"])))
    write_atomically(manifest, (text + "\n").encode())


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

    def files(values: np.ndarray, description: str, key: str) -> list[tuple[str, bytes]]:
        header = image.header.copy()
        moved = np.ascontiguousarray(values.transpose(2, 1, 0))
        header.set_data_dtype(moved.dtype)
        header.set_slope_inter(1, 0)
        header["descrip"] = description.encode()[:79]
        made = nibabel.Nifti1Image(moved, image.affine, header)
        return [(f"{_stem(path)}.nii.gz", gzip.compress(made.to_bytes(), mtime=0))]

    values = voxels if voxels.dtype.kind in "iu" else voxels.astype(np.float32)
    slices = np.ascontiguousarray(values.transpose(2, 1, 0))
    return Volume(slices, hashlib.sha256(data).hexdigest(), f"{_stem(path)}.nii.gz", None, files)


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".nii")


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

    def files(changed: np.ndarray, description: str, key: str) -> list[tuple[str, bytes]]:
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
            made.append((f"{folder.name}/{path.name}", buffer.getvalue()))
        return made

    digest = hashlib.sha256(b"".join(each[1] for each in found)).hexdigest()
    return Volume(values, digest, folder.name, MODALITIES.get(str(getattr(found[0][2], "Modality", ""))), files)


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
