"""The observer against theory, and its two controls: clean images show the answer, grey ones do not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from medqdeg.degradations import list_degradations
from medqdeg.utils.evidence.gone import KEEPS_EVIDENCE, LADDERS, degraded_at, first_gone
from medqdeg.utils.evidence.judging import GONE, LEAST_CLEAN, SURVIVES, ItemObserver
from medqdeg.utils.evidence.observer import BLOCK, Scenes, block_means, evidence
from medqdeg.utils.phantoms.planning import plan_suite
from medqdeg.utils.phantoms.suite import draw_phantom

SIDE = 64
"""Of the images made here: 16 blocks."""


def drawings(number: int, shifts: list[float], noise: float, rng: np.random.Generator) -> list[list[np.ndarray]]:
    """Grey images whose upper left quarter is brighter by a shift, one shift per scene, in white noise."""
    images = []
    for shift in shifts:
        canvas = np.full((number, SIDE, SIDE), 120.0)
        canvas[:, : SIDE // 2, : SIDE // 2] += shift
        noisy = canvas + noise * rng.standard_normal(canvas.shape)
        images.append(list(np.clip(np.rint(noisy), 0, 255).astype(np.uint8)))
    return images


def test_block_means_are_means() -> None:
    image = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    means = block_means(image)
    for row, column, channel in ((0, 0, 0), (3, 7, 2), (15, 15, 1)):
        part = image[BLOCK * row : BLOCK * row + BLOCK, BLOCK * column : BLOCK * column + BLOCK, channel]
        assert means[row, column, channel] == pytest.approx(part.mean())


@pytest.mark.parametrize("shift", [2.0, 4.0, 8.0])
def test_two_scenes_are_told_apart_as_often_as_theory_says(shift: float) -> None:
    """Of white noise, the best observer is right with the chance Phi(d' / 2), d' = shift sqrt(pixels) / noise."""
    rng, eye = np.random.default_rng(2), 8.0
    scenes = Scenes.of(drawings(400, [shift, 0.0], 30.0, rng))
    pixels = (SIDE // 2) ** 2
    # The eye adds noise of `eye` to each 8 x 8 block, as 8 times that of a pixel.
    d = shift * pixels**0.5 / np.hypot(30.0, 8 * eye)
    expected = 2 * stats.norm.cdf(d / 2) - 1
    assert evidence(scenes, scenes, eye) == pytest.approx(expected, abs=0.06)


def test_an_eye_with_more_noise_sees_less() -> None:
    scenes = Scenes.of(drawings(24, [30.0, 0.0, -30.0], 20.0, np.random.default_rng(3)))
    seen = [evidence(scenes, scenes, sigma) for sigma in (3.0, 30.0, 300.0)]
    assert seen[0] > 0.95
    assert seen == sorted(seen, reverse=True)
    assert seen[2] < 0.6


def test_images_that_are_all_the_same_show_nothing() -> None:
    clean = Scenes.of(drawings(24, [30.0, 0.0, -30.0], 20.0, np.random.default_rng(4)))
    grey = Scenes.of([[np.full((SIDE, SIDE), 128, dtype=np.uint8)] * 24] * 3)
    assert evidence(grey, clean, 3.0) == 0.0


def test_scenes_that_do_not_differ_show_next_to_nothing() -> None:
    found = [
        evidence(scenes, scenes, 3.0)
        for seed in range(12)
        for scenes in [Scenes.of(drawings(24, [0.0, 0.0, 0.0], 20.0, np.random.default_rng(seed)))]
    ]
    assert abs(np.mean(found)) < 0.25  # the best of three templates is a little above chance
    assert max(found) < 0.6


def test_colour_counts_as_grey_where_all_channels_say_the_same() -> None:
    images = drawings(24, [12.0, 0.0], 40.0, np.random.default_rng(5))
    colour = [[np.repeat(image[..., None], 3, axis=2) for image in drawn] for drawn in images]
    grey, coloured = Scenes.of(images), Scenes.of(colour)
    assert evidence(coloured, coloured, 20.0) == pytest.approx(evidence(grey, grey, 20.0), abs=0.12)


def test_every_degradation_has_a_ladder_or_a_reason() -> None:
    assert set(LADDERS) | set(KEEPS_EVIDENCE) == set(list_degradations())
    assert not set(LADDERS) & set(KEEPS_EVIDENCE)
    assert all(list(ladder) == sorted(set(ladder)) for ladder in LADDERS.values())


@pytest.fixture(scope="module")
def observer() -> ItemObserver:
    item = next(item for item in plan_suite(84, seed=0) if item.template == "mri_lesion_side")
    return ItemObserver(draw_phantom(item, seed=0), seed=0)


def test_a_phantom_s_clean_drawings_show_the_answer_and_grey_ones_do_not(observer: ItemObserver) -> None:
    assert observer.clean >= LEAST_CLEAN
    grey = Scenes(np.full_like(observer._clean_scenes.blocks, 128.0))
    assert evidence(grey, observer._clean_scenes, 3.0) == 0.0


def test_evidence_goes_where_it_can_and_stays_where_it_cannot(observer: ItemObserver) -> None:
    phantom = observer.phantom
    found = first_gone(observer, "adjust_brightness", "a")
    assert found is not None
    severity, judgement = found
    assert judgement.verdict == GONE
    place = LADDERS["adjust_brightness"].index(severity)
    for milder in LADDERS["adjust_brightness"][:place]:
        _, record = degraded_at(phantom.image, "adjust_brightness", milder, "a", "MRI")
        assert observer.judge(record).verdict != GONE
    assert first_gone(observer, "object_rotation", "a") is None
    _, mild = degraded_at(phantom.image, "gaussian_noise", 1.0, "a", "MRI")
    assert observer.judge(mild).verdict == SURVIVES
    assert observer.judge(mild) == observer.judge(mild)


def test_severities_of_a_ladder_are_those_of_the_axis() -> None:
    """Up to its stop a ladder's severity is the series' own; beyond, only the stop is lifted."""
    from medqdeg.degradations import degrade

    image = np.random.default_rng(6).integers(0, 256, (64, 64), dtype=np.uint8)
    for name in ("gaussian_blur", "reduce_contrast", "gaussian_noise"):
        theirs = degrade(image, name, 3.0, seed="a", modality="MRI")
        assert np.array_equal(degraded_at(image, name, 3.0, "a", "MRI")[0], theirs)
