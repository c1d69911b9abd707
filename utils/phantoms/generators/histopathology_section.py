"""A stained section: the amounts of its stains over the picture, and how its cells lie.

Colours follow from the amounts by Beer-Lambert's law with the reference stain vectors of Macenko et al. (2009).
"""

from __future__ import annotations

import numpy as np

from ..shapes import SIZE, X, Y, smooth_noise, to_uint8
from ..stamps import broad_noise, lay, oval, spot, window

HAEMATOXYLIN = np.array([0.5626, 0.7201, 0.4062])
EOSIN = np.array([0.2159, 0.8012, 0.5581])
_MELANIN = np.array([0.80, 1.05, 1.30])


class Section:
    """The amounts of haematoxylin, eosin and melanin over the picture, each of shape (256, 256)."""

    def __init__(self, rng: np.random.Generator, eosin: float) -> None:
        self.rng = rng
        self.grain = smooth_noise(rng, 1.3)
        self.cloud = broad_noise(rng, 9.0)
        self.h = 0.05 + 0.015 * self.cloud
        self.e = eosin * (1.0 + 0.16 * self.cloud + 0.08 * self.grain)
        self.melanin = np.zeros((SIZE, SIZE))

    def fibres(self, strength: float) -> None:
        """Add wavy collagen fibres to the eosin."""
        tilt = self.rng.uniform(0, np.pi)
        across = X * np.cos(tilt) + Y * np.sin(tilt) + 7.0 * broad_noise(self.rng, 22.0)
        self.e += strength * (0.5 + 0.5 * np.sin(across * 0.62 + 1.4 * self.cloud)) ** 2

    def nucleus(
        self, cx: float, cy: float, rx: float, ry: float, angle: float, density: float = 0.8, nucleolus: float = 0.0
    ) -> None:
        """Lay a vesicular nucleus: a dense rim, clumped chromatin, perhaps a nucleolus of that radius."""
        where, dx, dy = window(cx, cy, max(rx, ry) + 2)
        mask = oval(dx, dy, rx, ry, angle)
        core = oval(dx, dy, rx - 1.4, ry - 1.4, angle, soft=2.0)
        lay(self.h, where, mask, density * (1.35 - 0.45 * core + 0.16 * self.grain[where]))
        lay(self.e, where, mask, 0.18)
        if nucleolus:
            spot(self.h, cx, cy, nucleolus, nucleolus, 1.6)
            spot(self.e, cx, cy, nucleolus, nucleolus, 0.9)

    def dab(self, cx: float, cy: float, rx: float, ry: float, h: float, e: float, angle: float = 0.0) -> None:
        """Lay an ellipse of both stains."""
        spot(self.h, cx, cy, rx, ry, h, angle, soft=1.5)
        spot(self.e, cx, cy, rx, ry, e, angle, soft=1.5)

    def image(self) -> np.ndarray:
        """Return the (SIZE, SIZE, 3) uint8 picture: light through the stains by the law of Beer and Lambert."""
        density = np.stack([self.h, self.e, self.melanin], axis=-1).clip(0.0) @ np.array(
            [HAEMATOXYLIN, EOSIN, _MELANIN]
        )
        return to_uint8(0.975 * np.exp(-density))


def scatter(rng: np.random.Generator, spacing: float, jitter: float = 0.28) -> np.ndarray:
    """Return points of a disturbed hexagonal grid over the picture, in random order, of shape (n, 2)."""
    rows = np.arange(-0.5, SIZE / (0.87 * spacing) + 1)
    columns = np.arange(-0.5, SIZE / spacing + 1)
    row, column = (part.ravel() for part in np.meshgrid(rows, columns, indexing="ij"))
    points = np.stack([(column + 0.5 * (row.astype(int) % 2)) * spacing, row * 0.87 * spacing], axis=1)
    points += rng.uniform(-0.45, 0.45, 2) * spacing
    return rng.permutation(points + rng.uniform(-jitter, jitter, points.shape) * spacing)


def on(mask: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the points that lie in the picture and on a boolean mask."""
    column, row = np.rint(points).astype(int).T
    seen = (column >= 0) & (column < SIZE) & (row >= 0) & (row < SIZE)
    return points[seen & mask[row.clip(0, SIZE - 1), column.clip(0, SIZE - 1)]]
