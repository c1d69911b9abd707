"""Reading and writing image files: what comes out of each kind, and what bad files say."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFile

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.images import MAX_PIXELS, count_frames, decode_image, encode_image, pixels_sha256, read_image


def gradient(mode: str, width: int = 23, height: int = 17) -> Image.Image:
    """An image whose pixels all differ from their neighbours, in any 8-bit mode or `I;16`."""
    ramp = np.arange(width * height).reshape(height, width)
    if mode == "I;16":
        return Image.fromarray((ramp * 137 % 65536).astype(np.uint16))
    channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}[mode]
    planes = np.stack([(ramp * (3 + 2 * k) + 40 * k) % 256 for k in range(channels)], axis=-1).astype(np.uint8)
    return Image.frombytes(mode, (width, height), planes.tobytes())


def saved(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def png_of_depth_16_rgb() -> bytes:
    """A 2 x 1 PNG with 16 bits per channel, made by hand: Pillow cannot write one."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    row = b"\0" + struct.pack(">6H", 1, 258, 515, 1000, 40000, 65535)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("format", ["png", "tiff", "webp"])
def test_lossless_formats_give_back_every_pixel_or_refuse(mode, format):
    image = gradient(mode)
    if format == "webp" and mode in ("LA", "I;16"):
        with pytest.raises(InputError, match=f"webp cannot hold an image of mode {mode}"):
            encode_image(image, format)
        return
    back = decode_image(encode_image(image, format), name="x").image
    if format == "webp" and mode == "L":
        back = back.convert("L")
    assert back.mode == mode
    np.testing.assert_array_equal(np.asarray(back), np.asarray(image))


def test_jpeg_is_written_near_and_refuses_what_it_cannot_hold():
    smooth = Image.fromarray(np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8))
    back = decode_image(encode_image(smooth, "jpeg"), name="x").image
    assert np.abs(np.asarray(back, int) - np.asarray(smooth, int)).max() <= 3
    with pytest.raises(InputError, match="jpeg cannot hold"):
        encode_image(gradient("I;16"), "jpeg")
    with pytest.raises(InputError, match="unknown image format 'gif'"):
        encode_image(smooth, "gif")


def test_sixteen_bit_grey_keeps_its_values_in_either_byte_order():
    values = np.asarray(gradient("I;16"))
    big_endian = Image.frombytes("I;16B", (23, 17), values.astype(">u2").tobytes())
    for data in (saved(gradient("I;16"), "PNG"), saved(big_endian, "TIFF")):
        image = decode_image(data, name="x").image
        assert image.mode == "I;16"
        np.testing.assert_array_equal(np.asarray(image), values)


def test_sixteen_bit_colour_is_refused_rather_than_cut_to_8_bits():
    with pytest.raises(InputError, match=r"deep\.png: colour or transparency with 16 bits per channel"):
        decode_image(png_of_depth_16_rgb(), name="deep.png")


@pytest.mark.parametrize("values", [[[-1, 5]], [[0, 70000]]])
def test_32_bit_integers_outside_16_bits_are_refused(values):
    data = saved(Image.fromarray(np.array(values, np.int32)), "TIFF")
    with pytest.raises(InputError, match="32-bit values outside"):
        decode_image(data, name="x")


def test_32_bit_integers_within_16_bits_are_read():
    data = saved(Image.fromarray(np.array([[0, 65535, 7]], np.int32)), "TIFF")
    image = decode_image(data, name="x").image
    assert image.mode == "I;16"
    assert np.asarray(image).tolist() == [[0, 65535, 7]]


def test_floating_point_is_refused():
    with pytest.raises(InputError, match="mode F are not read"):
        decode_image(saved(Image.fromarray(np.zeros((2, 2), np.float32)), "TIFF"), name="x")


def test_palette_bilevel_and_cmyk_become_plain_modes():
    colours = gradient("RGB").quantize(16)
    assert decode_image(saved(colours, "PNG"), name="x").image.mode == "RGB"
    assert decode_image(saved(colours, "PNG", transparency=3), name="x").image.mode == "RGBA"
    np.testing.assert_array_equal(
        np.asarray(decode_image(saved(colours, "PNG"), name="x").image), np.asarray(colours.convert("RGB"))
    )
    bilevel = Image.fromarray(np.eye(9, dtype=bool))
    image = decode_image(saved(bilevel, "PNG"), name="x").image
    assert image.mode == "L"
    np.testing.assert_array_equal(np.asarray(image), np.eye(9) * 255)
    assert decode_image(saved(gradient("CMYK"), "JPEG"), name="x").image.mode == "RGB"


# What EXIF orientation k means, in NumPy: the stored pixels are shown after this.
SHOWN = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.T,
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).T,
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("orientation", SHOWN)
def test_exif_orientation_is_applied_and_not_written(orientation):
    stored = gradient("L")
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = decode_image(saved(stored, "PNG", exif=exif), name="x")
    np.testing.assert_array_equal(np.asarray(decoded.image), SHOWN[orientation](np.asarray(stored)))
    assert decoded.rendering.get("exif_orientation") == (None if orientation == 1 else orientation)
    again = Image.open(io.BytesIO(encode_image(decoded.image)))
    assert not again.getexif()
    assert again.size == decoded.image.size


def test_only_the_colour_profile_travels():
    image = gradient("RGB")
    data = saved(image, "TIFF", icc_profile=b"a profile", description="Doe^Jane")
    encoded = encode_image(decode_image(data, name="x").image)
    assert Image.open(io.BytesIO(encoded)).info == {"icc_profile": b"a profile"}
    assert b"Doe" not in encoded


def test_the_content_decides_not_the_suffix(tmp_path):
    path = tmp_path / "really_a_png.jpg"
    path.write_bytes(saved(gradient("RGB"), "PNG"))
    decoded = read_image(path)
    assert decoded.rendering == {"format": "PNG"}
    assert decoded.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def pages() -> bytes:
    return saved(gradient("L"), "TIFF", save_all=True, append_images=[gradient("L", 9, 9), gradient("L", 5, 5)])


def test_several_pages_must_be_chosen():
    assert count_frames(pages(), name="x") == 3
    with pytest.raises(InputError, match=r"x: holds 3 frames; choose one \(frame=0 \.\. 2\)"):
        decode_image(pages(), name="x")
    with pytest.raises(InputError, match="has no frame 3"):
        decode_image(pages(), name="x", frame=3)
    decoded = decode_image(pages(), name="x", frame=1)
    assert decoded.image.size == (9, 9)
    assert decoded.rendering["frame"] == 1


def test_an_animated_webp_has_frames_and_a_still_has_one():
    moving = saved(gradient("RGB"), "WEBP", save_all=True, append_images=[gradient("RGB").rotate(180)], lossless=True)
    assert count_frames(moving, name="x") == 2
    assert count_frames(saved(gradient("L"), "PNG"), name="x") == 1


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "WEBP", "BMP"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7])
@pytest.mark.parametrize("lenient", [False, True], ids=["", "lmms-eval's switch"])
def test_a_file_cut_short_is_one_line(format, share, lenient, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", lenient)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    whole = saved(Image.fromarray(noise), format)
    with pytest.raises(InputError, match=r"^cut\.png: ") as caught:
        decode_image(whole[: max(1, int(share * len(whole)))], name="cut.png")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "WEBP", "BMP"])
def test_damaged_bytes_never_raise_anything_else(format):
    rng = np.random.default_rng(1)
    whole = np.frombuffer(saved(gradient("RGB"), format), np.uint8)
    messages = []
    for _ in range(200):
        damaged = whole.copy()
        damaged[rng.integers(0, len(whole), 8)] = rng.integers(0, 256, 8)
        try:
            decode_image(damaged.tobytes(), name="x")
        except InputError as error:
            messages.append(str(error))
    assert messages
    assert all(message.isprintable() for message in messages)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "x: the file is empty"),
        (b"patient list, not an image", "x: not a PNG, JPEG"),
        (b"\x89PNG\r\n\x1a\n", "x: "),
    ],
)
def test_what_is_no_image_says_so(data, message):
    with pytest.raises(InputError, match=message):
        decode_image(data, name="x")


def test_an_absurd_size_is_refused_before_it_is_decoded():
    side = 60_000
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    crc = struct.pack(">I", zlib.crc32(b"IHDR" + header))
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + header + crc
    bomb += struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    with pytest.raises(InputError, match=r"over the limit|more pixels than the limit"):
        decode_image(bomb, name="bomb.png")
    assert side * side > MAX_PIXELS


def test_absent_files_and_folders_say_so(tmp_path):
    with pytest.raises(InputError, match=r"gone\.png: cannot be read \(No such file"):
        read_image(tmp_path / "gone.png")
    with pytest.raises(InputError, match="cannot be read"):
        read_image(tmp_path)


def test_the_pixel_hash_does_not_depend_on_the_file():
    image = gradient("I;16")
    hashes = {pixels_sha256(decode_image(encode_image(image, kind), name="x").image) for kind in ("png", "tiff")}
    expected = hashlib.sha256(b"I;16 23 17\n" + np.asarray(image).astype("<u2").tobytes()).hexdigest()
    assert hashes == {expected}
    assert pixels_sha256(image.transpose(Image.Transpose.ROTATE_90)) != expected
