"""Bias and root mean squared error of each estimator of an item's certainty, from T = 2..50 votes, K = 2..5 options.

Items with true probabilities from a guesser's (even) over a mild to a strong preference, and drawn at random
(Dirichlet, concentration 0.5). With given probabilities the expectation is exact, over every outcome of the votes,
where these are at most 30,000; otherwise, and for the random items, votes are simulated with a seed. The plug-in and
James-Stein estimate C, agreement its own quadratic counterpart; each is compared with its own truth.

    python benchmarks/estimators.py [--draws 20000] [--options 2,3,4,5] [--trials 2,3,5,10,20,50]
"""

from __future__ import annotations

import argparse
import itertools

import numpy as np
from scipy import stats

from medqdeg.utils.analysis.statistics import estimators

ITEMS = {"guesser": 0.0, "mild": 0.3, "strong": 0.7, "nearly certain": 0.93}
"""Name -> weight of the preferred option beyond an even share: p_1 = w + (1 - w) / K."""

EXACT_OUTCOMES = 30_000


def outcomes(p: np.ndarray, trials: int, draws: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return counts and their weights, and whether these are exact."""
    k = len(p)
    if _count(trials, k) <= EXACT_OUTCOMES:
        bars = np.array(list(itertools.combinations(range(trials + k - 1), k - 1)))
        edges = np.column_stack([np.full(len(bars), -1), bars, np.full(len(bars), trials + k - 1)])
        counts = np.diff(edges, axis=1) - 1
        return counts, stats.multinomial.pmf(counts, trials, p), True
    return rng.multinomial(trials, p, size=draws), np.full(draws, 1 / draws), False


def _count(trials: int, k: int) -> int:
    return round(np.prod([(trials + place) / place for place in range(1, k)]))


def estimates(counts: np.ndarray) -> dict[str, np.ndarray]:
    trials = counts.sum(axis=1)
    k = np.full(len(counts), counts.shape[1])
    shares = counts / trials[:, None]
    return {
        "plug-in": estimators.plug_in_confidence(shares, k),
        "James-Stein": estimators.james_stein_confidence(shares, k, trials),
        "agreement": estimators.agreement(counts.astype(float), np.zeros(len(counts)), k),
    }


def truths(p: np.ndarray) -> dict[str, np.ndarray]:
    """Return the true value of each estimator's target, for (n, K) probabilities."""
    k = np.full(len(p), p.shape[1])
    confidence = estimators.plug_in_confidence(p, k)
    agreement = estimators.agreement_of_probabilities(p, k)
    return {"plug-in": confidence, "James-Stein": confidence, "agreement": agreement}


def row(label: str, k: int, trials: int, found: dict[str, tuple[float, float]], how: str) -> None:
    cells = "  ".join(f"{name} {bias:+.3f} / {rmse:.3f}" for name, (bias, rmse) in found.items())
    print(f"K={k} T={trials:2}  {label:15} {cells}  ({how})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--draws", type=int, default=20_000)
    parser.add_argument("--options", default="2,3,4,5")
    parser.add_argument("--trials", default="2,3,5,10,20,50")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    print("bias / root mean squared error")
    for k in map(int, arguments.options.split(",")):
        for trials in map(int, arguments.trials.split(",")):
            for label, weight in ITEMS.items():
                p = np.full(k, (1 - weight) / k)
                p[0] += weight
                counts, weights, exact = outcomes(p, trials, arguments.draws, rng)
                true = truths(p[None])
                found = {}
                for name, values in estimates(counts).items():
                    error = values - true[name]
                    found[name] = float(weights @ error), float(np.sqrt(weights @ error**2))
                row(label, k, trials, found, "exact" if exact else "simulated")
            p = rng.dirichlet(np.full(k, 0.5), size=arguments.draws)
            true, values = truths(p), estimates(rng.multinomial(trials, p))
            errors = {name: values[name] - true[name] for name in values}
            found = {name: (float(error.mean()), float(np.sqrt((error**2).mean()))) for name, error in errors.items()}
            row("random items", k, trials, found, "simulated")


if __name__ == "__main__":
    main()
