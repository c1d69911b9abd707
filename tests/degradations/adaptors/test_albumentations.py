"""The albumentations transform: the library's own bytes, its targets, replay and pipelines."""

from __future__ import annotations

import os
import warnings

import numpy as np
import pytest

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
A = pytest.importorskip("albumentations", exc_type=ImportError)

from medqdeg.degradations import degrade, list_degradations  # noqa: E402
from medqdeg.degradations.adaptors.albumentations import Degrade  # noqa: E402
from medqdeg.degradations.choosing import content  # noqa: E402
from medqdeg.degradations.movement import movement_at  # noqa: E402
from medqdeg.degradations.volumes import degrade_volume  # noqa: E402

from .pictures import organ, picture, volume  # noqa: E402


def seed_of(image: np.ndarray, seed: object = 0) -> str:
    return f"{seed}:{content(image)}"


@pytest.mark.parametrize("name", list_degradations())
def test_each_degradation_gives_the_librarys_bytes(name):
    out = A.Compose([Degrade(name, 2, seed=0)])(image=picture())["image"]
    np.testing.assert_array_equal(out, degrade(picture(), name, 2, seed=seed_of(picture())))


@pytest.mark.parametrize("name", ["object_rotation", "object_movement", "gaussian_blur"])
def test_targets_move_with_the_image(name):
    pipeline = A.Compose(
        [Degrade(name, 1, seed=0)],
        bbox_params=A.BboxParams("pascal_voc", label_fields=["labels"]),
        keypoint_params=A.KeypointParams("xya", remove_invisible=False),
    )
    points = np.array([[12.0, 20.0, 0.3]])
    out = pipeline(
        image=picture(),
        mask=organ(),
        masks=np.stack([organ(), organ() * 2]),
        bboxes=np.array([[8.0, 10, 25, 30]]),
        labels=["organ"],
        keypoints=points,
    )
    movement = movement_at(name, 1, (48, 40), seed=seed_of(picture()))
    if movement is None:
        assert name == "gaussian_blur"
        np.testing.assert_array_equal(out["mask"], organ())
        np.testing.assert_allclose(out["keypoints"], points, atol=1e-5)
        return
    np.testing.assert_array_equal(out["mask"], movement.of_mask(organ()))
    np.testing.assert_array_equal(out["masks"][1], movement.of_mask(organ() * 2))
    np.testing.assert_allclose(out["bboxes"], movement.of_boxes(np.array([[8, 10, 25, 30]])), atol=1e-3)
    np.testing.assert_allclose(out["keypoints"][:, :2], movement.of_points(points[:, :2]), atol=1e-3)


def test_points_and_their_angles_turn_as_albumentations_turns_them():
    points = np.array([[12.0, 20.0, 0.3]])
    params = A.KeypointParams("xya", remove_invisible=False, angle_in_degrees=False)
    ours = A.Compose([Degrade("object_rotation", 1, seed=0, settings={"angle": 25})], keypoint_params=params)
    theirs = A.Compose([A.Rotate((25, 25), p=1)], keypoint_params=params)
    np.testing.assert_allclose(
        ours(image=picture(), keypoints=points)["keypoints"],
        theirs(image=picture(), keypoints=points)["keypoints"],
        atol=1e-3,
    )


def test_a_replay_carries_out_the_same_draw_on_another_image():
    pipeline = A.ReplayCompose([Degrade(["dark_spots", "object_rotation"], "0.5 to 2", seed=None)])
    pipeline.set_random_seed(3)
    first = pipeline(image=picture(), mask=organ())
    again = A.ReplayCompose.replay(first["replay"], image=picture(), mask=organ())
    np.testing.assert_array_equal(again["image"], first["image"])
    np.testing.assert_array_equal(again["mask"], first["mask"])
    draw = first["replay"]["transforms"][0]["params"]
    other = A.ReplayCompose.replay(first["replay"], image=picture(5))
    np.testing.assert_array_equal(
        other["image"], degrade(picture(5), draw["degradation"], draw["level"], seed=draw["draw"])
    )


def test_without_a_seed_the_pipelines_own_decides():
    def run(seed):
        pipeline = A.Compose([Degrade("gaussian_noise", 2)], seed=seed)
        return [pipeline(image=picture())["image"] for _ in range(2)]

    first, again, other = run(1), run(1), run(2)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0], other[0])


def test_p_and_one_of_are_albumentations_own():
    assert A.Compose([Degrade("gaussian_noise", 2, seed=0, p=0)])(image=picture())["image"] is not None
    np.testing.assert_array_equal(
        A.Compose([Degrade("gaussian_noise", 2, seed=0, p=0)])(image=picture())["image"], picture()
    )
    one = A.Compose([A.OneOf([Degrade("exposure", 2, seed=0), Degrade("exposure", 2, seed=0)], p=1)])
    np.testing.assert_array_equal(
        one(image=picture())["image"], degrade(picture(), "exposure", 2, seed=seed_of(picture()))
    )


def test_volumes_and_several_images():
    stack = volume()
    out = A.Compose([Degrade("object_rotation", 2, seed=0)])(volume=stack, mask3d=np.stack([organ((40, 36))] * 5))
    seed = seed_of(stack)
    np.testing.assert_array_equal(out["volume"], degrade_volume(stack, "object_rotation", 2, seed=seed))
    moved = movement_at("object_rotation", 2, (40, 36), seed=seed).of_mask(organ((40, 36)))
    np.testing.assert_array_equal(out["mask3d"][4], moved)
    images = np.stack([picture(0), picture(1)])
    several = A.Compose([Degrade("dark_spots", 2, seed=0)])(images=images)["images"]
    np.testing.assert_array_equal(several[1], degrade(picture(1), "dark_spots", 2, seed=seed_of(images)))


def test_it_can_be_written_down_and_read_again():
    pipeline = A.Compose([Degrade(["exposure", "dark_spots"], (1, 2), seed=4, weights=(1, 3))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        again = A.from_dict(A.to_dict(pipeline))
    np.testing.assert_array_equal(again(image=picture())["image"], pipeline(image=picture())["image"])


@pytest.mark.parametrize("arguments", [("no_such", 1), ("gaussian_noise", 9), ("gaussian_noise", "2 to 1")])
def test_errors_come_when_it_is_made(arguments):
    with pytest.raises(ValueError, match=r"unknown degradation|up to severity|range"):
        Degrade(*arguments, seed=0)
