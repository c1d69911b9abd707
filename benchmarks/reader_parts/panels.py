"""Panels that rate severities, of known thresholds.

Every reader and every image moves the thresholds; a reader also has a criterion of its own for each threshold, and, in
the held-out worlds, a slope of its own or ratings from a Gaussian curve.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from scipy import special

from medqdeg.utils.people.thresholds import Rating


@dataclass(frozen=True)
class PanelWorld:
    """How a panel rates.

    Attributes:
        name: as printed.
        thresholds: of the typical reader and image.
        slope: of the curves, per unit of severity.
        reader: standard deviation of a reader's shift.
        image: of an image's shift.
        criterion: of a reader's shift of single thresholds.
        image_criterion: of an image's shift of single thresholds.
        slopes: of the logarithm of a reader's slope.
        lapse: share of the ratings drawn blindly.
        gaussian: whether the curves are Gaussian of the same slope at the threshold.
        stop: largest severity shown.
    """

    name: str
    thresholds: tuple[float, float, float] = (0.7, 1.4, 2.1)
    slope: float = 5.0
    reader: float = 0.2
    image: float = 0.2
    criterion: float = 0.1
    image_criterion: float = 0.0
    slopes: float = 0.0
    lapse: float = 0.03
    gaussian: bool = False
    stop: float = 3.0

    @functools.cached_property
    def truth(self) -> tuple[float, float, float]:
        """Where 75% see a change, and the two medians, for the typical reader and image.

        Thresholds that cross change places, which moves their means a little: drawn, 400,000 times.
        """
        spread = np.hypot(self.criterion, self.image_criterion)
        drawn = np.sort(self.thresholds + np.random.default_rng(0).normal(0, spread, (400_000, 3)), axis=1)
        first, second, third = (float(mean) for mean in drawn.mean(axis=0))
        at = special.ndtri(0.75) / self._gaussian_slope if self.gaussian else special.logit(0.75) / self.slope
        return first + float(at), second, third

    @property
    def _gaussian_slope(self) -> float:
        return self.slope / 4 * np.sqrt(2 * np.pi)

    def rise(self, apart: np.ndarray, slope: float) -> np.ndarray:
        """Return the chance of a rating at or above a threshold that lies `apart` below the severity."""
        found: np.ndarray = (
            special.ndtr(apart * slope / 4 * np.sqrt(2 * np.pi)) if self.gaussian else special.expit(apart * slope)
        )
        return found


WORLDS = (
    PanelWorld("readers and images shift"),
    PanelWorld("own criteria", criterion=0.25, image_criterion=0.2),
    PanelWorld("own slopes", slopes=0.4, slope=4.0),
    PanelWorld("Gaussian curves", gaussian=True, reader=0.35),
    PanelWorld("10% lapses", lapse=0.1),
    PanelWorld("late and flat", thresholds=(1.0, 1.8, 2.6), slope=3.0, image=0.3),
)
"""The method was written before any of them was run."""


def simulated_ratings(
    world: PanelWorld, readers: int, images: int, each: int, rng: np.random.Generator
) -> list[Rating]:
    """Return a panel's ratings: `each` per reader and image, 15% of them catch trials."""
    own = rng.normal(0, world.reader, (readers, 1)) + rng.normal(0, world.criterion, (readers, 3))
    of_image = rng.normal(0, world.image, (images, 1)) + rng.normal(0, world.image_criterion, (images, 3))
    slopes = world.slope * np.exp(rng.normal(0, world.slopes, readers))
    catches = max(2, round(0.15 * each))
    steps = np.arange(0.15, world.stop + 1e-9, 0.15)
    found = []
    for reader in range(readers):
        for image in range(images):
            limits = np.sort(np.array(world.thresholds) + own[reader] + of_image[image])
            shown = np.concatenate([np.resize([0.0, world.stop], catches), rng.choice(steps, each - catches)])
            above = world.rise(shown[:, None] - limits, slopes[reader])
            rating = (rng.random(each)[:, None] < above).sum(axis=1)
            blind = rng.random(each) < world.lapse
            rating = np.where(blind, rng.integers(0, 4, each), rating)
            found += [
                Rating(f"R{reader}", f"image {image}", float(s), int(one)) for s, one in zip(shown, rating, strict=True)
            ]
    return found
