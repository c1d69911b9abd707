"""Masks, boxes and points stay with what the image shows: a painted landmark is found where they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from medqdeg.degradations import degrade_with_record, get, list_degradations
from medqdeg.degradations.movement import movement_of
from medqdeg.degradations.transforms import Degrade

MOVING = [name for name in list_degradations() if get(name).moves]
SIZES = [(96, 96), (80, 120), (131, 97), (150, 64)]
AS_DTYPE = {
    "uint8": lambda unit: (unit * 255).astype(np.uint8),
    "uint16": lambda unit: (unit * 65535).astype(np.uint16),
    "float32": lambda unit: unit.astype(np.float32),
}


def landmark(shape: tuple[int, int], centre: tuple[float, float], radius: float = 6.0) -> tuple[np.ndarray, np.ndarray]:
    """A smooth bright spot on grey, in [0, 1], and the mask of where it is brightest."""
    row, column = np.mgrid[: shape[0], : shape[1]]
    squares = (row - centre[0]) ** 2 + (column - centre[1]) ** 2
    return 0.2 + 0.7 * np.exp(-squares / radius**2 * np.log(2)), squares < radius**2


def middle_of(weights: np.ndarray) -> np.ndarray:
    """Centre of mass, (row, column)."""
    row, column = np.mgrid[: weights.shape[0], : weights.shape[1]]
    return np.array([(weights * row).sum(), (weights * column).sum()]) / weights.sum()


def middle_of_spot(image: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Centre of the brightest spot, within 12 pixels of a place."""
    row, column = np.mgrid[: image.shape[0], : image.shape[1]]
    around = np.hypot(row - near[0], column - near[1]) < 12
    values = np.where(around, image.astype(np.float64), 0)
    return middle_of(np.clip(values - 0.6 * values.max(), 0, None))


def test_which_degradations_move_the_image():
    assert MOVING == ["object_rotation", "object_movement"]


# A dark spot over the flank of a landmark moves its brightest part, not the landmark.
@pytest.mark.parametrize("name", [name for name in list_degradations() if name not in (*MOVING, "dark_spots")])
def test_the_others_leave_a_landmark_where_it_is(name):
    unit, _ = landmark((96, 96), (48, 48))
    image, record = degrade_with_record(unit.astype(np.float32), name, 1, seed=4)
    assert movement_of(record) is None
    assert np.abs(middle_of_spot(image, np.array([48, 48])) - 48).max() <= 0.5


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6),
    severity=st.sampled_from([1, 2, 0.5]),
    place=st.tuples(st.floats(-0.12, 0.12), st.floats(-0.12, 0.12)),
)
@pytest.mark.parametrize("dtype", AS_DTYPE)
@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("name", MOVING)
def test_a_landmark_and_its_mask_agree_within_half_a_pixel(name, shape, dtype, seed, severity, place):
    centre = tuple(round((side - 1) / 2 + part * min(shape)) for side, part in zip(shape, place, strict=True))
    unit, mask = landmark(shape, centre)
    image = AS_DTYPE[dtype](unit)
    # Keep the shift within the smaller images; the table's is meant for larger ones.
    table = {"shift": 6} if name == "object_movement" else {}
    degraded, record = degrade_with_record(image, name, severity, seed=seed, **table)
    movement = movement_of(record)
    moved_mask = movement.of_mask(mask)
    by_mask = middle_of(moved_mask.astype(np.float64))
    by_image = middle_of_spot(degraded, by_mask)
    # Down and along: the nearest pixel is up to half a pixel away in each. 0.02 is how far other bands pull the spot.
    assert np.abs(by_image - by_mask).max() <= 0.5 + 0.02
    x, y = movement.of_points(np.array([[centre[1], centre[0]]]))[0]
    assert np.hypot(y - by_image[0], x - by_image[1]) <= 0.05


@pytest.mark.parametrize("name", MOVING)
def test_a_box_holds_the_moved_mask_and_no_more(name):
    shape, centre = (120, 90), (50.0, 40.0)
    unit, _ = landmark(shape, centre)
    mask = np.zeros(shape, bool)
    mask[44:57, 30:51] = True
    _, record = degrade_with_record(unit.astype(np.float32), name, 1, seed=3)
    movement = movement_of(record)
    rows, columns = np.nonzero(movement.of_mask(mask))
    box = movement.of_boxes(np.array([[30, 44, 51, 57]]))[0]
    around = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    assert np.abs(box - around).max() <= 1.5


def test_a_mask_turns_to_its_fill_exactly_where_the_image_turns_black(picture):
    image = np.clip(picture((90, 70)), 30, 255)
    degraded, record = degrade_with_record(image, "object_rotation", 2, seed=0)
    mask = movement_of(record).of_mask(np.ones((90, 70), np.int64), fill=255)
    np.testing.assert_array_equal(mask == 255, degraded == 0)


def test_a_mirrored_mask_is_the_nearest_of_the_mirrored_image():
    labels = np.arange(40 * 30).reshape(40, 30)
    _, record = degrade_with_record(
        np.linspace(0, 1, 1200, dtype=np.float32).reshape(40, 30), "object_movement", 1, seed=0,
        movements=[[0, 0, 0], [0, 7, -4], [0, 0, 0]],
    )  # fmt: skip
    expected = np.pad(labels, 10, mode="symmetric")[10 - 7 : 50 - 7, 10 + 4 : 40 + 4]
    np.testing.assert_array_equal(movement_of(record).of_mask(labels), expected)


# --- samples ---


def grey(seed: int = 0, shape: tuple[int, int] = (64, 48)) -> np.ndarray:
    row, column = np.mgrid[: shape[0], : shape[1]]
    return (120 + 60 * np.sin(column / 5 + seed) + 50 * np.cos(row / 7)).astype(np.uint8)


ORGAN = np.zeros((64, 48), np.uint8)
ORGAN[20:40, 10:30] = 3


def test_the_image_is_found_by_type_wherever_it_stands():
    transform = Degrade("gaussian_noise", 1, seed=0)
    by_picture, by_array = np.asarray(transform(Image.fromarray(grey()))), transform(grey())
    label, image = transform("label", Image.fromarray(grey()))
    assert label == "label"
    np.testing.assert_array_equal(np.asarray(image), by_picture)
    sample = {"id": 3, "parts": [{"scan": grey()}, None], "onehot": np.zeros(5)}
    out = transform(sample)
    assert out["id"] == 3
    assert out["parts"][1] is None
    assert out["onehot"] is sample["onehot"]
    np.testing.assert_array_equal(out["parts"][0]["scan"], by_array)
    assert isinstance(sample["parts"][0]["scan"], np.ndarray)
    np.testing.assert_array_equal(sample["parts"][0]["scan"], grey())


def test_what_comes_first_is_not_the_image_for_coming_first():
    tv_tensors = pytest.importorskip("torchvision.tv_tensors")
    torch = pytest.importorskip("torch")
    transform = Degrade("object_rotation", 2, seed=0)
    picture, organ = tv_tensors.Image(torch.from_numpy(grey())[None]), tv_tensors.Mask(torch.from_numpy(ORGAN))
    mask, image = transform(organ, picture)
    image_too, mask_too = transform(picture, organ)
    assert torch.equal(mask, mask_too)
    assert torch.equal(image, image_too)
    assert isinstance(mask, tv_tensors.Mask)
    movement = movement_of(transform.apply_with_record(picture)[1])
    np.testing.assert_array_equal(mask.numpy(), movement.of_mask(ORGAN))
    with pytest.raises(TypeError, match="without its image"):
        transform(organ)


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        ((grey(), ORGAN), "which of these is the image: sample.0., sample.1."),
        ((Image.fromarray(grey()), Image.fromarray(ORGAN)), "which of these is the image"),
        ({"scan": Image.fromarray(grey()), "organ": ORGAN}, "whether these must move.*sample.'organ'"),
        ({"scan": grey(), "organ": ORGAN.astype(np.int64)}, "whether these must move"),
    ],
)
def test_parts_that_cannot_be_told_apart_are_refused_in_one_line(sample, message):
    with pytest.raises(ValueError, match=message) as caught:
        Degrade("object_rotation", 2, seed=0)(sample)
    assert "\n" not in str(caught.value)
    assert "keys=" in str(caught.value)


def test_without_an_image_it_says_so():
    with pytest.raises(TypeError, match="no image"):
        Degrade("gaussian_noise", 2, seed=0)({"label": 3})
    with pytest.raises(TypeError, match="no image under 'scan'"):
        Degrade("gaussian_noise", 2, seed=0, keys={"scan": "image"})({"label": 3})


@pytest.mark.parametrize("keys", [{"scan": "picture"}, {"organ": "mask"}, {}])
def test_wrong_keys_are_refused_when_it_is_made(keys):
    with pytest.raises(ValueError, match="keys"):
        Degrade("object_rotation", 2, seed=0, keys=keys)


def test_plain_parts_are_named_by_keys():
    keys = {"scan": "image", "organ": "mask", "boxes": "boxes", "coco": "boxes_xywh", "points": "keypoints"}
    transform = Degrade("object_rotation", 1, seed=0, keys=keys, mask_fill=9)
    sample = {
        "scan": grey(),
        "organ": [ORGAN, Image.fromarray(ORGAN)],
        "boxes": [[10.0, 20.0, 30.0, 40.0]],
        "coco": np.array([[10, 20, 20, 20]]),
        "points": np.array([[19.5, 29.5, 2.0]]),
        "weights": np.ones((64, 48)),
        "note": "left",
    }
    out = transform(sample)
    image, record = transform.apply_with_record(grey())
    movement = movement_of(record)
    np.testing.assert_array_equal(out["scan"], image)
    np.testing.assert_array_equal(out["organ"][0], movement.of_mask(ORGAN, 9))
    np.testing.assert_array_equal(np.asarray(out["organ"][1]), out["organ"][0])
    expected = movement.of_boxes(np.array([[10, 20, 30, 40]]))
    np.testing.assert_allclose(out["boxes"], expected)
    assert isinstance(out["boxes"], list)
    assert out["coco"].dtype == sample["coco"].dtype
    np.testing.assert_allclose(out["coco"][:, :2] + out["coco"][:, 2:], expected[:, 2:], atol=1)
    np.testing.assert_allclose(out["points"][0, :2], movement.of_points(np.array([19.5, 29.5])))
    assert out["points"][0, 2] == 2
    assert out["weights"] is sample["weights"]


def test_tv_tensors_of_every_kind_move_together():
    torch = pytest.importorskip("torch")
    tv_tensors = pytest.importorskip("torchvision.tv_tensors")
    v2 = pytest.importorskip("torchvision.transforms.v2")
    picture = tv_tensors.Image(torch.from_numpy(grey())[None])
    corners = tv_tensors.BoundingBoxes(torch.tensor([[10.0, 20, 30, 40]]), format="XYXY", canvas_size=(64, 48))
    target = {
        "masks": tv_tensors.Mask(torch.from_numpy(np.stack([ORGAN, ORGAN + 1]))),
        "boxes": corners,
        "cxcywh": v2.functional.convert_bounding_box_format(corners, new_format="CXCYWH"),
        "labels": torch.tensor([1]),
    }
    if hasattr(tv_tensors, "KeyPoints"):
        target["points"] = tv_tensors.KeyPoints(torch.tensor([[20.0, 30.0]]), canvas_size=(64, 48))
    transform = Degrade("object_movement", 2, seed=0)
    image, out = v2.Compose([transform])(picture, target)
    assert isinstance(image, tv_tensors.Image)
    movement = movement_of(transform.apply_with_record(picture)[1])
    expected = movement.of_boxes(np.array([[10, 20, 30, 40]]))
    np.testing.assert_allclose(out["boxes"].numpy(), expected, atol=1e-4)
    assert out["boxes"].format == tv_tensors.BoundingBoxFormat.XYXY
    np.testing.assert_allclose(
        v2.functional.convert_bounding_box_format(out["cxcywh"], new_format="XYXY").numpy(), expected, atol=1e-3
    )
    np.testing.assert_array_equal(out["masks"][0].numpy(), movement.of_mask(ORGAN))
    np.testing.assert_array_equal(out["masks"][1].numpy(), movement.of_mask(ORGAN + 1))
    assert out["labels"] is target["labels"]
    if "points" in target:
        np.testing.assert_allclose(out["points"].numpy() - 0.5, movement.of_points(np.array([[19.5, 29.5]])), atol=1e-4)


def test_points_move_as_torchvision_moves_them():
    """By the same angle about the same centre: an independent computation of where a tv_tensor's points go."""
    torch = pytest.importorskip("torch")
    tv_tensors = pytest.importorskip("torchvision.tv_tensors")
    v2 = pytest.importorskip("torchvision.transforms.v2")
    if not hasattr(tv_tensors, "KeyPoints"):
        pytest.skip("this torchvision has no key points")
    points = tv_tensors.KeyPoints(torch.tensor([[30.0, 25.0], [11.0, 33.0]]), canvas_size=(64, 48))
    transform = Degrade("object_rotation", 1, seed=5)
    picture = tv_tensors.Image(torch.from_numpy(grey())[None])
    _, ours = transform(picture, points)
    angle = transform.apply_with_record(picture)[1]["parameters"]["angle"]
    torch.testing.assert_close(
        ours.as_subclass(torch.Tensor), v2.functional.rotate(points, angle).as_subclass(torch.Tensor), atol=1e-3, rtol=0
    )


def test_a_batch_moves_with_its_masks():
    torch = pytest.importorskip("torch")
    tv_tensors = pytest.importorskip("torchvision.tv_tensors")
    pictures = torch.stack([torch.from_numpy(grey(seed))[None] for seed in range(3)])
    masks = torch.stack([torch.from_numpy(np.roll(ORGAN, seed, axis=0)) for seed in range(3)])
    transform = Degrade("object_rotation", 2, seed=0)
    images, moved = transform(tv_tensors.Image(pictures), tv_tensors.Mask(masks))
    for index in range(3):
        image, mask = transform(tv_tensors.Image(pictures[index]), tv_tensors.Mask(masks[index]))
        assert torch.equal(images[index], image)
        assert torch.equal(moved[index], mask)


def test_images_of_one_sample_share_their_draw():
    torch = pytest.importorskip("torch")
    tv_tensors = pytest.importorskip("torchvision.tv_tensors")
    first, second = (tv_tensors.Image(torch.from_numpy(grey(seed))[None]) for seed in (0, 1))
    transform = Degrade("object_rotation", 2, seed=0)
    out = transform({"a": first, "b": second})
    assert torch.equal(out["a"], transform(first))
    assert torch.equal(out["b"], transform.apply(second, key=transform.key_of(first)))
