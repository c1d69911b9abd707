"""The composition of a set of items: the paper's mix of skills and degradations, quotas, and their allocation."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final, TypeVar

import numpy as np

_Key = TypeVar("_Key")

PAPER_CLEAN_ITEMS: Final = 4_306
PAPER_DEGRADED_ITEMS: Final = 10_294
"""Items at L1, and again at L2: each pair is one degradation of one clean item (MedQ-Deg, arXiv:2603.07769)."""

PAPER_SKILLS: Mapping[str, int] = {
    "Skeletal System": 2562,
    "Cardiovascular": 1392,
    "Abdominal Structures": 880,
    "Respiratory System": 726,
    "Gastrointestinal Tract": 475,
    "Neurovascular": 463,
    "General Structures": 328,
    "Muscle Recognition": 231,
    "Cell and Microbes": 158,
    "General Science Reasoning": 74,
    "Pathophysiological Reasoning": 26,
    "Clinical Correlation": 4,
    "Disease Diagnosis": 12908,
    "Severity Grading": 138,
    "Basic Science Understanding": 78,
    "Lesion Grading": 68,
    "Attribute Recognition": 10,
    "Treatment-Understanding": 4,
    "General Diagnosis Reasoning": 336,
    "Laboratory/Imaging Interpretation": 38,
    "Clinical Presentation Analysis": 6,
    "Disease Mechanism Recognition": 4,
    "Counting": 390,
    "Surgical Workflow Recognition": 96,
    "Image Quality Grading": 28,
    "Surgical Instrument Recognition": 16,
    "Treatment Reasoning": 127,
    "Pharmacological Treatment": 12,
    "Initial/Emergency Management": 7,
    "Surgical Treatment Selection": 2,
}
"""Table 4: items at L1 and L2 together. The rows add up to 21,587, not to 20,588; used as proportions."""

PAPER_DEGRADATIONS: Mapping[str, int] = {
    "limited_angle": 1440,
    "sparse_view": 1440,
    "bias_field": 936,
    "undersampling": 672,
    "ghosting": 352,
    "blood_cell": 304,
    "dark_spots": 178,
    "object_rotation": 2718,
    "object_movement": 274,
    "adjust_brightness": 916,
    "exposure": 518,
    "reduce_contrast": 412,
    "gaussian_noise": 2680,
    "low_dose": 1116,
    "low_resolution": 3046,
    "motion_blur": 2820,
    "gaussian_blur": 470,
    "bubble": 296,
}
"""Table 5: items at L1 and L2 together, 20,588."""

MOST_DEGRADATIONS: Final = 3
"""A clean item is degraded in one to three ways."""


def quotas(weights: Mapping[_Key, float], total: int) -> dict[_Key, int]:
    """Share out `total` in proportion to the weights, in whole numbers, by the largest remainder.

    Ties go to the earlier key. Raises `ValueError` if the weights are negative or none is positive.
    """
    whole = math.fsum(weights.values())
    if whole <= 0 or min(weights.values()) < 0:
        raise ValueError("weights must be at least 0, and one of them above 0")
    exact = {key: total * weight / whole for key, weight in weights.items()}
    shares = {key: math.floor(value) for key, value in exact.items()}
    by_remainder = sorted(exact, key=lambda key: shares[key] - exact[key])
    for key in by_remainder[: total - sum(shares.values())]:
        shares[key] += 1
    return shares


def spread_degradations(
    allowed: Sequence[Collection[str]], pairs: int, weights: Mapping[str, float], rng: np.random.Generator
) -> list[tuple[str, ...]]:
    """Decide in which one to three ways each clean item is degraded.

    Args:
        allowed: what each item may get, at least one each.
        pairs: how many degradations all items get together; from one to three per item.
        weights: how often each degradation is wanted. Those that few items can get are placed first, and each goes
            to the items that have room for most; degradations that cannot be placed are replaced by others.
        rng: decides between equals.

    Returns:
        One tuple per item, in the order of `weights`.

    Raises:
        ValueError: if the items cannot take that many, or not that few.
    """
    room = _rooms([min(MOST_DEGRADATIONS, sum(name in weights for name in names)) for names in allowed], pairs, rng)
    chosen: list[set[str]] = [set() for _ in allowed]
    wanted = quotas(weights, pairs)
    candidates = {name: [item for item, names in enumerate(allowed) if name in names] for name in weights}

    def place(name: str, number: int) -> int:
        free = [item for item in candidates[name] if len(chosen[item]) < room[item] and name not in chosen[item]]
        rng.shuffle(free)
        free.sort(key=lambda item: len(chosen[item]) - room[item])
        for item in free[:number]:
            chosen[item].add(name)
        return min(number, len(free))

    # Scarce ones first; among the general ones the most wanted first, or the last would meet items that have it.
    for name in sorted(weights, key=lambda name: (len(candidates[name]), -wanted[name])):
        wanted[name] -= place(name, wanted[name])
    while (missing := sum(room) - sum(map(len, chosen))) > 0:
        placed = 0
        for name, number in quotas(weights, missing).items():
            placed += place(name, min(number, missing - placed))
        if not placed:
            placed = sum(place(name, 1) for name in weights if sum(room) > sum(map(len, chosen)))
        if not placed:
            raise ValueError("the items cannot take that many degradations")
    order = {name: number for number, name in enumerate(weights)}
    return [tuple(sorted(names, key=order.__getitem__)) for names in chosen]


def _rooms(most: Sequence[int], pairs: int, rng: np.random.Generator) -> list[int]:
    """Give every item one, two or three places, `pairs` in all, spread as two tosses of a coin would."""
    if not len(most) <= pairs <= sum(most) or min(most) < 1:
        raise ValueError(f"{pairs} degradations do not fit {len(most)} items of one to {MOST_DEGRADATIONS} each")
    chance = (pairs / len(most) - 1) / (MOST_DEGRADATIONS - 1)
    room = np.minimum(1 + rng.binomial(MOST_DEGRADATIONS - 1, chance, len(most)), most)
    while (off := pairs - int(room.sum())) != 0:
        able = np.flatnonzero(room < most) if off > 0 else np.flatnonzero(room > 1)
        room[rng.permutation(able)[: abs(off)]] += 1 if off > 0 else -1
    return [int(places) for places in room]


def counted(chosen: Sequence[Sequence[str]]) -> dict[str, int]:
    """Return how often each degradation was given."""
    return dict(Counter(name for names in chosen for name in names))
