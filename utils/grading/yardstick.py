"""The yardstick of the grading: clean images of one kind, degraded along the axis.

For every severity of a grid the references' traits have a mean and a variance; an image lies at the severity under
which its own traits are most likely (a normal distribution per trait). How far that can be off is seen on the
references themselves: each is placed by the others, at severities that are then taken from the grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...degradations import degrade, largest_severity
from ..base.errors import InputError
from .traits import TRAITS, UNTOLD, Array

FEWEST_REFERENCES = 5
GRID = (0.001, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
_STEP = 0.01
_NEAR = 0.5
_LEAST_VARIANCE = 1e-4
TOO_UNSURE = 0.5
"""A yardstick of which a fifth of its own references are placed further off says nothing."""


@dataclass(frozen=True)
class Grade:
    """Where an image lies.

    Attributes:
        severity: the most likely one, 0 (clean) to the yardstick's end.
        low: lower end of the range in which 95% of the references lay that were placed there.
        high: its upper end.
        fits: whether the image's traits are as likely as a reference's; else it does not lie on this axis.
    """

    severity: float
    low: float
    high: float
    fits: bool


class Yardstick:
    """One degradation of one kind of images.

    Args:
        name: a degradation of `traits.TRAITS`.
        references: clean images, (H, W) or (H, W, 3), uint8 or real numbers on the 0..255 scale.
        modality: chooses the strengths.
        seed: of the draws.

    Raises:
        InputError: a degradation that cannot be told, or too few references.
    """

    def __init__(
        self, name: str, references: Sequence[NDArray[np.generic]], modality: str | None = None, seed: int = 0
    ) -> None:
        if name not in TRAITS:
            raise InputError(f"the severity of {name} cannot be told from an image: {UNTOLD.get(name, 'unknown')}")
        if len(references) < FEWEST_REFERENCES:
            raise InputError(f"{len(references)} reference images are too few: give at least {FEWEST_REFERENCES}")
        self.name = name
        self.grid = np.array([each for each in GRID if each <= largest_severity(name, modality)])
        self._fine = np.arange(0.0, self.grid[-1] + _STEP / 2, _STEP)
        self._traits = [
            np.stack([self._row(references, severity, modality, seed, dict(branch)) for severity in self.grid])
            for branch in TRAITS[name].branches
        ]

    def _row(
        self,
        references: Sequence[NDArray[np.generic]],
        severity: float,
        modality: str | None,
        seed: int,
        branch: dict[str, str],
    ) -> Array:
        """Return (references, traits) at one severity."""
        measure = TRAITS[self.name].measure
        worse = (
            degrade(
                np.clip(np.rint(image), 0, 255).astype(np.uint8),
                self.name,
                float(severity),
                seed=f"{seed}:{number}",
                series=True,
                modality=modality,
                allow_unchanged=True,
                **branch,
            )
            for number, image in enumerate(references)
        )
        return np.stack([measure(image) for image in worse])

    def place(self, image: NDArray[np.generic]) -> Grade:
        """Place an image of the references' kind on the axis."""
        observed = TRAITS[self.name].measure(image)
        severity, likelihood = self._best(self._traits, observed)
        placed, true, likelihoods = self._own
        near = np.abs(placed - severity) <= _NEAR
        errors = (true - placed)[near] if near.any() else true - placed
        low, high = np.quantile(errors, (0.025, 0.975))
        low, high = np.clip([severity + min(low, 0), severity + max(high, 0)], 0, self.grid[-1])
        return Grade(severity, float(low), float(high), bool(likelihood >= likelihoods.min()))

    @cached_property
    def typical_error(self) -> float:
        """How far off four fifths of the references are placed by the others, at most."""
        placed, true, _ = self._own
        return float(np.quantile(np.abs(placed - true), 0.8))

    @cached_property
    def _own(self) -> tuple[Array, Array, Array]:
        """Severities at which the references are placed by the others, true ones, and the likelihoods."""
        found = []
        for traits in self._traits:
            for number in range(traits.shape[1]):
                others = [np.delete(each, number, axis=1) for each in self._traits]
                for place, severity in enumerate(self.grid):
                    # Between the ends without the severity itself, as an image lies between those of the grid.
                    kept = np.ones(len(self.grid), bool)
                    kept[place] = place in (0, len(self.grid) - 1)
                    found.append((*self._best(others, traits[place, number], kept), severity))
        placed, likelihoods, true = np.array(found).T
        return placed, true, likelihoods

    def _best(
        self, branches: Sequence[Array], observed: Array, kept: NDArray[np.bool_] | None = None
    ) -> tuple[float, float]:
        """Return the most likely severity over all branches, and its log-likelihood; of the grid, only what is kept."""
        best = (0.0, -np.inf)
        kept = np.ones(len(self.grid), bool) if kept is None else kept
        for traits in branches:
            mean, variance = traits[kept].mean(axis=1), traits[kept].var(axis=1, ddof=1) + _LEAST_VARIANCE
            means, variances = (
                np.stack([np.interp(self._fine, self.grid[kept], column) for column in each.T], axis=1)
                for each in (mean, variance)
            )
            likelihood = -0.5 * ((observed - means) ** 2 / variances + np.log(variances)).sum(axis=1)
            place = int(likelihood.argmax())
            if likelihood[place] > best[1]:
                best = (float(self._fine[place]), float(likelihood[place]))
        return best
