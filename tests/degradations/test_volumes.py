"""Volumes: what each degradation does with the third dimension, ranges, one draw."""

from __future__ import annotations

import numpy as np
import pytest

from medqdeg.degradations import UnchangedImageError, degrade, get, list_degradations
from medqdeg.degradations.operators import bias_field
from medqdeg.degradations.volumes import degrade_volume, degrade_volume_with_record, treatment

from .adaptors.pictures import volume

SLICES = [name for name in list_degradations() if treatment(name) == "slices"]


@pytest.mark.parametrize("severity", [1, 2, 1.5])
@pytest.mark.parametrize("name", SLICES)
def test_slice_by_slice_it_is_degrade(name, severity):
    if severity == 1.5 and name in ("limited_angle", "low_dose", "sparse_view"):
        pytest.skip("slow; the same as at 1 and 2")
    stack = volume((3, 40, 36))
    out, record = degrade_volume_with_record(stack, name, severity, seed=3)
    assert record["volume"] == "slices"
    assert record["size"] == [3, 40, 36]
    for number in (0,) if name == "low_dose" else range(3):
        np.testing.assert_array_equal(out[number], degrade(stack[number], name, severity, seed=3))
    if name == "low_dose":
        same = degrade_volume(np.stack([stack[0]] * 2), name, severity, seed=3)
        assert not np.array_equal(same[0], same[1])


@pytest.mark.parametrize("name", [name for name in list_degradations() if treatment(name) == "whole"])
def test_what_acts_on_all_voxels_does_not_depend_on_how_they_are_cut(name):
    stack = volume((4, 20, 30))
    out = degrade_volume(stack, name, 2, seed=3)
    one_slice = degrade(stack.reshape(80, 30), name, 2, seed=3)
    np.testing.assert_array_equal(out.reshape(80, 30), one_slice)


def test_contrast_is_lost_about_the_mean_of_the_volume():
    stack = np.stack([np.full((8, 8), 0.2), np.full((8, 8), 0.8)]).astype(np.float32)
    out = degrade_volume(stack, "reduce_contrast", 2, seed=0)
    np.testing.assert_allclose(out[0], 0.5 - 0.3 * 0.3, atol=1e-5)
    np.testing.assert_allclose(out[1], 0.5 + 0.3 * 0.3, atol=1e-5)


def test_the_bias_field_is_a_cubic_in_three_directions():
    stack = np.full((9, 20, 17), 0.5, np.float32)
    out, record = degrade_volume_with_record(stack, "bias_field", 1, seed=5)
    field = out / stack
    assert field.max() == pytest.approx(1, abs=1e-6)
    assert field.min() == pytest.approx(0.3, abs=0.06)
    # Independently: a least-squares fit of all monomials of degree 3 explains it.
    w, v, u = (axis.ravel() for axis in np.meshgrid(*(np.linspace(-1, 1, side) for side in stack.shape), indexing="ij"))
    monomials = [u**i * v**j * w**k for i in range(4) for j in range(4 - i) for k in range(4 - i - j)]
    inside = (field > 0.31).ravel()
    design, seen = np.stack(monomials, axis=1)[inside], field.ravel()[inside].astype(np.float64)
    fitted = design @ np.linalg.lstsq(design, seen, rcond=None)[0]
    np.testing.assert_allclose(fitted, seen, atol=1e-5)
    assert np.ptp(field[:, 10, 8]) > 0.01  # it changes from slice to slice
    assert record["volume"] == "3-D"
    assert len(record["parameters"]["coefficients"]) == 20


def test_bias_field_with_the_slices_coefficients_alone_is_the_operator():
    powers3 = [(i, j, k) for i in range(4) for j in range(4 - i) for k in range(4 - i - j)]
    flat = bias_field.draw(np.random.default_rng(2), (20, 17))["coefficients"]
    of_two = dict(zip([(i, j) for i in range(4) for j in range(4 - i)], flat, strict=True))
    solid = [of_two[i, j] if k == 0 else 0.0 for i, j, k in powers3]
    field = bias_field.field_in_3d((3, 20, 17), coefficients=solid, strength=0.7)
    expected = bias_field.apply(np.ones((20, 17), np.float32), coefficients=flat, strength=0.7)
    np.testing.assert_allclose(field, np.stack([expected] * 3), atol=1e-6)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32, np.float64])
def test_hounsfield_units_keep_their_dtype_and_scale(dtype):
    stack = (volume((3, 30, 26)) * 2000 - 1000).astype(dtype)
    out = degrade_volume(stack, "adjust_brightness", 1, seed=0, value_range=(-1000, 1000))
    assert out.dtype == dtype
    expected = np.clip(stack - 75 / 255 * 2000, -1000, 1000)
    assert np.abs(out - expected).max() <= 1
    np.testing.assert_array_equal(degrade_volume(stack, "exposure", 0, seed=0, value_range=(-1000, 1000)), stack)


@pytest.mark.parametrize("name", ["gaussian_noise", "bias_field", "motion_blur"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_whole_numbers(name, dtype):
    stack = (volume((3, 30, 26)) * np.iinfo(dtype).max).astype(dtype)
    out = degrade_volume(stack, name, 1, seed=0)
    assert (out.dtype, out.shape) == (stack.dtype, stack.shape)
    real = degrade_volume(stack / np.float32(np.iinfo(dtype).max), name, 1, seed=0)
    assert np.abs(out / np.iinfo(dtype).max - real).max() <= 1.01 / min(np.iinfo(dtype).max, 2000)


def test_slices_of_air_do_not_stop_it_but_a_volume_of_air_does():
    stack = volume((3, 30, 26))
    stack[0] = 0
    out = degrade_volume(stack, "gaussian_blur", 2, seed=0)
    assert not out[0].any()
    air = np.zeros_like(stack)
    for name in ("gaussian_blur", "bias_field", "gaussian_noise"):
        with pytest.raises(UnchangedImageError):
            degrade_volume(air, name, 2, seed=0)
        np.testing.assert_array_equal(degrade_volume(air, name, 2, seed=0, allow_unchanged=True), air)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (np.zeros((4, 4)), "expected a volume"),
        (np.full((2, 9, 9), 300.0), "must lie in"),
        (np.zeros((2, 0, 4)), "expected a volume"),
    ],
)
def test_what_is_no_volume_is_refused(given, error):
    with pytest.raises(ValueError, match=error):
        degrade_volume(given, "gaussian_noise", 1, seed=0)
    with pytest.raises(TypeError, match="NumPy array"):
        degrade_volume([[[0]]], "gaussian_noise", 1, seed=0)


def test_every_degradation_says_how_it_takes_a_volume():
    assert {name: treatment(name) for name in list_degradations() if treatment(name) != "slices"} == {
        "bias_field": "3-D",
        "adjust_brightness": "whole",
        "exposure": "whole",
        "reduce_contrast": "whole",
        "gaussian_noise": "whole",
    }
    assert get("bias_field").moves is False
