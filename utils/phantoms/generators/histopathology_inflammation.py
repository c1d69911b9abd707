"""The view of inflamed tissue: inflammatory cells, giant cells, caseation and microorganisms at high power."""

from __future__ import annotations

import numpy as np

from ..question import Scene
from ..shapes import SIZE, X, Y, edge
from ..stamps import lay, oval, spot, window
from .histopathology_section import Section, scatter


def draw_inflammation(section: Section, scene: Scene) -> None:
    """Draw fibres, caseation, giant cells, organisms and inflammatory cells.

    Args:
        section: the stained section, changed in place; its generator places the cells.
        scene: the facts that the questions ask for.
    """
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
    for x, y in scatter(rng, 20.0, jitter=0.2):
        if not (0 <= x < SIZE and 0 <= y < SIZE) or necrosis[int(y), int(x)] > 0.05:
            continue
        if all(np.hypot(x - a, y - b) > reach + 8 for a, b, reach in taken):
            _CELLS[scene["infiltrate"] if rng.random() < 0.9 else "spindle"](section, x, y)


def _draw_giant(section: Section, x: float, y: float) -> None:
    """Lay a giant cell of the Langhans type: its nuclei in a horseshoe along the edge."""
    rng = section.rng
    section.dab(x, y, 29.0, 26.0, 0.10, 0.72, rng.uniform(0, np.pi))
    start = rng.uniform(0, 2 * np.pi)
    for turn in start + np.arange(13) * 0.36:
        away = rng.uniform(17, 21)
        section.nucleus(x + away * np.cos(turn), y + away * np.sin(turn), 5.2, 3.8, turn, 0.85)


def _draw_neutrophil(section: Section, x: float, y: float) -> None:
    section.dab(x, y, 8.0, 7.6, 0.04, 0.45)
    turn = section.rng.uniform(0, 2 * np.pi)
    for lobe in turn + np.arange(3) * section.rng.uniform(1.5, 1.8):
        spot(section.h, x + 3.9 * np.cos(lobe), y + 3.9 * np.sin(lobe), 2.7, 2.3, 1.7, lobe)


def _draw_lymphocyte(section: Section, x: float, y: float) -> None:
    section.dab(x, y, 7.6, 7.2, 0.15, 0.3)
    section.nucleus(x, y, 6.6, 6.3, 0.0, 1.35)


def _draw_eosinophil(section: Section, x: float, y: float) -> None:
    where, dx, dy = window(x, y, 11)
    mask = oval(dx, dy, 8.8, 8.2)
    lay(section.e, where, mask, 1.75 + 0.35 * section.grain[where])
    lay(section.h, where, mask, 0.0)
    turn = section.rng.uniform(0, 2 * np.pi)
    for side in (turn, turn + 2.0):
        spot(section.h, x + 4.2 * np.cos(side), y + 4.2 * np.sin(side), 3.1, 2.6, 1.7, side)


def _draw_plasma(section: Section, x: float, y: float) -> None:
    turn = section.rng.uniform(0, 2 * np.pi)
    cosine, sine = np.cos(turn), np.sin(turn)
    section.dab(x, y, 10.5, 7.6, 0.52, 0.42, turn)
    section.dab(x - 0.5 * cosine, y - 0.5 * sine, 2.6, 3.2, 0.12, 0.2, turn)
    section.nucleus(x + 5.2 * cosine, y + 5.2 * sine, 4.6, 4.6, 0.0, 1.4)


def _draw_spindle(section: Section, x: float, y: float) -> None:
    section.nucleus(x, y, 9.0, 3.0, section.rng.uniform(0, np.pi), 0.7)


def _draw_cocci(section: Section, x: float, y: float) -> None:
    rng = section.rng
    for column, row in [(c, r) for r in range(-3, 4) for c in range(-3, 4) if c * c + r * r < 11]:
        u = x + 5.7 * (column + 0.5 * (row % 2)) + rng.uniform(-0.8, 0.8)
        spot(section.h, u, y + 5.1 * row + rng.uniform(-0.8, 0.8), 2.6, 2.6, 2.4)


def _draw_rods(section: Section, x: float, y: float) -> None:
    rng = section.rng
    for column, row in [(c, r) for r in range(-1, 2) for c in range(-1, 2)]:
        u, v = x + 15 * column + rng.uniform(-3, 3), y + 15 * row + rng.uniform(-3, 3)
        spot(section.h, u, v, 8.0, 2.1, 2.3, rng.uniform(0, np.pi))


def _draw_yeasts(section: Section, x: float, y: float) -> None:
    rng = section.rng
    for turn in rng.uniform(0, 2 * np.pi) + np.arange(4) * np.pi / 2:
        u, v = x + 17 * np.cos(turn), y + 17 * np.sin(turn)
        section.dab(u, v, 11.5, 11.5, 0.0, 0.02)
        bud = rng.uniform(0, 2 * np.pi)
        for a, b, radius in ((u, v, 6.6), (u + 7.6 * np.cos(bud), v + 7.6 * np.sin(bud), 3.6)):
            spot(section.h, a, b, radius, radius, 1.1)
            spot(section.h, a, b, radius - 1.9, radius - 1.9, 0.30)


def _draw_hyphae(section: Section, x: float, y: float) -> None:
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
