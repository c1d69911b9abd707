"""Which files a search takes, and the names under which their outputs will stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from medqdeg.utils.errors import InputError
from medqdeg.utils.image_files.folders import find_sources

DICOM = b"\0" * 128 + b"DICM and so on"


def write(folder: Path, **files: bytes) -> None:
    for name, data in files.items():
        path = folder / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def items(*inputs: Path) -> list[str]:
    return [source.item for source in find_sources(list(inputs)).sources]


def test_a_folder_gives_images_by_suffix_and_dicom_by_content(tmp_path):
    write(
        tmp_path,
        a_DOT_PNG=b"",
        b_DOT_jpeg=b"",
        c_DOT_txt=b"",
        deep__d_DOT_tif=b"",
        IM0001=DICOM,
        IM0002=b"not DICOM",
        DICOMDIR=DICOM,
        _DOT_hidden_DOT_png=b"",
        _DOT_cache__e_DOT_png=b"",
    )
    (tmp_path / "1.2.840.5").write_bytes(DICOM)
    found = find_sources([tmp_path])
    assert [source.item for source in found.sources] == ["1.2.840.5", "IM0001", "a", "b", "deep/d"]
    assert found.passed_over == 3
    assert found.errors == ()


def test_a_file_that_is_named_is_taken_whatever_its_suffix(tmp_path):
    write(tmp_path, scan_DOT_dat=b"")
    assert items(tmp_path / "scan.dat") == ["scan.dat"]
    assert items(tmp_path) == []


def test_a_file_named_twice_is_one(tmp_path):
    write(tmp_path, a_DOT_png=b"1", b_DOT_png=b"2")
    assert items(tmp_path, tmp_path / "a.png", tmp_path / "." / "b.png") == ["a", "b"]


def test_files_that_would_share_an_item_are_told_apart_by_content(tmp_path):
    write(tmp_path, x__a_DOT_png=b"1", y__a_DOT_png=b"2", z__A_DOT_jpg=b"1")
    folders = [tmp_path / name for name in "xyz"]
    # sha256 of "1" and of "2"; z/A.jpg is a copy of x/a.png.
    assert items(*folders) == items(*folders[::-1]) == ["A~6b86b273", "a~d4735e3a"]


def test_links_to_folders_are_not_followed(tmp_path):
    write(tmp_path, a_DOT_png=b"")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert items(tmp_path) == ["a"]


def test_an_absent_input_and_an_output_folder_inside_are_refused(tmp_path):
    with pytest.raises(InputError, match="gone: no such file or folder"):
        find_sources([tmp_path / "gone"])
    with pytest.raises(InputError, match="lies in the input folder"):
        find_sources([tmp_path], excluding=tmp_path / "not" / "yet")
