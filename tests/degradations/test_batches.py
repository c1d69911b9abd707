"""Batches of tensors in torch: `degrade`'s images to within one grey level, from the same draws."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from medqdeg.degradations import UnchangedImageError, choosing, degrade, degrade_with_record, get, list_degradations
from medqdeg.degradations.transforms import Degrade

torch = pytest.importorskip("torch")

from medqdeg.degradations.batches import degrade_batch, degrade_batch_with_records  # noqa: E402

BATCHED = [name for name in list_degradations() if get(name).batched]
ONE_BY_ONE = [name for name in list_degradations() if not get(name).batched]
SHAPES = [(64, 64, 3), (63, 50), (41, 70, 3), (37, 90, 1)]
AS_DTYPE = {
    "uint8": lambda levels: levels,
    "uint16": lambda levels: levels.astype(np.uint16) * 257,
    "float16": lambda levels: (levels / 255).astype(np.float16),
    "float32": lambda levels: (levels / 255).astype(np.float32),
    "float64": lambda levels: levels / 255,
}
LEVEL = {"uint8": 1.0, "uint16": 257.0}
"""One grey level of 255, in the dtype's own numbers; 1/255 in the others."""
# A float16 in [0, 1] is itself an eighth of a level wide.
LARGEST_SHARE_OFF = 0.04


def chw(image: np.ndarray) -> Any:
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(image if image.ndim == 3 else image[..., None], 2, 0)))


def hwc(tensor: Any, shape: tuple[int, ...]) -> np.ndarray:
    return np.moveaxis(tensor.numpy(), 0, 2).reshape(shape)


def images(picture: Any, shape: tuple[int, ...], dtype: str = "uint8", count: int = 3) -> list[np.ndarray]:
    flat = shape[:2] if len(shape) == 3 and shape[2] == 1 else shape
    return [AS_DTYPE[dtype](picture(flat, seed).reshape(shape)) for seed in range(count)]


def levels_apart(first: np.ndarray, second: np.ndarray, dtype: str) -> np.ndarray:
    return np.abs(first.astype(np.float64) - second.astype(np.float64)) / LEVEL.get(dtype, 1 / 255)


@pytest.mark.parametrize("dtype", AS_DTYPE)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", BATCHED)
def test_a_batch_is_degrades_images_to_within_one_level(name, shape, dtype, picture):
    given = images(picture, shape, dtype)
    batch, seeds = torch.stack([chw(image) for image in given]), ["a", 7, "c"]
    before = batch.clone()
    for severity in (1, 2, 0.4, 1.5):
        degraded, records = degrade_batch_with_records(batch, name, severity, seeds=seeds)
        assert degraded.shape == batch.shape
        assert degraded.dtype == batch.dtype
        assert torch.equal(batch, before)
        for image, tensor, record, seed in zip(given, degraded, records, seeds, strict=True):
            plain = image.astype(np.float32) if dtype == "float16" else image
            expected, own = degrade_with_record(plain, name, severity, seed=seed)
            assert record == own
            apart = levels_apart(hwc(tensor, shape), expected, dtype)
            # Truncation takes a whole level for the last bit of a float; where nothing is truncated, little is left.
            assert apart.max() <= (1 if dtype == "uint8" else 0.07 if dtype == "float16" else 0.01), severity
            assert (apart > 0.07).mean() <= LARGEST_SHARE_OFF, severity


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_the_others_go_through_degrade_and_have_its_bytes(name, picture):
    given = images(picture, (40, 48, 3), count=2)
    degraded = degrade_batch(torch.stack([chw(image) for image in given]), name, 1, seeds=["a", "b"])
    for image, tensor, seed in zip(given, degraded, "ab", strict=True):
        np.testing.assert_array_equal(hwc(tensor, image.shape), degrade(image, name, 1, seed=seed))


def test_which_degradations_have_a_torch_operator():
    assert ONE_BY_ONE == ["limited_angle", "sparse_view", "blood_cell", "low_dose"]


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("motion_blur", {"modality": "X-ray"}),
        ("motion_blur", {"length": "5 to 20", "angle": 200}),
        ("gaussian_blur", {"sigma": "2 to 5"}),
        ("gaussian_blur", {"reference_size": 512}),
        ("gaussian_blur", {"sigma": 30}),
        ("gaussian_noise", {"colour": False}),
        ("object_movement", {"per_channel": False}),
        ("object_movement", {"positions": "2 to 6", "shift": "20 px"}),
        ("undersampling", {"shared_mask": True}),
        ("low_resolution", {"modality": "CT"}),
        ("low_resolution", {"keep": "0.2 to 0.9"}),
        ("bias_field", {"floor": 0.6, "normalise": False}),
        ("adjust_brightness", {"offset": 40.5}),
        ("exposure", {"direction": "under"}),
        ("bubble", {"radius": "0.8 of side"}),
    ],
)
def test_settings_are_those_of_degrade(name, settings, picture):
    given = images(picture, (53, 60, 3))
    seeds = range(3)
    degraded = degrade_batch(torch.stack([chw(image) for image in given]), name, 2, seeds=seeds, **settings)
    for image, tensor, seed in zip(given, degraded, seeds, strict=True):
        apart = levels_apart(hwc(tensor, image.shape), degrade(image, name, 2, seed=seed, **settings), "uint8")
        assert apart.max() <= 1
        assert (apart > 0).mean() <= LARGEST_SHARE_OFF


def test_alpha_is_kept_and_so_are_markings(picture):
    grey = np.repeat(picture((64, 64))[..., None], 3, axis=2)
    marked = grey.copy()
    marked[20:40, 20:24] = (255, 30, 30)
    given = [grey, marked, picture((64, 64, 3))]
    for keep in (None, True, False):
        batch = torch.stack([chw(image) for image in given])
        degraded = degrade_batch(batch, "low_resolution", 2, seeds=[0, 1, 2], keep_markings=keep)
        for image, tensor, seed in zip(given, degraded, range(3), strict=True):
            expected = degrade(image, "low_resolution", 2, seed=seed, keep_markings=keep)
            assert levels_apart(hwc(tensor, image.shape), expected, "uint8").max() <= 1
        line = degraded[1, :, 20:40, 20:24]
        assert bool((line == batch[1, :, 20:40, 20:24]).all()) is (keep is not False)
    alpha = torch.arange(64 * 64).reshape(1, 64, 64).to(torch.uint8)
    with_alpha = torch.cat([chw(grey), alpha])[None]
    assert torch.equal(degrade_batch(with_alpha, "exposure", 1, seeds=[0])[0, 3:], alpha)


def test_severity_0_is_a_copy(picture):
    batch = torch.stack([chw(image) for image in images(picture, (32, 32, 3))])
    clean = degrade_batch(batch, "gaussian_noise", 0, seeds=[0, 1, 2])
    assert torch.equal(clean, batch)
    clean.zero_()
    assert batch.any()
    assert degrade_batch(batch[:0], "gaussian_noise", 1, seeds=[]).shape == (0, 3, 32, 32)


def test_no_gradient_passes():
    batch = torch.rand(1, 1, 32, 32, requires_grad=True)
    assert not degrade_batch(batch, "gaussian_blur", 1, seeds=[0]).requires_grad


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"images": torch.zeros(3, 8, 8)}, r"shape \(3, 8, 8\) is no batch"),
        ({"images": torch.zeros(1, 5, 8, 8)}, r"shape \(1, 5, 8, 8\) is no batch"),
        ({"images": torch.full((1, 1, 8, 8), 2.0)}, r"values in \[2, 2\]"),
        ({"images": torch.full((1, 1, 8, 8), float("nan"))}, r"values in \[nan, nan\]"),
        ({"seeds": [0, 1]}, "2 seeds for 1 images"),
        ({"name": "no_such"}, "unknown degradation"),
        ({"sigma": -1}, "sigma must be positive"),
    ],
)
def test_what_cannot_be_is_refused(change, error):
    arguments = {"images": torch.rand(1, 1, 16, 16), "name": "gaussian_blur", "severity": 1, "seeds": [0], **change}
    with pytest.raises(ValueError, match=error):
        degrade_batch(**arguments)


def test_dtypes_and_types_that_hold_no_image_are_refused():
    with pytest.raises(TypeError, match="int64"):
        degrade_batch(torch.zeros(1, 1, 8, 8, dtype=torch.int64), "gaussian_blur", 1, seeds=[0])
    with pytest.raises(TypeError, match="must be a torch tensor"):
        degrade_batch(np.zeros((1, 1, 8, 8)), "gaussian_blur", 1, seeds=[0])


@pytest.mark.parametrize("size", [16, 80])
@pytest.mark.parametrize("name", BATCHED)
def test_an_image_that_does_not_change_is_told_as_degrade_tells_it(name, size, picture):
    for image in (np.zeros((size, size), np.uint8), np.full((size, size), 255, np.uint8), picture((size, size))):
        for level in (1, 2):
            try:
                degrade(image, name, level, seed=3)
                alone = None
            except UnchangedImageError as error:
                alone = str(error)
            try:
                degrade_batch(chw(image)[None], name, level, seeds=[3])
                together = None
            except UnchangedImageError as error:
                together = str(error)
            assert together == alone
            assert degrade_batch(chw(image)[None], name, level, seeds=[3], allow_unchanged=True).shape == (
                1,
                1,
                size,
                size,
            )


# --- Degrade(..., backend="torch") ---


def chosen(backend: str, **settings: Any) -> Degrade:
    names = ["gaussian_noise", "object_rotation", "low_dose", "ghosting"]
    return Degrade(names, "0.5 to 2", seed=0, p=0.8, weights=(2, 2, 1, 1), backend=backend, **settings)


@pytest.mark.parametrize("leading", [(), (7,), (2, 3)])
@pytest.mark.parametrize("key", [None, "scan"])
def test_the_backend_changes_neither_choice_nor_record(leading, key, picture):
    count = int(np.prod(leading))
    batch = torch.stack([chw(image) for image in images(picture, (40, 44, 3), count=count)]).reshape(
        *leading, 3, 40, 44
    )
    expected, records = chosen("numpy").apply_with_record(batch, key)
    degraded, own = chosen("torch").apply_with_record(batch, key)
    assert own == records
    assert degraded.shape == expected.shape
    assert levels_apart(degraded.numpy(), expected.numpy(), "uint8").max() <= 1


@pytest.mark.parametrize("dtype", AS_DTYPE)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_images_of_several_choices_in_one_batch(dtype, channels, picture):
    batch = torch.stack([chw(image) for image in images(picture, (36, 40, 3), dtype, count=6)])
    batch = torch.cat([batch, batch[:, :1]], dim=1)[:, :channels]
    expected, degraded = (chosen(backend)(batch) for backend in ("numpy", "torch"))
    assert degraded.dtype == batch.dtype
    assert levels_apart(degraded.numpy(), expected.numpy(), dtype).max() <= 1
    assert torch.equal(degraded[:, 3:], batch[:, 3:])
    for backend in ("numpy", "torch"):
        assert chosen(backend)(batch[:0]).shape == batch[:0].shape


def test_a_grey_tensor_without_channels_and_hounsfield_units(picture):
    grey = torch.from_numpy(picture((48, 40)).copy())
    one = {"seed": 0, "severity": 1, "name": "gaussian_noise"}
    expected, degraded = (Degrade(**one, backend=backend)(grey) for backend in ("numpy", "torch"))
    assert degraded.shape == (48, 40)
    assert levels_apart(degraded.numpy(), expected.numpy(), "uint8").max() <= 1
    hounsfield = (grey.to(torch.int16) * 8 - 1000)[None, None].repeat(2, 1, 1, 1)
    expected, degraded = (
        Degrade(**one, backend=backend, value_range=(-1000, 1040))(hounsfield) for backend in ("numpy", "torch")
    )
    assert degraded.dtype == torch.int16
    assert (degraded - expected).abs().max() <= 1


def test_masks_move_with_the_images_of_a_batch(picture):
    tv_tensors = pytest.importorskip("torchvision.tv_tensors")
    batch = tv_tensors.Image(torch.stack([chw(image) for image in images(picture, (40, 44, 3))]))
    mask = tv_tensors.Mask((batch[:, 0] > 120).to(torch.uint8))
    expected, degraded = (Degrade("object_rotation", 1, seed=0, backend=own)(batch, mask) for own in ("numpy", "torch"))
    assert isinstance(degraded[0], tv_tensors.Image)
    assert levels_apart(degraded[0].numpy(), expected[0].numpy(), "uint8").max() <= 1
    assert torch.equal(degraded[1], expected[1])


def test_a_clip_has_one_draw(picture):
    tv_tensors = pytest.importorskip("torchvision.tv_tensors")
    frames = torch.stack([chw(image) for image in images(picture, (40, 44, 3))])
    for name in ("gaussian_noise", "dark_spots", "low_dose"):
        for given in (frames, torch.stack([frames, frames.flip(0)])):
            clip = tv_tensors.Video(given)
            expected, records = Degrade(name, 1, seed=0).apply_with_record(clip)
            degraded, own = Degrade(name, 1, seed=0, backend="torch").apply_with_record(clip)
            assert own == records
            assert isinstance(degraded, tv_tensors.Video)
            assert levels_apart(degraded.numpy(), expected.numpy(), "uint8").max() <= 1


def test_an_unchanged_image_of_a_batch_stops_no_epoch(monkeypatch, picture):
    monkeypatch.setattr(choosing, "_warned", set())
    batch = torch.stack([torch.zeros(1, 48, 48, dtype=torch.uint8), chw(picture((48, 48)))])
    with pytest.raises(UnchangedImageError):
        Degrade("gaussian_blur", 2, seed=0, backend="torch")(batch)
    with pytest.warns(UserWarning, match=r"gaussian_blur leaves .* further such images are not mentioned") as caught:
        out = Degrade("gaussian_blur", 2, seed=0, backend="torch", unchanged="warn")(batch)
    assert len(caught) == 1
    assert not out[0].any()
    assert not torch.equal(out[1], batch[1])


def test_arrays_and_pictures_keep_their_bytes(picture):
    image = picture((40, 44, 3))
    np.testing.assert_array_equal(chosen("torch")(image), chosen("numpy")(image))


def test_a_wrong_backend_is_refused():
    with pytest.raises(ValueError, match='backend must be "numpy" or "torch"'):
        Degrade("gaussian_blur", 1, seed=0, backend="cupy")


def test_without_torch_it_says_what_is_missing():
    code = "import sys; sys.modules['torch'] = None; import medqdeg.degradations.batches"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ModuleNotFoundError: medqdeg.degradations.batches needs torch: pip install torch" in done.stderr
