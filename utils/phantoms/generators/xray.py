"""X-ray phantoms: a frontal chest radiograph, made by adding up the attenuation of what lies along each ray.

The patient faces the viewer: the patient's right is on the image's left. Attenuation is mu times thickness; it is
converted to transmitted intensity (Beer-Lambert) and displayed as a film, dense tissue bright.
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
    small_capsule,
    small_ellipse,
    smooth_noise,
    star_polygon,
    to_uint8,
    warped,
)
from .xray_questions import QUESTIONS

_SIDES = ("right", "left")
_NODULE_PLACES = ((90, 66), (68, 84), (92, 96), (58, 116), (64, 146), (86, 132))
"""Centres that nodules may take in the right lung; mirrored in the left lung."""


def _is_free(index: int, side: str, heart: str, shift: bool, pacemaker: str) -> bool:
    """Tell whether the heart and the pacemaker leave a place for a nodule uncovered."""
    if index == 1 and side == pacemaker:
        return False
    if shift:
        return index in (1, 3) or (index == 4 and side == "right")
    return side == "right" or index < 4 or (index == 4 and heart == "normal")


_HILUM = (107.0, 116.0)
_HEART = {"normal": (24, 50), "enlarged": (33, 68), "very large": (40, 81)}
"""How far the heart reaches to the image's left and right of the middle, in pixels; the thorax is 172 wide inside."""


def sample_scene(rng: np.random.Generator) -> Scene:
    """Draw what a chest shows."""
    lung = ("clear", "pneumothorax", "pneumothorax", "effusion", "consolidation")[rng.integers(5)]
    lung_side = _SIDES[rng.integers(2)]
    size = ("small", "large")[rng.integers(2)]
    zone = ("upper", "lower")[rng.integers(2)]
    shift = bool(lung in ("pneumothorax", "effusion") and size == "large" and rng.random() < 0.5)
    heart = tuple(_HEART)[rng.integers(3)]
    pacemaker = ("none", *_SIDES)[rng.integers(3)]
    places = [
        (x, y) if side == "right" else (SIZE - x, y)
        for side in _SIDES
        for i, (x, y) in enumerate(_NODULE_PLACES)
        if (lung == "clear" or side != lung_side) and _is_free(i, side, heart, shift, pacemaker)
    ]
    count = int(rng.integers(6))
    chosen = rng.permutation(len(places))[:count]
    fracture = ("none", "right clavicle", "left clavicle", "right ribs", "left ribs")[rng.integers(5)]
    # A dense lung hides broken ribs.
    if fracture == f"{lung_side} ribs" and lung in ("effusion", "consolidation"):
        fracture = "none"
    return {
        "lung": lung,
        "lung_side": "none" if lung == "clear" else lung_side,
        "lung_size": size if lung in ("pneumothorax", "effusion") else "none",
        "lung_zone": zone if lung == "consolidation" else "none",
        "shift": shift,
        "nodules": len(chosen),
        "nodule_places": [list(places[i]) for i in chosen],
        "heart": heart,
        "fracture": fracture,
        "tube": ("none", "high", "good", "deep")[rng.integers(4)],
        "pacemaker": pacemaker,
        "coverage": "complete" if rng.random() < 0.5 else ("apices", "bases", "right", "left")[rng.integers(4)],
    }


def _mirror(points: np.ndarray, side: str) -> np.ndarray:
    return points if side == "right" else np.array([SIZE, 0.0]) + np.array([-1.0, 1.0]) * points


def _add(canvas: np.ndarray, points: np.ndarray, radius: float, amount: float, soft: float = 1.2) -> None:
    """Add a tube of this attenuation along points: its pieces overlap without adding up."""
    whole = np.zeros_like(canvas)
    for first, second in pairwise(points):
        box, mask = small_capsule(*first, *second, radius, soft)
        np.maximum(whole[box], mask, out=whole[box])
    canvas += amount * whole


def _lung_corners(side: str) -> np.ndarray:
    corners = [
        (104, 36),
        (86, 40),
        (70, 56),
        (57, 84),
        (49, 115),
        (44, 150),
        (41, 180),
        (42, 204),
        (48, 196),
        (64, 186),
    ]
    corners += [(86, 181), (107, 187), (113, 170), (115, 140), (114, 110), (113, 80), (113, 52)]
    points = np.array(corners, dtype=np.float64)
    points[7:12, 1] += 6.0 if side == "left" else 0.0
    return _mirror(points, side)


@cache
def _lung(side: str, scale: float = 1.0) -> np.ndarray:
    hilum = _mirror(np.array([_HILUM]), side)[0]
    corners = hilum + scale * (_lung_corners(side) - hilum)
    centre = hilum + scale * (_mirror(np.array([(84.0, 120.0)]), side)[0] - hilum)
    return star_polygon(centre[0], centre[1], corners, smooth=2.0, soft=2.0)


@cache
def _heart(size: str) -> np.ndarray:
    right, left = _HEART[size]
    corners = [(108, 84), (111, 70), (128, 66), (143, 70), (150, 80), (147, 92), (150, 108), (128 + 0.62 * left, 128)]
    corners += [(128 + 0.9 * left, 152), (128 + left, 172), (128 + 0.93 * left, 188), (128, 202)]
    corners += [(128 - 0.9 * right, 190), (128 - right, 166), (128 - 0.85 * right, 138), (110, 112)]
    return star_polygon(130, 140, np.array(corners), smooth=4.0, soft=2.5)


def _rib(level: int, side: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the posterior and the anterior part of a rib as lines."""
    t = np.linspace(0, 1, 21)
    start, width = 38.0 + 16.5 * level, (50, 63, 73, 79, 84, 87, 88, 89, 89)[level]
    fall = 13 + 2.2 * level
    back = np.stack(
        [128 - 13 - (width - 13) * np.sin(np.pi / 2 * t**0.9), start - 5 * np.sin(np.pi * t) + fall * t**2.4], 1
    )
    s = np.linspace(0, 1, 8)
    front = np.stack(
        [128 - width + (width - 36) * s**1.35, start + fall + (34 + level) * np.sin(np.pi / 2 * s) ** 0.9], 1
    )
    return _mirror(back, side), _mirror(front, side)


_MAY_BREAK = (3, 4, 5)
"""Ribs that break together, counted from the top of the drawn ones."""


@cache
def _bones(side: str, which: str) -> np.ndarray:
    """Attenuation of one side's ribs but three ("ribs"), of these whole ("row") or broken, and of the clavicle."""
    canvas = np.zeros((SIZE, SIZE))
    if which == "ribs":
        for level in range(9):
            back, front = _rib(level, side)
            if level not in _MAY_BREAK:
                _add(canvas, back, 3.5, 0.29)
                _add(canvas, back, 1.7, -0.12)
            if level < 6:
                _add(canvas, front, 3.6, 0.14)
                _add(canvas, front, 1.9, -0.06)
    elif which in ("row", "broken row"):
        for level in _MAY_BREAK:
            back, _ = _rib(level, side)
            inner, outer = back[:9], back[9:] + np.array([0.0, 8.5])
            for part in (inner, outer) if which == "broken row" else (back,):
                _add(canvas, part, 3.5, 0.46 if which == "broken row" else 0.29)
                _add(canvas, part, 1.7, -0.12)
            if which == "broken row":  # The fragments' ends lie over each other or end on.
                _add(canvas, inner[-3:], 4.2, 0.4)
                _add(canvas, outer[:3], 4.2, 0.4)
    else:
        line = np.array([(116, 62), (100, 56), (84, 51), (66, 46), (48, 41), (34, 38)], dtype=np.float64)
        parts = [line]
        if which == "broken clavicle":
            parts = [line[:3] + np.array([0, -8.0]), line[3:] + np.array([5.0, 13.0])]
        for part in parts:
            _add(canvas, _mirror(part, side), 5.0, 0.75)
            _add(canvas, _mirror(part, side), 2.6, -0.22)
    return canvas


@cache
def _body() -> np.ndarray:
    """Attenuation of the soft tissue, the spine and the shoulders."""
    corners = [(102, -12), (154, -12), (160, 16), (184, 28), (226, 40), (258, 62), (268, 118), (244, 126), (237, 180)]
    corners += [(238, 268), (18, 268), (19, 180), (12, 126), (-12, 118), (-2, 62), (30, 40), (72, 28), (96, 16)]
    body = star_polygon(128, 140, np.array(corners), smooth=2.0, soft=3.0)
    depth = np.sqrt(np.clip(1 - ((X - 128) / 165) ** 2, 0, 1)) * (0.86 + 0.14 * np.clip((Y - 20) / 60, 0, 1))
    canvas = 1.85 * body * depth + 0.16 * edge(200 - Y, 30) * body
    for y in range(4, 262, 17):
        box, mask = small_ellipse(128, y, 13, 8.2, soft=3.0)
        canvas[box] += 0.2 * mask
        box, mask = small_ellipse(128, y + 3, 3, 4.5, soft=2.0)
        canvas[box] += 0.1 * mask
        for s in (-1, 1):
            box, mask = small_capsule(128 + s * 12, y - 2, 128 + s * 20, y - 4, 2.4, 2.0)
            canvas[box] += 0.09 * mask
    for side in _SIDES:
        head, shaft = _mirror(np.array([(12.0, 62.0), (2.0, 120.0)]), side)
        box, mask = small_ellipse(head[0], head[1], 15, 16, soft=2.5)
        canvas[box] += 0.38 * mask
        _add(canvas, np.array([head, shaft]), 9, 0.25, 2.5)
        blade = _mirror(np.array([(26.0, 56.0), (47.0, 70.0), (45.0, 126.0), (39.0, 132.0), (32.0, 96.0)]), side)
        centre = blade.mean(0)
        canvas += 0.1 * star_polygon(centre[0], centre[1], blade, smooth=3.0, soft=4.0)
    return canvas


def _vessels(side: str, rng: np.random.Generator) -> np.ndarray:
    """Attenuation of a lung's vessels, branching from the hilum and thinning outwards."""
    canvas = np.zeros((SIZE, SIZE))
    hilum = _mirror(np.array([_HILUM]), side)[0]
    sign = -1 if side == "right" else 1
    for angle in np.linspace(-1.25, 1.3, 9) + rng.uniform(-0.1, 0.1, 9):
        point, heading = hilum, angle
        for step, (radius, amount) in enumerate(((2.7, 0.32), (1.9, 0.23), (1.4, 0.17), (1.0, 0.12))):
            end = point + rng.uniform(13, 18) * np.array([sign * np.cos(heading), np.sin(heading)])
            box, mask = small_capsule(*point, *end, radius, 1.8)
            canvas[box] = np.maximum(canvas[box], amount * mask)
            if step in (1, 2):
                turn = heading + rng.choice((-0.6, 0.6))
                side_end = end + 15 * np.array([sign * np.cos(turn), np.sin(turn)])
                box, mask = small_capsule(*end, *side_end, radius * 0.6, 1.8)
                canvas[box] = np.maximum(canvas[box], 0.75 * amount * mask)
            point, heading = end, heading + rng.uniform(-0.22, 0.22)
    box, mask = small_ellipse(hilum[0], hilum[1], 6, 13, -sign * 0.25, soft=6.0)
    canvas[box] += 0.22 * mask
    return canvas


def _draw_lung(attenuation: np.ndarray, side: str, scene: Scene, rng: np.random.Generator) -> None:
    whole = _lung(side)
    finding = scene["lung"] if scene["lung_side"] == side else "clear"
    vessels = _vessels(side, rng)
    attenuation -= 1.0 * whole
    if finding == "pneumothorax":
        scale = 0.8 if scene["lung_size"] == "small" else 0.48
        inner = _lung(side, scale)
        rim = np.clip(inner - _lung(side, scale - 0.02), 0, 1)
        attenuation += whole * (inner * (0.08 if scale > 0.6 else 0.34) - (1 - inner) * 0.3 + 0.4 * rim)
        vessels = vessels * inner
    attenuation += vessels * whole
    if finding == "effusion":
        level = 166.0 if scene["lung_size"] == "small" else 116.0
        lateral = np.clip((np.abs(X - 128) - 38) / 48, 0, 1.2)
        attenuation += 1.08 * whole * edge(level - 20 * lateral**2 - Y, 5.0)
    elif finding == "consolidation":
        x, y, rx, ry = (82, 74, 25, 26) if scene["lung_zone"] == "upper" else (72, 156, 27, 26)
        x = x if side == "right" else SIZE - x
        cloud = edge((np.hypot((X - x) / rx, (Y - y) / ry) - 1) * 22 + 4.5 * smooth_noise(rng, 5.0), 12.0)
        attenuation += (0.98 + 0.09 * smooth_noise(rng, 3.0)) * cloud * whole


def _draw_devices(attenuation: np.ndarray, scene: Scene, shift: float) -> None:
    path = np.array([(130, -4), (129, 20), (128 + 0.5 * shift, 42)], dtype=np.float64)
    carina = np.array([(128 + shift, 96.0)])
    if scene["tube"] != "none":
        if scene["tube"] == "high":
            path = path[:2] + np.array([[0, 0], [0, 8.0]])
        elif scene["tube"] == "good":
            path = np.vstack([path, [(128 + 0.8 * shift, 74)]])
        else:
            path = np.vstack([path, carina + np.array([(0, -6), (-12, 9), (-26, 20)])])
        _add(attenuation, path, 2.4, 1.0)
    if scene["pacemaker"] != "none":
        sign = -1 if scene["pacemaker"] == "right" else 1
        x = 128 + sign * 66
        box, mask = small_ellipse(x, 80, 13, 11, soft=1.2)
        attenuation[box] += 1.5 * mask
        box, mask = small_ellipse(x, 71, 8, 4.5, soft=1.2)
        attenuation[box] += 0.5 * mask
        lead = [(x, 68), (x - sign * 12, 61), (x - sign * 30, 60), (120, 66), (114 + shift, 80), (111 + shift, 105)]
        lead += [(111 + shift, 140), (116 + shift, 165), (128 + shift, 180), (144 + shift, 185), (160 + shift, 181)]
        _add(attenuation, np.array(lead), 1.0, 0.6)


def draw(scene: Scene, rng: np.random.Generator) -> np.ndarray:
    """Draw the radiograph, uint8 of shape (256, 256)."""
    shift = 0
    if scene["shift"]:
        shift = 20 if scene["lung_side"] == "right" else -20
    attenuation = _body().copy()
    for side in _SIDES:
        _draw_lung(attenuation, side, scene, rng)
    heart = np.roll(_heart(scene["heart"]), shift, axis=1)
    attenuation += 0.9 * heart * np.clip(1.95 - attenuation, 0.0, None) + 0.1 * heart
    # Trachea and main bronchi.
    carina = (128 + shift, 94)
    windpipe = np.array([(128, -6), (128, 30), (128 + 0.6 * shift, 62), carina], dtype=np.float64)
    _add(attenuation, windpipe, 6.2, -0.42, 3.0)
    for dx, dy in ((-24, 19), (26, 17)):
        _add(attenuation, np.array([carina, (carina[0] + dx, carina[1] + dy)], dtype=np.float64), 3.6, -0.2, 3.0)
    # Gas in the stomach.
    box, mask = small_ellipse(182, 216, 20, 9, 0.1, soft=6.0)
    attenuation[box] -= 0.5 * mask
    for side in _SIDES:
        broken = scene["fracture"] == f"{side} ribs"
        snapped = scene["fracture"] == f"{side} clavicle"
        attenuation += _bones(side, "ribs") + _bones(side, "broken row" if broken else "row")
        attenuation += _bones(side, "broken clavicle" if snapped else "clavicle")
    for x, y in scene["nodule_places"]:
        box, mask = small_ellipse(x + rng.uniform(-1.5, 1.5), y + rng.uniform(-1.5, 1.5), 7.2, 7.2, soft=3.0)
        attenuation[box] += 0.8 * mask
    _draw_devices(attenuation, scene, shift)
    dx, dy = {"apices": (0, 62), "bases": (0, -56), "right": (58, 0), "left": (-58, 0)}.get(scene["coverage"], (0, 0))
    moved = warped(attenuation, rng, reach=3.0, zoom=rng.uniform(0.96, 1.03))
    if dx or dy:
        moved = np.roll(moved, (-dy, -dx), axis=(0, 1))
    transmitted = np.exp(-np.clip(moved, 0, None))
    transmitted *= 1 + 0.012 * ndimage.gaussian_filter(rng.normal(size=transmitted.shape), 0.6) * np.exp(0.4 * moved)
    density = -np.log(np.clip(transmitted, 1e-4, None))
    # The collimator's shutters: a few pixels on each side, and what the film would show beyond the beam.
    top, bottom, left, right = rng.integers(0, 8, 4)
    rows = slice(max(top, -dy), SIZE - max(bottom, dy))
    columns = slice(max(left, -dx), SIZE - max(right, dx))
    inside = np.zeros((SIZE, SIZE))
    inside[rows, columns] = 1.0
    return to_uint8(inside * 1.06 / (1 + np.exp(-2.1 * (density - 1.45))))


GENERATOR = Generator(modality="X-ray", sample_scene=sample_scene, draw=draw, questions=QUESTIONS)
