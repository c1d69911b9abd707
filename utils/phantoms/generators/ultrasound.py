"""Ultrasound phantoms: gallbladder (curved array), breast mass, muscles of both sides and a vessel (linear array).

Everything is made on the grid of the beams, one column per beam: scatterers of complex Gaussian strength are weighted
by the tissue's echo level, blurred by the pulse (short axially, wide laterally), detected, averaged over two looks and
compressed logarithmically. What the tissue attenuates more or less than the time gain compensation expects is summed
along the beam: stones cast shadows, fluid lets the echoes behind it shine. A curved array is scan-converted at last.
Levels are in dB below the brightest echo.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..question import Generator, Scene
from ..shapes import SIZE, edge, paint, smooth_noise, to_uint8
from ..shapes import X as _X
from ..shapes import Y as _Y
from .ultrasound_questions import QUESTIONS

EXAMS = ("gallbladder", "breast", "muscle", "vessel")

_RANGE = 56.0
_FLUID = -66.0
_LOOKS = 2
_FLUID_GAIN = -0.24  # dB a pixel: fluid attenuates less than the compensation assumes
_STONE_LOSS = 3.0

# The curved array: beams from a centre above the image, whose first samples lie on the probe's arc.
_APEX_X, _APEX_Y, _PROBE, _HALF_ANGLE = 127.5, -78.0, 92.0, 0.60
_RADIUS = np.hypot(_X - _APEX_X, _Y - _APEX_Y)
_ANGLE = np.arctan2(_X - _APEX_X, _Y - _APEX_Y)
_BEAM = (_ANGLE / _HALF_ANGLE + 1.0) * 0.5 * (SIZE - 1)
_FAN = edge(_PROBE - _RADIUS) * edge(_RADIUS - (_PROBE + 232.0)) * edge((np.abs(_ANGLE) - _HALF_ANGLE) * _RADIUS)
_fan_angle = (_X / (SIZE - 1) * 2.0 - 1.0) * _HALF_ANGLE
_FAN_X = _APEX_X + (_PROBE + _Y) * np.sin(_fan_angle)
_FAN_Y = _APEX_Y + (_PROBE + _Y) * np.cos(_fan_angle)

_STONE_RADIUS = 5.8
_SLOTS = (-42.0, -21.0, 0.0, 21.0, 42.0)
_GALLBLADDER = (60.0, 23.0)
_MASS = {"wide": (40.0, 23.0), "tall": (23.0, 38.0)}
_THICKNESS = {"thin": 58.0, "usual": 86.0, "thick": 114.0}
_SKIN, _FAT = 15.0, 54.0
_LUMEN = 31.0


def sample_scene(rng: np.random.Generator) -> Scene:
    """Draw a scene: one exam and what it shows."""
    exam = str(rng.choice(EXAMS))
    scene: dict[str, object] = {"exam": exam}
    if exam == "gallbladder":
        scene["content"] = str(rng.choice(["stones", "stones", "nothing", "polyps", "sludge"]))
        scene["wall"] = str(rng.choice(["thin", "thick"]))
        if scene["content"] in ("stones", "polyps"):
            scene["count"] = count = int(rng.integers(1, 6 if scene["content"] == "stones" else 4))
            scene["slots"] = sorted(rng.permutation(len(_SLOTS))[:count].tolist())
        scene["tilt"] = round(float(rng.uniform(-0.16, 0.16)), 3)
    elif exam == "breast":
        scene["content"] = str(rng.choice(["fluid", "solid", "solid"]))
        solid = scene["content"] == "solid"
        scene["margin"] = str(rng.choice(["smooth", "spiculated"])) if solid else "smooth"
        scene["orientation"] = str(rng.choice(["wide", "tall"])) if solid else "wide"
        scene["behind"] = str(rng.choice(["shadow", "unchanged"])) if solid else "enhanced"
    elif exam == "muscle":
        scene["thinner"] = str(rng.choice(["left", "right", "neither"]))
        scene["fluid"] = str(rng.choice(["none", "fat", "muscle", "bone"]))
        scene["fluid_side"] = str(rng.choice(["left", "right"]))
    else:
        scene["content"] = str(rng.choice(["nothing", "plaque", "thrombus", "plaque", "thrombus"]))
        if scene["content"] != "nothing":
            scene["narrowing"] = int(rng.choice([30, 75]))
            scene["at"] = round(float(rng.uniform(100, 156)), 1)
    return scene


def draw(scene: Scene, rng: np.random.Generator) -> np.ndarray:
    """Return the scene's image, uint8 of shape (256, 256)."""
    exam = scene["exam"]
    curved = exam == "gallbladder"
    level, loss = np.full((SIZE, SIZE), -34.0), np.zeros((SIZE, SIZE))
    # A field that varies over 9 pixels, made on every fourth of them.
    wave = ndimage.zoom(smooth_noise(rng, 2.25, (SIZE // 4, SIZE // 4)), 4, order=1, mode="grid-wrap", grid_mode=True)
    if curved:
        _gallbladder(level, loss, scene, wave, rng)
    else:
        {"breast": _breast, "muscle": _muscle, "vessel": _vessel}[exam](level, loss, scene, wave, rng)
    grey = _detect(level - np.cumsum(loss, axis=0), rng)
    if curved:
        grey = ndimage.map_coordinates(grey, [_RADIUS - _PROBE, _BEAM], order=1, mode="nearest") * _FAN
    else:
        grey *= edge(np.abs(_X - 127.5) - 118.0) * edge(8.0 - _Y) * edge(_Y - 246.0)
        if exam == "muscle":
            grey *= edge(4.0 - np.abs(_X - 127.5))
    # The depth scale at the image's right border.
    grey[12:246:26, 250:254] = 0.65
    return to_uint8(grey)


def _detect(level: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the compressed envelope, 0 to 1, of echoes of the given level in dB."""
    amplitude = 10.0 ** (np.clip(level, -90.0, 6.0) / 20.0)
    scatter = rng.normal(size=(2 * _LOOKS, SIZE, SIZE)) * amplitude
    axial, lateral = 0.75, 1.5
    echo = ndimage.gaussian_filter(scatter, (0.0, axial, lateral), truncate=2.5)
    power = (echo * echo).sum(axis=0) / (2 * _LOOKS)
    # What the blur takes from white noise, given back: its gain is the sum of the squared kernel.
    power *= 4.0 * np.pi * axial * lateral
    return 1.0 + 10.0 * np.log10(power + 1e-9) / _RANGE


def _oval(x: np.ndarray, y: np.ndarray, cx: float, cy: float, rx: float, ry: float, angle: float = 0.0) -> np.ndarray:
    """Return about the signed distance to an ellipse."""
    dx, dy = x - cx, y - cy
    along = dx * (np.cos(angle) / rx) + dy * (np.sin(angle) / rx)
    across = dy * (np.cos(angle) / ry) - dx * (np.sin(angle) / ry)
    return (np.sqrt(along * along + across * across) - 1.0) * min(rx, ry)


def _stripes(x: np.ndarray, y: np.ndarray, wave: np.ndarray, period: float, slope: float) -> np.ndarray:
    """Return 0 to 1: the thin bright sheets of connective tissue between bundles of muscle fibres."""
    phase = (y + slope * x + 2.2 * wave) * (2.0 * np.pi / period)
    return np.clip(np.cos(phase + 0.8 * np.sin(x / 23.0)), 0.0, 1.0) ** 3


def _skin(level: np.ndarray, wave: np.ndarray, fat_to: float, rng: np.random.Generator) -> None:
    """Lay skin and subcutaneous fat with its septa over the top of a linear image."""
    fat = -38.0 + 13.0 * np.clip(np.cos(_Y / 5.0 + 1.3 * np.roll(wave, 40, axis=1) + 0.02 * _X), 0.0, 1.0) ** 6
    paint(level, edge(_Y - fat_to - wave, 2.0), fat)
    paint(level, edge(_Y - _SKIN, 2.0), -15.0)


def _gallbladder(level: np.ndarray, loss: np.ndarray, scene: Scene, wave: np.ndarray, rng: np.random.Generator) -> None:
    x, y = _FAN_X, _FAN_Y
    level[:] = -31.0 + 0.8 * wave
    # Vessels of the liver, the diaphragm, the abdominal wall.
    for _ in range(5):
        at_x, at_y = rng.uniform(40, 215), rng.choice([rng.uniform(62, 80), rng.uniform(175, 205)])
        vessel = _oval(x, y, at_x, at_y, rng.uniform(5, 11), rng.uniform(2.5, 4), rng.uniform(-0.6, 0.6))
        paint(level, edge(vessel - 1.5, 2.0), -22.0)
        paint(level, edge(vessel, 1.5), -56.0)
    diaphragm = np.abs(_oval(x, y, 128.0, 96.0, 190.0, 126.0) + 1.0 * wave) - 1.8
    paint(level, edge(diaphragm, 2.0) * edge(150.0 - y), -6.0)
    wall_stripes = -33.0 + 14.0 * _stripes(x, _Y, wave, 9.0, 0.0)
    paint(level, edge(_Y - 25.0, 2.0), wall_stripes)
    paint(level, edge(_Y - 5.0, 2.0), -12.0)
    paint(level, edge(np.abs(_Y - 27.0) - 1.2, 2.0), -9.0)

    cx, cy, tilt = 128.0 + rng.uniform(-8, 8), 124.0 + rng.uniform(-4, 4), scene["tilt"]
    rx, ry = _GALLBLADDER
    u = (x - cx) * np.cos(tilt) + (y - cy) * np.sin(tilt)
    v = (y - cy) * np.cos(tilt) - (x - cx) * np.sin(tilt)
    # Pear-shaped: the neck at the left is narrower.
    half = ry * (1.0 + 0.24 * u / rx)
    scaled_u, scaled_v = u / rx, v / np.maximum(half, 6.0)
    inside = (np.sqrt(scaled_u * scaled_u + scaled_v * scaled_v) - 1.0) * 20.0 + 0.5 * wave
    if scene["wall"] == "thick":
        paint(level, edge(inside - 11.0, 1.5), -12.0)
        paint(level, edge(inside - 8.8, 1.5), -43.0)
    paint(level, edge(inside - 2.0, 1.5), -18.0)
    lumen = edge(inside, 1.5)
    paint(level, lumen, _FLUID)
    loss += lumen * _FLUID_GAIN
    if scene["content"] == "sludge":
        # Sludge settles with a level that stays horizontal, whatever the tilt.
        paint(level, lumen * edge(cy + 3.0 - y, 1.5), -35.0 + wave)
        loss -= 0.75 * lumen * edge(cy + 3.0 - y, 1.5) * _FLUID_GAIN
    for slot in scene.get("slots", ()):
        at = _SLOTS[slot] + rng.uniform(-1.0, 1.0)
        bottom = ry * (1.0 + 0.24 * at / rx) * np.sqrt(max(1.0 - (at / rx) ** 2, 0.0))
        if scene["content"] == "stones":
            at_v, radius = bottom - _STONE_RADIUS + 1.0, _STONE_RADIUS + rng.uniform(-0.5, 0.5)
            stone = _oval(u, v, at, at_v, radius, 0.9 * radius)
            body = edge(stone, 1.5)
            paint(level, body, -22.0)
            paint(level, body * edge(v - at_v + 1.0, 2.0), -1.0)
            loss += _STONE_LOSS * body * edge(at_v - 1.0 - v, 1.5)
        else:
            polyp = np.minimum(
                _oval(u, v, at, -bottom + 7.0, 6.5, 6.0), np.maximum(np.abs(u - at) - 3.0, v + bottom - 7.0)
            )
            paint(level, edge(polyp, 1.5) * edge(inside - 1.0), -20.0)


def _breast(level: np.ndarray, loss: np.ndarray, scene: Scene, wave: np.ndarray, rng: np.random.Generator) -> None:
    x, y = _X, _Y
    # Glandular tissue: bright, with wavy darker ducts.
    ducts = np.clip(np.cos(y / 6.5 + 1.5 * wave + 0.03 * x), 0.0, 1.0) ** 2
    level[:] = -25.0 - 7.0 * ducts
    _skin(level, 3.0 * wave, 52.0, rng)
    paint(level, edge(np.abs(y - 52.0 - 3.0 * wave) - 1.0, 2.0), -17.0)
    chest = edge(188.0 + 0.5 * wave - y, 2.0)
    paint(level, chest, -40.0 + 16.0 * _stripes(x, y, wave, 8.0, 0.06))
    paint(level, edge(np.abs(y - 188.0 - 0.5 * wave) - 1.2, 2.0), -12.0)
    pleura = np.abs(y - 228.0 - 4.0 * np.cos(x / 40.0)) - 1.6
    paint(level, edge(pleura, 2.0), -5.0)
    paint(level, edge(232.0 + 4.0 * np.cos(x / 40.0) - y, 3.0), -44.0)

    cx, cy = 128.0 + rng.uniform(-22, 22), 112.0 + rng.uniform(-5, 5)
    rx, ry = _MASS[scene["orientation"]]
    distance = _oval(x, y, cx, cy, rx, ry, rng.uniform(-0.08, 0.08))
    if scene["margin"] == "spiculated":
        theta = np.arctan2((y - cy) / ry, (x - cx) / rx)
        spikes, phase = int(rng.integers(9, 12)), rng.uniform(0, 2 * np.pi)
        ray = np.abs(np.cos(0.5 * (spikes * theta + phase + 0.9 * np.sin(2 * theta))))
        length = 15.0 + 4.0 * np.sin(2.0 * theta + 2.0 * phase) + 3.0 * np.sin(5.0 * theta + phase)
        distance = distance + 5.0 - length * ray**4 + 1.5 * wave
        paint(level, edge(distance - 6.0, 7.0), -19.0)  # the tissue around is drawn together
    else:
        distance = distance + 0.4 * wave
        paint(level, edge(distance - 1.8, 1.5), -14.0)
    mask = edge(distance, 1.5)
    if scene["content"] == "fluid":
        paint(level, mask, _FLUID)
        loss += mask * _FLUID_GAIN
    else:
        paint(level, mask, -45.0 + 1.5 * np.roll(wave, 50, axis=0))
        if scene["behind"] == "shadow":
            core = edge(_oval(x, y, cx, cy, 0.9 * rx, ry), 2.0) * edge(cy - y, 6.0)
            loss += core * 26.0 / ry


def _muscle(level: np.ndarray, loss: np.ndarray, scene: Scene, wave: np.ndarray, rng: np.random.Generator) -> None:
    # Two images side by side; the patient's right is on the left.
    x, y = _X, _Y
    on_left = x > 127.5
    pair = {"left": ("thin", "thick"), "right": ("thick", "thin"), "neither": ("usual", "usual")}[scene["thinner"]]
    left, right = (_THICKNESS[name] + rng.uniform(-2.5, 2.5) for name in pair)
    fat_to = _FAT + 1.5 * wave
    bone = _FAT + np.where(on_left, left, right) + 0.002 * (np.abs(x - 127.5) - 60.0) ** 2 + 0.8 * wave
    slope = np.where(on_left, 0.28, -0.28)
    level[:] = -43.0 + 21.0 * _stripes(x, y, wave, 11.0, slope)
    _skin(level, 1.5 * wave, _FAT, rng)
    paint(level, edge(np.abs(y - fat_to) - 1.5, 2.0), -10.0)
    paint(level, edge(np.abs(y - bone + 9.0) - 1.0, 2.0), -20.0)
    cortex = edge(np.abs(y - bone - 1.5) - 2.2, 2.0)
    if scene["fluid"] != "none":
        side = 1 if scene["fluid_side"] == "left" else -1
        cx = 127.5 + side * (62.0 + rng.uniform(-6, 6))
        thickness = left if side > 0 else right
        at, ry = {
            "fat": (0.5 * (_SKIN + _FAT) + 2.0, 11.0),
            "muscle": (_FAT + 0.46 * thickness, 13.0),
            "bone": (_FAT + thickness - 9.0, 10.0),
        }[scene["fluid"]]
        pool = _oval(x, y, cx, at, 40.0, ry) + 0.6 * wave
        paint(level, edge(pool - 1.5, 1.5), -18.0)
        paint(level, edge(pool, 1.5), _FLUID)
        loss += edge(pool, 1.5) * _FLUID_GAIN
    paint(level, cortex, 0.0)
    paint(level, edge(bone + 4.0 - y, 2.0), -40.0)
    loss += 1.2 * edge(bone + 3.0 - y, 2.0) * edge(y - bone - 24.0, 2.0)


def _vessel(level: np.ndarray, loss: np.ndarray, scene: Scene, wave: np.ndarray, rng: np.random.Generator) -> None:
    x, y = _X, _Y
    tilt, middle = rng.uniform(-0.10, 0.10), 138.0 + rng.uniform(-5, 5)
    axis = middle + tilt * (x - 127.5) + 2.0 * np.sin(x / 40.0 + rng.uniform(0, 6))
    level[:] = -35.0 + 9.0 * np.clip(np.cos(y / 6.0 + 1.6 * wave), 0.0, 1.0) ** 3
    paint(level, edge(y - 86.0 - 2.0 * wave, 2.0), -42.0 + 18.0 * _stripes(x, y, wave, 9.0, -0.08))
    _skin(level, 1.5 * wave, 42.0, rng)
    paint(level, edge(np.abs(y - 42.0 - 1.5 * wave) - 1.2, 2.0), -13.0)
    paint(level, edge(np.abs(y - 86.0 - 2.0 * wave) - 1.2, 2.0), -14.0)
    across = np.abs(y - axis)
    # Wall: the bright adventitia, the dark media, the bright intima.
    paint(level, edge(across - _LUMEN - 8.0, 1.5), -9.0)
    paint(level, edge(across - _LUMEN - 4.5, 1.5), -42.0)
    paint(level, edge(across - _LUMEN - 1.6, 1.5), -16.0)
    lumen = edge(across - _LUMEN, 1.5)
    paint(level, lumen, _FLUID)
    gain = 0.4 * lumen * _FLUID_GAIN
    if scene["content"] != "nothing":
        height = 2.0 * _LUMEN * scene["narrowing"] / 100.0
        # A far-wall hill with a flat top, so that the narrowing is the same over some length.
        hill = height * np.exp(-((np.abs(x - scene["at"]) / 46.0) ** 4)) * (1.0 + 0.035 * wave)
        surface = axis + _LUMEN - hill
        bulk = lumen * edge(surface - y, 1.5) * edge(2.0 - hill, 2.0)
        gain = gain * (1.0 - bulk)
        if scene["content"] == "plaque":
            paint(level, bulk, -20.0)
            paint(level, bulk * edge(y - surface - 4.0, 2.0), -2.0)
            loss += 2.6 * bulk * edge(surface + 2.0 - y, 2.0) * edge(y - surface - 14.0, 2.0)
        else:
            paint(level, bulk, -36.0 + 2.0 * np.roll(wave, 70, axis=1))
    loss += gain


GENERATOR = Generator(modality="Ultrasound", sample_scene=sample_scene, draw=draw, questions=QUESTIONS)
