"""Histopathology phantoms: sections stained with haematoxylin and eosin.

Three views, each a scene of its own: `glands` (an adenocarcinoma at low power), `tumour` (a solid tumour at high
power) and `inflammation` (granulation tissue at high power). `histopathology_section` knows the stains.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..question import Generator, Scene, pick
from ..shapes import SIZE, edge
from ..stamps import lay, speck, spot, window
from .histopathology_inflammation import draw_inflammation
from .histopathology_questions import QUESTIONS
from .histopathology_section import Section, on, scatter

GRADES = ("well", "moderate", "poor")
LUMENS = ("empty", "mucin", "necrosis", "calcification")
STROMAS = ("lymphoid", "collagen", "oedema")
TUMOURS = ("melanoma", "squamous", "signet", "small")
INFILTRATES = ("neutrophil", "lymphocyte", "eosinophil", "plasma")
ORGANISMS = ("absent", "cocci", "rods", "yeasts", "hyphae")


def sample_scene(rng: np.random.Generator) -> dict[str, Any]:
    """Draw a scene: its view, and what that view shows."""
    view = pick(rng, ("glands", "tumour", "inflammation"))
    if view == "glands":
        own = {"grade": pick(rng, GRADES), "lumen": pick(rng, LUMENS), "stroma": pick(rng, STROMAS)}
    elif view == "tumour":
        own = {
            "tumour": pick(rng, TUMOURS),
            "mitoses": int(rng.integers(1, 6)),
            "pleomorphic": bool(rng.integers(2)),
        }
    else:
        own = {
            "infiltrate": pick(rng, INFILTRATES),
            "organism": pick(rng, ORGANISMS),
            "giant_cells": int(rng.integers(0, 5)),
            "caseation": bool(rng.integers(2)),
        }
    return {"view": view, **own}


def _draw_glands(section: Section, scene: Scene) -> None:
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
    for x, y in scatter(rng, 78.0 if well else 86.0, jitter=0.07):
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
    for x, y in on(inside == 0, scatter(rng, spacing, jitter=0.4)):
        speck(section.h, x, y, long, short, 1.6, rng.uniform(0, np.pi))
    if not well:
        for x, y in on(epithelium > 0.99, scatter(rng, 9.6 if poor else 7.4, jitter=0.3)):
            size = rng.uniform(3.2, 5.2) if poor else rng.uniform(2.4, 3.3)
            speck(section.h, x, y, size, 0.75 * size, rng.uniform(0.7, 1.05), rng.uniform(0, np.pi))


def _fill_lumen(section: Section, lumen: str, where: tuple, holes: np.ndarray, hollow: np.ndarray) -> None:
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


def _draw_tumour(section: Section, scene: Scene) -> None:
    rng, kind = section.rng, scene["tumour"]
    small = kind == "small"
    points = scatter(rng, 19.0 if small else 25.0, jitter=0.15)
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


def _draw_pearl(section: Section, x: float, y: float) -> None:
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


def _draw_mitosis(section: Section, x: float, y: float) -> None:
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


def draw(scene: Scene, rng: np.random.Generator) -> np.ndarray:
    """Draw a scene as an RGB image, uint8 of shape (256, 256, 3)."""
    if scene["view"] == "glands":
        section = Section(rng, {"lymphoid": 0.22, "collagen": 0.45, "oedema": 0.09}[scene["stroma"]])
        _draw_glands(section, scene)
    elif scene["view"] == "tumour":
        section = Section(rng, 0.36)
        _draw_tumour(section, scene)
    else:
        section = Section(rng, 0.26)
        draw_inflammation(section, scene)
    return section.image()


GENERATOR = Generator(modality="Histopathology", sample_scene=sample_scene, draw=draw, questions=QUESTIONS)
