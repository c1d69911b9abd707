"""Dermoscopy phantoms: a lesion on the skin, seen through a dermatoscope with a millimetre scale.

Two views: `pigmented` (a melanocytic lesion by its outline, border, colours, pattern and satellites) and `other` (four
lesions that are told by their structures). The skin's melanin and blood attenuate white light by Beer-Lambert's law;
pigment that lies deep looks blue-grey, as scattered light does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..question import Generator, Scene, pick
from ..shapes import SIZE, X, Y, smooth_noise, to_uint8
from ..stamps import broad_noise, lay, oval, spot, window
from .dermoscopy_questions import QUESTIONS

PIXELS_PER_MM = 12
RADII = {"small": 32.0, "medium": 50.0, "large": 74.0}
BORDERS = ("sharp", "gradual", "mixed")
PATTERNS = ("network", "globules", "streaks", "homogeneous")
SITES = ("trunk", "sole", "face")
LESIONS = ("basal_cell", "keratosis", "haemangioma", "dermatofibroma")
COLOURS = {
    "light brown": np.array([0.66, 0.43, 0.27]),
    "dark brown": np.array([0.37, 0.21, 0.13]),
    "black": np.array([0.10, 0.08, 0.09]),
    "blue-grey": np.array([0.40, 0.47, 0.57]),
    "red": np.array([0.78, 0.22, 0.22]),
    "white": np.array([0.96, 0.90, 0.87]),
}
_MELANIN = np.array([0.50, 0.85, 1.25])
_BLOOD = np.array([0.12, 1.00, 0.85])


def sample_scene(rng: np.random.Generator) -> dict[str, Any]:
    """Draw a scene: its view, the site, and the lesion."""
    if rng.random() < 0.6:
        base = pick(rng, ("light brown", "dark brown"))
        others = [name for name in COLOURS if name != base]
        extra = [others[i] for i in rng.permutation(5)[: int(rng.integers(0, 5))]]
        return {
            "view": "pigmented",
            "site": pick(rng, SITES),
            "size": pick(rng, tuple(RADII)),
            "asymmetric": bool(rng.integers(2)),
            "border": pick(rng, BORDERS),
            "pattern": pick(rng, PATTERNS),
            "colours": [base, *extra],
            "satellites": int(rng.integers(0, 5)),
        }
    return {
        "view": "other",
        "site": pick(rng, SITES),
        "size": pick(rng, ("medium", "large")),
        "lesion": pick(rng, LESIONS),
        "ulcerated": bool(rng.integers(2)),
    }


class _Skin:
    """The picture so far, and the lesion's outline in polar coordinates about its centre."""

    def __init__(self, scene: Scene, rng: np.random.Generator) -> None:
        self.rng = rng
        self.cloud = broad_noise(rng, 14.0)
        self.grain = smooth_noise(rng, 1.2)
        self.cx, self.cy = SIZE / 2 + rng.uniform(-6, 6), SIZE / 2 - 6 + rng.uniform(-5, 5)
        self.size = RADII[scene["size"]]
        dx, dy = X - self.cx, Y - self.cy
        self.r, self.theta = np.hypot(dx, dy), np.arctan2(dy, dx)
        uneven = scene.get("asymmetric", False)
        self._waves = (0.19, 0.19, 0.07, 0.03) if uneven else (0.06, 0.0, 0.0, 0.012)
        self._phases = rng.uniform(0, 2 * np.pi, 4)
        self.radius = self.outline(self.theta)
        self.depth = self.r / self.radius
        melanin = rng.uniform(0.10, 0.22) + 0.018 * self.cloud + 0.012 * self.grain
        blood = rng.uniform(0.14, 0.22) + 0.022 * broad_noise(rng, 9.0) + 0.012 * self.grain
        if scene["site"] == "sole":
            melanin = self._ridges(melanin)
        density = melanin[..., None] * _MELANIN + blood[..., None] * _BLOOD
        self.canvas = np.array([0.97, 0.93, 0.90]) * np.exp(-density)

    def outline(self, theta: np.ndarray | float) -> np.ndarray:
        """Return the lesion's radius in pixels in some directions."""
        terms = zip(self._waves, (2, 3, 5, 7), self._phases, strict=True)
        return self.size * (1.0 + sum(a * np.cos(n * theta + p) for a, n, p in terms if a))

    def _ridges(self, melanin: np.ndarray) -> np.ndarray:
        """Add the parallel furrows of volar skin, with sweat pores on the ridges between them."""
        angle = self.rng.uniform(0, np.pi)
        across = X * np.cos(angle) + Y * np.sin(angle) + 2.5 * self.cloud
        along = Y * np.cos(angle) - X * np.sin(angle)
        wave = np.cos(across * (2 * np.pi / 16.0))
        pores = np.clip(np.cos(along * (2 * np.pi / 13.0)) + wave - 1.55, 0.0, 1.0) * 0.5
        return melanin + 0.17 * np.clip(0.5 - wave, 0.0, 1.0) - 0.5 * pores

    def border(self, kind: str) -> np.ndarray:
        """Return the lesion's mask, whose edge is sharp, gradual, or sharp on one half only."""
        sharp, soft = 3.0, 0.68 * self.size
        if kind == "mixed":
            side = np.cos(self.theta + self.rng.uniform(0, 2 * np.pi))
            width: float | np.ndarray = sharp + (soft - sharp) * np.clip(0.5 + 2.5 * side, 0.0, 1.0)
        else:
            width = soft if kind == "gradual" else sharp
        ramp = np.clip(0.5 - (self.r - self.radius) / width, 0.0, 1.0)
        return ramp * ramp * (3.0 - 2.0 * ramp)

    def paint(self, mask: np.ndarray, colour: np.ndarray) -> None:
        self.canvas += mask[..., None] * (colour - self.canvas)

    def darken(self, mask: np.ndarray) -> None:
        """Multiply by 1 - mask: more pigment of the place's own colour."""
        self.canvas *= 1.0 - mask[..., None] * np.array([0.85, 0.97, 1.0])

    def polar(self, turn: float, depth: float) -> tuple[float, float]:
        """Return the point at a share of the radius in a direction."""
        away = depth * float(self.outline(turn))
        return self.cx + away * np.cos(turn), self.cy + away * np.sin(turn)

    def inside(self, spacing: float, deepest: float) -> list[tuple[float, float]]:
        """Return points about `spacing` apart within a share of the lesion's radius."""
        grid = np.arange(-110.0, 111.0, spacing)
        u, v = (part.ravel() for part in np.meshgrid(grid, grid * 0.9))
        u = u + 0.5 * spacing * (np.arange(grid.size).repeat(grid.size) % 2)
        u, v = u + self.rng.uniform(-0.2, 0.2, u.size) * spacing, v + self.rng.uniform(-0.2, 0.2, v.size) * spacing
        keep = np.hypot(u, v) < deepest * self.outline(np.arctan2(v, u))
        return list(zip(self.cx + u[keep], self.cy + v[keep], strict=True))

    def network(self, period: float) -> np.ndarray:
        """Return the lines of a honeycomb: where three plane waves at 120 degrees cancel one another."""
        turn, wave = self.rng.uniform(0, np.pi), 4 * np.pi / (np.sqrt(3) * period)
        x, y = X + 1.6 * self.cloud, Y - 1.6 * self.cloud
        angles = turn + np.arange(3) * 2 * np.pi / 3
        total = sum(np.cos(wave * (x * np.cos(angle) + y * np.sin(angle))) for angle in angles)
        return np.clip(0.45 - 0.75 * total, 0.0, 1.0)


def _draw_pigmented(skin: _Skin, scene: Scene) -> None:
    rng = skin.rng
    mask = skin.border(scene["border"])
    base, *others = scene["colours"]
    lesion = np.empty_like(skin.canvas)
    lesion[:] = COLOURS[base]
    start = rng.uniform(0, 2 * np.pi)
    reach = {1: 0.50, 2: 0.44, 3: 0.40, 4: 0.36}.get(len(others), 0.0) * skin.size
    for number, name in enumerate(others):
        turn = start + 2 * np.pi * number / len(others)
        # Near enough to the centre to lie within a narrow part, far enough not to cover its neighbours.
        away = 0.5 * float(np.clip(skin.outline(turn), 0.82 * skin.size, 1.25 * skin.size))
        x, y = skin.cx + away * np.cos(turn), skin.cy + away * np.sin(turn)
        where, dx, dy = window(x, y, reach * 1.5 + 3)
        warp = 0.11 * reach * skin.cloud[where]
        patch = oval(dx + warp, dy - warp, reach * rng.uniform(1.0, 1.15), reach, rng.uniform(0, 3), 3.0 + 0.3 * reach)
        lay(lesion, where, patch, COLOURS[name])
    lesion *= 1.0 + 0.05 * skin.cloud[..., None] + 0.035 * skin.grain[..., None]
    pattern = scene["pattern"]
    if pattern == "streaks":
        count = round(2 * np.pi * skin.size / 15)
        rays = np.clip(np.cos(count * skin.theta + 0.5 * skin.cloud) * 1.5, 0.0, 1.0)
        length = np.clip((skin.depth - 0.52) * 5, 0, 1) * np.clip((1.22 - skin.depth) * 5, 0, 1)
        rays *= length
        skin.paint(rays * 0.85 * (1.0 - mask), COLOURS[base] * 0.7)
    skin.paint(mask, lesion)
    if pattern == "streaks":
        skin.darken(0.6 * rays * mask)
    elif pattern == "network":
        skin.darken(0.55 * skin.network(14.0) * mask)
    elif pattern == "globules":
        dots = np.zeros((SIZE, SIZE))
        for x, y in skin.inside(15.0, 0.95):
            radius = rng.uniform(3.4, 4.6)
            spot(dots, x, y, radius, radius * rng.uniform(0.85, 1.0), 1.0, soft=1.5)
        skin.darken(0.6 * dots * mask)
    for corner in rng.permutation(4)[: scene["satellites"]]:
        turn = np.pi * (0.25 + 0.5 * corner) + rng.uniform(-0.12, 0.12)
        fade = 0.34 * skin.size if scene["border"] != "sharp" else 0.0
        away = min(float(skin.outline(turn)) + fade + rng.uniform(17, 24), 137.0)
        x, y = skin.cx + away * np.cos(turn), skin.cy + away * np.sin(turn)
        x, y = np.clip(x, 12, SIZE - 13), np.clip(y, 12, 228)
        spot(skin.canvas, x, y, 6.4, 5.8, COLOURS["dark brown"], rng.uniform(0, 3), soft=2.0)


def _draw_basal_cell(skin: _Skin, mask: np.ndarray) -> None:
    rng = skin.rng
    pearl = np.array([0.90, 0.62, 0.58]) * (1 + 0.05 * skin.cloud + 0.03 * skin.grain)[..., None]
    skin.paint(0.85 * mask, pearl)
    for number in range(6):
        x, y = skin.polar(number * np.pi / 3 + rng.uniform(-0.2, 0.2), rng.uniform(0.5, 0.78))
        radius = 0.13 * skin.size * rng.uniform(0.9, 1.2)
        spot(skin.canvas, x, y, radius * 1.3, radius, COLOURS["blue-grey"] * 0.85, rng.uniform(0, 3), soft=3.0)
    vessels = np.zeros((SIZE, SIZE))

    def branch(x: float, y: float, heading: float, width: float, length: float) -> None:
        for _ in range(int(length)):
            spot(vessels, x, y, width + 0.4, width, 1.0, heading)
            heading += rng.normal(0, 0.11)
            x, y = x + 1.6 * np.cos(heading), y + 1.6 * np.sin(heading)
        if width > 0.8:
            for turn in (-0.55, 0.5):
                branch(x, y, heading + turn, width * 0.72, length * 0.75)

    for turn in rng.uniform(0, 2 * np.pi) + np.arange(3) * 2 * np.pi / 3:
        x, y = skin.polar(turn, 0.92)
        branch(x, y, turn + np.pi + rng.uniform(-0.5, 0.5), 2.0, 0.26 * skin.size)
    skin.paint(vessels * mask, np.array([0.68, 0.10, 0.13]))


def _draw_keratosis(skin: _Skin, mask: np.ndarray) -> None:
    rng = skin.rng
    folds = np.sin(0.42 * skin.r + 2.4 * skin.cloud + 1.2 * np.cos(3 * skin.theta))
    skin.paint(mask, np.array([0.62, 0.45, 0.31]) * (1 + 0.09 * folds + 0.04 * skin.grain)[..., None])
    for number, (x, y) in enumerate(skin.inside(0.33 * skin.size, 0.85)):
        radius = rng.uniform(4.2, 5.6)
        if number % 2:
            spot(skin.canvas, x, y, radius * 1.2, radius, np.array([0.20, 0.11, 0.06]), rng.uniform(0, 3), soft=2.0)
        else:
            spot(skin.canvas, x, y, radius * 0.9, radius * 0.9, np.array([0.98, 0.95, 0.86]), soft=3.0)


def _draw_haemangioma(skin: _Skin, mask: np.ndarray) -> None:
    rng = skin.rng
    skin.paint(mask, np.array([0.88, 0.55, 0.53]) * (1 + 0.04 * skin.cloud)[..., None])
    for x, y in skin.inside(0.36 * skin.size, 0.86):
        radius = 0.17 * skin.size * rng.uniform(0.9, 1.12)
        shade = rng.uniform(0, 1)
        colour = shade * np.array([0.50, 0.05, 0.16]) + (1 - shade) * np.array([0.76, 0.10, 0.13])
        spot(skin.canvas, x, y, radius * 1.08, radius, colour, rng.uniform(0, 3), soft=2.5)
        spot(skin.canvas, x - 0.3 * radius, y - 0.3 * radius, 0.4 * radius, 0.3 * radius, colour + 0.10, soft=4.0)


def _draw_dermatofibroma(skin: _Skin, mask: np.ndarray) -> None:
    skin.paint(mask, np.array([0.74, 0.52, 0.37]) * (1 + 0.04 * skin.cloud + 0.02 * skin.grain)[..., None])
    skin.darken(0.42 * skin.network(11.0) * mask)
    scar = np.clip((0.56 - skin.depth + 0.03 * skin.cloud) * 6, 0.0, 1.0)
    skin.paint(0.95 * scar, COLOURS["white"] * (1 + 0.03 * skin.cloud + 0.03 * skin.grain)[..., None])


_LESIONS = {
    "basal_cell": (_draw_basal_cell, "mixed"),
    "keratosis": (_draw_keratosis, "sharp"),
    "haemangioma": (_draw_haemangioma, "sharp"),
    "dermatofibroma": (_draw_dermatofibroma, "gradual"),
}


def _draw_ulcer(skin: _Skin) -> None:
    """Lay a raw surface with a yellow crust around it, and dried blood in it."""
    rng = skin.rng
    turn = rng.uniform(0, 2 * np.pi)
    x, y = skin.cx + 0.22 * skin.size * np.cos(turn), skin.cy + 0.22 * skin.size * np.sin(turn)
    where, dx, dy = window(x, y, 0.6 * skin.size)
    radius = np.hypot(dx, dy) * (1 + 0.12 * skin.cloud[where]) / skin.size
    lay(skin.canvas, where, np.clip((0.44 - radius) * 16, 0, 1), np.array([0.93, 0.72, 0.30]))
    raw = np.array([0.55, 0.05, 0.06]) * (1 + 0.12 * skin.grain[where])[..., None]
    lay(skin.canvas, where, np.clip((0.33 - radius) * 16, 0, 1), raw)
    for _ in range(7):
        away, angle = rng.uniform(0, 0.24) * skin.size, rng.uniform(0, 2 * np.pi)
        u, v = x + away * np.cos(angle), y + away * np.sin(angle)
        spot(skin.canvas, u, v, 3.6, 2.8, np.array([0.14, 0.02, 0.03]), angle)


def _draw_follicles(skin: _Skin) -> None:
    """Lay the follicle openings of facial skin, pale with a darker ring."""
    rng, spacing = skin.rng, 26.0
    for row in range(12):
        for column in range(12):
            x = (column + 0.5 * (row % 2)) * spacing + rng.uniform(-8, 8)
            y = row * 0.87 * spacing + rng.uniform(-8, 8)
            if 0 <= x < SIZE and 0 <= y < SIZE and skin.depth[int(y), int(x)] > 1.0:
                spot(skin.canvas, x, y, 6.8, 6.2, np.array([0.72, 0.46, 0.36]), soft=4.0, strength=0.55)
                radius = rng.uniform(3.0, 4.2)
                spot(skin.canvas, x, y, radius, radius * 0.9, np.array([0.97, 0.86, 0.68]), soft=2.5)


def _draw_hairs(skin: _Skin) -> None:
    """Lay a few curved hairs, each with its soft shadow."""
    rng = skin.rng
    hair = np.zeros((SIZE, SIZE))
    for turn in rng.uniform(0, 2 * np.pi, 7):
        away = rng.uniform(max(45.0, 0.9 * skin.size), 120.0)
        heading, bend = turn + np.pi / 2 + rng.uniform(-0.35, 0.35), rng.uniform(-0.012, 0.012)
        x, y = skin.cx + away * np.cos(turn), skin.cy + away * np.sin(turn)
        x, y = x - 60 * np.cos(heading), y - 60 * np.sin(heading)
        for _ in range(int(rng.integers(48, 85))):
            spot(hair, x, y, 1.8, 1.05, 1.0, heading)
            x, y = x + 1.9 * np.cos(heading), y + 1.9 * np.sin(heading)
            heading += bend
    skin.canvas[2:, 2:] *= 1.0 - 0.18 * hair[:-2, :-2, None]
    skin.paint(0.92 * hair, np.array([0.13, 0.09, 0.07]))


def _draw_scale(skin: _Skin) -> None:
    for number, x in enumerate(range(20, SIZE - 8, PIXELS_PER_MM)):
        skin.canvas[SIZE - (16 if number % 5 == 0 else 9) : SIZE - 2, x : x + 2] = 0.07


def draw(scene: Scene, rng: np.random.Generator) -> np.ndarray:
    """Draw a scene as an RGB image, uint8 of shape (256, 256, 3)."""
    skin = _Skin(scene, rng)
    if scene["site"] == "face":
        _draw_follicles(skin)
    if scene["view"] == "pigmented":
        _draw_pigmented(skin, scene)
    else:
        draw_lesion, border = _LESIONS[scene["lesion"]]
        draw_lesion(skin, skin.border(border))
        if scene["ulcerated"]:
            _draw_ulcer(skin)
    if scene["site"] == "trunk":
        _draw_hairs(skin)
    skin.canvas *= (1.03 - 0.16 * (((X - 128) / 181) ** 2 + ((Y - 128) / 181) ** 2))[..., None]
    _draw_scale(skin)
    return to_uint8(skin.canvas)


GENERATOR = Generator(modality="Dermoscopy", sample_scene=sample_scene, draw=draw, questions=QUESTIONS)
