"""CT phantoms: an axial section of the abdomen in the portal venous phase, in Hounsfield units under a soft window.

The patient lies on the back and is seen from the feet: the patient's right is on the image's left.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
from scipy import ndimage

from ..question import Generator, Scene
from ..shapes import (
    SIZE,
    X,
    Y,
    edge,
    ellipse,
    paint,
    polyline,
    small_capsule,
    small_ellipse,
    star_polygon,
    to_uint8,
    warped,
)
from .ct_questions import QUESTIONS

_LOWEST, _WIDTH = -180.0, 400.0
"""The window: Hounsfield units that come out black, and the span from black to white."""

_AIR, _FAT, _WATER, _MUSCLE, _BONE, _CORTEX = -1000.0, -100.0, 6.0, 60.0, 150.0, 420.0

_LIVER_PLACES = ((67, 94), (67, 114), (84, 82), (86, 102), (86, 122), (103, 80), (107, 99), (122, 77))
"""Centres that liver lesions may take: apart from each other, from the wall, from free gas and from free fluid."""

_FLUID_DEPTH = (0.0, 4.5, 10.5, 17.0)
"""Depth of the free fluid at the flank in pixels, by grade."""


def sample_scene(rng: np.random.Generator) -> Scene:
    """Draw what an abdomen shows."""
    lesions = 0 if rng.random() < 0.25 else int(rng.integers(1, 6))
    kind = ("cyst", "hypervascular", "abscess")[rng.integers(3)]
    places = rng.permutation(len(_LIVER_PLACES))[:lesions]
    kidney = ("normal", "stone", "hydronephrosis", "mass", "absent")[rng.integers(5)]
    return {
        "liver_lesions": lesions,
        "liver_lesion_kind": kind if lesions else "none",
        "liver_lesion_places": [list(_LIVER_PLACES[i]) for i in places],
        # A cyst is hard to see in a fatty liver.
        "liver_fatty": bool(rng.random() < 0.4 and (kind != "cyst" or not lesions)),
        "kidney": kidney,
        "kidney_side": "none" if kidney == "normal" else ("right", "left")[rng.integers(2)],
        "spleen": ("normal", "enlarged", "torn")[rng.integers(3)],
        "fluid": int(rng.integers(4)),
        "free_gas": bool(rng.random() < 0.3),
        "aorta": ("normal", "calcified", "aneurysm", "dissection")[rng.integers(4)],
        "muscle": ("none", "right psoas", "left psoas", "right erector", "left erector")[rng.integers(5)],
        "vertebra": ("normal", "lytic", "sclerotic")[rng.integers(3)],
    }


def _oval(rx: float, ry: float, cy: float, power: float = 2.3) -> np.ndarray:
    """Distance to a rounded box about the middle, negative inside."""
    f = (np.abs((X - 128) / rx) ** power + np.abs((Y - cy) / ry) ** power) ** (1 / power)
    return (f - 1.0) * min(rx, ry)


@cache
def _cavity() -> np.ndarray:
    return _oval(97, 67, 116)


@cache
def _frame() -> np.ndarray:
    """Table, skin, fat, wall, ribs and the spine's back part: what is the same in all bodies before bending."""
    hu = np.full((SIZE, SIZE), _AIR)
    deck, breadth = 221 - 14 * ((X - 128) / 118) ** 2, edge(np.abs(X - 128) - 112)
    for offset, shell in ((-8.0, 70.0), (9.0, 20.0)):
        paint(hu, edge(np.abs(Y - deck - offset) - 1.2) * breadth, shell)
    body = _oval(117, 86, 122)
    paint(hu, edge(body), 20.0)
    paint(hu, edge(body + 2.2), _FAT)
    wall = _oval(106, 75, 117)
    paint(hu, edge(wall), _MUSCLE)
    layers = np.minimum(np.abs(wall + 2.8), np.abs(wall + 5.8))
    paint(hu, 0.45 * edge(layers - 0.4) * edge(110 - Y, 20), _FAT)
    paint(hu, edge(_cavity()), -92.0)
    for side in (-1, 1):
        paint(hu, ellipse(128 + side * 27, 187, 25, 13, side * 0.12), _MUSCLE)
        paint(hu, ellipse(128 + side * 57, 181, 17, 8, -side * 0.45), _MUSCLE)
        for degrees in (-38, -14, 9, 32, 52):
            t = np.deg2rad(degrees)
            x, y = 128 + side * 102.5 * np.cos(t) ** 0.87, 117 + 71.5 * np.sign(t) * abs(np.sin(t)) ** 0.87
            tangent = side * np.arctan2(71.5 * np.cos(t), -102.5 * np.sin(t))
            box, mask = small_ellipse(x, y, 9, 4.2, tangent)
            paint(hu[box], mask, _CORTEX)
            box, mask = small_ellipse(x, y, 6.5, 2.0, tangent)
            paint(hu[box], mask, _BONE)
    return hu


@cache
def _liver() -> np.ndarray:
    corners = [(35, 118), (37, 95), (47, 74), (66, 60), (92, 53), (122, 54), (148, 62), (160, 72), (148, 82), (130, 93)]
    corners += [(117, 105), (106, 116), (98, 132), (82, 146), (62, 152), (45, 148), (37, 135)]
    return star_polygon(84, 96, np.array(corners), smooth=4.0)


@cache
def _liver_vessels() -> np.ndarray:
    trunk = polyline(np.array([(113, 108), (103, 105), (92, 111), (73, 103), (54, 108)]), 1.7, 1.6)
    branch = polyline(np.array([(92, 111), (80, 92), (72, 72)]), 1.1, 1.6)
    return np.maximum.reduce(
        [
            trunk,
            branch,
            polyline(np.array([(103, 105), (112, 86), (132, 73)]), 1.3, 1.6),
            polyline(np.array([(73, 103), (70, 122), (72, 140)]), 1.1, 1.6),
        ]
    )


def _dot(hu: np.ndarray, cx: float, cy: float, rx: float, ry: float, value: float, angle: float = 0.0) -> None:
    box, mask = small_ellipse(cx, cy, rx, ry, angle, soft=1.4)
    paint(hu[box], mask, value)


def _line(hu: np.ndarray, points: tuple[tuple[float, float], ...], radius: float, value: float) -> None:
    for first, second in pairwise(points):
        box, mask = small_capsule(*first, *second, radius, soft=1.4)
        paint(hu[box], mask, value)


def _draw_liver(hu: np.ndarray, scene: Scene, rng: np.random.Generator) -> None:
    own = 42.0 if scene["liver_fatty"] else 108.0
    paint(hu, _liver(), own)
    paint(hu, 0.8 * _liver_vessels(), own + 34.0)
    _line(hu, ((134, 52), (132, 66)), 1.0, -60.0)
    for x, y in scene["liver_lesion_places"]:
        x, y = x + rng.uniform(-0.7, 0.7), y + rng.uniform(-0.7, 0.7)
        rx, ry, angle = rng.uniform(6.1, 6.9), rng.uniform(6.1, 6.9), rng.uniform(0, np.pi)
        if scene["liver_lesion_kind"] == "abscess":
            _dot(hu, x, y, rx + 0.9, ry + 0.9, 205.0, angle)
            _dot(hu, x, y, rx - 2.4, ry - 2.4, _WATER - 10, angle)
        else:
            _dot(hu, x, y, rx, ry, _WATER if scene["liver_lesion_kind"] == "cyst" else 215.0, angle)
    # The gall bladder lies below the liver's edge.
    _dot(hu, 118, 112, 7.5, 10.5, 75.0, 0.5)
    _dot(hu, 118, 112, 6.2, 9.2, _WATER + 8, 0.5)


def _draw_gut(hu: np.ndarray, rng: np.random.Generator) -> None:
    # Stomach with a gas level, since the patient lies on the back.
    _dot(hu, 180, 84, 29, 21, 95.0, 0.35)
    box, mask = small_ellipse(180, 84, 26, 18, 0.35)
    paint(hu[box], mask, 25.0)
    paint(hu[box], mask * edge(Y[box] - 78 - rng.uniform(-2, 2), 1.2), _AIR)
    # Pancreas.
    _line(hu, ((124, 119), (140, 113), (160, 115), (180, 109), (192, 113)), 5.5, 98.0)
    for x, y in ((131, 122), (146, 121), (136, 98), (128, 104), (162, 108), (158, 88), (141, 88)):
        _dot(hu, x + rng.uniform(-1, 1), y + rng.uniform(-1, 1), 2.0, 2.0, 120.0)
    for x, y in ((150, 96), (172, 126), (158, 133), (186, 134)):
        x, y, r = x + rng.uniform(-1, 1), y + rng.uniform(-1, 1), rng.uniform(6.2, 7.6)
        _dot(hu, x, y, r, r * 0.9, 105.0)
        _dot(hu, x, y, r - 2, r * 0.9 - 2, 20.0)
    _dot(hu, 208, 160, 7.5, 8.5, 70.0)
    _dot(hu, 208, 160, 5.5, 6.5, 10.0)
    _dot(hu, 208, 157.5, 4.2, 3.5, -700.0)


def _draw_spleen(hu: np.ndarray, scene: Scene) -> None:
    give = 0.85 * _FLUID_DEPTH[scene["fluid"]]
    if scene["spleen"] == "enlarged":
        cx, cy, rx, ry, angle = 197 - 0.5 * give, 118.0, 25.0, 42.0, 0.12
    else:
        cx, cy, rx, ry, angle = 208 - give, 124.0, 12.5, 27.0, 0.1
    box, mask = small_ellipse(cx, cy, rx, ry, angle)
    notch = small_ellipse(cx - rx * 1.15, cy + 4, rx * 0.8, ry * 0.55, angle, soft=3.0)
    paint(hu[box], mask, 122.0)
    paint(hu[notch[0]], notch[1] * (hu[notch[0]] > 121.0), -80.0)
    if scene["spleen"] == "torn":
        _line(hu, ((cx + 14, cy - 15), (cx + 4, cy - 11), (cx - 3, cy - 12), (cx - 11, cy - 7)), 2.4, -5.0)
        _line(hu, ((cx + 14, cy + 6), (cx + 5, cy + 3), (cx - 2, cy + 6), (cx - 8, cy + 3)), 2.6, -5.0)


def _draw_kidney(hu: np.ndarray, side: str, finding: str) -> None:
    s = -1 if side == "right" else 1
    cx, cy, tilt = 128 + s * 54.0, 159.0, -s * 0.35
    _dot(hu, cx, cy, 22, 25, -98.0, tilt)
    if finding == "absent":
        return
    if finding == "mass":
        _dot(hu, cx + s * 9, cy - 10, 15, 14, 88.0)
        _dot(hu, cx + s * 10, cy - 10, 6, 5, 40.0)
    _dot(hu, cx, cy, 15, 20, 185.0, tilt)
    if finding == "mass":
        _dot(hu, cx + s * 8, cy - 9, 14, 13, 78.0)
        _dot(hu, cx + s * 9, cy - 10, 6, 5, 25.0)
    for dx, dy in ((4, -10), (7, -2), (4, 8)):
        if finding != "mass" or dy > 0:
            _dot(hu, cx + s * dx, cy + dy, 3.6, 3.6, 150.0)
    if finding == "hydronephrosis":
        _dot(hu, cx - s * 8, cy - 1, 9.5, 11, _WATER, tilt)
        for dx, dy in ((0, -10), (4, -2), (1, 8)):
            _dot(hu, cx + s * dx, cy + dy, 5.2, 5.2, _WATER)
        _dot(hu, cx - s * 15, cy + 1, 7, 5, _WATER)
        return
    _dot(hu, cx - s * 8, cy, 7.5, 6.5, -85.0, tilt)
    _dot(hu, cx - s * 15, cy, 8, 4, -95.0)
    _line(hu, ((cx - s * 4, cy - 1), (cx - s * 12, cy - 2)), 1.2, 120.0)
    if finding == "stone":
        _dot(hu, cx - s * 6, cy, 4.6, 4.2, 900.0)


def _draw_spine(hu: np.ndarray, scene: Scene) -> None:
    for s in (-1, 1):
        name = "right" if s < 0 else "left"
        psoas = scene["muscle"] == f"{name} psoas"
        grown = 1.25 if psoas else 1.0
        _dot(hu, 128 + s * 28, 163, 10 * grown, 12.5 * grown, 66.0, s * 0.2)
        if psoas:
            _dot(hu, 128 + s * 29, 163, 10.5, 13, 150.0, s * 0.2)
            _dot(hu, 128 + s * 29, 163, 8, 10.5, _WATER - 15, s * 0.2)
        if scene["muscle"] == f"{name} erector":
            _dot(hu, 128 + s * 28, 187, 22, 10.5, -82.0, s * 0.12)
            for dx, dy in ((-12, 2), (-3, -4), (5, 4), (13, -1)):
                _line(hu, ((128 + s * 28 + dx - 3, 187 + dy), (128 + s * 28 + dx + 3, 188 + dy)), 0.8, 20.0)
        _line(hu, ((128 + s * 12, 170), (128 + s * 12, 181)), 3.4, _CORTEX)
        _line(hu, ((128 + s * 12, 180), (128 + s * 30, 177)), 2.4, _CORTEX)
        _line(hu, ((128 + s * 11, 183), (128, 190)), 2.6, _CORTEX)
    _line(hu, ((128, 190), (128, 201)), 2.8, _CORTEX)
    _dot(hu, 128, 160, 20, 15.5, _CORTEX)
    _dot(hu, 128, 160, 17.8, 13.3, _BONE)
    _dot(hu, 128, 177, 9.5, 7, 15.0)
    _dot(hu, 128, 177, 5, 4, 45.0)
    if scene["vertebra"] == "lytic":
        _dot(hu, 124, 159, 8.5, 8, 15.0)
    elif scene["vertebra"] == "sclerotic":
        _dot(hu, 124, 159, 9, 8.5, 600.0)


def _draw_vessels(hu: np.ndarray, scene: Scene) -> None:
    _dot(hu, 112, 137, 9.5, 6.5, 128.0, -0.2)
    kind = scene["aorta"]
    if kind == "aneurysm":
        _dot(hu, 142, 126, 20, 19, 140.0)
        _dot(hu, 142, 126, 18.6, 17.6, 48.0)
        _dot(hu, 145, 129, 10, 9.5, 165.0)
    elif kind == "dissection":
        _dot(hu, 138, 132, 12.5, 12, 100.0)
        box, mask = small_ellipse(138, 132, 12.5, 12)
        paint(hu[box], mask * edge(X[box] - 138 + 0.5 * (Y[box] - 132)), 190.0)
        _line(hu, ((132.5, 122), (138, 132), (143.5, 142)), 1.7, -60.0)
    else:
        _dot(hu, 139, 134, 9.5, 9.5, 155.0)
        if kind == "calcified":
            box, ring = small_ellipse(139, 134, 11.2, 11.2)
            _, lumen = small_ellipse(139, 134, 7.2, 7.2)
            whole = np.zeros_like(ring)
            inset = (ring.shape[0] - lumen.shape[0]) // 2
            whole[inset : inset + lumen.shape[0], inset : inset + lumen.shape[1]] = lumen
            gap = edge(np.abs(np.arctan2(Y[box] - 134, X[box] - 139) - 0.4) - 0.35, 0.2)
            paint(hu[box], np.clip(ring - whole, 0, 1) * (1 - gap), 700.0)


def draw(scene: Scene, rng: np.random.Generator) -> np.ndarray:
    """Draw the section, uint8 of shape (256, 256)."""
    hu = _frame().copy()
    _draw_gut(hu, rng)
    _draw_liver(hu, scene, rng)
    depth = _FLUID_DEPTH[scene["fluid"]]
    if depth:
        flank = np.clip((np.abs(X - 128) - 20) / 60, 0.0, 1.0) * np.clip((172 - Y) / 16, 0.0, 1.0)
        paint(hu, edge(_cavity()) * edge(-_cavity() - depth * flank, 1.6) * (flank > 0), 2.0)
    _draw_spleen(hu, scene)
    for side in ("right", "left"):
        _draw_kidney(hu, side, scene["kidney"] if scene["kidney_side"] == side else "normal")
    _draw_spine(hu, scene)
    _draw_vessels(hu, scene)
    if scene["free_gas"]:
        level = 66.0 + rng.uniform(-1, 1)
        paint(hu, edge(_cavity() + 1) * edge(Y - level, 1.2), _AIR)
    hu = warped(hu, rng, reach=3.5, zoom=rng.uniform(0.94, 1.03))
    texture = ndimage.gaussian_filter(rng.normal(size=hu.shape), 0.9) * 3.3
    tissue = hu > -300.0
    hu = ndimage.gaussian_filter(hu, 0.55) + tissue * (7.0 * texture)
    return to_uint8((hu - _LOWEST) / _WIDTH)


GENERATOR = Generator(modality="CT", sample_scene=sample_scene, draw=draw, questions=QUESTIONS)
