"""The quality gate: its measures against other implementations, its limits against the published images, the review."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medqdeg.degradations import load_severities
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.building.make import gate
from medqdeg.utils.building.make.degrading import DegradedPair, MadeImage, degrade_item
from medqdeg.utils.building.make.image_measures import clipped, compare, entropy, ssim
from medqdeg.utils.images import encode_image, read_image

LIMITS = gate.Limits()


def picture(side: int = 64) -> np.ndarray:
    y, x = np.mgrid[:side, :side]
    return (128 + 60 * np.sin(x / 5) + 50 * np.cos(y / 7)).astype(np.uint8)


def made(values: np.ndarray) -> MadeImage:
    image = Image.fromarray(values)
    return MadeImage(image, encode_image(image), {}, "")


def verdict(clean: np.ndarray, mild: np.ndarray, severe: np.ndarray, name: str = "gaussian_blur") -> gate.Verdict:
    return gate.judge([made(clean)], DegradedPair(name, {"L1": (made(mild),), "L2": (made(severe),)}), LIMITS)


@pytest.mark.parametrize("sigma", [1.0, 12.0, 60.0])
def test_ssim_is_the_paper_s_formula(sigma: float) -> None:
    """Equations 6 to 13 of Wang et al. 2004, window by window, mirrored at the border."""
    before = picture(24).astype(float)
    noise = np.random.default_rng(0).normal(0, sigma, before.shape)
    after = np.clip(before + noise, 0, 255).round()
    line = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    weights = np.outer(line, line) / line.sum() ** 2
    first, second = (np.pad(image, 5, mode="symmetric") for image in (before, after))
    found = []
    for row, column in np.ndindex(before.shape):
        x, y = (image[row : row + 11, column : column + 11] for image in (first, second))
        mean_x, mean_y = (weights * x).sum(), (weights * y).sum()
        variance_x, variance_y = (weights * (x - mean_x) ** 2).sum(), (weights * (y - mean_y) ** 2).sum()
        covariance = (weights * (x - mean_x) * (y - mean_y)).sum()
        luminance = (2 * mean_x * mean_y + 2.55**2) / (mean_x**2 + mean_y**2 + 2.55**2)
        found.append(luminance * (2 * covariance + 7.65**2) / (variance_x + variance_y + 7.65**2))
    assert ssim(before.astype(np.float32), after.astype(np.float32)) == pytest.approx(np.mean(found), abs=1e-9)


def test_entropy_of_equal_shares_is_the_logarithm() -> None:
    assert entropy(np.arange(256, dtype=np.float32).reshape(16, 16)) == pytest.approx(8)
    assert entropy(np.zeros((4, 4), np.float32)) == 0
    assert entropy(np.array([[0, 0, 0, 9]], np.float32)) == pytest.approx(0.75 * math.log2(4 / 3) + 0.5)


def test_equal_images_are_alike_in_all() -> None:
    found = compare(Image.fromarray(picture()), Image.fromarray(picture()))
    assert (found.ssim, found.visible, found.entropy_kept, found.contrast_kept) == (1, 0, 1, 1)
    assert found.region_contrast_kept is None


def test_largest_block_is_found_wherever_it_is() -> None:
    changed = picture()
    changed[16:24, 40:48] += 10
    found = compare(Image.fromarray(picture()), Image.fromarray(changed))
    assert found.visible == 10


def test_contrast_inside_a_marking_counts_alone() -> None:
    clean = np.repeat(picture(96)[..., None], 3, axis=2)
    clean[20:61, 20] = clean[20:61, 60] = clean[20, 20:61] = clean[60, 20:61] = (255, 0, 0)
    flat = clean.copy()
    flat[21:60, 21:60] = 120
    found = compare(Image.fromarray(clean), Image.fromarray(flat))
    assert found.region_contrast_kept == 0
    assert found.contrast_kept > 0.8
    result = verdict(clean, flat, flat)
    assert result.kind == gate.TOO_STRONG
    assert "marking" in result.reason


def test_clipped_is_what_was_shown_and_is_no_longer() -> None:
    before = np.array([[0, 9, 10, 100], [245, 246, 255, 200]], np.float32)
    assert clipped(before, np.full_like(before, 255)) == 1
    assert clipped(before, np.array([[0, 0, 0, 100], [245, 255, 255, 255]], np.float32)) == 0.5
    assert clipped(before, before) == 0
    assert clipped(np.zeros((2, 2), np.float32), np.zeros((2, 2), np.float32)) == 0


@pytest.mark.parametrize("share", [0.2, 0.3])
def test_clipping_beyond_a_quarter_is_too_strong(share: float) -> None:
    clean = np.tile(np.linspace(20, 200, 100).astype(np.uint8), (100, 1))
    burnt = clean + 20
    burnt[:, round(100 * (1 - share)) :] = 255
    assert verdict(clean, clean + 20, burnt, "exposure").kind == (gate.TOO_STRONG if share > 0.25 else None)
    assert verdict(clean, clean + 20, burnt, "object_rotation").kind is None


def bright(modality: str, low: float, gamma: float = 1.0) -> bytes:
    """An image of the kind that a scanner's automatic window gives: the body fills the upper grey levels."""
    y, x = np.mgrid[-1:1:192j, -1:1:192j]
    texture = np.random.default_rng(0).normal(0, 0.05, (192, 192))
    body = np.clip(1 - 0.6 * (x**2 + y**2) + texture, 0, 1) ** gamma
    values = low + (250 - low) * body
    if modality == "MRI":
        values = np.where(x**2 + y**2 < 0.8, values, 4)
    return encode_image(Image.fromarray(values.astype(np.uint8)))


def test_exposure_that_burns_a_radiograph_out_is_taken_out() -> None:
    kinds = Counter()
    for seed in range(8):
        item = degrade_item([bright("X-ray", 90)], ["exposure"], seed=seed, modality="X-ray", table=load_severities())
        result = gate.judge(item.clean, item.pairs[0], LIMITS)
        white = max(float(np.mean(np.asarray(image.image) == 255)) for (image,) in item.pairs[0].levels.values())
        kinds[white > 0.3] += 1
        assert white <= 0.3 or result.kind == gate.TOO_STRONG
        assert white <= 0.3 or "clipped" in result.reason
    assert kinds[True]


def test_ghosting_that_burns_a_bright_mri_out_is_taken_out() -> None:
    item = degrade_item([bright("MRI", 150)], ["ghosting"], seed=0, modality="MRI", table=load_severities())
    result = gate.judge(item.clean, item.pairs[0], LIMITS)
    assert result.kind == gate.TOO_STRONG
    assert "clipped" in result.reason


def test_too_weak_and_too_strong_are_told() -> None:
    clean = picture()
    weak = clean.copy()
    weak[0, 0] += 3
    blurred = np.clip(clean.astype(int) + 20, 0, 255).astype(np.uint8)
    assert verdict(clean, weak, blurred).kind == gate.TOO_WEAK
    assert verdict(clean, blurred, np.full_like(clean, 9)).kind == gate.TOO_STRONG
    assert verdict(clean, blurred, blurred).kind is None


def test_a_turned_image_is_not_too_strong() -> None:
    rng = np.random.default_rng(0)
    clean = rng.integers(0, 256, (64, 64), dtype=np.uint8)
    other = rng.permutation(clean.ravel()).reshape(64, 64)
    assert verdict(clean, other, other, "gaussian_noise").kind == gate.TOO_STRONG
    assert verdict(clean, other, other, "object_rotation").kind is None


def test_an_item_is_weak_only_if_all_of_its_images_are() -> None:
    clean, other = picture(), np.clip(picture().astype(int) + 30, 0, 255).astype(np.uint8)
    levels = {"L1": (made(clean), made(other)), "L2": (made(other), made(other))}
    both = [made(clean), made(clean)]
    assert gate.judge(both, DegradedPair("exposure", levels), LIMITS).kind is None
    levels["L1"] = (made(clean), made(clean))
    assert gate.judge(both, DegradedPair("exposure", levels), LIMITS).kind == gate.TOO_WEAK


def test_published_images_pass(reference: Path) -> None:
    tried = 0
    for path in sorted(reference.glob("*_L0.png")):
        stem = path.name.removesuffix("_L0.png")
        clean, *degraded = (read_image(reference / f"{stem}_{level}.png").image for level in ("L0", "L1", "L2"))
        if any(image.mode != clean.mode for image in degraded):  # one set of three mixes grey and colour files
            clean, *degraded = (image.convert("L") for image in (clean, *degraded))
        levels = {level: (MadeImage(image, b"", {}, ""),) for level, image in zip(("L1", "L2"), degraded, strict=True)}
        name = "motion_blur" if stem.startswith("xray") else stem
        result = gate.judge([MadeImage(clean, b"", {}, "")], DegradedPair(name, levels), LIMITS)
        assert result.kind is None, (stem, result.reason)
        tried += 1
    assert tried == 19


def test_a_degradation_that_changes_nothing_is_not_made() -> None:
    flat = encode_image(Image.new("L", (32, 32), 90))
    item = degrade_item([flat], ["gaussian_blur"], seed=0, modality="CT", table=load_severities())
    result = gate.judge(item.clean, item.pairs[0], LIMITS)
    assert result.kind == gate.NOT_MADE
    assert result.decision == gate.EXCLUDE


def test_review_goes_out_and_comes_back(tmp_path: Path) -> None:
    good = gate.Verdict(None, "", {})
    bad = gate.Verdict(gate.TOO_WEAK, "L1: SSIM", {})
    rows = [
        gate.review_row('ward:"a", b', "exposure", good, "keep"),
        gate.review_row("ward:c", "exposure", bad, "exclude"),
    ]
    path = tmp_path / "review.csv"
    path.write_bytes(gate.review_table(rows))
    assert path.read_text().splitlines()[1].startswith("ward:c,exposure,exclude,exclude,too weak (L1: SSIM)")
    assert gate.read_review(path) == {('ward:"a", b', "exposure"): "keep", ("ward:c", "exposure"): "exclude"}


def test_an_id_like_a_formula_is_safe_in_the_review_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "review.csv"
    row = gate.review_row("=cmd|'x'!A0:1", "exposure", verdict(picture(), picture(), picture()), "exclude")
    path.write_bytes(gate.review_table([row]))
    assert path.read_text().splitlines()[1].startswith("'=cmd|")
    assert gate.read_review(path) == {("=cmd|'x'!A0:1", "exposure"): "exclude"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("item_id,degradation\na,b\n", "lacks the column decision"),
        ("item_id,degradation,decision\na,b,maybe\n", "maybe"),
    ],
)
def test_a_wrong_review_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "review.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        gate.read_review(path)
