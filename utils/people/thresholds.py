"""From ratings of readers to severity thresholds, with intervals for readers and images like these.

Readers and images are random: the panel saw some images, and neither other readers nor other images have the same
thresholds. The model is fitted twice, once with thresholds for each reader and a shift for each image, once the other
way round; each gives how one factor's thresholds vary. With R readers and I images

    Var(mean) = V_R + V_I - 2 V_e + V_o,  V_R = variance over readers / R,  V_I = variance over images / I,

where V_e is the sampling variance that both contain and V_o that of what is asked for, never less than either of V_R,
V_I and V_o; Student's t has Satterthwaite's degrees of freedom of V_R and V_I (Biometrics Bulletin 2, 1946).
`benchmarks/readers.py` measures bias and coverage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from ..base.errors import InputError
from .rating_model import RATINGS, Fit, fit

Array = NDArray[np.float64]

FEWEST_READERS = 3
FEWEST_IMAGES = 2
MOST_CATCH_ERRORS = 0.2

SEEN = 0.75
"""L1 is where this share of the attentive looks see a change."""

_OFFSETS = np.array([special.logit(SEEN), 0.0, 0.0])
_TAIL = 0.975


@dataclass(frozen=True)
class Rating:
    """One answer.

    Attributes:
        reader: code.
        image: id of the clean image.
        s: severity shown, 0 for the clean image.
        rating: 0 no change, 1 seen, 2 hampers the diagnosis, 3 non-diagnostic.
    """

    reader: str
    image: str
    s: float
    rating: int


@dataclass(frozen=True)
class Threshold:
    """A severity with its 95% interval.

    Attributes:
        estimate: for a typical reader and image.
        low: lower end.
        high: upper end.
        freedom: Satterthwaite's degrees of freedom.
        beyond: whether the estimate lies beyond what was shown, so that it rests on the curve's form.
    """

    estimate: float
    low: float
    high: float
    freedom: float
    beyond: bool

    def __str__(self) -> str:
        more = ", beyond what was shown" if self.beyond else ""
        return f"{self.estimate:.2f} [{self.low:.2f}, {self.high:.2f}]{more}"


@dataclass(frozen=True)
class Calibration:
    """The thresholds of one degradation, in images of one kind.

    Attributes:
        seen: where 75% see a change.
        hampers: where half of the ratings say that the change hampers the diagnosis.
        non_diagnostic: where half say that the image is not diagnostic.
        readers: of the panel.
        images: that they saw.
        ratings: in all.
        slope: of the curves, per unit of severity.
        lapse: share of the ratings that did not look at the picture.
        of_readers: reader -> the three thresholds (medians) of that reader.
    """

    seen: Threshold
    hampers: Threshold
    non_diagnostic: Threshold
    readers: int
    images: int
    ratings: int
    slope: float
    lapse: float
    of_readers: dict[str, tuple[float, float, float]]

    @property
    def mild(self) -> float:
        """Severity for L1: where 75% see a change."""
        return self.seen.estimate

    @property
    def severe(self) -> float:
        """Severity for L2: midway between hampering and non-diagnostic, below what may already be non-diagnostic."""
        middle = (self.hampers.estimate + self.non_diagnostic.estimate) / 2
        return min(middle, self.non_diagnostic.low)

    def lines(self) -> list[str]:
        """Return what to print, one line each."""
        return [
            f"{self.readers} readers, {self.images} images, {self.ratings} ratings; lapses {self.lapse:.1%}",
            f"75% see a change at {self.seen}",
            f"hampers the diagnosis at {self.hampers}",
            f"non-diagnostic at {self.non_diagnostic}",
            f"L1 = {self.mild:.2f}, L2 = {self.severe:.2f}",
        ]


def calibrate(ratings: Sequence[Rating], stop: float) -> Calibration:
    """Estimate the thresholds of one degradation from the ratings of a panel, catch trials included.

    Args:
        ratings: of at least three readers and two images.
        stop: largest severity that was shown.

    Raises:
        InputError: too few readers or images, or `check_catch_trials` refuses; one line.
    """
    wrong = [one for one in ratings if one.rating not in range(RATINGS) or not np.isfinite(one.s)]
    if wrong:
        raise InputError(f"{wrong[0]}: a rating is 0 to {RATINGS - 1}, a severity a number")
    readers = sorted({one.reader for one in ratings})
    images = sorted({one.image for one in ratings})
    if len(readers) < FEWEST_READERS:
        raise InputError(
            f"{len(readers)} reader{'s' * (len(readers) != 1)}: a severity table needs {FEWEST_READERS}, since fewer "
            "say nothing of how readers differ"
        )
    if len(images) < FEWEST_IMAGES:
        raise InputError(f"{len(images)} image: a severity table needs {FEWEST_IMAGES}")
    check_catch_trials(ratings, stop)
    s = np.array([one.s for one in ratings])
    given = np.array([one.rating for one in ratings])
    reader = np.array([readers.index(one.reader) for one in ratings])
    image = np.array([images.index(one.image) for one in ratings])
    of_readers = fit(s, given, reader, image, _OFFSETS)
    of_images = fit(s, given, image, reader, _OFFSETS)
    seen, hampers, non_diagnostic = (_threshold(place, of_readers, of_images, stop) for place in range(RATINGS - 1))
    return Calibration(
        seen=seen,
        hampers=hampers,
        non_diagnostic=non_diagnostic,
        readers=len(readers),
        images=len(images),
        ratings=len(ratings),
        slope=of_readers.slope,
        lapse=of_readers.lapse,
        of_readers={name: _three(row) for name, row in zip(readers, of_readers.thresholds, strict=True)},
    )


def check_catch_trials(ratings: Sequence[Rating], stop: float) -> None:
    """Refuse a panel that sees a change in the clean image, or none at the stop, in more than 20% of these trials.

    A single reader is refused where more than 20% is beyond chance (one-sided 5%): of the dozen catch trials of a
    short session, an attentive reader gets three wrong now and then.

    Raises:
        InputError: one line that names the readers.
    """
    errors: dict[str, list[bool]] = {}
    for one in ratings:
        if one.s == 0 or one.s >= stop:
            errors.setdefault(one.reader, []).append((one.rating > 0) if one.s == 0 else (one.rating == 0))
    bad = [name for name, own in sorted(errors.items()) if _beyond_chance(sum(own), len(own))]
    if sum(map(sum, errors.values())) > MOST_CATCH_ERRORS * sum(map(len, errors.values())):
        bad = bad or sorted(errors)
    if bad:
        said = ", ".join(f"{name} {sum(errors[name])} of {len(errors[name])}" for name in bad)
        raise InputError(
            f"more than {MOST_CATCH_ERRORS:.0%} of the catch trials wrong ({said}): leave these readers out"
        )


def _beyond_chance(wrong: int, of: int) -> bool:
    return bool(stats.binomtest(wrong, of, MOST_CATCH_ERRORS, alternative="greater").pvalue < 0.05)


def _threshold(place: int, of_readers: Fit, of_images: Fit, stop: float) -> Threshold:
    ways = (of_readers, of_images)
    values = [each.thresholds[:, place] for each in ways]
    estimate = float(
        np.mean([own.mean() + _OFFSETS[place] / each.slope for own, each in zip(values, ways, strict=True)])
    )
    between = [float(own.var(ddof=1)) / len(own) for own in values]
    asked = float(of_readers.mean_error_at[place])
    variance = sum(between) - 2 * float(of_readers.mean_error[place]) + asked
    variance = max(variance, *between, asked)
    freedom = sum(between) ** 2 / sum(one**2 / (len(own) - 1) for one, own in zip(between, values, strict=True))
    reach = float(special.stdtrit(freedom, _TAIL)) * np.sqrt(variance)
    return Threshold(estimate, estimate - reach, estimate + reach, freedom, estimate > stop)


def _three(row: Any) -> tuple[float, float, float]:
    first, second, third = (float(value) for value in row)
    return first, second, third
