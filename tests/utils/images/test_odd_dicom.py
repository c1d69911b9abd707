"""DICOM files whose headers no viewer can use as they stand: what is shown instead, and that it is said."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.images import decode_image, dicom, is_dicom, read_image

from ...conftest import shared_folder
from .test_dicom import dicom_bytes

pydicom = pytest.importorskip("pydicom")

from pydicom.data import get_testdata_file  # noqa: E402
from pydicom.sequence import Sequence  # noqa: E402
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian  # noqa: E402

RAMP = np.arange(0, 4000, 10, dtype=np.uint16).reshape(20, 20)


def edited(**raw: object) -> bytes:
    """A small MR of pydicom's with elements set to what `pydicom` itself would refuse to write."""
    dataset = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    for keyword in ("WindowCenter", "WindowWidth", "PixelPaddingValue"):
        if keyword in dataset:
            del dataset[keyword]
    for keyword, value in raw.items():
        with pydicom.config.disable_value_validation():
            setattr(dataset, keyword, value)
    buffer = io.BytesIO()
    with pydicom.config.disable_value_validation():
        dataset.save_as(buffer)
    return buffer.getvalue()


def levels(data: bytes) -> tuple[np.ndarray, dict]:
    decoded = decode_image(data, name="x.dcm")
    return np.asarray(decoded.image), decoded.rendering["voi"]


@pytest.mark.parametrize(
    ("header", "note"),
    [
        ({"WindowCenter": 0, "WindowWidth": 0}, "window of centre 0 and width 0 cannot be used"),
        ({"WindowCenter": 40, "WindowWidth": -400}, "width -400 cannot be used"),
        ({"WindowCenter": 40}, "width none cannot be used"),
        ({"WindowCenter": 40, "WindowWidth": 400, "VOILUTFunction": "CUBIC"}, "VOI function 'CUBIC' is not known"),
    ],
)
def test_an_unusable_window_is_the_full_range_and_said(header: dict, note: str) -> None:
    expected, _ = levels(edited())
    found, voi = levels(edited(**header))
    np.testing.assert_array_equal(found, expected)
    assert voi["source"] == "full range"
    assert note in voi["notes"][0]


def test_the_first_usable_of_several_windows_counts() -> None:
    expected, _ = levels(edited(WindowCenter=600, WindowWidth=1600))
    found, voi = levels(edited(WindowCenter=["", "600"], WindowWidth=["", "1600"]))
    assert (voi["center"], voi["width"]) == (600, 1600)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("function", [None, "LINEAR_EXACT"])
def test_a_width_below_one_is_linear_exact(function: str | None) -> None:
    """PS3.3 C.11.2.1.3.2: all at or below c - w/2 is black, all above c + w/2 white."""
    header = {} if function is None else {"VOILUTFunction": function}
    found, voi = levels(dicom_bytes(RAMP, WindowCenter="2000", WindowWidth="0.5", **header))
    assert voi["function"] == "LINEAR_EXACT"
    np.testing.assert_array_equal(found[RAMP < 2000], 0)
    np.testing.assert_array_equal(found[RAMP > 2000], 255)


@pytest.mark.parametrize("slope", ["", "0"])
def test_an_unusable_slope_is_one(slope: str) -> None:
    expected, _ = levels(edited(RescaleSlope="1", RescaleIntercept="5", WindowCenter=600, WindowWidth=1600))
    found, voi = levels(edited(RescaleSlope=slope, RescaleIntercept="5", WindowCenter=600, WindowWidth=1600))
    np.testing.assert_array_equal(found, expected)
    assert "rescale slope" in voi["notes"][0]


@pytest.mark.parametrize("keyword", ["ModalityLUTSequence", "VOILUTSequence"])
def test_an_empty_sequence_is_an_absent_one(keyword: str) -> None:
    expected, _ = levels(edited())
    found, voi = levels(edited(**{keyword: Sequence([])}))
    np.testing.assert_array_equal(found, expected)
    assert "notes" not in voi


def palette_of(order: str, *, bits: int = 16, words: bool = True) -> dict[str, object]:
    """A palette of 16 entries that runs from black to (240, 120, 60)."""
    elements: dict[str, object] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour, top in (("Red", 240), ("Green", 120), ("Blue", 60)):
        table = np.linspace(0, top, 16).round()
        data = (table * (257 if bits == 16 else 1)).astype(f"{order}u2") if words else table.astype(np.uint8)
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = [16, 0, bits]
        elements[f"{colour}PaletteColorLookupTableData"] = data.tobytes()
    return elements


@pytest.mark.parametrize(
    ("syntax", "order"),
    [(ExplicitVRBigEndian, ">"), (ImplicitVRLittleEndian, "<"), (ExplicitVRLittleEndian, "<")],
)
@pytest.mark.parametrize("bits", [8, 16])
def test_palettes_in_either_byte_order(syntax: str, order: str, bits: int) -> None:
    index = np.arange(16, dtype=np.uint8).reshape(4, 4)
    data = dicom_bytes(index, syntax=syntax, **palette_of(order, bits=bits))
    found = np.asarray(decode_image(data, name="x").image)
    expected = np.stack([np.linspace(0, top, 16).round() for top in (240, 120, 60)], axis=-1).reshape(4, 4, 3)
    np.testing.assert_array_equal(found, expected)


def test_an_index_of_16_bits_into_entries_of_8() -> None:
    index = np.arange(250, 266, dtype=np.uint16).reshape(4, 4)
    elements: dict[str, object] = {"PhotometricInterpretation": "PALETTE COLOR"}
    table = (np.arange(300) // 2).astype(np.uint8)
    for colour in ("Red", "Green", "Blue"):
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = [300, 0, 8]
        elements[f"{colour}PaletteColorLookupTableData"] = table.tobytes()
    found = np.asarray(decode_image(dicom_bytes(index, **elements), name="x").image)
    np.testing.assert_array_equal(found[..., 0], index // 2)


def bare(data: bytes, *, keep_meta: bool) -> bytes:
    """The file without its preamble, and without its file meta group."""
    if keep_meta:
        return data[132:]
    length = int.from_bytes(data[140:144], "little")  # the value of (0002,0000)
    return data[144 + length :]


@pytest.mark.parametrize("keep_meta", [True, False])
@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small.dcm", "MR_small_implicit.dcm"])
def test_a_file_without_preamble_is_read(keep_meta: bool, name: str, tmp_path: Path) -> None:
    whole = Path(get_testdata_file(name)).read_bytes()
    data = bare(whole, keep_meta=keep_meta)
    assert is_dicom(data)
    np.testing.assert_array_equal(
        np.asarray(decode_image(data, name="x").image), np.asarray(decode_image(whole, name="x").image)
    )


@pytest.mark.parametrize("data", [b"", b"\x08\x00", b"II*\0" * 40, bytes(200), b"\x02\x00\x00\x00 is no element" * 9])
def test_what_is_no_dicom_is_not_taken_for_one(data: bytes) -> None:
    assert not is_dicom(data)


def test_a_package_that_does_not_import_is_not_called_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ImportError("numpy.core.multiarray failed to import")

    monkeypatch.setattr("pydicom.pixels.pixel_array", broken)
    with pytest.raises(InputError, match="does not import") as caught:
        decode_image(edited(), name="x.dcm")
    assert "damaged" not in str(caught.value)


def test_12_bit_jpeg_without_its_decoder_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "imagecodecs", None)
    with pytest.raises(
        InputError, match=r"JPEG with 12 bits; to read it \(imagecodecs\): pip install '\.\[dicom-12bit\]'"
    ):
        read_image(get_testdata_file("JPGExtended.dcm"))


def test_12_bit_jpeg_is_decoded() -> None:
    pytest.importorskip("imagecodecs")
    image = np.asarray(read_image(get_testdata_file("JPGExtended.dcm")).image)
    assert image.shape == (1024, 256)
    assert np.ptp(image) > 100


def test_what_libraries_print_does_not_reach_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    import os

    from medqdeg.utils.images.quiet import quiet_libraries

    with quiet_libraries(), quiet_libraries():
        os.write(2, b"a line of a C library\n")
    os.write(2, b"a line of ours\n")
    assert capfd.readouterr().err == "a line of ours\n"


@pytest.fixture(scope="module")
def real_files() -> Path:
    return shared_folder("real_files", "real files")


def test_real_files(real_files: Path) -> None:
    expected = np.asarray(Image.open(real_files / "palette_expected.png").convert("RGB")).astype(int)
    found = np.asarray(read_image(real_files / "palette_big_endian_cut.dcm").image).astype(int)
    assert np.abs(found - expected).max() <= 2
    assert read_image(real_files / "window_width_0.dcm").rendering["voi"]["source"] == "full range"
    assert read_image(real_files / "no_preamble_JLSL_RGB.dcm").image.mode == "RGB" if _reads_jpeg_ls() else True


def _reads_jpeg_ls() -> bool:
    from pydicom.pixels import get_decoder

    return get_decoder(pydicom.uid.JPEGLSLossless).is_available


def test_no_transfer_syntax_is_what_the_elements_look_like() -> None:
    assert dicom._uncompressed(True, True) == ImplicitVRLittleEndian
    assert dicom._uncompressed(False, False) == ExplicitVRBigEndian
