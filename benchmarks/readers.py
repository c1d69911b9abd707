"""Do the intervals of reader studies cover, and are severity thresholds right? Simulated readers of known truth.

    nice python benchmarks/readers.py panel [--studies 1000]
    nice python benchmarks/readers.py thresholds [--studies 200]

`panel`: coverage of the mean accuracy of a panel, with the readers taken as fixed, by a two-way bootstrap and by
Obuchowski-Rockette-Hillis, the method of `medqdeg.utils.analysis.statistics.reader_panel`. `thresholds`: bias, coverage
and width of the three severity thresholds of `medqdeg.utils.people.thresholds`.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray
from reader_parts.panels import WORLDS, simulated_ratings
from reader_parts.studies import DESIGNS, Design, simulated_study
from scipy import stats

from medqdeg.utils.analysis.statistics.reader_panel import Jackknifed, jackknifed_ratios, panel_mean
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.people.thresholds import calibrate

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
            hits, width = np.zeros(len(methods)), []
            for _ in range(studies):
                right, seen = simulated_study(design, readers, QUESTIONS, rng)
                ends = (_fixed(right, seen, design), _two_way(right, seen, design, rng), _hillis(right, seen, design))
                hits += [low <= design.truth <= high for low, high in ends]
                width.append(ends[-1][1] - ends[-1][0])
            for name, share in zip(methods, hits / studies, strict=True):
                covered[name].append(f"{share:.3f}")
            widths.append(f"{np.nanmean(width):.2f}")
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


def thresholds(studies: int) -> None:
    print(f"seen/hampers/non-diagnostic, {studies} panels per row, 4 images, 20 ratings per reader and image")
    for place, world in enumerate(WORLDS):
        for readers in (3, 5):
            rng = np.random.default_rng((SEED, place, readers, 1))
            errors, covered, widths, refused = [], [], [], 0
            for _ in range(studies):
                try:
                    found = calibrate(simulated_ratings(world, readers, 4, 20, rng), world.stop)
                except InputError:
                    refused += 1
                    continue
                own = (found.seen, found.hampers, found.non_diagnostic)
                pairs = list(zip(own, world.truth, strict=True))
                errors.append([one.estimate - truth for one, truth in pairs])
                covered.append([one.low <= truth <= one.high for one, truth in pairs])
                widths.append([one.high - one.low for one in own])
            cells = (
                ("bias", np.mean(errors, axis=0), "+.3f"),
                ("coverage", np.mean(covered, axis=0), ".3f"),
                ("width", np.median(widths, axis=0), ".2f"),
            )
            said = "  ".join(f"{name} {'/'.join(f'{one:{form}}' for one in row)}" for name, row, form in cells)
            print(f"  {world.name:26} {readers} readers  {said}  refused {refused}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("panel", "thresholds"))
    parser.add_argument("--studies", type=int, help="simulated per number; 1,000 panels of a study, 200 of thresholds")
    given = parser.parse_args()
    if given.part == "panel":
        panel(given.studies or 1000)
    else:
        thresholds(given.studies or 200)


if __name__ == "__main__":
    main()
