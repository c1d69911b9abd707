"""Coloured outlines and boxes on grey images."""

from __future__ import annotations

import numpy as np
import pytest

from medqdeg.degradations import degrade, get, list_degradations
from medqdeg.degradations.markings import find_markings


def _boxed(picture, colour=(255, 0, 0)):
    grey = np.repeat(picture((96, 96))[..., np.newaxis], 3, axis=2)
    box = np.zeros((96, 96), bool)
    box[30:60, 40:70] = True
    box[32:58, 42:68] = False
    grey[box] = colour
    return grey, box


def test_found_on_grey_and_only_there(picture):
    image, box = _boxed(picture)
    np.testing.assert_array_equal(find_markings(image), box)
    half_transparent = _boxed(picture, (90, 13, 13))[0]
    np.testing.assert_array_equal(find_markings(half_transparent), box)
    np.testing.assert_array_equal(find_markings(image.astype(np.float32)), box)
    assert find_markings(picture((96, 96))) is None
    assert find_markings(np.repeat(picture((96, 96))[..., np.newaxis], 3, axis=2)) is None


def test_a_colour_image_has_none():
    rng = np.random.default_rng(0)
    tissue = np.clip(rng.normal((200, 120, 160), 20, (96, 96, 3)), 0, 255).astype(np.uint8)
    tissue[30:60, 40:42] = (0, 255, 0)
    assert find_markings(tissue) is None


def test_chroma_noise_is_no_marking(picture):
    image = np.repeat(picture((96, 96))[..., np.newaxis], 3, axis=2).astype(int)
    image += np.random.default_rng(0).integers(-3, 4, image.shape)
    assert find_markings(np.clip(image, 0, 255).astype(np.uint8)) is None


def test_the_authors_four_keep_them():
    kept = {name for name in list_degradations() if get(name).keep_markings}
    assert kept == {"low_resolution", "limited_angle", "sparse_view", "low_dose"}


@pytest.mark.parametrize("name", ["low_resolution", "sparse_view", "gaussian_blur", "reduce_contrast"])
def test_kept_sharp_or_degraded(picture, name):
    image, box = _boxed(picture)
    kept = degrade(image, name, 2, seed=0, keep_markings=True)
    lost = degrade(image, name, 2, seed=0, keep_markings=False)
    np.testing.assert_array_equal(kept[box], image[box])
    assert not np.array_equal(lost[box], image[box])
    np.testing.assert_array_equal(kept[~box], lost[~box])
    default = degrade(image, name, 2, seed=0)
    np.testing.assert_array_equal(default, kept if get(name).keep_markings else lost)


def test_as_in_the_paper_dark_parts_and_specks_go_and_thin_lines_stay(picture):
    image, box = _boxed(picture)
    np.testing.assert_array_equal(find_markings(image, as_paper=True), box)
    assert find_markings(_boxed(picture, (90, 13, 13))[0], as_paper=True) is None
    specks = np.repeat(picture((96, 96))[..., np.newaxis], 3, axis=2)
    specks[10::20, 10::20] = (255, 0, 0)
    assert find_markings(specks, as_paper=True) is None
    assert find_markings(specks).sum() == 25
    line = np.repeat(picture((96, 96))[..., np.newaxis], 3, axis=2)
    line[50, 20:60] = (0, 255, 255)
    np.testing.assert_array_equal(find_markings(line, as_paper=True), np.ptp(line, axis=2) > 0)


def test_the_authors_mask_is_found(reference):
    """Where their low dose image equals the clean one to the byte, as nothing but a pasted pixel is likely to."""
    clean = reference.image("low_dose", 0)
    coloured = np.ptp(clean, axis=2) > 0
    pasted = coloured & (reference.image("low_dose", 2) == clean).all(axis=2)
    mask = find_markings(clean, as_paper=True)
    assert np.count_nonzero((mask & coloured) != pasted) <= 5


def test_the_authors_markings_are_found(reference):
    for name in ("downsample_artifact", "limited_angle", "sparse_view", "low_dose"):
        clean = reference.image(name, 0)
        np.testing.assert_array_equal(find_markings(clean), np.ptp(clean, axis=2) > 0)
    for name in ("gaussian_blur", "motion_blur", "blood_cell_artifact", "dark_spots_artifact"):
        assert find_markings(reference.image(name, 0)) is None
