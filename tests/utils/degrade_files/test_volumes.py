"""Volumes in files: NIfTI and DICOM series keep their geometry and say what was done to them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from typer.testing import CliRunner

from medqdeg.degradations.volumes import degrade_volume
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.command_line import app
from medqdeg.utils.degrade_files.volumes import degrade_volumes, read_volume

SHAPE = (4, 30, 26)


def hounsfield() -> np.ndarray:
    deep, row, column = np.mgrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    return (400 * np.sin(column / 4 + deep) * np.cos(row / 5) - 100).astype(np.int16)


def series(folder: Path, values: np.ndarray) -> Path:
    """A CT series whose files lie in another order than its slices."""
    folder.mkdir()
    uid = generate_uid(entropy_srcs=["series"])
    for number, plane in enumerate(values):
        slice_ = Dataset()
        slice_.file_meta = FileMetaDataset()
        slice_.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        slice_.file_meta.MediaStorageSOPClassUID = slice_.SOPClassUID = CTImageStorage
        slice_.SOPInstanceUID = generate_uid(entropy_srcs=[str(number)])
        slice_.file_meta.MediaStorageSOPInstanceUID = slice_.SOPInstanceUID
        slice_.SeriesInstanceUID, slice_.StudyInstanceUID = uid, generate_uid(entropy_srcs=["study"])
        slice_.Modality, slice_.PatientName, slice_.ImageType = "CT", "Nobody", ["ORIGINAL", "PRIMARY", "AXIAL"]
        slice_.ImageOrientationPatient, slice_.PixelSpacing = [1, 0, 0, 0, 1, 0], [0.7, 0.7]
        slice_.ImagePositionPatient = [0, 0, 2.5 * number]
        slice_.RescaleSlope, slice_.RescaleIntercept = 1, -1024
        slice_.set_pixel_data((plane + 1024).astype(np.uint16), "MONOCHROME2", 12, generate_instance_uid=False)
        slice_.save_as(folder / f"{(7 * number + 3) % 10}.dcm", enforce_file_format=True)
    return folder


def test_a_dicom_series_stays_one_on_the_same_grid_and_says_that_it_is_derived(tmp_path):
    folder, out = series(tmp_path / "study", hounsfield()), tmp_path / "out"
    written, errors = degrade_volumes(
        [folder], ["gaussian_blur", "low_dose"], [1], out, seed=3, value_range=(-1000, 1000)
    )
    assert (written, errors) == (2, [])
    back = read_volume(out / "gaussian_blur" / "L1" / "study")
    line = next(json.loads(each) for each in (out / "manifest.jsonl").read_text().splitlines())
    original = read_volume(folder)
    np.testing.assert_array_equal(original.values, hounsfield())
    assert line["record"]["seed"] == f"3:{original.sha256}"
    expected = degrade_volume(
        hounsfield().astype(np.float32), "gaussian_blur", 1, seed=f"3:{original.sha256}", value_range=(-1000, 1000),
        modality="CT",
    )  # fmt: skip
    np.testing.assert_array_equal(back.values, np.rint(expected))
    files = sorted((out / "gaussian_blur" / "L1" / "study").iterdir())
    assert len({pydicom.dcmread(path).SOPInstanceUID for path in files}) == 4
    for path in files:
        made, source = pydicom.dcmread(path), pydicom.dcmread(folder / path.name)
        for tag in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "StudyInstanceUID"):
            assert made[tag] == source[tag]
        assert made.ImageType == ["DERIVED", "SECONDARY", "AXIAL"]
        assert "gaussian_blur L1" in made.DerivationDescription
        assert made.SOPInstanceUID != source.SOPInstanceUID
        assert made.file_meta.MediaStorageSOPInstanceUID == made.SOPInstanceUID
        assert made.SeriesInstanceUID != source.SeriesInstanceUID


def test_the_same_call_gives_the_same_files_and_one_line_each(tmp_path):
    folder, out = series(tmp_path / "study", hounsfield()), tmp_path / "out"

    def hashes() -> dict[str, str]:
        degrade_volumes([folder], ["ghosting"], [1, 2], out, seed=3)
        return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(out.rglob("*")) if p.is_file()}

    first = hashes()
    assert hashes() == first
    assert len((out / "manifest.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_nifti_keeps_its_affine_and_dtype(tmp_path, dtype):
    nibabel = pytest.importorskip("nibabel")
    affine = np.array([[-0.7, 0, 0, 90], [0, 0.7, 0, -80], [0, 0, 2.5, 10], [0, 0, 0, 1]])
    voxels = hounsfield().transpose(2, 1, 0).astype(dtype)
    nibabel.save(nibabel.Nifti1Image(voxels, affine), tmp_path / "ct.nii.gz")
    out = tmp_path / "out"
    assert degrade_volumes([tmp_path / "ct.nii.gz"], ["bias_field"], [2], out, seed="x") == (1, [])
    made = nibabel.load(out / "bias_field" / "L2" / "ct.nii.gz")
    np.testing.assert_allclose(made.affine, affine, atol=1e-6)
    assert made.get_data_dtype() == dtype
    assert made.header.get_zooms() == pytest.approx((0.7, 0.7, 2.5))
    assert b"bias_field L2" in made.header["descrip"].tobytes()
    sha256 = hashlib.sha256((tmp_path / "ct.nii.gz").read_bytes()).hexdigest()
    values = hounsfield().astype(dtype)
    ends = (float(values.min()), float(values.max()))
    expected = degrade_volume(values, "bias_field", 2, seed=f"x:{sha256}", value_range=ends)
    np.testing.assert_array_equal(np.asarray(made.dataobj).transpose(2, 1, 0), expected)


def test_what_is_no_volume_is_named_and_the_rest_goes_on(tmp_path):
    good = series(tmp_path / "good", hounsfield())
    mixed = series(tmp_path / "mixed", hounsfield())
    other = pydicom.dcmread(mixed / "0.dcm")
    other.SeriesInstanceUID = generate_uid()
    other.save_as(mixed / "0.dcm")
    flat = series(tmp_path / "flat", np.zeros(SHAPE, np.int16))
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.txt").write_text("no")
    inputs = [mixed, flat, tmp_path / "empty", tmp_path / "a.txt", good]
    written, errors = degrade_volumes(inputs, ["exposure"], [1], tmp_path / "out", seed=0)
    assert written == 1
    for error, words in zip(
        errors, ("another SeriesInstanceUID", "alike", "no DICOM file", "a volume is"), strict=True
    ):
        assert words in error
        assert "\n" not in error
    with pytest.raises(InputError, match="could be overwritten"):
        degrade_volumes([good], ["exposure"], [1], tmp_path, seed=0)


def test_a_broken_nifti_file_is_named(tmp_path):
    pytest.importorskip("nibabel")
    (tmp_path / "broken.nii").write_bytes(b"x" * 500)
    with pytest.raises(InputError, match=r"broken\.nii: no readable NIfTI"):
        read_volume(tmp_path / "broken.nii")


def test_the_command_degrades_volumes(tmp_path):
    folder, out = series(tmp_path / "study", hounsfield()), tmp_path / "out"
    options = ["--volumes", "--type", "gaussian_blur", "--severity", "1", "--seed", "3", "--out", str(out)]
    done = CliRunner().invoke(app, ["degrade", str(folder), *options, "--value-range=-1000,1000"])
    assert done.exit_code == 0, done.output
    assert "wrote 1 volume" in done.output
    assert len(list((out / "gaussian_blur" / "L1" / "study").iterdir())) == 4
    line = json.loads((out / "manifest.jsonl").read_text())
    assert line["record"]["value_range"] == [-1000, 1000]
    assert line["record"]["modality"] == "CT"
    wrong = CliRunner().invoke(app, ["degrade", str(folder), *options, "--value-range=5"])
    assert wrong.exit_code != 0
