"""The TorchIO transform: the library's own values, label maps in step, its history."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
tio = pytest.importorskip("torchio", exc_type=ImportError)

from medqdeg.degradations import degrade  # noqa: E402
from medqdeg.degradations.adaptors.torchio import Degrade  # noqa: E402
from medqdeg.degradations.choosing import content  # noqa: E402
from medqdeg.degradations.movement import movement_at  # noqa: E402
from medqdeg.degradations.volumes import degrade_volume  # noqa: E402

from .pictures import organ, picture, volume  # noqa: E402


def from_slices(stack: np.ndarray) -> object:
    """(D, H, W) to TorchIO's (1, W, H, D)."""
    return torch.from_numpy(np.ascontiguousarray(stack.transpose(2, 1, 0)))[None]


def slices_of(image: object) -> np.ndarray:
    return image.data.numpy()[0].transpose(2, 1, 0)


def seed_of(stack: np.ndarray) -> str:
    return f"0:{content(np.ascontiguousarray(stack.transpose(1, 2, 0))[None])}"


def subject() -> object:
    seg = np.stack([organ((40, 36))] * 5)
    return tio.Subject(
        mri=tio.ScalarImage(tensor=from_slices(volume())), seg=tio.LabelMap(tensor=from_slices(seg)), age=40
    )


@pytest.mark.parametrize("name", ["gaussian_noise", "bias_field", "ghosting", "object_rotation", "object_movement"])
def test_a_volume_gets_the_librarys_values_and_labels_follow(name):
    out = Degrade(name, 2, seed=0)(subject())
    seed = seed_of(volume())
    np.testing.assert_array_equal(slices_of(out.mri), degrade_volume(volume(), name, 2, seed=seed))
    movement = movement_at(name, 2, (40, 36), seed=seed)
    expected = organ((40, 36)) if movement is None else movement.of_mask(organ((40, 36)))
    np.testing.assert_array_equal(slices_of(out.seg)[3], expected)
    assert out.age == 40


def test_a_picture_keeps_its_colours():
    data = torch.from_numpy(np.ascontiguousarray(picture().transpose(2, 1, 0)))[..., None]
    out = Degrade("undersampling", 1, seed=0)(tio.ScalarImage(tensor=data))
    values = np.ascontiguousarray(data.numpy().swapaxes(1, 2))
    expected = degrade(picture(), "undersampling", 1, seed=f"0:{content(values)}")
    np.testing.assert_array_equal(out.data.numpy()[..., 0].transpose(2, 1, 0), expected)


def test_it_composes_and_its_history_repeats_it():
    pipeline = tio.Compose(
        [tio.RescaleIntensity((0, 1)), Degrade(["object_rotation", "exposure"], "0.5 to 2", seed=0, weights=(1, 2))]
    )
    out = pipeline(subject())
    again = out.get_composed_history()(subject())
    assert torch.equal(out.mri.data, again.mri.data)
    assert torch.equal(out.seg.data, again.seg.data)
    assert "Degrade" in repr(out.history[-1])


def test_a_range_of_its_own_and_only_the_images_asked_for():
    stack = (volume() * 2000 - 1000).astype(np.float32)
    both = tio.Subject(a=tio.ScalarImage(tensor=from_slices(stack)), b=tio.ScalarImage(tensor=from_slices(stack)))
    out = Degrade("reduce_contrast", 2, seed=0, value_range=(-1000, 1000), include=["a"])(both)
    assert torch.equal(out.b.data, both.b.data)
    expected = degrade_volume(stack, "reduce_contrast", 2, seed=seed_of(stack), value_range=(-1000, 1000))
    np.testing.assert_array_equal(slices_of(out.a), expected)
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        Degrade("reduce_contrast", 2, seed=0)(both)


def test_p_follows_the_seed_not_torch():
    transform = Degrade("gaussian_noise", 2, seed=0, p=0.5)
    subjects = [
        tio.Subject(mri=tio.ScalarImage(tensor=from_slices(np.clip(volume() + i / 50, 0, 1)))) for i in range(12)
    ]
    changed = [[not torch.equal(transform(one).mri.data, one.mri.data) for one in subjects] for _ in range(2)]
    assert changed[0] == changed[1]
    assert 0 < sum(changed[0]) < 12


def test_errors_come_when_it_is_made():
    with pytest.raises(ValueError, match="unknown degradation"):
        Degrade("no_such", 1, seed=0)
