"""MRI phantoms: an axial section of the head at the level of the basal ganglia, in three weightings.

The grey values follow from the tissues' proton density, T1 and T2 by the signal equations of a spin echo (T1, T2) and
of an inversion recovery that nulls the fluid (FLAIR). The T1 image counts as taken after contrast medium: the living
rim of a tumour shines. Brain coordinates (u, v) have their origin in the middle of the head, u to the image's right,
which is the patient's left, v backwards.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..question import Generator, Scene
from ..shapes import SIZE, X, Y, edge, paint, smooth_noise, to_uint8
from .mri_questions import QUESTIONS

WEIGHTINGS = ("T1", "T2", "FLAIR")
FINDINGS = ("none", "small lesions", "infarct", "tumour", "haematoma", "large ventricles")
TERRITORIES = ("anterior", "middle", "posterior")
MARKED = ("lateral ventricle", "caudate", "lentiform", "thalamus", "splenium")

# Proton density, T1 and T2 in ms, about those of 1.5 T.
_TISSUES = {
    "fat": (0.90, 260.0, 75.0),
    "muscle": (0.80, 900.0, 45.0),
    "bone": (0.06, 1000.0, 20.0),
    "marrow": (0.55, 350.0, 60.0),
    "white": (0.70, 550.0, 80.0),
    "grey": (0.82, 1050.0, 100.0),
    "fluid": (1.00, 4200.0, 2000.0),
    "lesion": (0.90, 2100.0, 800.0),
    "infarct": (0.90, 1600.0, 260.0),
    "oedema": (0.88, 1500.0, 270.0),
    "tumour": (0.84, 1000.0, 118.0),
    "necrosis": (0.97, 3300.0, 700.0),
    "blood": (0.95, 330.0, 330.0),  # late subacute: short T1, long T2
}
_CONTRAST_T1 = 300.0
_WINDOWS = {"T1": (0.085, 0.47), "T2": (0.03, 0.70), "FLAIR": (0.0, 0.35)}

_CENTRE = 128.0
_RX, _RY = 72.0, 91.0
_SHIFT = 15.0
_SMALL_RADIUS = 5.8
_DEEP = np.s_[28:228, 44:212]  # holds everything deep to the cortex
_PLACES = {
    "periventricular": ((17, -48), (33, 12), (41, 29), (11, 42)),
    "grey-white border": ((26, -64), (49, -41), (55, 12), (53, 37), (28, 68)),
    "deep nuclei": ((23.5, -26), (35, -7), (33, 11), (14, 6)),
}


def signal(tissue: str, weighting: str) -> float:
    """Return a tissue's signal in a weighting, before the window; full magnetisation of pure water is 1."""
    density, t1, t2 = _TISSUES[tissue]
    if weighting == "FLAIR":
        repetition, echo, inversion = 9000.0, 120.0, 2450.0
        recovered = abs(1.0 - 2.0 * np.exp(-inversion / t1) + np.exp(-repetition / t1))
    else:
        repetition, echo = (500.0, 12.0) if weighting == "T1" else (4500.0, 100.0)
        if weighting == "T1" and tissue == "tumour":
            t1 = _CONTRAST_T1
        recovered = 1.0 - np.exp(-repetition / t1)
    return float(density * recovered * np.exp(-echo / t2))


def _grey(weighting: str) -> dict[str, float]:
    low, high = _WINDOWS[weighting]
    return {name: min((signal(name, weighting) - low) / (high - low), 0.97) for name in _TISSUES}


def sample_scene(rng: np.random.Generator) -> Scene:
    """Draw a scene: one finding (or none) and what it needs."""
    finding = str(rng.choice(FINDINGS))
    side = str(rng.choice(["left", "right"]))
    scene = {"weighting": str(rng.choice(WEIGHTINGS)), "finding": finding, "side": side}
    if finding == "none":
        scene["marked"] = str(rng.choice(MARKED))
    elif finding == "small lesions":
        place = str(rng.choice(list(_PLACES)))
        slots = np.array([(sign * u, v) for sign in (-1, 1) for u, v in _PLACES[place]], dtype=float)
        count = int(rng.integers(1, 6))
        chosen = rng.permutation(len(slots))[:count]
        at = slots[chosen] + rng.uniform(-1.5, 1.5, (count, 2))
        scene.update(place=place, count=count, u=at[:, 0].round(1).tolist(), v=at[:, 1].round(1).tolist())
    elif finding == "infarct":
        scene["territory"] = str(rng.choice(TERRITORIES))
    elif finding == "tumour":
        scene["necrosis"], scene["oedema"] = bool(rng.integers(2)), bool(rng.integers(2))
        scene["shift"] = bool(rng.integers(2))
        scene["radius"] = float(rng.choice([15.0, 18.0]))
        sign = 1 if side == "left" else -1
        scene["u"] = round(sign * float(rng.uniform(36, 40)), 1)
        scene["v"] = round(float(rng.choice([-36, 30]) + rng.uniform(-4, 4)), 1)
    elif finding == "haematoma":
        scene["shape"] = str(rng.choice(["crescent", "lens"]))
        scene["shift"] = bool(rng.integers(2))
        scene["v"] = round(float(rng.uniform(-15, 15)), 1)
    else:
        scene["ventricles"] = str(rng.choice(["moderate", "severe"]))
        scene["sulci"] = str(rng.choice(["wide", "effaced"]))
    return scene


def _outline(u: np.ndarray, v: np.ndarray, grow: float) -> np.ndarray:
    """Return about the signed distance to the brain's outline grown by some pixels: an egg, wider behind."""
    rx, ry = _RX + grow, _RY + grow
    upright = v / ry
    across = u / (rx * (1.0 + 0.07 * upright - 0.05 * upright * upright))
    return (np.sqrt(across * across + upright * upright) - 1.0) * rx


def _oval(u: np.ndarray, v: np.ndarray, cu: float, cv: float, ru: float, rv: float, angle: float = 0.0) -> np.ndarray:
    du, dv = u - cu, v - cv
    cosine, sine = np.cos(angle), np.sin(angle)
    along = du * (cosine / ru) + dv * (sine / ru)
    across = dv * (cosine / rv) - du * (sine / rv)
    return (np.sqrt(along * along + across * across) - 1.0) * min(ru, rv)


def _push(u: np.ndarray, v: np.ndarray, shift: float) -> np.ndarray:
    """Return how far the midline at (u, v) is displaced; the falx holds it in front and behind."""
    return shift * np.exp(-((u / 52.0) ** 2) - (v / 56.0) ** 2)


def _sulci(scene: Scene, shift: float, avoid: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return points along the fissures and sulci, shape (n, 2), one or more per pixel."""
    lines = []
    effaced = scene.get("sulci") == "effaced"
    angles = np.linspace(0, 2 * np.pi, 46, endpoint=False) + rng.uniform(-0.04, 0.04, 46)  # 0 is the front
    depths = np.where(np.arange(46) % 2 == 0, rng.uniform(13, 21, 46), rng.uniform(6, 10, 46))
    for angle, depth in zip(angles, depths * (0.35 if effaced else 1.0), strict=True):
        if min(abs(np.sin(angle / 2)), abs(np.cos(angle / 2))) < 0.1:
            continue
        steps = np.arange(-4.0, depth, 0.5)
        bend, phase = rng.uniform(1.5, 4.0), rng.uniform(0, 2 * np.pi)
        sideways = bend * (np.sin(steps / 5.0 + phase) - np.sin(phase)) * np.clip(steps / 6.0, 0, 1)
        foot = np.array([_RX * np.sin(angle), -_RY * np.cos(angle)])
        inwards = -foot / np.hypot(*foot)
        lines.append(foot + steps[:, None] * inwards + sideways[:, None] * np.array([-inwards[1], inwards[0]]))
    along = np.linspace(0, 1, 130)
    for sign in (-1, 1):
        # The Sylvian fissure ends at the insula, where it spreads along the lentiform nucleus.
        if not effaced:
            lines.append(np.stack([sign * (76 - 29 * along), 2 - 12 * along + 3 * np.sin(7 * along)], 1))
        lines.append(np.stack([sign * (49 - 5 * (2 * along - 1) ** 2), -24 + 30 * along], 1))
    wave = 1.2 * np.sin(9 * along + rng.uniform(0, 6))
    lines.append(np.stack([wave, -94 + 40 * along], 1))
    lines.append(np.stack([wave, 94 - 41 * along], 1))
    points = np.concatenate(lines)
    for u, v, radius in avoid:
        points = points[np.hypot(points[:, 0] - u, points[:, 1] - v) > radius]
    points[:, 0] += _push(points[:, 0], points[:, 1], shift)
    return points


def _haematoma(u: np.ndarray, v: np.ndarray, scene: Scene, sign: int) -> np.ndarray:
    """Return the signed distance to the blood between skull and brain."""
    inside = _outline(u, v, 1.5)
    if scene["shape"] == "lens":
        return np.maximum(inside, _oval(u, v, sign * 74.0, scene["v"], 26.0, 37.0))
    # What an outline that is moved towards the midline leaves free is a crescent.
    return np.maximum(inside, -_outline(u + sign * 15.0, (v - scene["v"] * 0.3) * 0.93, 0.0))


def _infarct(u: np.ndarray, v: np.ndarray, territory: str, sign: int, wave: np.ndarray) -> np.ndarray:
    """Return the mask of an artery's territory at this level; its border waves."""
    outer = sign * u
    if territory == "anterior":
        distance = np.maximum(_oval(outer, v, 10.0, -76.0, 15.0, 34.0, -0.1), 2.5 - outer)
    elif territory == "posterior":
        distance = np.maximum(_oval(outer, v, 18.0, 78.0, 28.0, 30.0, -0.4), 2.5 - outer)
    else:
        distance = np.maximum(37 - outer, np.abs(v + 2) - 8 - 0.62 * outer)
    return edge(distance + 2.5 * wave, 3.0)


def _arrow(canvas: np.ndarray, x: float, y: float, angle: float) -> None:
    """Lay a white arrow with a black border over the image, its tip at (x, y)."""
    along = (X - x) * np.cos(angle) + (Y - y) * np.sin(angle)
    across = np.abs((Y - y) * np.cos(angle) - (X - x) * np.sin(angle))
    head = np.maximum(across - 0.55 * along, along - 11.0)
    shaft = np.maximum(np.maximum(across - 2.0, 9.0 - along), along - 38.0)
    distance = np.minimum(head, shaft)
    paint(canvas, edge(distance - 1.8), 0.0)
    paint(canvas, edge(distance), 1.0)


_TIPS = {
    "lateral ventricle": (9.5, -38.0),
    "caudate": (25.5, -33.0),
    "lentiform": (39.5, -9.0),
    "thalamus": (17.0, 20.0),
    "splenium": (0.0, 46.0),
}
# Where the arrow comes from (radians clockwise from the image's right, for the right half), clear of look-alikes.
_TAILS = {
    "lateral ventricle": -1.25,
    "caudate": -0.6,
    "lentiform": -0.1,
    "thalamus": 0.55,
    "splenium": 0.75,
}


def draw(scene: Scene, rng: np.random.Generator) -> np.ndarray:
    """Return the scene's image, uint8 of shape (256, 256)."""
    grey = _grey(scene["weighting"])
    finding = scene["finding"]
    sign = 1 if scene["side"] == "left" else -1
    shift = -sign * _SHIFT if scene.get("shift") else 0.0

    zoom = rng.uniform(1.0, 1.06)
    cx, cy = _CENTRE + rng.uniform(-3, 3), _CENTRE + 1 + rng.uniform(-3, 3)
    u, v = (X - cx) / zoom, (Y - cy) / zoom

    canvas = np.zeros((SIZE, SIZE))
    skin = _outline(u, v, 23.0)
    bone = _outline(u, v, 14.0 + rng.uniform(-1, 1))
    paint(canvas, edge(skin), 0.62 * grey["fat"])
    paint(canvas, edge(skin + 2.2), grey["fat"])
    paint(canvas, edge(_oval(np.abs(u), v, 83.0, -24.0, 6.0, 34.0, -0.16), 2.0), grey["muscle"])
    paint(canvas, edge(bone), grey["bone"])
    paint(canvas, edge(np.abs(bone + 5.5) - 2.0, 2.0), grey["marrow"])
    inner = _outline(u, v, 3.0)
    paint(canvas, edge(inner, 1.5), grey["fluid"])

    avoid = np.empty((0, 3))
    if finding == "small lesions":
        avoid = np.stack([scene["u"], scene["v"], np.full(scene["count"], _SMALL_RADIUS + 7.0)], 1)
    elif finding == "tumour":
        avoid = np.array([[scene["u"], scene["v"], scene["radius"] + 7.0]])
    # Blood that flows fast gives no signal, but it shines after contrast medium.
    sinus = np.minimum(np.hypot(u, v - 95.0) - 3.8, np.hypot(u, v + 94.0) - 2.2)
    paint(canvas, edge(sinus, 1.5), 0.9 if scene["weighting"] == "T1" else 0.03)
    points = _sulci(scene, shift, avoid, rng)
    brain = _outline(u, v, 0.0)
    outside = brain > 0
    column = np.clip(np.rint(points[:, 0] * zoom + cx).astype(int), 0, SIZE - 1)
    row = np.clip(np.rint(points[:, 1] * zoom + cy).astype(int), 0, SIZE - 1)
    fluid = outside.copy()
    fluid[row, column] = True
    blood = None
    if finding == "haematoma":
        blood = _haematoma(u, v, scene, sign)
        fluid |= blood < 0
    depth = ndimage.distance_transform_edt(~fluid)
    in_sulcus = {"wide": 4.2, "effaced": 0.4}.get(str(scene.get("sulci")), 1.3) - depth
    wave = smooth_noise(rng, 6.0)
    texture = smooth_noise(rng, 2.0)
    cortex = 4.6 + 0.6 * wave
    paint(canvas, edge(brain), grey["grey"])
    paint(canvas, edge(cortex - depth, 1.8), grey["white"])

    deep_u, deep_v, deep = u[_DEEP], v[_DEEP], canvas[_DEEP]
    bent = deep_u - _push(deep_u, deep_v, shift)
    half = np.abs(bent)
    for oval in (
        (20.0, -27.0, 6.0, 10.0, -0.15),  # caudate nucleus
        (32.5, -5.0, 7.5, 20.0, -0.22),  # lentiform nucleus
        (13.0, 12.0, 9.0, 15.0, -0.30),  # thalamus
    ):
        paint(deep, edge(_oval(half, deep_v, *oval), 2.0), grey["grey"])
    paint(canvas, edge(-in_sulcus, 1.2) * edge(brain), grey["fluid"])

    if finding == "infarct":
        territory = _infarct(u, v, scene["territory"], sign, wave) * edge(brain)
        # The dead tissue swells: its sulci nearly close.
        paint(canvas, territory * (0.9 + 0.06 * np.clip(texture, -1.5, 1.5)), grey["infarct"])

    wide = {"moderate": 7.0, "severe": 14.0}.get(str(scene.get("ventricles")), 0.0)
    squeeze: float | np.ndarray = 0.0
    if shift:
        # The ventricle on the side of the mass is compressed.
        squeeze = 2.2 * edge(-sign * bent - 2.0, 8.0)
    horns = np.minimum(
        _oval(half, deep_v, 9.5 + 0.72 * wide, -27.0, 5.2 + wide, 17.0 + 0.7 * wide, -0.25),
        _oval(half, deep_v, 25.5 + 0.35 * wide, 34.0, 5.6 + 0.62 * wide, 18.0 + 0.7 * wide, -0.42),
    )
    horns = np.maximum(horns, -_oval(half, deep_v, 21.0 + 1.75 * wide, -27.0, 6.0, 10.0, -0.15))  # caudate nucleus
    third = _oval(bent, deep_v, 0.0, 5.0, 2.2 + 0.35 * wide, 12.0)
    septum = 1.3 - half
    paint(deep, edge(np.minimum(np.maximum(horns + squeeze, septum), third), 1.6), grey["fluid"])

    if finding == "small lesions":
        for at_u, at_v in zip(scene["u"], scene["v"], strict=True):
            angle, radius = rng.uniform(0, np.pi), _SMALL_RADIUS + rng.uniform(-0.4, 0.4)
            mask = edge(_oval(deep_u, deep_v, at_u, at_v, radius, 0.86 * radius, angle), 2.0)
            paint(deep, mask, grey["lesion"])
    elif finding == "tumour":
        _draw_tumour(deep, deep_u, deep_v, scene, depth[_DEEP], horns, grey, wave[_DEEP])
    if blood is not None:
        paint(canvas, edge(blood, 1.6), grey["blood"] * (1.0 + 0.03 * wave))

    coil = 1.0 + 0.05 * (u / 90.0) ** 2 + 0.05 * (v / 110.0) ** 2 - 0.04
    canvas = ndimage.gaussian_filter(canvas * coil * (1.0 + 0.012 * texture), 0.65)
    # The magnitude of a complex signal with Gaussian noise in both channels is Rician.
    real, imaginary = rng.normal(0, 0.010, (2, SIZE, SIZE))
    canvas = np.sqrt((canvas + real) ** 2 + imaginary**2)
    if finding == "none":
        tip_u, tip_v = _TIPS[scene["marked"]]
        angle = _TAILS[scene["marked"]] + rng.uniform(-0.08, 0.08)
        _arrow(canvas, cx + zoom * sign * tip_u, cy + zoom * tip_v, angle if sign > 0 else np.pi - angle)
    return to_uint8(canvas)


def _draw_tumour(
    canvas: np.ndarray,
    u: np.ndarray,
    v: np.ndarray,
    scene: Scene,
    depth: np.ndarray,
    horns: np.ndarray,
    grey: dict[str, float],
    wave: np.ndarray,
) -> None:
    radius = scene["radius"]
    distance = np.hypot(u - scene["u"], v - scene["v"]) - radius * (1.0 + 0.09 * wave)
    if scene["oedema"]:
        # Oedema runs along the white matter and spares the cortex and the ventricles.
        halo = edge(distance - 13.0 + 3.0 * np.roll(wave, 61, axis=0), 4.0)
        paint(canvas, halo * edge(5.0 - depth, 3.0) * edge(-horns, 2.0), grey["oedema"])
    paint(canvas, edge(distance, 1.8), grey["tumour"] * (1.0 + 0.04 * np.roll(wave, 23, axis=1)))
    if scene["necrosis"]:
        paint(canvas, edge(distance + 7.0 + 0.8 * np.roll(wave, 97, axis=0), 1.8), grey["necrosis"])


GENERATOR = Generator(modality="MRI", sample_scene=sample_scene, draw=draw, questions=QUESTIONS)
