"""Which files a search takes, and the names under which their outputs will stand."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.images import read_bytes
from medqdeg.utils.images.folders import find_sources

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


@pytest.mark.parametrize("ending", ["IMA", "ima", "img", "raw", "0001"])
def test_dicom_is_known_by_its_content_whatever_the_ending(tmp_path: Path, ending: str) -> None:
    (tmp_path / f"slice.{ending}").write_bytes(DICOM)
    (tmp_path / "notes.txt").write_text("no image")
    found = find_sources([tmp_path])
    assert [source.item for source in found.sources] == [f"slice.{ending}"]
    assert found.passed_over == 1


needs_posix = pytest.mark.skipif(os.name == "nt", reason="no pipes or links there")


@needs_posix
def test_pipes_devices_and_circles_are_refused_in_one_line_each(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle.png").symlink_to("circle.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "gone.png").symlink_to("nowhere.png")
    write(tmp_path, a_DOT_png=b"x")
    found = find_sources([tmp_path], follow_links=True)
    assert [source.item for source in found.sources] == ["a"]
    assert len(found.errors) == 4
    for name, why in (("pipe", "regular file"), ("zero", "regular file"), ("circle", "cannot be read"), ("gone", "No")):
        assert any(f"{name}.png" in line and why in line for line in found.errors), (name, found.errors)


@needs_posix
@pytest.mark.parametrize("name", ["pipe.png", "zero.png", "circle.png"])
def test_such_a_file_named_directly_is_refused(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "circle.png").symlink_to("circle.png")
    with pytest.raises(InputError, match=name):
        read_bytes(tmp_path / name)


@needs_posix
def test_links_that_leave_the_folder_are_read_on_request_only(tmp_path: Path) -> None:
    write(tmp_path, outside__a_DOT_png=b"a", outside__IM0001=DICOM, inside__b_DOT_png=b"b")
    inside = tmp_path / "inside"
    (inside / "link.png").symlink_to(tmp_path / "outside/a.png")
    (inside / "IM0002").symlink_to("../outside/IM0001")
    (inside / "within.png").symlink_to("b.png")
    found = find_sources([inside])
    assert [source.item for source in found.sources] == ["b", "within"]
    (line,) = found.errors
    assert "2 image files outside the folder" in line
    assert "--follow-links" in line
    followed = find_sources([inside], follow_links=True)
    assert [source.item for source in followed.sources] == ["IM0002", "b", "link", "within"]
    assert not followed.errors


def test_neutral_items_come_from_the_content_alone(tmp_path: Path) -> None:
    write(tmp_path, Doe_Jane__a_DOT_png=b"one", Doe_Jane__b_DOT_png=b"two", c_DOT_png=b"one")
    found = find_sources([tmp_path], neutral_names=True).sources
    assert {source.item for source in found} == {hashlib.sha256(data).hexdigest()[:16] for data in (b"one", b"two")}
    assert all(source.written_name == source.item for source in found)
