"""The exposures of the last lessons: within bounds, short of the mildest degradation, the same for all channels."""

from __future__ import annotations

import numpy as np
import pytest

from medqdeg.degradations import degrade
from medqdeg.utils.models.reference_model.exposures import GAMMA, LEVEL, WIDTH, exposed
from medqdeg.utils.models.reference_model.lessons import Lesson


def ramp() -> Lesson:
    return Lesson(np.tile(np.arange(256, dtype=np.uint8), (4, 1)), "CT", ())


@pytest.mark.parametrize("seed", range(40))
def test_no_exposure_reaches_what_l1_does_to_mid_grey(seed: int) -> None:
    """Brightness and exposure at L1, darker and brighter, and the contrast of L1."""
    shown = exposed(ramp(), np.random.default_rng(seed)).image[0].astype(int)
    assert (np.diff(shown) >= 0).all()
    dark, bright = (
        degrade(ramp().image, "exposure", 1, seed=0, direction=direction)[0, 128] for direction in ("under", "over")
    )
    assert dark <= shown[128] <= bright
    assert abs(shown[128] - 128) < 75 / 1.5
    contrast = (shown[192] - shown[64]) / 128
    assert 0.65 < 1 - WIDTH - (GAMMA - 1) < contrast < 1 + WIDTH + (GAMMA - 1)


def test_bounds_are_half_of_l1_at_most() -> None:
    assert LEVEL < 75 / 2
    assert WIDTH < (1 - 0.65) / 2
    assert np.log(GAMMA) < np.log(1.45) / 2


def test_channels_share_an_exposure_and_a_seed_fixes_it() -> None:
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    lesson = Lesson(image, "Endoscopy", ("yes",))
    shown = exposed(lesson, np.random.default_rng(3))
    assert shown.image.dtype == np.uint8
    assert (shown.modality, shown.answers) == ("Endoscopy", ("yes",))
    assert np.array_equal(shown.image, exposed(lesson, np.random.default_rng(3)).image)
    grey = np.repeat(image[..., :1], 3, axis=2)
    assert np.ptp(exposed(Lesson(grey, "CT", ()), np.random.default_rng(4)).image, axis=2).max() == 0
    assert np.array_equal(lesson.image, image)
