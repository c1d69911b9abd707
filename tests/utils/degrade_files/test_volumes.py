"""Volumes in files: NIfTI and DICOM series keep their geometry and say what was done to them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from typer.testing import CliRunner

from medqdeg.degradations.volumes import degrade_volume
from medqdeg.utils.base.atomic_files import write_atomically
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.command_line import app
from medqdeg.utils.degrade_files import volumes
from medqdeg.utils.degrade_files.requests import DegradeRequest
from medqdeg.utils.degrade_files.volume_files import read_volume
from medqdeg.utils.degrade_files.volumes import degrade_volumes

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


def asked(*names: str, severities: tuple[int | str, ...] = (1,), **settings: Any) -> DegradeRequest:
    return DegradeRequest(names=names, severities=severities, **settings)


def hashes(out: Path) -> dict[str, str]:
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def test_a_dicom_series_stays_one_on_the_same_grid_and_says_that_it_is_derived(tmp_path):
    folder, out = series(tmp_path / "study", hounsfield()), tmp_path / "out"
    summary = degrade_volumes([folder], asked("gaussian_blur", "low_dose", seed=3), out, value_range=(-1000, 1000))
    assert (summary.made, summary.kept, summary.errors) == (2, 0, [])
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


def test_the_same_call_keeps_what_is_there(tmp_path):
    folder, out = series(tmp_path / "study", hounsfield()), tmp_path / "out"
    request = asked("ghosting", severities=(1, 2, "S0.50"), seed=3)
    assert degrade_volumes([folder], request, out).made == 3
    first, stamps = hashes(out), {path: path.stat().st_mtime_ns for path in out.rglob("*.dcm")}
    again = degrade_volumes([folder], request, out)
    assert (again.made, again.kept) == (0, 3)
    assert hashes(out) == first
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.dcm")} == stamps
    assert len((out / "manifest.jsonl").read_text().splitlines()) == 3


@pytest.mark.parametrize("stopped_at", range(1, 10))
def test_a_killed_run_ends_as_one_that_was_not(tmp_path, monkeypatch, stopped_at):
    inputs = [series(tmp_path / "first", hounsfield()), series(tmp_path / "second", hounsfield()[::-1])]
    request = asked("gaussian_blur", "low_dose", seed=3)
    degrade_volumes(inputs, request, tmp_path / "whole")
    out, left = tmp_path / "out", [stopped_at]

    def until_killed(path: Path, data: bytes) -> None:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        write_atomically(path, data)

    monkeypatch.setattr(volumes, "write_atomically", until_killed)  # of 16 slices in 4 outputs
    with pytest.raises(KeyboardInterrupt):
        degrade_volumes(inputs, request, out)
    monkeypatch.undo()
    done = degrade_volumes(inputs, request, out)
    assert done.kept == (stopped_at - 1) // 4
    assert done.made == 4 - done.kept
    assert hashes(out) == hashes(tmp_path / "whole")


def test_what_no_longer_holds_is_made_again(tmp_path):
    folder, out = series(tmp_path / "study", hounsfield()), tmp_path / "out"
    degrade_volumes([folder], asked("exposure", "ghosting"), out, value_range=(-1000, 1000))
    whole = hashes(out)
    slices = sorted((out / "exposure" / "L1" / "study").iterdir())
    slices[0].write_bytes(slices[0].read_bytes()[:-1])
    again = degrade_volumes([folder], asked("exposure", "ghosting"), out, value_range=(-1000, 1000))
    assert (again.made, again.kept) == (1, 1)
    slices[2].unlink()
    with (out / "manifest.jsonl").open("a") as manifest:
        manifest.write('{"output": "torn')
    again = degrade_volumes([folder], asked("exposure", "ghosting"), out, value_range=(-1000, 1000))
    assert (again.made, again.kept) == (1, 1)
    assert hashes(out) == whole
    for request, ends in (
        (asked("exposure"), (-900, 1000)),
        (asked("exposure", seed=1), (-1000, 1000)),
        (asked("exposure", reference_size=64.0), (-1000, 1000)),
        (asked("exposure", modality="MRI"), (-1000, 1000)),
    ):
        assert degrade_volumes([folder], request, out, value_range=ends).made == 1
        assert degrade_volumes([folder], request, out, value_range=ends).kept == 1
    changed = pydicom.dcmread(folder / "3.dcm")
    changed.PatientName = "Someone"
    changed.save_as(folder / "3.dcm")
    assert degrade_volumes([folder], asked("ghosting"), out, value_range=(-1000, 1000)).made == 1


def test_two_volumes_of_one_name_are_refused(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    inputs = [series(tmp_path / each / "study", hounsfield()) for each in ("a", "b")]
    with pytest.raises(InputError, match="would both be written to study"):
        degrade_volumes(inputs, asked("exposure"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_nifti_keeps_its_affine_and_dtype(tmp_path, dtype):
    nibabel = pytest.importorskip("nibabel")
    affine = np.array([[-0.7, 0, 0, 90], [0, 0.7, 0, -80], [0, 0, 2.5, 10], [0, 0, 0, 1]])
    voxels = hounsfield().transpose(2, 1, 0).astype(dtype)
    nibabel.save(nibabel.Nifti1Image(voxels, affine), tmp_path / "ct.nii.gz")
    out = tmp_path / "out"
    request = asked("bias_field", severities=(2,), seed="x")
    assert degrade_volumes([tmp_path / "ct.nii.gz"], request, out).made == 1
    assert degrade_volumes([tmp_path / "ct.nii.gz"], request, out).kept == 1
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
    summary = degrade_volumes(inputs, asked("exposure"), tmp_path / "out")
    assert (summary.made, summary.failed_files) == (1, 4)
    for error, words in zip(
        summary.errors, ("another SeriesInstanceUID", "alike", "no DICOM file", "a volume is"), strict=True
    ):
        assert words in error
        assert "\n" not in error
    with pytest.raises(InputError, match="could be overwritten"):
        degrade_volumes([good], asked("exposure"), tmp_path)


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
    again = CliRunner().invoke(app, ["degrade", str(folder), *options, "--value-range=-1000,1000"])
    assert "wrote 0 volumes" in again.output
    assert "kept 1 of an earlier run" in again.output
    wrong = CliRunner().invoke(app, ["degrade", str(folder), *options, "--value-range=5"])
    assert wrong.exit_code != 0
