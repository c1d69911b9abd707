"""Many nodes: is the false discovery rate kept, and are shrunken figures closer?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medqdeg.utils.analysis.statistics.clustered import clustered_change, clustered_ratio, student_interval
from medqdeg.utils.analysis.statistics.multiplicity import FEWEST_QUESTIONS, LEVEL, q_values, shrunken

NODES = 40


@dataclass
class Discoveries:
    """Means over families of 40 nodes, half of which change.

    Attributes:
        false_rate: share of false ones among the nodes with q <= 5%.
        found: share of the changed nodes that are found.
        raw, better: root mean squared errors of raw and of shrunken accuracies.
        covered: share of the shrunken intervals that cover.
    """

    false_rate: float
    found: float
    raw: float
    better: float
    covered: float


def discoveries(families: int, seed: int, fall: float = 0.25) -> Discoveries:
    """Simulate families of nodes with 3 to 120 source questions."""
    rng = np.random.default_rng(seed)
    false_rates, found, raw, better, covered = [], [], [], [], []
    for _ in range(families):
        sizes = np.round(np.exp(rng.uniform(np.log(3), np.log(120), NODES))).astype(int)
        changes = np.arange(NODES) % 2 == 0
        true = np.clip(rng.normal(0.65, 0.08, NODES), 0.2, 0.95)
        p, y, variance, truth, numbers = np.full(NODES, np.nan), [], [], [], []
        for node, (size, changed) in enumerate(zip(sizes, changes, strict=True)):
            ability = rng.beta(5 * true[node], 5 * (1 - true[node]), size)
            ones = np.ones((1, size))
            before = rng.binomial(10, ability)[None] / 10
            after = rng.binomial(10, np.clip(ability - fall * changed, 0, 1))[None] / 10
            sides = clustered_ratio(before, ones), clustered_ratio(after, ones)
            if size >= FEWEST_QUESTIONS:
                p[node] = clustered_change(*sides).p_values()[0]
            if size >= FEWEST_QUESTIONS and sides[0].error[0] > 0:
                y.append(sides[0].estimate[0])
                variance.append(sides[0].error[0] ** 2)
                truth.append(true[node])
                numbers.append(size)
        rejected = q_values(p) <= LEVEL
        false_rates.append((rejected & ~changes).sum() / max(rejected.sum(), 1))
        found.append(rejected[changes].mean())
        shrunk = shrunken(np.array(y), np.array(variance))
        raw.append(np.mean((np.array(y) - truth) ** 2))
        better.append(np.mean((shrunk.estimate - truth) ** 2))
        low, high = student_interval(shrunk.estimate, shrunk.error, np.array(numbers) - 1.0)
        covered.append(np.mean((low <= truth) & (truth <= high)))
    return Discoveries(
        float(np.mean(false_rates)),
        float(np.mean(found)),
        float(np.sqrt(np.mean(raw))),
        float(np.sqrt(np.mean(better))),
        float(np.mean(covered)),
    )
