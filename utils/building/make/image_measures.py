"""Measures of how far a degraded image is from its clean one, by which the quality gate decides.

All are taken on grey levels 0..255 (luma of a colour image, the upper eight bits of a 16-bit one) and rounded, so that
the last bits of another processor's arithmetic decide nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import cv2
import numpy as np
from PIL import Image

from ....degradations.markings import find_markings
from ...images import to_8_bits

BLOCK = 8
"""Side in pixels of the blocks whose mean difference says whether anything can be seen."""

COARSE = 64
"""Side in pixels to which both images are reduced, by area, for `Likeness.coarse`: noise averages out, shape stays."""

DARKEST, BRIGHTEST = 10, 245
"""Grey levels between which a pixel of the clean image has a value to lose by being clipped."""


@dataclass(frozen=True)
class Likeness:
    """A degraded image beside its clean one.

    Attributes:
        ssim: mean structural similarity, Gaussian window of sigma 1.5 (Wang et al. 2004); 1 for equal images.
        visible: the largest mean absolute difference of any block of 8 x 8 pixels, in grey levels.
        entropy: of the grey-level histogram, in bits, 0 to 8.
        entropy_kept: the same as a share of the clean image's; 1 where that one is constant.
        contrast_kept: standard deviation of the grey levels as a share of the clean image's, both reduced to a shorter
            side of at most 64 pixels by area.
        region_contrast_kept: the same inside the boxes round coloured markings on a grey image, the markings
            themselves left out, at full resolution; None where there are none.
        clipped: of the clean image's pixels of 10 to 245 grey levels, the share that is pure black or white now: what
            it showed there is gone. Background that was black before does not count; 0 without such pixels.
    """

    ssim: float
    visible: float
    entropy: float
    entropy_kept: float
    contrast_kept: float
    region_contrast_kept: float | None
    clipped: float

    def as_dict(self) -> dict[str, float | None]:
        """Return the measures by name, rounded as they are decided by."""
        return asdict(self)


def compare(clean: Image.Image, degraded: Image.Image) -> Likeness:
    """Measure a degraded image against the clean one of the same size.

    Args:
        clean: of mode L, LA, RGB, RGBA or I;16.
        degraded: of the same mode and size.
    """
    before, after = grey(clean), grey(degraded)
    region = _marked_region(clean)
    return Likeness(
        ssim=round(ssim(before, after), 4),
        visible=round(_largest_block(before, after), 2),
        entropy=round(entropy(after), 3),
        entropy_kept=_share(entropy(after), entropy(before)),
        contrast_kept=_share(float(_reduced(after).std()), float(_reduced(before).std())),
        region_contrast_kept=None
        if region is None
        else _share(float(after[region].std()), float(before[region].std())),
        clipped=clipped(before, after),
    )


def grey(image: Image.Image) -> np.ndarray:
    """Return an image's grey levels, float32 of shape (H, W), 0..255."""
    image = to_8_bits(image)
    return np.asarray(image.convert("RGB").convert("L") if image.mode != "L" else image, dtype=np.float32)


def ssim(before: np.ndarray, after: np.ndarray) -> float:
    """Return the mean structural similarity of two grey images (H, W), 0..255 (Wang et al. 2004, eq. 13).

    Gaussian weights of sigma 1.5 in a window of 11 x 11, by scikit-image; the mean is over all pixels, those at the
    border too, which scikit-image leaves out of the number that it gives itself.
    """
    from skimage.metrics import structural_similarity

    _, similarity = structural_similarity(
        before.astype(np.float64),
        after.astype(np.float64),
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        full=True,
    )
    return float(similarity.mean())


def entropy(values: np.ndarray) -> float:
    """Return the entropy in bits of the histogram of 256 grey levels."""
    from scipy import stats

    return float(stats.entropy(np.bincount(values.astype(np.uint8).ravel()), base=2))


def clipped(before: np.ndarray, after: np.ndarray) -> float:
    """Return the share of the pixels of `before` between `DARKEST` and `BRIGHTEST` that are 0 or 255 in `after`.

    Args:
        before: grey levels 0..255, of any shape.
        after: the same of the degraded image.
    """
    shown = (before >= DARKEST) & (before <= BRIGHTEST)
    if not shown.any():
        return 0.0
    values = after[shown]
    return round(float(np.mean((values < 0.5) | (values > 254.5))), 4)


def _largest_block(before: np.ndarray, after: np.ndarray) -> float:
    height, width = before.shape
    size = (max(1, width // BLOCK), max(1, height // BLOCK))
    return float(cv2.resize(np.abs(before - after), size, interpolation=cv2.INTER_AREA).max())


def _reduced(values: np.ndarray) -> np.ndarray:
    height, width = values.shape
    factor = COARSE / min(height, width)
    if factor >= 1:
        return values
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cv2.resize(values, size, interpolation=cv2.INTER_AREA)


def _marked_region(clean: Image.Image) -> np.ndarray | None:
    """Where the boxes round coloured markings are, without the markings; None where there are none."""
    if clean.mode not in ("RGB", "RGBA"):
        return None
    markings = find_markings(np.asarray(clean.convert("RGB")))
    if markings is None:
        return None
    region = np.zeros(markings.shape, bool)
    joined = cv2.dilate(markings.astype(np.uint8), np.ones((5, 5), np.uint8))
    count, _, boxes, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    for left, top, width, height, _ in boxes[1:count]:
        if min(width, height) > BLOCK:  # a speck, a letter's stroke
            region[top : top + height, left : left + width] = True
    region &= joined == 0
    return region if region.any() else None


def _share(after: float, before: float) -> float:
    return round(after / before, 4) if before > 0 else 1.0
