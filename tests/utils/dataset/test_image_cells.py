"""What an image cell may hold, and that an image that cannot be used is found before any model sees it."""

from __future__ import annotations

import base64
import io
import json
import struct
import threading
import zlib
from pathlib import Path

import datasets
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageFile

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.dataset import image_cells
from medqdeg.utils.images.strictness import strict_decoding

from .files import as_base64, encoded, pixels, refusal


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_that_declares(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(bytes(100)))
        + _chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("cell", "entries"),
    [
        ("a.png", ["a.png"]),
        ("  a.png\n", ["a.png"]),
        ('["a.png", "b/c.png"]', ["a.png", "b/c.png"]),
        ("['a.png', 'b/c.png']", ["a.png", "b/c.png"]),
        ("""["it's.png", 'b.png']""", ["it's.png", "b.png"]),
        ('["one.png"]', ["one.png"]),
        ('["a.png", "", " "]', ["a.png"]),
        (str(["é.png", "漢.png"]), ["é.png", "漢.png"]),
        (json.dumps(["é.png"]), ["é.png"]),
    ],
)
def test_a_cell_is_one_image_or_a_list(cell: str, entries: list[str]) -> None:
    assert image_cells.split_cell(cell) == entries


@pytest.mark.parametrize(
    "cell",
    [
        *(
            "",
            "   ",
            "[]",
            '[""]',
            "[1, 2]",
            '["a.png"',
            "['a.png'",
            "[{[]: 1}]",
            "[[['a.png']]]",
        ),
        *("[" * 100_000, "[" + "1" * 5000 + "]", "[" + "-" * 10_000 + "1]", "['a.png'] + ['b.png']", "[None]", "[\0]"),
    ],
)
def test_what_is_no_list_of_texts_is_refused(cell: str) -> None:
    with pytest.raises(InputError, match="image cell"):
        image_cells.split_cell(cell)


@given(st.text() | st.text(alphabet="[](){}'\",\\1ab:- ").map(lambda text: "[" + text))
def test_any_cell_is_split_or_refused(cell: str) -> None:
    try:
        entries = image_cells.split_cell(cell)
    except InputError:
        return
    assert entries
    assert all(entry == entry.strip() != "" for entry in entries)


def test_base64_with_and_without_a_prefix_and_line_breaks() -> None:
    data = encoded(pixels(0))
    text = as_base64(data)
    assert image_cells.decode_base64(text) == data
    assert image_cells.decode_base64(f"data:image/png;base64,{text}") == data
    assert image_cells.decode_base64(base64.encodebytes(data).decode()) == data


@pytest.mark.parametrize("text", ["abc", "a.png", "====", "日本", as_base64(b"x" * 30)[:-1], "aGk*", "aGk-_w=="])
def test_wrong_base64_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not valid base64"):
        image_cells.decode_base64(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a.png", "a.png"),
        ("./a.png", "a.png"),
        ("images//x/../a.png", "images/a.png"),
        ("images\\a.png", "images/a.png"),
        ("..a.png", "..a.png"),
        ("a..b/c.png", "a..b/c.png"),
    ],
)
def test_paths_become_plain(text: str, plain: str) -> None:
    assert image_cells.relative_path(text) == plain


@pytest.mark.parametrize(
    "text",
    [
        *(
            "../a.png",
            "images/../../a.png",
            "..",
            ".",
            "/etc/passwd",
            "//server/a.png",
            "images/../..",
            "a/../../a.png",
        ),
        *(
            "..\\a.png",
            "images\\..\\..\\a.png",
            "\\\\server\\share\\a.png",
            "\\a.png",
            "C:\\a.png",
            "c:a.png",
            "Z:/a.png",
        ),
    ],
)
def test_a_path_that_leaves_the_folder_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="leaves the folder"):
        image_cells.relative_path(text)


@given(st.text(alphabet="./\\ab:C", max_size=12))
def test_a_path_that_is_let_through_stays_inside(text: str) -> None:
    """Against pathlib's own idea of where a path leads."""
    try:
        plain = image_cells.relative_path(text)
    except InputError:
        return
    folder = Path("/somewhere/deep")
    assert (folder / plain).resolve().is_relative_to(folder)


@pytest.mark.parametrize("name", ["absent.png", "x" * 300, "x/" * 3000, "a\0b"])
def test_a_name_that_no_file_has_is_no_error(tmp_path: Path, name: str) -> None:
    assert not image_cells.is_file(tmp_path / name)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM"])
def test_usual_formats_pass(tmp_path: Path, file_format: str) -> None:
    data = encoded(pixels(1), file_format)
    image_cells.check_image(data)
    (tmp_path / "image").write_bytes(data)
    image_cells.check_image(tmp_path / "image")


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "I;16"])
def test_usual_modes_pass(mode: str) -> None:
    picture = Image.fromarray(pixels(2)).convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(picture).astype(np.uint16) * 257)
    image_cells.check_image(encoded(picture))


@pytest.mark.parametrize("lenient", [False, True], ids=["PIL as it is", "PIL as lmms-eval sets it"])
@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_a_cut_off_image_is_refused(
    monkeypatch: pytest.MonkeyPatch, lenient: bool, file_format: str, kept: float
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", lenient)
    data = encoded(pixels(3, 64), file_format)
    image_cells.check_image(data)
    with pytest.raises(InputError, match="damaged or cut short"):
        image_cells.check_image(data[: int(kept * len(data))])
    assert ImageFile.LOAD_TRUNCATED_IMAGES is lenient


def test_a_png_of_wrong_pixels_is_refused() -> None:
    data = bytearray(encoded(pixels(3, 64)))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(InputError, match="damaged or cut short"):
        image_cells.check_image(bytes(data))


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [100_000, 2**31 - 1, 12_000, 10_001])
def test_a_decompression_bomb_is_refused_unread(side: int) -> None:
    bomb = png_that_declares(side, side)
    assert len(bomb) < 200
    with pytest.raises(InputError, match=r"over the limit|more pixels than the limit"):
        image_cells.check_image(bomb)


def test_the_largest_size_is_itself_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medqdeg.utils.images.limits.MAX_PIXELS", 144)
    image_cells.check_image(encoded(pixels(0, 12)))
    with pytest.raises(InputError, match="13 x 13 pixels are over the limit of 144"):
        image_cells.check_image(encoded(pixels(0, 13)))


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"GIF89a", b"not an image", bytes(1000), png_that_declares(0, 5), b"P5 0 0 255\n"),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n",
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    ],
)
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        image_cells.check_image(data)


@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_a_broken_exif_block_is_found_now_and_not_when_datasets_reads_it(file_format: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    good = encoded(pixels(4), file_format, exif=exif)
    image_cells.check_image(good)
    start = good.index(b"MM\0*")
    broken = good[: start + 3] + b"Y" + good[start + 4 :]
    if file_format == "PNG":
        kind = broken.index(b"eXIf")
        end = kind + 4 + int.from_bytes(broken[kind - 4 : kind], "big")
        broken = broken[:end] + struct.pack(">I", zlib.crc32(broken[kind:end])) + broken[end + 4 :]
    with pytest.raises(SyntaxError):  # what a run would meet in the middle
        datasets.Image().decode_example({"bytes": broken, "path": None})
    with pytest.raises(InputError, match="damaged or cut short"):
        image_cells.check_image(broken)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@given(st.binary(max_size=300), st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"]), st.data())
def test_any_bytes_pass_or_are_refused(junk: bytes, file_format: str, data: st.DataObject) -> None:
    good = encoded(pixels(5, 8), file_format)
    start = data.draw(st.integers(0, len(good)))
    for candidate in (junk, good[:start] + junk + good[start + len(junk) :]):
        assert len((refusal(image_cells.check_image, candidate) or "").splitlines()) <= 1


def test_strictness_is_given_back_when_threads_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    inside, leave = threading.Event(), threading.Event()

    def linger() -> None:
        with strict_decoding():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=linger)
    thread.start()
    assert inside.wait(10)
    image_cells.check_image(encoded(pixels(6)))  # a second user comes and goes
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False
    leave.set()
    thread.join()
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True


def test_rgb_keeps_eight_bits_and_the_upper_half_of_sixteen() -> None:
    rgb = pixels(7)
    assert np.array_equal(np.asarray(image_cells.decode_rgb(encoded(rgb))), rgb)
    grey = rgb[..., 0].copy()
    grey[0, :2] = 0, 255
    deep = grey.astype(np.uint16) * 257
    # Levels that span a small part of 16 bits are spread over all.
    for image, expected in ((deep, grey), (grey.astype(np.uint16) * 4, grey)):
        out = np.asarray(image_cells.decode_rgb(encoded(Image.fromarray(image))))
        assert out.dtype == np.uint8
        assert np.array_equal(out, np.repeat(expected[..., None], 3, axis=2))


def test_cells_decode_once_and_give_copies(tmp_path: Path) -> None:
    rgb = pixels(8)
    path = tmp_path / "image.png"
    path.write_bytes(encoded(rgb))
    image_cells._decode_remembered.cache_clear()
    for cell in ({"bytes": path.read_bytes(), "path": None}, {"bytes": None, "path": str(path)}):
        first = image_cells.decode_cell(cell)
        first.paste((0, 0, 0), (0, 0, *first.size))  # what an integration does to it is nobody else's business
        assert np.array_equal(np.asarray(image_cells.decode_cell(cell)), rgb)
    assert image_cells._decode_remembered.cache_info().misses == 1


def test_cells_are_turned_as_datasets_turns_them() -> None:
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels(9)[:, :5]).save(buffer, "PNG", exif=exif)
    theirs = datasets.Image().decode_example({"bytes": buffer.getvalue(), "path": None}).convert("RGB")
    ours = image_cells.decode_cell({"bytes": buffer.getvalue(), "path": None})
    assert ours.size == theirs.size
    assert np.array_equal(np.asarray(ours), np.asarray(theirs))
