"""Endoscopy phantoms: a look down the gut, with lesions, blood, residue and instruments.

The wall is seen in perspective about the lumen. The lamp sits at the camera, so light falls off with depth, and what
light is left there is red, having met the mucosa several times. Six places lie around the lumen; lesions, a bleeding
and an instrument each have their own, so that none hides another.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..question import Generator, Scene, pick
from ..shapes import SIZE, X, Y, edge, smooth_noise, to_uint8
from ..stamps import broad_noise, lay, oval, rod, spot, window
from .endoscopy_questions import QUESTIONS

SEGMENTS = ("oesophagus", "stomach", "duodenum", "colon")
SHAPES = ("pedunculated", "sessile", "flat", "excavated")
MUCOSAE = ("normal", "plaques", "erosions", "melanosis")
BLEEDINGS = ("none", "clot", "oozing", "spurting")
INSTRUMENTS = ("none", "snare", "forceps", "needle", "balloon")
RESIDUE_SHARES = {"little": 0.0, "some": 0.24, "much": 0.62}
"""The share of the mucosa that residue hides, by its grade."""

_COLOURS = {
    "oesophagus": np.array([0.95, 0.70, 0.62]),
    "stomach": np.array([0.90, 0.43, 0.31]),
    "duodenum": np.array([0.96, 0.70, 0.41]),
    "colon": np.array([0.95, 0.56, 0.46]),
}
_BLOOD = np.array([0.62, 0.02, 0.03])
_STEEL = np.array([0.80, 0.83, 0.87])
_INSTRUMENT_TURN, _BLEEDING_TURN = np.pi / 3, 2 * np.pi / 3
_LESION_TURNS = (0.0, np.pi, 4 * np.pi / 3, 5 * np.pi / 3)


def sample_scene(rng: np.random.Generator) -> dict[str, Any]:
    """Draw a scene: the segment, its mucosa, and what lies on it. Melanosis is found in the lower two segments."""
    segment, mucosa = pick(rng, SEGMENTS), pick(rng, MUCOSAE)
    if mucosa == "melanosis" and segment in ("oesophagus", "stomach"):
        mucosa = "normal"
    return {
        "segment": segment,
        "mucosa": mucosa,
        "lesions": int(rng.integers(0, 5)),
        "shape": pick(rng, SHAPES),
        "bleeding": pick(rng, BLEEDINGS),
        "residue": pick(rng, tuple(RESIDUE_SHARES)),
        "instrument": pick(rng, INSTRUMENTS),
    }


class _View:
    """The picture so far, and the coordinates of the wall about the lumen."""

    def __init__(self, scene: Scene, rng: np.random.Generator) -> None:
        self.rng = rng
        self.cloud = broad_noise(rng, 11.0)
        self.grain = smooth_noise(rng, 1.5)
        self.cx, self.cy = 128 + rng.uniform(-12, 12), 124 + rng.uniform(-12, 12)
        dx, dy = X - self.cx, Y - self.cy
        self.r, self.theta = np.hypot(dx, dy), np.arctan2(dy, dx)
        self.phase = rng.uniform(0, 2 * np.pi)
        depth, relief = getattr(self, f"_{scene['segment']}")()
        mucosa = _COLOURS[scene["segment"]] * np.array([1.0, rng.uniform(0.94, 1.04), rng.uniform(0.94, 1.04)])
        self.canvas = np.empty((SIZE, SIZE, 3))
        self.canvas[:] = mucosa
        self.relief = relief
        lit = np.clip((depth - 8.0) / 62.0, 0.0, 1.0)
        self.light = (0.05 + 0.95 * lit * (2.0 - lit)) * relief

    def _sawtooth(self, radius: np.ndarray, edges: np.ndarray, drop: float) -> np.ndarray:
        """Return the shade of circular folds: bright at each crest, darker outwards to behind the next crest."""
        at = np.stack([edges[:-1], edges[:-1] + 0.5 * np.diff(edges), edges[1:] - 2.5], axis=1).ravel()
        level = np.tile([1.08, 1.0 - 0.3 * drop, 1.0 - drop], edges.size - 1)
        return np.interp(radius, at, level)

    def _oesophagus(self) -> tuple[np.ndarray, np.ndarray]:
        star = np.cos(6 * self.theta + self.phase + 0.25 * self.cloud)
        near = np.clip(self.r / 120, 0.0, 1.0)
        lines = np.clip(np.cos(46 * self.theta + 1.5 * self.cloud) - 0.6, 0.0, 1.0)
        return self.r * (1 - 0.22 * star), 1.0 + 0.15 * star * (1.0 - 0.6 * near) - 0.12 * lines * near

    def _stomach(self) -> tuple[np.ndarray, np.ndarray]:
        wave = 9 * self.theta + self.phase + 1.5 * broad_noise(self.rng, 17.0) + 0.02 * self.r
        groove = 0.5 - 0.5 * np.sin(wave)
        return self.r * 1.05, 1.08 - 0.55 * groove * groove * np.clip(self.r / 40, 0.0, 1.0)

    def _duodenum(self) -> tuple[np.ndarray, np.ndarray]:
        radius = self.r * (1 + 0.04 * np.cos(2 * self.theta + self.phase)) + 2.2 * self.cloud
        edges = np.concatenate([[0.0], 13.0 * 1.235 ** np.arange(15)])
        villi = 0.05 * self.grain
        return radius, self._sawtooth(radius, edges, 0.5) + villi

    def _colon(self) -> tuple[np.ndarray, np.ndarray]:
        radius = self.r * (1 + 0.15 * np.cos(3 * (self.theta + self.phase))) + 1.5 * self.cloud
        edges = np.array([0.0, 21.0, 40.0, 70.0, 116.0, 230.0]) * self.rng.uniform(0.94, 1.08)
        vessels = np.clip(1.0 - np.abs(broad_noise(self.rng, 8.0)) / 0.10, 0.0, 1.0)
        return radius, self._sawtooth(radius, edges, 0.55) - 0.22 * vessels * np.clip(self.r / 60 - 0.5, 0.0, 1.0)

    def paint(self, mask: np.ndarray, colour: np.ndarray) -> None:
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        if rows.size:
            where = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
            lay(self.canvas, where, mask[where], colour if colour.ndim == 1 else colour[where])

    def place(self, turn: float, away: float = 76.0) -> tuple[float, float]:
        """Return a point around the picture's centre, a little aside from its exact place."""
        return (
            128 + away * np.cos(turn) + self.rng.uniform(-5, 5),
            128 + 0.96 * away * np.sin(turn) + self.rng.uniform(-5, 5),
        )

    def illuminate(self) -> None:
        """Turn the colours of surfaces to what the camera sees of them; deep in the lumen the light is red."""
        pale = self.light * (0.62 + 0.38 * self.light)
        self.canvas *= np.stack([self.light, pale, pale], axis=-1)

    def glisten(self) -> None:
        """Add the lamp's reflections on the wet folds that face it."""
        facing = 1.5 * self.cloud + 0.12 * self.grain + 5.0 * (self.relief - 1.0)
        near = np.clip((self.r - 40) / 25, 0.0, 1.0)
        self.paint(np.clip((facing - 3.25) * 1.3, 0.0, 0.95) * near, np.array([1.0, 0.99, 0.97]))


def _draw_mucosa(view: _View, kind: str) -> None:
    rng = view.rng
    if kind == "melanosis":
        scales = np.clip(np.abs(broad_noise(rng, 8.0)) * 2.2, 0.0, 1.0)
        view.paint(0.35 + 0.5 * scales, np.array([0.30, 0.18, 0.12]))
    elif kind != "normal":
        for row in range(9):
            for column in range(9):
                x = 4 + 31 * column + 15 * (row % 2) + rng.uniform(-8, 8)
                y = 4 + 31 * row + rng.uniform(-8, 8)
                if np.hypot(x - view.cx, y - view.cy) < 46 or rng.random() < 0.2:
                    continue
                turn = rng.uniform(0, np.pi)
                if kind == "plaques":
                    size = rng.uniform(4.5, 7.0)
                    spot(view.canvas, x, y, size * 1.3, size, np.array([1.0, 0.98, 0.88]), turn, soft=2.5)
                    spot(
                        view.canvas, x + size, y + 2, 0.6 * size, 0.5 * size, np.array([1.0, 0.98, 0.88]), turn, soft=2
                    )
                else:
                    long = rng.uniform(7.5, 11.0)
                    spot(view.canvas, x, y, long, 6.5, np.array([0.72, 0.06, 0.07]), turn, soft=4.5)
                    spot(view.canvas, x, y, 0.32 * long, 2.0, np.array([0.95, 0.72, 0.52]), turn, soft=2.0)


def _draw_residue(view: _View, share: float, kept: np.ndarray) -> None:
    """Cover the given share of the wall with turbid fluid, where `kept` allows."""
    if not share:
        return
    wall = (view.r > 34) & (np.hypot(X - 128, Y - 128) < 128)
    height = broad_noise(view.rng, 13.0) - 2.6 * kept
    level = np.quantile(height[wall][::3], 1.0 - share)
    cover = np.clip((height - level) * 8 + 0.5, 0.0, 1.0) * np.clip((view.r - 30) / 6, 0.0, 1.0)
    colour = np.array([0.56, 0.47, 0.13]) * (1.0 + 0.16 * view.cloud + 0.10 * view.grain)[..., None]
    view.paint(0.96 * cover, colour)
    view.light += 0.6 * cover * (0.9 - view.light)
    bubbles = np.zeros((SIZE, SIZE))
    for x, y in view.rng.uniform(8, 248, (70, 2)):
        if cover[int(y), int(x)] > 0.9:
            size = view.rng.uniform(2.0, 4.0)
            spot(bubbles, x, y, size, size, 0.7)
            spot(bubbles, x, y, size - 1.2, size - 1.2, 0.15)
    view.paint(bubbles, np.array([0.93, 0.90, 0.66]))


def _draw_ball(view: _View, x: float, y: float, rx: float, ry: float, turn: float, colour: np.ndarray) -> None:
    """Lay a lit dome with a shadow on the side away from the lumen, and a highlight."""
    away = np.arctan2(y - view.cy, x - view.cx)
    spot(view.light, x + 5 * np.cos(away), y + 5 * np.sin(away), rx, ry, 0.45, turn, soft=7.0, strength=0.6)
    where, dx, dy = window(x, y, max(rx, ry) + 2)
    mask = oval(dx, dy, rx, ry, turn, soft=1.5)
    cosine, sine = np.cos(turn), np.sin(turn)
    level = ((dx * cosine + dy * sine) / rx) ** 2 + ((dy * cosine - dx * sine) / ry) ** 2
    lay(view.canvas, where, mask, colour)
    lay(view.light, where, mask, 0.48 + 0.56 * np.sqrt(np.maximum(1.0 - level, 0.0)) + 0.03 * view.grain[where])
    u, v = x - 0.38 * rx * np.cos(away), y - 0.38 * rx * np.sin(away)
    spot(view.canvas, u, v, 0.26 * ry, 0.14 * ry, np.array([1.0, 0.97, 0.95]), away + np.pi / 2, soft=2.0, strength=0.9)


def _draw_lesion(view: _View, shape: str, x: float, y: float, turn: float) -> None:
    rng = view.rng
    red = np.array([0.88, 0.30, 0.27])
    size = rng.uniform(14.5, 17.0)
    if shape == "pedunculated":
        bend = turn + rng.uniform(-0.35, 0.35)
        for width, light in ((7.0, 0.6), (4.5, 0.95)):
            for step in np.linspace(34, 8, 10):
                u, v = x + step * np.cos(bend), y + step * np.sin(bend)
                spot(view.canvas, u, v, width, width, np.array([0.97, 0.62, 0.54]), soft=1.5)
                spot(view.light, u, v, width, width, light, soft=2.5)
        _draw_ball(view, x - 5 * np.cos(bend), y - 5 * np.sin(bend), size, size * 0.9, bend + np.pi / 2, red * 0.93)
    elif shape == "sessile":
        _draw_ball(view, x, y, size * 1.3, size * 1.08, turn + np.pi / 2, np.array([0.93, 0.40, 0.34]))
    elif shape == "flat":
        where, dx, dy = window(x, y, 30)
        mask = oval(dx * (1 + 0.02 * view.cloud[where]), dy, 26, 19, turn + np.pi / 2, soft=3.0)
        core = oval(dx, dy, 23, 16, turn + np.pi / 2, soft=3.0)
        lay(view.canvas, where, mask, np.array([0.99, 0.83, 0.74]))
        pits = np.clip(np.cos(dx * 0.95) * np.cos(dy * 0.95) * 1.6, 0.0, 1.0)
        lay(view.canvas, where, core, np.array([0.86, 0.42, 0.44]) * (1.0 - 0.30 * pits[..., None]))
        lay(view.light, where, mask, 0.9)
    else:
        where, dx, dy = window(x, y, 27)
        radius = np.hypot(dx, dy) * (1 + 0.06 * view.cloud[where])
        lay(view.canvas, where, edge(radius - 23.0, 3.0), np.array([0.80, 0.20, 0.19]))
        lay(view.light, where, edge(radius - 23.0, 3.0), 0.95 - 0.3 * edge(radius - 17.0, 3.0))
        floor = np.array([1.0, 0.95, 0.74]) * (1 + 0.03 * view.grain[where])[..., None]
        lay(view.canvas, where, edge(radius - 14.5, 2.5), floor)
        lay(view.light, where, edge(radius - 14.5, 2.5), 1.0)


def _draw_bleeding(view: _View, kind: str) -> None:
    rng = view.rng
    x, y = view.place(_BLEEDING_TURN, 72.0)
    blood = np.zeros((SIZE, SIZE))
    if kind == "clot":
        _draw_ball(view, x, y, 17.0, 13.0, rng.uniform(0, np.pi), np.array([0.24, 0.02, 0.05]))
        _draw_ball(view, x + 8, y - 5, 9.0, 8.0, 0.0, np.array([0.30, 0.03, 0.06]))
    elif kind == "oozing":
        spot(blood, x, y, 8.0, 6.0, 1.0, soft=2.0)
        u, lean = x, rng.uniform(-0.15, 0.15)
        for v in np.arange(y, SIZE + 4, 2.0):
            u += lean + rng.normal(0, 0.5)
            width = 4.6 + 0.09 * (v - y)
            spot(blood, u, v, width, width, 1.0, soft=2.0)
    elif kind == "spurting":
        reach = rng.uniform(0.95, 1.1)
        for step in np.linspace(0, 1, 46):
            u = x + 26 * reach * step
            v = y - 112 * reach * step * (1 - 0.42 * step)
            width = 3.4 + 2.2 * step
            spot(blood, u, v, width, width, 1.0, soft=1.5)
        for _ in range(26):
            away, turn = rng.uniform(4, 30), rng.uniform(0, 2 * np.pi)
            size = rng.uniform(1.6, 3.4)
            spot(blood, u + away * np.cos(turn), v + away * np.sin(turn), size, size, 1.0)
        spot(blood, x, y + 4, 19.0, 11.0, 1.0, soft=3.0)
        spot(blood, x - 6, y + 12, 14.0, 12.0, 1.0, soft=3.0)
    view.paint(blood, _BLOOD * (1.35 if kind == "spurting" else 1.0))
    view.light += blood * (0.92 + 0.12 * view.cloud - view.light)


def _draw_instrument(view: _View, kind: str) -> None:
    """Lay an instrument that comes in from the lower right, with its tip in its own place."""
    rng = view.rng
    x, y = view.place(_INSTRUMENT_TURN, 58.0)
    turn = np.arctan2(258 - y, 226 + rng.uniform(-8, 8) - x)
    cosine, sine = np.cos(turn), np.sin(turn)

    def tube(start: float, end: float, radius: float, colour: np.ndarray) -> None:
        ends = (x + start * cosine, y + start * sine, x + end * cosine, y + end * sine)
        where, body = rod(*ends, radius, soft=1.2)
        lay(view.canvas, where, body, colour)
        lay(view.light, where, body, 0.62)
        lay(view.light, *rod(*(value + shift for value, shift in zip(ends, (-1, 1) * 2, strict=True)), 2.8, 5.0), 1.0)

    def metal(where: tuple[slice, slice], mask: np.ndarray) -> None:
        lay(view.canvas, where, mask, _STEEL)
        lay(view.light, where, mask, 1.0 + 0.08 * view.grain[where])

    if kind == "balloon":
        tube(4, 150, 4.5, np.array([0.93, 0.93, 0.90]))
        where, dx, dy = window(x - 4 * cosine, y - 4 * sine, 40)
        metal(where, 0.35 * oval(dx, dy, 37, 17.5, turn, soft=2.0))
        skin = oval(dx, dy, 36, 16.5, turn, soft=2.0)
        lay(view.canvas, where, 0.8 * skin, np.array([0.62, 0.86, 0.97]))
        lay(view.light, where, 0.85 * skin, 0.92)
        metal(where, 0.9 * oval(dx - 5 * sine, dy + 7 * cosine, 17, 2.6, turn, soft=3.0))
        return
    sheath = {"snare": np.array([0.25, 0.50, 0.86]), "forceps": np.array([0.94, 0.62, 0.16])}
    tube(16, 160, 8.0, sheath.get(kind, np.array([0.90, 0.93, 0.92])))
    if kind == "snare":
        where, dx, dy = window(x - 14 * cosine, y - 14 * sine, 34)
        metal(where, np.clip(oval(dx, dy, 31, 17, turn) - oval(dx, dy, 27.6, 13.6, turn), 0.0, 1.0))
    elif kind == "forceps":
        for side in (-1, 1):
            jaw = turn + np.pi + 0.55 * side
            u, v = x + 14 * cosine, y + 14 * sine
            metal(*rod(u, v, u + 15 * np.cos(jaw), v + 15 * np.sin(jaw), 4.0))
            where, dx, dy = window(u + 23 * np.cos(jaw), v + 23 * np.sin(jaw), 14)
            metal(where, oval(dx, dy, 12, 7, jaw))
            cup = oval(dx + 1.5 * side * sine, dy - 1.5 * side * cosine, 8, 3.2, jaw, soft=2.0)
            lay(view.light, where, cup, 0.45)
    else:
        metal(*rod(x + 18 * cosine, y + 18 * sine, x - 14 * cosine, y - 14 * sine, 2.2))


def draw(scene: Scene, rng: np.random.Generator) -> np.ndarray:
    """Draw a scene as an RGB image, uint8 of shape (256, 256, 3)."""
    view = _View(scene, rng)
    turns = [_LESION_TURNS[at] for at in rng.permutation(4)[: scene["lesions"]]]
    places = [(*view.place(turn, 74.0), turn) for turn in turns]
    kept = np.zeros((SIZE, SIZE))
    for x, y, _ in places:
        spot(kept, x, y, 33.0, 33.0, 1.0, soft=24.0)
    _draw_mucosa(view, scene["mucosa"])
    _draw_residue(view, RESIDUE_SHARES[scene["residue"]], kept)
    view.glisten()
    for x, y, turn in places:
        _draw_lesion(view, scene["shape"], x, y, turn)
    if scene["bleeding"] != "none":
        _draw_bleeding(view, scene["bleeding"])
    if scene["instrument"] != "none":
        _draw_instrument(view, scene["instrument"])
    view.illuminate()
    away = np.hypot(X - 127.5, Y - 127.5)
    view.canvas *= ((1.04 - 0.22 * (away / 150) ** 2) * edge(away - 148.0, 2.0))[..., None]
    return to_uint8(view.canvas)


GENERATOR = Generator(modality="Endoscopy", sample_scene=sample_scene, draw=draw, questions=QUESTIONS)
