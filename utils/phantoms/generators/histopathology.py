"""Histopathology phantoms: sections stained with haematoxylin and eosin.

Three views, each a scene of its own: `glands` (an adenocarcinoma at low power), `tumour` (a solid tumour at high
power) and `inflammation` (granulation tissue at high power). A view is drawn as maps of the stains' amounts; the
colours follow by Beer-Lambert's law with the reference stain vectors of Macenko et al. (2009).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..question import Generator, Scene
from ..shapes import SIZE, X, Y, edge, smooth_noise, to_uint8
from ..stamps import broad_noise, lay, oval, speck, spot, window
from .histopathology_questions import QUESTIONS

HAEMATOXYLIN = np.array([0.5626, 0.7201, 0.4062])
EOSIN = np.array([0.2159, 0.8012, 0.5581])
_MELANIN = np.array([0.80, 1.05, 1.30])

GRADES = ("well", "moderate", "poor")
LUMENS = ("empty", "mucin", "necrosis", "calcification")
STROMAS = ("lymphoid", "collagen", "oedema")
TUMOURS = ("melanoma", "squamous", "signet", "small")
INFILTRATES = ("neutrophil", "lymphocyte", "eosinophil", "plasma")
ORGANISMS = ("absent", "cocci", "rods", "yeasts", "hyphae")


def _pick(rng: np.random.Generator, values: tuple[str, ...]) -> str:
    return values[int(rng.integers(len(values)))]


def sample_scene(rng: np.random.Generator) -> dict[str, Any]:
    """Draw a scene: its view, and what that view shows."""
    view = _pick(rng, ("glands", "tumour", "inflammation"))
    if view == "glands":
        own = {"grade": _pick(rng, GRADES), "lumen": _pick(rng, LUMENS), "stroma": _pick(rng, STROMAS)}
    elif view == "tumour":
        own = {
            "tumour": _pick(rng, TUMOURS),
            "mitoses": int(rng.integers(1, 6)),
            "pleomorphic": bool(rng.integers(2)),
        }
    else:
        own = {
            "infiltrate": _pick(rng, INFILTRATES),
            "organism": _pick(rng, ORGANISMS),
            "giant_cells": int(rng.integers(0, 5)),
            "caseation": bool(rng.integers(2)),
        }
    return {"view": view, **own}


class _Section:
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
        density = np.stack([self.h, self.e, self.melanin], axis=-1).clip(0.0) @ np.array(
            [HAEMATOXYLIN, EOSIN, _MELANIN]
        )
        return to_uint8(0.975 * np.exp(-density))


def _scatter(rng: np.random.Generator, spacing: float, jitter: float = 0.28) -> np.ndarray:
    """Return points of a disturbed hexagonal grid over the picture, in random order, of shape (n, 2)."""
    rows = np.arange(-0.5, SIZE / (0.87 * spacing) + 1)
    columns = np.arange(-0.5, SIZE / spacing + 1)
    row, column = (part.ravel() for part in np.meshgrid(rows, columns, indexing="ij"))
    points = np.stack([(column + 0.5 * (row.astype(int) % 2)) * spacing, row * 0.87 * spacing], axis=1)
    return rng.permutation(points + rng.uniform(-jitter, jitter, points.shape) * spacing)


def _on(mask: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the points that lie in the picture and on a boolean mask."""
    column, row = np.rint(points).astype(int).T
    seen = (column >= 0) & (column < SIZE) & (row >= 0) & (row < SIZE)
    return points[seen & mask[row.clip(0, SIZE - 1), column.clip(0, SIZE - 1)]]


def _draw_glands(section: _Section, scene: Scene) -> None:
    rng, grade, stroma = section.rng, scene["grade"], scene["stroma"]
    if stroma == "collagen":
        section.fibres(0.45)
    elif stroma == "oedema":
        section.h *= 0.5
    else:
        section.h += 0.3
    well, poor = grade == "well", grade == "poor"
    inside = np.zeros((SIZE, SIZE))
    epithelium = np.zeros((SIZE, SIZE))
    for x, y in _scatter(rng, 78.0 if well else 86.0, jitter=0.07):
        where, dx, dy = window(x, y, 52)
        if dx.size == 0 or dy.size == 0:
            continue
        theta, phase = np.arctan2(dy, dx), rng.uniform(0, 2 * np.pi, 3)
        waves = (0.025, 0.015, 0.0) if well else (0.15, 0.11, 0.07)
        bumps = sum(w * np.cos(n * theta + p) for w, n, p in zip(waves, (2, 3, 5), phase, strict=True))
        radius = rng.uniform(31, 34) if well else rng.uniform(33, 38)
        outline = np.hypot(dx, dy) - radius * (1 + bumps)
        body = edge(outline, 1.5)
        np.maximum(inside[where], body, out=inside[where])
        lay(section.e, where, body, 0.42 + 0.05 * section.grain[where])
        lay(section.h, where, body, 0.16)
        holes = np.full(body.shape, 99.0)
        if well:
            holes = outline + radius * 0.53
        elif not poor:
            for turn in rng.uniform(0, 2 * np.pi) + np.arange(3) * 2 * np.pi / 3 + rng.uniform(-0.2, 0.2, 3):
                dist = np.hypot(dx - 0.46 * radius * np.cos(turn), dy - 0.46 * radius * np.sin(turn))
                holes = np.minimum(holes, dist - rng.uniform(7.5, 9.5))
        hollow = edge(holes, 1.5)
        np.maximum(epithelium[where], body * edge(-holes - 1.0), out=epithelium[where])
        lay(section.h, where, hollow, 0.02)
        lay(section.e, where, hollow, 0.02)
        _fill_lumen(section, scene["lumen"], where, holes, hollow)
        if well:
            count = int(2 * np.pi * radius / 5.4)
            turns = np.arange(count) * 2 * np.pi / count + rng.uniform(-0.04, 0.04, count)
            bumps = sum(w * np.cos(n * turns + p) for w, n, p in zip(waves, (2, 3, 5), phase, strict=True))
            for turn, at in zip(turns, radius * (1 + bumps) - 6.5 + rng.uniform(-1, 1, count), strict=True):
                speck(section.h, x + at * np.cos(turn), y + at * np.sin(turn), 4.2, 2.0, rng.uniform(0.9, 1.25), turn)
    spacing = {"lymphoid": 7.0, "collagen": 17.0, "oedema": 30.0}[stroma]
    long, short = (2.5, 2.5) if stroma == "lymphoid" else (5.0, 1.5)
    for x, y in _on(inside == 0, _scatter(rng, spacing, jitter=0.4)):
        speck(section.h, x, y, long, short, 1.6, rng.uniform(0, np.pi))
    if not well:
        for x, y in _on(epithelium > 0.99, _scatter(rng, 9.6 if poor else 7.4, jitter=0.3)):
            size = rng.uniform(3.2, 5.2) if poor else rng.uniform(2.4, 3.3)
            speck(section.h, x, y, size, 0.75 * size, rng.uniform(0.7, 1.05), rng.uniform(0, np.pi))


def _fill_lumen(section: _Section, lumen: str, where: tuple, holes: np.ndarray, hollow: np.ndarray) -> None:
    """Lay what a lumen holds, given the signed distance to its wall."""
    grain, cloud = section.grain[where], section.cloud[where]
    if lumen == "mucin":
        lay(section.h, where, hollow, 0.34 + 0.09 * np.sin(3.0 * cloud + grain))
    elif lumen == "necrosis":
        core = edge(holes + 2.0, 2.0)
        lay(section.e, where, core, 1.05 + 0.22 * grain)
        lay(section.h, where, core, np.where(grain > 0.95, 1.5, 0.12))
    elif lumen == "calcification":
        core = edge(holes + 2.5)
        lay(section.h, where, core, 1.9 + 0.45 * np.cos(1.9 * holes))
        lay(section.e, where, core, 0.35)


def _draw_tumour(section: _Section, scene: Scene) -> None:
    rng, kind = section.rng, scene["tumour"]
    small = kind == "small"
    points = _scatter(rng, 19.0 if small else 25.0, jitter=0.15)
    section.h += 0.06
    taken: list[tuple[float, float, float]] = []
    if kind == "squamous":
        corner = rng.integers(4)
        for slot in (corner, 3 - corner):
            x, y = 70 + 116 * (slot % 2) + rng.uniform(-9, 9), 70 + 116 * (slot // 2) + rng.uniform(-9, 9)
            _draw_pearl(section, x, y)
            taken.append((x, y, 39.0))

    def free(x: float, y: float, gap: float) -> bool:
        return all(np.hypot(x - a, y - b) > gap + reach for a, b, reach in taken)

    mitoses = 0
    while mitoses < scene["mitoses"]:
        x, y = rng.uniform(22, SIZE - 22, 2)
        if not free(x, y, 14.0 + 6.0):
            continue
        taken.append((x, y, 14.0))
        mitoses += 1
    for x, y in points:
        if not free(x, y, 5.0 if small else 7.0):
            continue
        angle = rng.uniform(0, np.pi)
        size = (
            8.0 if not scene["pleomorphic"] else (rng.uniform(4.6, 6.0) if rng.random() < 0.55 else rng.uniform(11, 14))
        )
        oblong = rng.uniform(0.88, 0.98) if not scene["pleomorphic"] else rng.uniform(0.62, 0.95)
        if small:
            size *= 0.92
            section.nucleus(x, y, size, size * oblong, angle, 1.0)
            continue
        section.dab(x, y, 13.0, 11.5, 0.16, rng.uniform(0.42, 0.6), angle)
        if kind == "signet" and rng.random() < 0.5:
            aside = rng.uniform(0, 2 * np.pi)
            section.dab(x, y, 12.5, 12.0, 0.12, 0.55)
            u, v, half = x + 8.5 * np.cos(aside), y + 8.5 * np.sin(aside), min(max(size, 6.0), 10.0)
            section.nucleus(u, v, half, 0.55 * half, aside + np.pi / 2, 1.15)
            vacuole = rng.uniform(7.2, 9.0)
            section.dab(x - 0.8 * np.cos(aside), y - 0.8 * np.sin(aside), vacuole, vacuole - 0.7, 0.12, 0.04, aside)
            continue
        section.nucleus(x, y, size, size * oblong, angle, 0.72, 2.0 if kind == "melanoma" else 0.0)
        if kind == "melanoma" and rng.random() < 0.55:
            for _ in range(26):
                turn, away = rng.uniform(0, 2 * np.pi), rng.uniform(6.5, 12.5)
                speck(section.melanin, x + away * np.cos(turn), y + away * np.sin(turn), 1.5, 1.5, 1.2)
    for x, y, reach in taken:
        if reach == 14.0:
            _draw_mitosis(section, x, y)


def _draw_pearl(section: _Section, x: float, y: float) -> None:
    """Lay a keratin pearl: a whorl of eosinophilic lamellae with flat nuclei between them."""
    rng = section.rng
    where, dx, dy = window(x, y, 40)
    radius = np.hypot(dx, dy * 1.12) * (1 + 0.06 * np.cos(2 * np.arctan2(dy, dx) + rng.uniform(0, 6)))
    mask = edge(radius - 35.0, 2.0)
    lay(
        section.e,
        where,
        mask,
        1.15 + 0.42 * np.cos(radius * 0.9 + 2.6 * section.cloud[where] + 0.5 * section.grain[where]),
    )
    lay(section.h, where, mask, 0.03)
    for turn in np.arange(12) * np.pi / 6 + rng.uniform(-0.15, 0.15, 12):
        away = rng.uniform(27, 35)
        speck(section.h, x + away * np.cos(turn), y + away * np.sin(turn), 5.0, 1.5, 1.0, turn + np.pi / 2)


def _draw_mitosis(section: _Section, x: float, y: float) -> None:
    """Lay a cell in metaphase: a ragged, almost black plate in a cleared, rounded cell."""
    rng = section.rng
    section.dab(x, y, 13.0, 12.5, 0.03, 0.16)
    section.melanin[window(x, y, 13.0)[0]] = 0.0
    angle = rng.uniform(0, np.pi)
    spot(section.h, x, y, 8.8, 3.2, 3.0, angle)
    for _ in range(7):
        along, across = rng.uniform(-7.5, 7.5), rng.choice((-2.8, 2.8))
        u = x + along * np.cos(angle) - across * np.sin(angle)
        v = y + along * np.sin(angle) + across * np.cos(angle)
        spot(section.h, u, v, 1.5, 1.5, 2.9)


def _draw_inflammation(section: _Section, scene: Scene) -> None:
    rng = section.rng
    section.fibres(0.16)
    corner = rng.integers(4) if scene["caseation"] else -1
    necrosis = np.zeros((SIZE, SIZE))
    if corner >= 0:
        x, y = SIZE * (corner % 2), SIZE * (corner // 2)
        necrosis = edge(np.hypot(X - x, Y - y) - 88.0 - 5.0 * section.cloud, 5.0)
        section.e += necrosis * (0.95 + 0.16 * section.grain - section.e)
        section.h += necrosis * (np.where(section.grain > 1.9, 0.7, 0.10) - section.h)
    covered = (2 * (corner % 2), 2 * (corner // 2)) if corner >= 0 else None
    slots = [(at % 3, at // 3) for at in rng.permutation(9) if (at % 3, at // 3) != covered]
    taken: list[tuple[float, float, float]] = []
    kinds = ["giant"] * scene["giant_cells"] + ["organism"] * (0 if scene["organism"] == "absent" else 3)
    for (column, row), kind in zip(slots, kinds, strict=False):
        x, y = (44 + 84 * at + rng.uniform(-7, 7) for at in (column, row))
        taken.append((x, y, 29.0))
        (_draw_giant if kind == "giant" else _ORGANISMS[scene["organism"]])(section, x, y)
    for x, y in _scatter(rng, 20.0, jitter=0.2):
        if not (0 <= x < SIZE and 0 <= y < SIZE) or necrosis[int(y), int(x)] > 0.05:
            continue
        if all(np.hypot(x - a, y - b) > reach + 8 for a, b, reach in taken):
            _CELLS[scene["infiltrate"] if rng.random() < 0.9 else "spindle"](section, x, y)


def _draw_giant(section: _Section, x: float, y: float) -> None:
    """Lay a giant cell of the Langhans type: its nuclei in a horseshoe along the edge."""
    rng = section.rng
    section.dab(x, y, 29.0, 26.0, 0.10, 0.72, rng.uniform(0, np.pi))
    start = rng.uniform(0, 2 * np.pi)
    for turn in start + np.arange(13) * 0.36:
        away = rng.uniform(17, 21)
        section.nucleus(x + away * np.cos(turn), y + away * np.sin(turn), 5.2, 3.8, turn, 0.85)


def _draw_neutrophil(section: _Section, x: float, y: float) -> None:
    section.dab(x, y, 8.0, 7.6, 0.04, 0.45)
    turn = section.rng.uniform(0, 2 * np.pi)
    for lobe in turn + np.arange(3) * section.rng.uniform(1.5, 1.8):
        spot(section.h, x + 3.9 * np.cos(lobe), y + 3.9 * np.sin(lobe), 2.7, 2.3, 1.7, lobe)


def _draw_lymphocyte(section: _Section, x: float, y: float) -> None:
    section.dab(x, y, 7.6, 7.2, 0.15, 0.3)
    section.nucleus(x, y, 6.6, 6.3, 0.0, 1.35)


def _draw_eosinophil(section: _Section, x: float, y: float) -> None:
    where, dx, dy = window(x, y, 11)
    mask = oval(dx, dy, 8.8, 8.2)
    lay(section.e, where, mask, 1.75 + 0.35 * section.grain[where])
    lay(section.h, where, mask, 0.0)
    turn = section.rng.uniform(0, 2 * np.pi)
    for side in (turn, turn + 2.0):
        spot(section.h, x + 4.2 * np.cos(side), y + 4.2 * np.sin(side), 3.1, 2.6, 1.7, side)


def _draw_plasma(section: _Section, x: float, y: float) -> None:
    turn = section.rng.uniform(0, 2 * np.pi)
    cosine, sine = np.cos(turn), np.sin(turn)
    section.dab(x, y, 10.5, 7.6, 0.52, 0.42, turn)
    section.dab(x - 0.5 * cosine, y - 0.5 * sine, 2.6, 3.2, 0.12, 0.2, turn)
    section.nucleus(x + 5.2 * cosine, y + 5.2 * sine, 4.6, 4.6, 0.0, 1.4)


def _draw_spindle(section: _Section, x: float, y: float) -> None:
    section.nucleus(x, y, 9.0, 3.0, section.rng.uniform(0, np.pi), 0.7)


def _draw_cocci(section: _Section, x: float, y: float) -> None:
    rng = section.rng
    for column, row in [(c, r) for r in range(-3, 4) for c in range(-3, 4) if c * c + r * r < 11]:
        u = x + 5.7 * (column + 0.5 * (row % 2)) + rng.uniform(-0.8, 0.8)
        spot(section.h, u, y + 5.1 * row + rng.uniform(-0.8, 0.8), 2.6, 2.6, 2.4)


def _draw_rods(section: _Section, x: float, y: float) -> None:
    rng = section.rng
    for column, row in [(c, r) for r in range(-1, 2) for c in range(-1, 2)]:
        u, v = x + 15 * column + rng.uniform(-3, 3), y + 15 * row + rng.uniform(-3, 3)
        spot(section.h, u, v, 8.0, 2.1, 2.3, rng.uniform(0, np.pi))


def _draw_yeasts(section: _Section, x: float, y: float) -> None:
    rng = section.rng
    for turn in rng.uniform(0, 2 * np.pi) + np.arange(4) * np.pi / 2:
        u, v = x + 17 * np.cos(turn), y + 17 * np.sin(turn)
        section.dab(u, v, 11.5, 11.5, 0.0, 0.02)
        bud = rng.uniform(0, 2 * np.pi)
        for a, b, radius in ((u, v, 6.6), (u + 7.6 * np.cos(bud), v + 7.6 * np.sin(bud), 3.6)):
            spot(section.h, a, b, radius, radius, 1.1)
            spot(section.h, a, b, radius - 1.9, radius - 1.9, 0.30)


def _draw_hyphae(section: _Section, x: float, y: float) -> None:
    rng = section.rng
    start = rng.uniform(0, 2 * np.pi)
    for fork in (0.0, 0.8, np.pi, np.pi + 0.8):
        heading = start + fork
        for step in range(5):
            bend = heading + 0.06 * step
            away = 3.5 + 7.0 * step
            spot(section.h, x + away * np.cos(bend), y + away * np.sin(bend), 6.5, 3.0, 1.35, bend)
            if step:
                spot(section.h, x + (away - 3.5) * np.cos(bend), y + (away - 3.5) * np.sin(bend), 0.8, 2.2, 2.6, bend)


_CELLS = {
    "neutrophil": _draw_neutrophil,
    "lymphocyte": _draw_lymphocyte,
    "eosinophil": _draw_eosinophil,
    "plasma": _draw_plasma,
    "spindle": _draw_spindle,
}
_ORGANISMS = {"cocci": _draw_cocci, "rods": _draw_rods, "yeasts": _draw_yeasts, "hyphae": _draw_hyphae}


def draw(scene: Scene, rng: np.random.Generator) -> np.ndarray:
    """Draw a scene as an RGB image, uint8 of shape (256, 256, 3)."""
    if scene["view"] == "glands":
        section = _Section(rng, {"lymphoid": 0.22, "collagen": 0.45, "oedema": 0.09}[scene["stroma"]])
        _draw_glands(section, scene)
    elif scene["view"] == "tumour":
        section = _Section(rng, 0.36)
        _draw_tumour(section, scene)
    else:
        section = _Section(rng, 0.26)
        _draw_inflammation(section, scene)
    return section.image()


GENERATOR = Generator(modality="Histopathology", sample_scene=sample_scene, draw=draw, questions=QUESTIONS)
