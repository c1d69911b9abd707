"""DICOM to grey levels: against the standard's formulas by hand, on files made here and on pydicom's own."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.images import decode_image, dicom, read_image
from medqdeg.utils.images.dicom import count_dicom_frames, decode_dicom, dicom_modality

pydicom = pytest.importorskip("pydicom")

from pydicom.data import get_testdata_file  # noqa: E402
from pydicom.dataset import Dataset, FileMetaDataset  # noqa: E402
from pydicom.sequence import Sequence  # noqa: E402
from pydicom.uid import (  # noqa: E402
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEGLosslessSV1,
    SecondaryCaptureImageStorage,
    generate_uid,
)


def dicom_bytes(pixels: np.ndarray, *, syntax: str = ExplicitVRLittleEndian, **elements: object) -> bytes:
    """A DICOM file around `pixels`: (H, W), (H, W, 3), or (frames, H, W) where NumberOfFrames is given."""
    pixels = np.asarray(pixels)
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["a test"])
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID
    dataset.PatientName = "Doe^Jane"
    colour = pixels.ndim == 3 and "NumberOfFrames" not in elements
    shape = pixels.shape if colour or pixels.ndim == 2 else pixels.shape[1:]
    dataset.Rows, dataset.Columns = shape[:2]
    dataset.SamplesPerPixel = 3 if colour else 1
    if colour:
        dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = pixels.dtype.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    dataset.PixelData = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    dataset["PixelData"].VR = "OW" if pixels.dtype.itemsize > 1 else "OB"
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def levels(data: bytes, **options: object) -> np.ndarray:
    return np.asarray(decode_dicom(data, name="x.dcm", **options)[0])


RAMP = np.arange(0, 4096, 8, dtype=np.uint16).reshape(16, 32)


def windowed(values: np.ndarray, center: float, width: float) -> np.ndarray:
    """PS3.3 C.11.2.1.2.1, value by value, onto 0 .. 255."""
    out = np.empty(values.shape)
    for index, x in np.ndenumerate(values):
        if x <= center - 0.5 - (width - 1) / 2:
            out[index] = 0
        elif x > center - 0.5 + (width - 1) / 2:
            out[index] = 255
        else:
            out[index] = ((x - (center - 0.5)) / (width - 1) + 0.5) * 255
    return np.rint(out).astype(np.uint8)


def test_a_window_follows_the_standard_after_rescale():
    data = dicom_bytes(RAMP, WindowCenter="40", WindowWidth="400", RescaleSlope="0.5", RescaleIntercept="-1024")
    np.testing.assert_array_equal(levels(data), windowed(RAMP * 0.5 - 1024, 40, 400))


def test_signed_pixels_are_rescaled_as_signed():
    signed = RAMP.astype(np.int16) - 1024
    data = dicom_bytes(signed, WindowCenter="-600", WindowWidth="1500")
    np.testing.assert_array_equal(levels(data), windowed(signed, -600, 1500))


def test_big_endian_files_give_the_same_levels():
    options = {"WindowCenter": "2000", "WindowWidth": "3000"}
    np.testing.assert_array_equal(
        levels(dicom_bytes(RAMP, syntax=ExplicitVRBigEndian, **options)), levels(dicom_bytes(RAMP, **options))
    )


def test_monochrome1_is_the_negative():
    options = {"WindowCenter": "2000", "WindowWidth": "3000"}
    positive = levels(dicom_bytes(RAMP, **options)).astype(int)
    negative = levels(dicom_bytes(RAMP, PhotometricInterpretation="MONOCHROME1", **options)).astype(int)
    assert np.abs(positive + negative - 255).max() <= 1  # 1 where both were rounded up from a half
    assert negative[0, 0] == 255
    assert negative[-1, -1] == 0


def test_the_other_window_functions():
    exact = dicom_bytes(RAMP, WindowCenter="2000", WindowWidth="1000", VOILUTFunction="LINEAR_EXACT")
    np.testing.assert_array_equal(levels(exact), np.rint(np.clip((RAMP - 2000.0) / 1000 + 0.5, 0, 1) * 255))
    sigmoid = dicom_bytes(RAMP, WindowCenter="2000", WindowWidth="1000", VOILUTFunction="SIGMOID")
    np.testing.assert_array_equal(levels(sigmoid), np.rint(255 / (1 + np.exp(-4 * (RAMP - 2000.0) / 1000))))


def test_the_first_of_several_windows_counts():
    data = dicom_bytes(RAMP, WindowCenter=["1000", "2000"], WindowWidth=["500", "3000"])
    np.testing.assert_array_equal(levels(data), windowed(RAMP, 1000, 500))
    assert decode_dicom(data, name="x")[1]["voi"] == {
        "source": "file",
        "function": "LINEAR",
        "center": 1000.0,
        "width": 500.0,
    }


def test_without_a_window_the_full_range_is_shown():
    values = (RAMP[:4, :4] // 8 + 100).astype(np.uint16)
    expected = np.rint((values - values.min()) / (values.max() - values.min()) * 255)
    data = dicom_bytes(values)
    np.testing.assert_array_equal(levels(data), expected)
    assert decode_dicom(data, name="x")[1]["voi"] == {"source": "full range", "low": 100.0, "high": 199.0}


def test_a_given_window_or_full_overrides_the_file():
    data = dicom_bytes(RAMP, WindowCenter="40", WindowWidth="400")
    np.testing.assert_array_equal(levels(data, window=(2000.0, 100.0)), windowed(RAMP, 2000, 100))
    np.testing.assert_array_equal(levels(data, window="full"), np.rint(RAMP / RAMP.max() * 255))


def test_a_constant_image_is_black_not_an_error():
    assert levels(dicom_bytes(np.full((3, 4), 7, np.uint16))).max() == 0


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black_and_does_not_stretch_the_range(photometric):
    signed = np.array([[-2000, 10, 20], [30, -2000, 60]], np.int16)
    data = dicom_bytes(signed, PixelPaddingValue=-2000, PhotometricInterpretation=photometric)
    expected = np.array([[0, 0, 51], [102, 0, 255]])
    if photometric == "MONOCHROME1":
        expected = np.array([[0, 255, 204], [153, 0, 0]])
    np.testing.assert_array_equal(levels(data), expected)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize(("bits", "vr"), [(8, "US"), (12, "US"), (16, "OW")])
def test_a_voi_lut_comes_before_the_window(bits, vr, syntax):
    table = np.round((np.arange(4000) / 3999) ** 2 * (2**bits - 1)).astype(np.uint16)
    item = Dataset()
    item.LUTDescriptor = [len(table), 50, bits]
    order = ">u2" if syntax == ExplicitVRBigEndian else "<u2"
    item.add_new(0x00283006, vr, table.astype(order).tobytes() if vr == "OW" else table.tolist())
    data = dicom_bytes(RAMP, syntax=syntax, VOILUTSequence=Sequence([item]), WindowCenter="40", WindowWidth="400")
    expected = [[round(table[min(max(int(x) - 50, 0), 3999)] / (2**bits - 1) * 255) for x in row] for row in RAMP]
    np.testing.assert_allclose(levels(data), expected, atol=0)
    assert decode_dicom(data, name="x")[1]["voi"] == {"source": "VOI LUT"}


def test_rgb_comes_through_and_nothing_of_the_header_does():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    image, rendering = decode_dicom(dicom_bytes(pixels), name="x")
    assert image.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(image), pixels)
    assert "Doe" not in repr(rendering) + repr(image.info)


def test_ybr_is_converted_by_the_standards_matrix():
    """PS3.3 C.7.6.3.1.2, solved for RGB."""
    rgb = np.random.default_rng(0).integers(40, 215, (5, 7, 3)).astype(float)
    forward = np.array([[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]])
    ybr = np.rint(rgb @ forward.T + [0, 128, 128]).astype(np.uint8)
    shown = levels(dicom_bytes(ybr, PhotometricInterpretation="YBR_FULL"))
    assert np.abs(shown - rgb).max() <= 2  # rounding of Y, Cb and Cr


def test_frames_must_be_chosen_and_each_keeps_its_own_settings():
    stack = np.stack([RAMP, RAMP // 2])
    groups = []
    for slope, center in (("1", "1000"), ("2", "2000")):
        transformation, voi, group = Dataset(), Dataset(), Dataset()
        transformation.RescaleSlope, transformation.RescaleIntercept = slope, "-100"
        voi.WindowCenter, voi.WindowWidth = center, "800"
        group.PixelValueTransformationSequence = Sequence([transformation])
        group.FrameVOILUTSequence = Sequence([voi])
        groups.append(group)
    data = dicom_bytes(stack, NumberOfFrames=2, PerFrameFunctionalGroupsSequence=Sequence(groups))
    assert count_dicom_frames(data, name="x") == 2
    with pytest.raises(InputError, match="x: holds 2 frames; choose one"):
        decode_dicom(data, name="x")
    np.testing.assert_array_equal(levels(data, frame=0), windowed(RAMP - 100.0, 1000, 800))
    np.testing.assert_array_equal(levels(data, frame=1), windowed(RAMP // 2 * 2 - 100.0, 2000, 800))
    assert decode_dicom(data, name="x", frame=1)[1]["frame"] == 1


def test_shared_settings_serve_every_frame():
    transformation, group = Dataset(), Dataset()
    transformation.RescaleSlope, transformation.RescaleIntercept = "1", "-500"
    group.PixelValueTransformationSequence = Sequence([transformation])
    data = dicom_bytes(
        np.stack([RAMP, RAMP]),
        NumberOfFrames=2,
        SharedFunctionalGroupsSequence=Sequence([group]),
        WindowCenter="100",
        WindowWidth="900",
    )
    np.testing.assert_array_equal(levels(data, frame=1), windowed(RAMP - 500.0, 100, 900))


# pydicom's own files: (file, options, mode, size (width, height), modality in our names).
BUNDLED = [
    ("CT_small.dcm", {}, "L", (128, 128), "CT"),
    ("MR_small.dcm", {}, "L", (64, 64), "MRI"),
    ("MR_small_RLE.dcm", {}, "L", (64, 64), "MRI"),
    ("MR_small_bigendian.dcm", {}, "L", (64, 64), "MRI"),
    ("examples_overlay.dcm", {}, "L", (484, 300), "MRI"),
    ("examples_palette.dcm", {}, "RGB", (800, 350), "Ultrasound"),
    ("examples_rgb_color.dcm", {}, "RGB", (320, 240), "Ultrasound"),
    ("SC_ybr_full_422_uncompressed.dcm", {}, "RGB", (100, 100), None),
    ("SC_rgb_rle_16bit.dcm", {}, "RGB", (100, 100), None),
    ("SC_rgb_rle_2frame.dcm", {"frame": 1}, "RGB", (100, 100), None),
    ("liver_1frame.dcm", {}, "L", (512, 512), None),
    ("rtdose.dcm", {"frame": 3}, "L", (10, 10), None),
    ("image_dfl.dcm", {}, "L", (512, 512), None),
    ("examples_ybr_color.dcm", {"frame": 29}, "RGB", (320, 240), "Ultrasound"),  # JPEG baseline
    ("examples_jpeg2k.dcm", {}, "RGB", (640, 480), "Ultrasound"),
    ("693_J2KI.dcm", {}, "L", (512, 512), "CT"),
]


@pytest.mark.parametrize(("file", "options", "mode", "size", "modality"), BUNDLED)
def test_pydicoms_bundled_files(file, options, mode, size, modality):
    decoded = read_image(get_testdata_file(file), **options)
    assert (decoded.image.mode, decoded.image.size) == (mode, size)
    assert decoded.rendering.get("modality") == modality
    assert np.asarray(decoded.image).std() > 1
    with open(get_testdata_file(file), "rb") as handle:  # noqa: PTH123
        assert dicom_modality(handle.read(), name="x") == modality


def test_one_image_in_four_encodings_looks_the_same():
    shown = [
        np.asarray(read_image(get_testdata_file(file)).image)
        for file in ("MR_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm")
    ]
    for other in shown[1:]:
        np.testing.assert_array_equal(other, shown[0])


def test_the_bundled_mr_image_against_the_formula():
    dataset = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    expected = windowed(dataset.pixel_array, float(dataset.WindowCenter), float(dataset.WindowWidth))
    np.testing.assert_array_equal(np.asarray(read_image(get_testdata_file("MR_small.dcm")).image), expected)


def test_palette_colours_against_a_look_up_by_hand():
    dataset = pydicom.dcmread(get_testdata_file("examples_palette.dcm"))
    _, first, bits = dataset.RedPaletteColorLookupTableDescriptor
    assert (first, bits) == (0, 16)
    tables = [
        np.frombuffer(dataset[f"{colour}PaletteColorLookupTableData"].value, "<u2")
        for colour in ("Red", "Green", "Blue")
    ]
    expected = np.stack([np.rint(table / 257)[dataset.pixel_array] for table in tables], axis=-1)
    np.testing.assert_array_equal(np.asarray(read_image(get_testdata_file("examples_palette.dcm")).image), expected)


def test_a_compressed_file_that_nothing_decodes_names_the_package(monkeypatch):
    decoder = pydicom.pixels.get_decoder(JPEGLosslessSV1)
    monkeypatch.setattr(decoder, "_available", {})
    monkeypatch.setattr(decoder, "_unavailable", {"gdcm": ("gdcm>=3.0.10",)})
    with pytest.raises(
        InputError, match=r"compressed as JPEG Lossless; to read it: pip install '\.\[dicom\]'"
    ) as caught:
        read_image(get_testdata_file("SC_rgb_jpeg_gdcm.dcm"))
    assert "\n" not in str(caught.value)


def test_the_extra_is_named_only_where_it_helps():
    class Decoder:
        missing_dependencies = ("pylibjpeg - requires pylibjpeg>=2.0 and pylibjpeg-libjpeg>=2.1",)

    assert dicom._how_to_install(Decoder) == "to read it install pylibjpeg>=2.0 and pylibjpeg-libjpeg>=2.1"
    Decoder.missing_dependencies = ("gdcm - requires gdcm>=3.0.10", *Decoder.missing_dependencies)
    assert ".[dicom]" in dicom._how_to_install(Decoder)


def test_the_extra_in_pyproject_has_the_decoders_that_messages_promise():
    pyproject = Path(__file__).parents[3] / "pyproject.toml"
    (extra,) = [line for line in pyproject.read_text().splitlines() if line.startswith("dicom = ")]
    assert all(f'"{name}>' in extra for name in dicom._DECODERS_OF_THE_EXTRA)


def test_jpeg_lossless_with_the_decoders_of_the_extra():
    pytest.importorskip("gdcm", reason="python-gdcm, of the extra `dicom`, is not installed")
    image = read_image(get_testdata_file("SC_rgb_jpeg_gdcm.dcm")).image
    reference = read_image(get_testdata_file("SC_rgb_rle.dcm")).image
    np.testing.assert_array_equal(np.asarray(image), np.asarray(reference))


def test_a_transfer_syntax_of_video_is_refused():
    data = dicom_bytes(np.zeros((4, 4), np.uint8))
    mpeg4 = b"1.2.840.10008.1.2.4.102\0"
    plain = str(ExplicitVRLittleEndian).encode()
    start = data.index(plain)
    length = data[start - 2 : start]
    assert int.from_bytes(length, "little") == len(plain) + len(plain) % 2
    data = data[: start - 2] + len(mpeg4).to_bytes(2, "little") + mpeg4 + data[start + 20 :]
    with pytest.raises(InputError, match=r"^x\.dcm: "):
        decode_dicom(data, name="x.dcm")


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("test-SR.dcm", "holds no image"),
        ("waveform_ecg.dcm", "holds no image"),
        ("rtplan.dcm", "holds no image"),
        ("MR_truncated.dcm", "its pixels cannot be decoded"),
        ("nested_priv_SQ.dcm", "does not say its rows and columns"),
    ],
)
def test_files_without_an_image_say_so(file, message):
    with pytest.raises(InputError, match=message) as caught:
        read_image(get_testdata_file(file))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("photometric", ["CMYK", "HSV", "ARGB", ""])
def test_other_photometric_interpretations_are_refused(photometric):
    data = dicom_bytes(np.zeros((2, 2, 3), np.uint8), PhotometricInterpretation=photometric)
    with pytest.raises(InputError, match=r"^x: "):
        decode_dicom(data, name="x")


def test_an_absurd_size_is_refused():
    data = dicom_bytes(np.zeros((2, 2), np.uint8), Rows=60000, Columns=60000)
    with pytest.raises(InputError, match="60000 x 60000 pixels are over the limit"):
        decode_dicom(data, name="x")


def test_damaged_files_never_raise_anything_else():
    rng = np.random.default_rng(2)
    whole = np.frombuffer(dicom_bytes(RAMP, WindowCenter="40", WindowWidth="400"), np.uint8)
    header = len(whole) - RAMP.nbytes
    messages = []
    for _ in range(300):
        damaged = whole.copy()
        damaged[rng.integers(132, header, 4)] = rng.integers(0, 256, 4)
        try:
            decode_image(damaged.tobytes()[: rng.integers(140, len(whole) + 1)], name="x")
        except InputError as error:
            messages.append(str(error))
    assert messages
    assert all(message.isprintable() for message in messages)


def test_without_pydicom_the_message_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(InputError, match="pip install 'pydicom"):
        decode_dicom(b"\0" * 128 + b"DICM", name="x")


def test_modalities_are_those_of_the_library():
    from medqdeg.degradations import MODALITIES

    assert set(dicom.MODALITIES.values()) <= set(MODALITIES)
