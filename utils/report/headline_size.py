"""Where the parts of the headline figure stand, by the width that was asked for."""

from __future__ import annotations

from dataclasses import dataclass

from ..dataset.taxonomy import LEVELS

_NAME = 0.98
"""Inches that the name of a line takes behind its last point."""
_ROOM = 1.75
"""Inches between two levels that a shift and its interval take in one line; less makes a figure narrow."""
_INTERVAL = 0.76
"""Likewise of the interval alone; where there is less it is left out."""


@dataclass(frozen=True)
class HeadlineSize:
    """Where things stand across a figure, in inches.

    Attributes:
        width: of the figure.
        margin: left of the texts.
        left: of the panel.
        right: likewise.
        panel: its height.
        picture: its sides.
        narrow: the names of the lines stand within the panel, and what is below the levels in several lines.
    """

    width: float = 7.4
    margin: float = 0.148
    left: float = 0.592
    right: float = 6.364
    panel: float = 2.75
    picture: float = 1.5
    narrow: bool = False

    @property
    def step(self) -> float:
        """Inches between two levels."""
        across = self.right - self.left
        return (across - _NAME) / (len(LEVELS) - 0.5) if self.narrow else across / len(LEVELS)

    @property
    def end(self) -> float:
        """Where the panel ends, in steps between levels from the first."""
        return (self.right - self.left) / self.step - 0.5

    def characters(self, points: float) -> int:
        """Return how many letters of some size are a line across the figure, also of a font whose letters are equal."""
        return int((self.width - 0.02) * 72 / (0.6 * points))

    @property
    def has_room_for_intervals(self) -> bool:
        """Whether the interval of a shift fits below its level."""
        return self.step >= _INTERVAL

    def middle(self, number: int) -> float:
        """Return where a picture has its middle: below its level, or in its third of a narrow figure."""
        if self.narrow:
            return self.width * (number + 0.5) / len(LEVELS)
        return self.left + self.step * (number + 0.5)


def headline_size(width: float | None) -> HeadlineSize:
    """Return the places in a figure of some millimetres, or in the one that is drawn unasked."""
    if width is None:
        return HeadlineSize()
    inches = width / 25.4
    wide = HeadlineSize(inches, 0.05, right=inches - 0.4)
    if wide.step >= _ROOM:
        return wide
    return HeadlineSize(inches, 0.05, 0.38, inches - 0.03, 2.3, min(1.5, inches / len(LEVELS) - 0.1), narrow=True)
