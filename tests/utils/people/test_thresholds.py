"""Severity thresholds from simulated panels of known truth. No person rated any of these pictures."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy import optimize, special

from medqdeg.degradations import degrade, load_severities
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.people import rating_model
from medqdeg.utils.people.severity_table import severity_table
from medqdeg.utils.people.thresholds import Calibration, Rating, Threshold, calibrate, check_catch_trials

MEDIANS = np.array([0.7, 1.4, 2.1])
SLOPE = 5.0
TRUTH = (0.7 + float(special.logit(0.75)) / SLOPE, 1.4, 2.1)
STOP = 3.0


def _panel(readers: int, rng: np.random.Generator, lapse: float = 0.03, each: int = 20) -> list[Rating]:
    """Ratings of four images: readers and images shift the thresholds, 15% of the trials are catch trials."""
    found = []
    own = rng.normal(0, 0.2, (readers, 1)) + rng.normal(0, 0.1, (readers, 3))
    of_image = rng.normal(0, 0.2, 4)
    for reader in range(readers):
        for image in range(4):
            catches = round(0.15 * each)
            shown = [*np.resize([0.0, STOP], catches), *rng.choice(np.arange(1, 21) * 0.15, each - catches)]
            for s in shown:
                above = special.expit(SLOPE * (s - MEDIANS - own[reader] - of_image[image]))
                rating = int((rng.random() < above).sum())
                rating = int(rng.integers(0, 4)) if rng.random() < lapse else rating
                found.append(Rating(f"R{reader}", f"image {image}", float(s), rating))
    return found


def _three(found: Calibration) -> list[Threshold]:
    return [found.seen, found.hampers, found.non_diagnostic]


def test_the_gradient_is_right() -> None:
    rng = np.random.default_rng(0)
    s, own, other = rng.uniform(0, 3, 90), rng.integers(0, 3, 90), rng.integers(0, 4, 90)
    model = rating_model._Model(s, rng.integers(0, 4, 90), own, other)
    at = model.start() + rng.normal(0, 0.2, len(model.start()))
    numerical = optimize.approx_fprime(at, lambda point: model.loss(point)[0], 1e-6)
    assert model.loss(at)[1] == pytest.approx(numerical, rel=1e-3, abs=1e-3)


def test_many_ratings_give_back_the_thresholds_of_each_reader() -> None:
    rng = np.random.default_rng(1)
    limits = np.array([[0.5, 1.2, 2.0], [0.9, 1.3, 1.8], [0.6, 1.7, 2.4]])
    s, own = rng.uniform(0, STOP, 6000), rng.integers(0, 3, 6000)
    ratings = (rng.random((6000, 1)) < special.expit(SLOPE * (s[:, None] - limits[own]))).sum(axis=1)
    found = rating_model.fit(s, ratings, own, rng.integers(0, 2, 6000), np.zeros(3))
    assert found.thresholds == pytest.approx(limits, abs=0.08)
    assert found.slope == pytest.approx(SLOPE, rel=0.1)
    assert found.lapse < 0.01


@pytest.mark.parametrize(("readers", "lapse"), [(5, 0.03), (4, 0.1)])
def test_thresholds_are_unbiased_and_covered(readers: int, lapse: float) -> None:
    rng = np.random.default_rng((readers, 2))
    errors, covered = [], []
    for _ in range(6):
        found = _three(calibrate(_panel(readers, rng, lapse), STOP))
        errors.append([one.estimate - truth for one, truth in zip(found, TRUTH, strict=True)])
        covered += [one.low <= truth <= one.high for one, truth in zip(found, TRUTH, strict=True)]
    # 200 panels in each of six worlds are in benchmarks/readers.py: there the bias is below .05.
    assert np.abs(np.mean(errors, axis=0)).max() < 0.15
    assert np.mean(covered) > 0.8


@pytest.mark.parametrize("readers", [1, 2])
def test_two_readers_do_not_fix_a_table(readers: int) -> None:
    with pytest.raises(InputError, match=f"^{readers} readers?: a severity table needs 3"):
        calibrate(_panel(readers, np.random.default_rng(3)), STOP)


def test_one_image_does_not_either() -> None:
    ratings = [one for one in _panel(3, np.random.default_rng(3)) if one.image == "image 0"]
    with pytest.raises(InputError, match="1 image"):
        calibrate(ratings, STOP)


@pytest.mark.parametrize("always", [0, 3])
def test_who_always_says_the_same_is_refused(always: int) -> None:
    ratings = _panel(4, np.random.default_rng(4))
    lazy = [Rating(one.reader, one.image, one.s, always) if one.reader == "R2" else one for one in ratings]
    with pytest.raises(InputError, match=r"more than 20% of the catch trials wrong \(R2 8 of 16\)"):
        calibrate(lazy, STOP)


def test_a_rating_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="a rating is 0 to 3"):
        calibrate([Rating("R0", "a", 1.0, 4)], STOP)


def test_ten_percent_lapses_are_seldom_refused() -> None:
    refused = 0
    for seed in range(40):
        try:
            check_catch_trials(_panel(3, np.random.default_rng((seed, 5)), lapse=0.1), STOP)
        except InputError:
            refused += 1
    assert refused <= 3


def test_the_severe_level_keeps_below_what_may_be_non_diagnostic() -> None:
    def of(low: float) -> Calibration:
        return Calibration(_at(0.8), _at(1.4), Threshold(2.2, low, 3.0, 4.0, False), 3, 4, 240, 5.0, 0.0, {})

    assert of(2.0).severe == pytest.approx(1.8)
    assert of(1.6).severe == pytest.approx(1.6)
    assert of(2.0).mild == 0.8


def _at(s: float) -> Threshold:
    return Threshold(s, s - 0.2, s + 0.2, 4.0, False)


def _set(mild: float, severe: float) -> Calibration:
    return Calibration(_at(mild), _at(severe), Threshold(severe, severe, 3.0, 4.0, False), 3, 4, 240, 5.0, 0.02, {})


@pytest.mark.parametrize(
    ("name", "modality"),
    [("gaussian_blur", "CT"), ("gaussian_noise", "MRI"), ("reduce_contrast", "X-ray"), ("adjust_brightness", "CT")],
)
def test_the_table_gives_the_images_of_the_series(name: str, modality: str, tmp_path: Path) -> None:
    text = severity_table({(name, modality): _set(0.6, 1.7)}, ["0123abcd"])
    path = tmp_path / "severities.yaml"
    path.write_text(text)
    table = load_severities(path)
    image = np.random.default_rng(0).integers(40, 200, (64, 64), dtype=np.uint8)
    for level, severity in ((1, 0.6), (2, 1.7)):
        of_table = degrade(image, name, level, seed=3, modality=modality, severities=table).astype(int)
        of_series = degrade(image, name, severity, seed=3, modality=modality, series=True).astype(int)
        if (name, level) != ("gaussian_noise", 2):  # a series has the draws of its level 1 throughout
            assert np.abs(of_table - of_series).max() <= 1
        spread = [(one - image).std() for one in (of_table, of_series)]
        assert spread[0] == pytest.approx(spread[1], rel=0.05)
    assert "# head of the ratings: 0123abcd" in text
    assert re.search(rf"# {modality}: 75% see a change at 0.60 \[0.40, 0.80\]", text)


def test_every_degradation_has_a_row_or_says_why_not() -> None:
    rows = load_severities().rows
    cells = {
        (name, "CT" if modality == "default" else modality): _set(0.7, 1.6)
        for name, own in rows.items()
        for modality in own
    }
    text = severity_table(cells, [])
    own = yaml.safe_load(text)
    load_severities(own)
    missing = {name for name, modality in cells if modality not in own.get(name, {})}
    for name in missing:
        assert re.search(r"the row is left out", text), name
    assert {"gaussian_blur", "gaussian_noise", "exposure", "bubble", "undersampling"} <= set(own)
    assert missing == {"low_resolution", "limited_angle"}, "these fade in below L1"


def test_levels_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(InputError, match=r"gaussian_blur, CT: L1 at 1.60 is not below L2 at 1.20"):
        severity_table({("gaussian_blur", "CT"): _set(1.6, 1.2)}, [])
