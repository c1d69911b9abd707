"""Do the intervals of reader studies cover, and are severity thresholds right? Simulated readers of known truth.

    nice python benchmarks/readers.py panel [--studies 1000]

`panel`: coverage of the mean accuracy of a panel, with the readers taken as fixed, by a two-way bootstrap and by
Obuchowski-Rockette-Hillis, the method of `medqdeg.utils.analysis.statistics.reader_panel`.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray
from reader_parts.studies import DESIGNS, Design, simulated_study
from scipy import stats

from medqdeg.utils.analysis.statistics.reader_panel import Jackknifed, jackknifed_ratios, panel_mean

SEED = 20261128
QUESTIONS = 120
REPLICATES = 400

Array = NDArray[np.float64]


def panel(studies: int) -> None:
    methods = ("readers fixed", "two-way bootstrap", "OR-Hillis")
    print(f"coverage, {studies} studies per number, {QUESTIONS} questions, 3/5/10 readers (width of OR-Hillis)")
    for place, design in enumerate(DESIGNS):
        covered: dict[str, list[str]] = {name: [] for name in methods}
        widths = []
        for readers in (3, 5, 10):
            rng = np.random.default_rng((SEED, place, readers))
            hits, width = np.zeros(len(methods)), 0.0
            for _ in range(studies):
                right, seen = simulated_study(design, readers, QUESTIONS, rng)
                ends = (_fixed(right, seen, design), _two_way(right, seen, design, rng), _hillis(right, seen, design))
                hits += [low <= design.truth <= high for low, high in ends]
                width += ends[-1][1] - ends[-1][0]
            for name, share in zip(methods, hits / studies, strict=True):
                covered[name].append(f"{share:.3f}")
            widths.append(f"{width / studies:.2f}")
        cells = "  ".join(f"{name} {'/'.join(covered[name])}" for name in methods)
        print(f"  {design.name:24} {cells} ({'/'.join(widths)})", flush=True)


def _figure(right: Array, seen: Array, design: Design) -> Jackknifed:
    last = jackknifed_ratios(right[:, 2] * seen[:, 2], seen[:, 2])
    return last.minus(jackknifed_ratios(right[:, 0] * seen[:, 0], seen[:, 0])) if design.change else last


def _fixed(right: Array, seen: Array, design: Design) -> tuple[float, float]:
    found = _figure(right, seen, design)
    reach = stats.t.ppf(0.975, QUESTIONS - 1) * np.sqrt(found.covariance().mean())
    return found.estimates.mean() - reach, found.estimates.mean() + reach


def _two_way(right: Array, seen: Array, design: Design, rng: np.random.Generator) -> tuple[float, float]:
    readers, _, questions = right.shape
    figures = []
    for _ in range(REPLICATES):
        who = rng.integers(0, readers, readers)
        times = np.bincount(rng.integers(0, questions, questions), minlength=questions)
        weight = seen[who] * times
        means = (right[who] * weight).sum(axis=2) / np.maximum(weight.sum(axis=2), 1)
        figures.append((means[:, 2] - means[:, 0] if design.change else means[:, 2]).mean())
    low, high = np.quantile(figures, (0.025, 0.975))
    return float(low), float(high)


def _hillis(right: Array, seen: Array, design: Design) -> tuple[float, float]:
    found = panel_mean(_figure(right, seen, design))
    return found.low, found.high


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("panel",))
    parser.add_argument("--studies", type=int, default=1000)
    given = parser.parse_args()
    panel(given.studies)


if __name__ == "__main__":
    main()
