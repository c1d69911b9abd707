"""The symmetries of the square: which views of an image are the same view of copies of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CHANNELS = 4
"""Copies worked on at once: OpenCV interpolates four float channels at nearly the price of one."""


@dataclass(frozen=True)
class Copy:
    """A symmetry of the square: `fliplr(rot90(image, quarter_turns))`, the flip only if `mirrored`."""

    quarter_turns: int
    mirrored: bool

    def of(self, image: np.ndarray) -> np.ndarray:
        """Return this copy of a (H, W) image."""
        image = np.rot90(image, self.quarter_turns)
        return image[:, ::-1] if self.mirrored else image

    def undo(self, image: np.ndarray) -> np.ndarray:
        """Return the image of which this is the copy."""
        return np.rot90(image[:, ::-1] if self.mirrored else image, -self.quarter_turns)


@dataclass(frozen=True)
class Batch:
    """Up to four views that are the same view, at `angle` in [0, 45] degrees, of copies of the image."""

    angle: float
    copies: tuple[Copy, ...]
    views: tuple[int, ...]


def batches(angles: np.ndarray, square: bool) -> list[Batch]:
    """Return all views, those of the same copies one after the other.

    Args:
        angles: (views,) in degrees.
        square: whether the image is; of another one only copies of the same height go together.
    """
    groups: dict[tuple[float, int], list[tuple[Copy, int]]] = {}
    for view, angle in enumerate(np.asarray(angles, dtype=np.float64)):
        quarter_turns, rest = divmod(round(float(angle) % 360.0, 9), 90.0)
        mirrored = rest > 45.0
        if mirrored:  # 90 q + rest = 90 (q + 1) - (90 - rest), the mirror image of view 90 - rest
            quarter_turns, rest = quarter_turns + 1, 90.0 - rest
        copy = Copy(int(quarter_turns) % 4, mirrored)
        upright = 0 if square else copy.quarter_turns % 2
        groups.setdefault((round(rest, 9), upright), []).append((copy, view))
    by_copies: dict[tuple[Copy, ...], list[Batch]] = {}
    for (angle, _), members in groups.items():
        members.sort(key=lambda member: (member[0].mirrored, member[0].quarter_turns))
        for first in range(0, len(members), CHANNELS):
            part = members[first : first + CHANNELS]
            batch = Batch(angle, tuple(m[0] for m in part), tuple(m[1] for m in part))
            by_copies.setdefault(batch.copies, []).append(batch)
    return [batch for of_copies in by_copies.values() for batch in of_copies]


def channels(count: int) -> int:
    """Return how many channels so many copies take: one, or `CHANNELS`."""
    return 1 if count == 1 else CHANNELS
