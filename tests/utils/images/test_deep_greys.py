"""Grey levels of more than 8 bits: one rule, and the same eight bits for everyone who looks at them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from medqdeg.degradations import degrade
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.building.item import ImageSource, SourceItem
from medqdeg.utils.building.make.degrading import degrade_item
from medqdeg.utils.building.make.image_measures import grey
from medqdeg.utils.building.plan.described_images import describe
from medqdeg.utils.dataset.image_cells import decode_cell
from medqdeg.utils.images import decode_image, encode_image, to_8_bits
from medqdeg.utils.images.contact_sheet import _as_rgb
from medqdeg.utils.images.deep_greys import to_full_scale

from ...conftest import shared_folder


def stored(bits: int, side: int = 32) -> np.ndarray:
    """Grey levels of so many bits, from 0 to the greatest, uint16."""
    return np.linspace(0, 2**bits - 1, side * side).round().astype(np.uint16).reshape(side, side)


def as_file(values: np.ndarray, format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, format, **options)
    return buffer.getvalue()


def tiff(values: np.ndarray, *, white_is_zero: bool = False) -> bytes:
    """A grey TIFF of the array's depth and sign, uncompressed; Pillow writes neither signed nor inverted ones."""
    height, width = values.shape
    pixels = values.astype(values.dtype.newbyteorder("<")).tobytes()
    entries = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, 8 * values.dtype.itemsize),
        (259, 3, 1),
        (262, 3, 0 if white_is_zero else 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 4, height),
        (279, 4, len(pixels)),
        (339, 3, 2 if values.dtype.kind == "i" else 1),
    ]
    tags = b"".join(
        tag.to_bytes(2, "little") + kind.to_bytes(2, "little") + (1).to_bytes(4, "little") + value.to_bytes(4, "little")
        for tag, kind, value in entries
    )
    place = (8 + len(pixels)).to_bytes(4, "little")
    return b"II*\0" + place + pixels + len(entries).to_bytes(2, "little") + tags + bytes(4)


@pytest.mark.parametrize("bits", [5, 10, 12, 14])
@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_everyone_sees_the_same_eight_bits(bits: int, format: str) -> None:
    values = stored(bits)
    data = as_file(values, format)
    expected = np.linspace(0, 255, values.size).reshape(values.shape)
    decoded = decode_image(data, name="x")
    assert decoded.rendering["grey_range"] == {"source": "used", "low": 0, "high": 2**bits - 1}
    model = np.asarray(decode_cell({"bytes": data, "path": None}))
    assert np.abs(model[..., 0] - expected).max() <= max(2, 255 / (2**bits - 1))
    assert np.ptp(model) == 255
    built = degrade_item([data], [], seed=0, modality="CT", table=None).clean[0]  # type: ignore[arg-type]
    item = SourceItem("s", "1", "q", ("a", "b"), 0, "CT", "unlabelled", (ImageSource("x", lambda: data),))
    facts = describe(item)
    assert built.image.mode == facts[0].mode == "L"  # type: ignore[index]
    seen = [
        np.asarray(decode_cell({"bytes": built.png, "path": None})),
        np.asarray(_as_rgb(decoded.image)),
        np.repeat(grey(decoded.image)[..., None], 3, axis=2),
        np.repeat(np.asarray(decoded.in_8_bits().image)[..., None], 3, axis=2),
    ]
    for other in seen:
        np.testing.assert_array_equal(other, model)


@pytest.mark.parametrize("name", ["adjust_brightness", "exposure", "reduce_contrast"])
def test_a_degraded_output_of_16_bits_is_not_stretched_back(name: str) -> None:
    image = decode_image(as_file(stored(10)), name="x").image
    worse = degrade(image, name, 2, seed=0)
    assert np.asarray(worse).max() > 0
    for format in ("png", "tiff"):
        again = decode_image(encode_image(worse, format), name="x")
        np.testing.assert_array_equal(np.asarray(again.image), np.asarray(worse))
        assert again.rendering["grey_range"]["source"] == "stated"
    seen = np.asarray(decode_cell({"bytes": encode_image(worse), "path": None}))[..., 0]
    np.testing.assert_array_equal(seen, np.asarray(to_8_bits(worse)))


def test_levels_that_need_all_16_bits_stay() -> None:
    values = stored(16)
    decoded = decode_image(as_file(values), name="x")
    np.testing.assert_array_equal(np.asarray(decoded.image), values)
    assert decoded.rendering["grey_range"]["source"] == "whole"


def test_a_window_states_the_range() -> None:
    data = as_file(stored(10))
    decoded = decode_image(data, name="x", window=(2048, 4096))
    assert decoded.rendering["grey_range"] == {"source": "given", "low": 0, "high": 4095}
    assert np.asarray(decoded.image).max() == round(1023 * 65535 / 4095)
    whole = decode_image(data, name="x", window=(32768, 65536))
    np.testing.assert_array_equal(np.asarray(whole.image), stored(10))
    flat = decode_image(as_file(stored(16) // 2 + 20000), name="x", window="full")
    assert np.asarray(flat.image).min() == 0
    assert np.asarray(flat.image).max() == 65535


@given(
    st.lists(st.integers(-32768, 65535), min_size=1, max_size=30),
    st.sampled_from([None, "full", (40.0, 400.0), (0.0, 1.0), (30000.5, 2.5)]),
)
def test_order_is_kept_and_nothing_leaves_16_bits(levels: list[int], window: object) -> None:
    values = np.sort(np.array(levels))
    scaled, decided = to_full_scale(values, window=window)  # type: ignore[arg-type]
    assert scaled.dtype == np.uint16
    assert (np.diff(scaled.astype(int)) >= 0).all()
    if decided["source"] == "used":
        assert (scaled[0], scaled[-1]) == (0, 65535)


def test_white_is_zero_and_signed_values() -> None:
    values = stored(16)
    inverted = decode_image(tiff(values, white_is_zero=True), name="x")
    np.testing.assert_array_equal(np.asarray(inverted.image), 65535 - values)
    shallow = (values // 256).astype(np.uint8)
    np.testing.assert_array_equal(
        np.asarray(decode_image(tiff(shallow, white_is_zero=True), name="x").image), 255 - shallow
    )
    signed = np.arange(-128, 128, dtype=np.int8).reshape(16, 16)
    np.testing.assert_array_equal(np.asarray(decode_image(tiff(signed), name="x").image).ravel(), np.arange(256))
    hounsfield = np.linspace(-1024, 3071, 256).round().astype(np.int16).reshape(16, 16)
    ct = decode_image(tiff(hounsfield), name="x")
    assert ct.rendering["grey_range"] == {"source": "used", "low": -1024, "high": 3071}
    assert (np.diff(np.asarray(ct.image).ravel().astype(int)) >= 0).all()


def test_floats_and_deep_colour_are_refused_alike() -> None:
    data = as_file(np.zeros((4, 4), np.float32), "TIFF")
    messages = []
    for read in (lambda: decode_image(data, name="the image"), lambda: decode_cell({"bytes": data, "path": None})):
        with pytest.raises(ValueError, match="mode F are not read") as caught:
            read()
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


REAL = {
    "deep_cr_16bit.png": (0, 979),
    "deep_mr_small_16bit.png": (None, 2018),
    "12in16bit.tif": (0, 30),
    "16bit.cropped.tif": (291, 694),
}


@pytest.fixture(scope="module")
def real_files() -> Path:
    return shared_folder("real_files", "real files")


@pytest.mark.parametrize("name", REAL)
def test_real_files_are_not_black(real_files: Path, name: str) -> None:
    data = (real_files / name).read_bytes()
    low, high = REAL[name]
    found = decode_image(data, name=name).rendering["grey_range"]
    assert found["high"] == high
    assert low is None or found["low"] == low
    assert np.ptp(np.asarray(decode_cell({"bytes": data, "path": None}))) == 255


def test_real_inverted_and_signed_files(real_files: Path) -> None:
    inverted = decode_image((real_files / "miniswhite_16bit_generated.tif").read_bytes(), name="x").image
    assert np.asarray(to_8_bits(inverted))[0, 0] == 255
    assert decode_image((real_files / "8bit.s.tif").read_bytes(), name="x").rendering["signed"] is True


@pytest.mark.parametrize("window", [(40.0, 0.0), (40.0, -400.0), (float("nan"), 1.0), "bone"])
def test_a_window_that_no_formula_takes_is_refused(window: object) -> None:
    with pytest.raises(InputError, match="neither full nor a centre and a positive width"):
        decode_image(as_file(stored(10)), name="x", window=window)  # type: ignore[arg-type]
