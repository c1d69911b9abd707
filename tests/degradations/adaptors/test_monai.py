"""The MONAI transform: the library's own values, masks in step, its containers, its random state."""

from __future__ import annotations

import numpy as np
import pytest

monai = pytest.importorskip("monai", exc_type=ImportError)
torch = pytest.importorskip("torch")
transforms = pytest.importorskip("monai.transforms", exc_type=ImportError)

from medqdeg.degradations import degrade, list_degradations  # noqa: E402
from medqdeg.degradations.adaptors.monai import Degraded  # noqa: E402
from medqdeg.degradations.choosing import content  # noqa: E402
from medqdeg.degradations.movement import movement_at  # noqa: E402
from medqdeg.degradations.volumes import degrade_volume  # noqa: E402

from .pictures import organ, picture, volume  # noqa: E402


@pytest.mark.parametrize("name", list_degradations())
def test_each_degradation_gives_the_librarys_values(name):
    chw = np.moveaxis(picture(), -1, 0)
    out = Degraded("image", name, 2, seed=0)({"image": chw, "label": 3})
    expected = degrade(picture(), name, 2, seed=f"0:{content(chw)}")
    np.testing.assert_array_equal(out["image"], np.moveaxis(expected, -1, 0))
    assert out["label"] == 3


def test_masks_and_further_images_move_with_the_first():
    chw = picture(shape=(48, 40))[None]
    data = {"t1": chw, "t2": np.moveaxis(picture(2), -1, 0), "seg": torch.from_numpy(organ()[None].astype(np.int64))}
    out = Degraded(["t1", "t2"], "object_rotation", 2, seed=0, mask_keys="seg", mask_fill=7)(data)
    seed = f"0:{content(chw)}"
    movement = movement_at("object_rotation", 2, (48, 40), seed=seed)
    np.testing.assert_array_equal(out["seg"].numpy()[0], movement.of_mask(organ(), 7))
    assert out["seg"].dtype == torch.int64
    np.testing.assert_array_equal(np.moveaxis(out["t2"], 0, -1), degrade(picture(2), "object_rotation", 2, seed=seed))


def test_a_volume_in_hounsfield_units_stays_a_metatensor():
    from monai.data import MetaTensor

    stack = np.moveaxis((volume() * 2000 - 1000), 0, -1).astype(np.int16)[None]
    data = {"ct": MetaTensor(torch.from_numpy(stack), affine=torch.diag(torch.tensor([1.0, 2, 3, 1])))}
    out = Degraded("ct", "gaussian_blur", 1, seed=0, value_range=(-1000, 1000))(data)["ct"]
    assert isinstance(out, MetaTensor)
    assert out.dtype == torch.int16
    assert torch.equal(out.affine, data["ct"].affine)
    slices = np.ascontiguousarray(np.moveaxis(stack[0], -1, 0))
    seed = f"0:{content(stack)}"
    expected = degrade_volume(slices, "gaussian_blur", 1, seed=seed, value_range=(-1000, 1000))
    np.testing.assert_array_equal(np.moveaxis(out.numpy()[0], -1, 0), expected)


def test_without_a_seed_its_random_state_decides_and_pipelines_pass_it_on():
    def run(seed):
        pipeline = transforms.Compose([Degraded("image", "gaussian_noise", 2), transforms.RandFlipd("image", prob=0)])
        pipeline.set_random_state(seed)
        return [np.asarray(pipeline({"image": np.moveaxis(picture(), -1, 0)})["image"]) for _ in range(2)]

    first, again, other = run(1), run(1), run(2)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0], other[0])


def test_missing_keys():
    image = np.moveaxis(picture(), -1, 0)
    with pytest.raises(KeyError):
        Degraded(["image", "other"], "exposure", 1, seed=0)({"image": image})
    with pytest.raises(KeyError, match="no mask 'seg'"):
        Degraded("image", "exposure", 1, seed=0, mask_keys="seg")({"image": image})
    Degraded(["image", "other"], "exposure", 1, seed=0, mask_keys="seg", allow_missing_keys=True)({"image": image})


def test_errors_come_when_it_is_made():
    with pytest.raises(ValueError, match="unknown degradation"):
        Degraded("image", "no_such", 1, seed=0)
    with pytest.raises(ValueError, match="share from 0 to 1"):
        Degraded("image", "exposure", 1, seed=0, p=2)
