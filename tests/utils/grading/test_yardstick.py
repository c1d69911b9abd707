"""Known severities of other pictures are found again, and what cannot be told is refused."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from medqdeg.degradations import degrade, list_degradations
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.grading.traits import TRAITS, UNTOLD
from medqdeg.utils.grading.yardstick import FEWEST_REFERENCES, TOO_UNSURE, Yardstick
from medqdeg.utils.phantoms import GENERATORS

KIND = "X-ray"
REFERENCES, OTHERS = 8, 8
SEVERITIES = (0.3, 0.8, 1.4, 2.1)


@functools.cache
def picture(number: int) -> np.ndarray:
    rng = np.random.default_rng([21, number])
    generator = GENERATORS[KIND]
    return generator.draw(generator.sample_scene(rng), rng)


@functools.cache
def yardstick(name: str) -> Yardstick:
    return Yardstick(name, [picture(number) for number in range(REFERENCES)], KIND)


def test_every_degradation_is_told_or_refused_with_a_reason() -> None:
    assert set(TRAITS) | set(UNTOLD) == set(list_degradations())
    assert not set(TRAITS) & set(UNTOLD)
    assert len(TRAITS) >= 5


@pytest.mark.parametrize("name", TRAITS)
def test_known_severities_of_other_pictures_are_found(name: str) -> None:
    errors, covered = [], []
    for number in range(REFERENCES, REFERENCES + OTHERS):
        for severity in SEVERITIES:
            worse = degrade(picture(number), name, severity, seed=number, series=True, modality=KIND)
            grade = yardstick(name).place(worse)
            errors.append(abs(grade.severity - severity))
            covered.append(grade.low - 0.02 <= severity <= grade.high + 0.02)
    assert np.mean(np.array(errors) <= 0.25) >= 0.8
    assert np.mean(covered) >= 0.75


def test_clean_pictures_may_lie_at_0() -> None:
    """An image mixed with a coarser one is hard to tell from it; the interval says so."""
    for name in TRAITS:
        found = [yardstick(name).place(picture(number)) for number in range(REFERENCES, REFERENCES + 4)]
        assert max(grade.low for grade in found) == 0, name
        assert np.median([grade.severity for grade in found]) <= (0.5 if name == "low_resolution" else 0.1), name


def test_what_does_not_lie_on_the_axis_is_said() -> None:
    inverted = 255 - picture(REFERENCES)
    assert not yardstick("adjust_brightness").place(inverted).fits
    assert yardstick("adjust_brightness").place(picture(0)).fits


def test_references_that_differ_too_much_say_so() -> None:
    rng = np.random.default_rng(0)
    alike = [rng.integers(0, 255, (64, 64), dtype=np.uint8) for _ in range(6)]
    unlike = [(image // (1 + 3 * number)).astype(np.uint8) for number, image in enumerate(alike)]
    assert Yardstick("reduce_contrast", alike).typical_error < TOO_UNSURE
    assert Yardstick("reduce_contrast", unlike).typical_error > TOO_UNSURE


def test_bad_references_and_degradations_are_refused() -> None:
    few = [picture(0)] * (FEWEST_REFERENCES - 1)
    with pytest.raises(InputError, match="too few"):
        Yardstick("gaussian_blur", few)
    with pytest.raises(InputError, match="cannot be told from an image"):
        Yardstick("bubble", [picture(0)] * 6)
