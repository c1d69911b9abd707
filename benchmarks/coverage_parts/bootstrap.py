"""Do the 95% intervals cover the truth 95% of the time, and do the tests reject a true null 5% of the time?

Simulated source questions: each has K = 2 to 5 options, a difficulty and a preference for one wrong option that its
items share, one clean item and one to three degradations, each at L1 and L2. The harder the question, the more often it
is degraded, so that cluster sizes carry information. Every item has option probabilities of its own around those of its
question, an unread probability that differs between questions and rises with severity, and missing trials; T = 10
votes are drawn. Truths are the same figures of a far larger sample (`--truth` source questions).

For tests of no difference L1 and L2 are as good as L0 in one world, and a second model answers the same items from the
same probabilities plus its own disturbance.

Beside our intervals stand plain percentile intervals from the same clustered replicates, and percentile intervals from
a bootstrap of single items.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from medqdeg.utils.analysis.cell_sums import CellFigures, CellSums, Replicates
from medqdeg.utils.analysis.changes import level_changes
from medqdeg.utils.analysis.item_table import (
    ALL,
    OVERALL,
    VOTES,
    ItemTable,
    complete_columns,
    guesser_columns,
    vote_columns,
)
from medqdeg.utils.analysis.metrics import FIGURES, MEANS
from medqdeg.utils.analysis.model_pairs import model_differences
from medqdeg.utils.analysis.statistics.bootstrap import ClusterBootstrap
from medqdeg.utils.analysis.statistics.comparisons import matched_change

TRIALS = 10
K_SHARES = {2: 0.15, 3: 0.1, 4: 0.55, 5: 0.2}
LEVELS = np.array(["L0", "L1", "L2"], dtype=object)
ROUNDING = 1e-9
HARM = 0.25
TESTED = ("accuracy", "confidence", "calibration_shift", "shift_james_stein", "brier", "auroc", "aurc")
METHODS = ("ours", "percentile", "unclustered")


def simulate(questions: int, rng: np.random.Generator, harm: float, models: int = 1) -> list[ItemTable]:
    """Return the table of each model; `harm` is what a level costs, 0 for none."""
    k_of = rng.choice(list(K_SHARES), p=list(K_SHARES.values()), size=questions)
    ease = rng.normal(0.9, 1.2, questions)
    lure = rng.normal(0.0, 0.8, (questions, 5))
    blindness = rng.beta(0.3, 6.0, questions)
    degradations = 1 + rng.binomial(2, 1 / (1 + np.exp(ease)))

    degraded = np.repeat(np.arange(questions), degradations)
    question = np.concatenate([np.arange(questions), degraded, degraded])
    level = np.repeat([0, 1, 2], [questions, len(degraded), len(degraded)])
    number = np.arange(len(degraded))
    pairs = np.concatenate([np.full(questions, -1), number, number])
    k = k_of[question]

    strength = ease[question] - harm * level * (1 + 0.3 * level) + rng.normal(0, 0.5, len(question))
    logits = lure[question] + rng.normal(0, 0.4, (len(question), 5))
    logits[:, 0] += strength
    logits[np.arange(5) >= k[:, None]] = -np.inf
    unread_rate = np.minimum(0.9, blindness[question] * (1 + harm * level))
    tables = []
    for model in range(models):
        own = logits if models == 1 else logits + rng.normal(0, 0.4, logits.shape)
        p = np.exp(own - own.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        with_unread = np.column_stack([p * (1 - unread_rate[:, None]), unread_rate])
        requested = rng.binomial(TRIALS, 0.99, len(question))
        votes = rng.multinomial(np.maximum(requested, 1), with_unread)
        tables.append(as_table(votes, question, pairs, level, k))
        del model
    return tables


def as_table(votes: np.ndarray, question: np.ndarray, pairs: np.ndarray, level: np.ndarray, k: np.ndarray) -> ItemTable:
    counts, unread = votes[:, :5].astype(float), votes[:, 5].astype(float)
    trials = votes.sum(axis=1)
    columns = vote_columns(counts, unread, k, np.zeros(len(k), dtype=int))
    columns["missing_rate"] = 1 - trials / TRIALS
    guesser = guesser_columns(VOTES, k, trials)
    complete_columns(columns, guesser)
    return ItemTable(
        columns=columns,
        item_ids=np.arange(len(k)).astype(object),
        clusters=question,
        cluster_ids=tuple(map(str, range(int(question.max()) + 1))),
        pairs=pairs,
        levels=LEVELS[level],
        nodes={OVERALL: np.full(len(k), ALL, dtype=object)},
        k=k,
        trials=trials,
        vote_levels=TRIALS,
        elicitation=VOTES,
        guesser=guesser,
    )


def statistics_of(table: ItemTable, draws: np.ndarray) -> Iterator[tuple[str, Replicates, tuple[float, float]]]:
    """Yield name, replicates (of one cell) and bounds of every figure of L2 and of every change."""
    sums = CellSums(table, draws)
    figures = {**sums.means(), **sums.calibration(curve_axes=())[0]}
    (place,) = (row for row, cell in enumerate(sums.cells) if cell.level == "L2")
    for name, figure in FIGURES.items():
        yield name, figures[name].rows([place]), figure.bounds
    for change in level_changes(sums, figures):
        name = f"{change.figure} {change.comparison} {change.pairing}"
        yield name, change.replicates, change.bounds


def estimates_of(table: ItemTable) -> dict[str, float]:
    ones = np.ones((len(table.cluster_ids), 1), dtype=np.uint16)
    return {name: float(found.values[0, 0]) for name, found, _ in statistics_of(table, ones)}


def unclustered(table: ItemTable, replicates: int, seed: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yield name and values from a bootstrap of single items; the partners of a matched change are found before."""
    single = replace(table, clusters=np.arange(len(table.k)), cluster_ids=tuple(map(str, range(len(table.k)))))
    draws = ClusterBootstrap(len(single.k), replicates, seed).draws()
    for name, found, _ in statistics_of(single, draws):
        if "matched" not in name:
            yield name, found.values[0]
    sums = CellSums(single, draws)
    clean, severe = (table.levels == level for level in ("L0", "L2"))
    for name in MEANS:
        column = matched_change(table.columns[name], table.clusters, clean, severe)
        yield f"{name} L0_to_L2 matched", sums.mean(column).values[-1]


def percentile_covers(values: np.ndarray, truth: float) -> bool:
    low, high = np.quantile(values[1:][np.isfinite(values[1:])], [0.025, 0.975])
    return bool(low - ROUNDING <= truth <= high + ROUNDING)


def covers(found: Replicates, bounds: tuple[float, float], truth: float) -> bool:
    low, high = found.intervals(bounds)
    return bool(low[0] - ROUNDING <= truth <= high[0] + ROUNDING)


def run(
    questions: int, draws: int, replicates: int, harm: float, truth: dict[str, float]
) -> dict[str, dict[str, float]]:
    hits: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for draw in range(draws):
        (table,) = simulate(questions, np.random.default_rng([draw, questions]), harm)
        weights = ClusterBootstrap(questions, replicates, seed=draw).draws()
        for name, found, bounds in statistics_of(table, weights):
            hits[name]["ours"].append(covers(found, bounds, truth[name]))
            hits[name]["percentile"].append(percentile_covers(found.values[0], truth[name]))
        for name, values in unclustered(table, replicates, seed=draw):
            hits[name]["unclustered"].append(percentile_covers(values, truth[name]))
    return {
        name: {method: float(np.mean(found)) for method, found in methods.items()} for name, methods in hits.items()
    }


def differences_of(tables: list[ItemTable], draws: np.ndarray) -> Iterator[tuple[str, Replicates]]:
    """Yield name and replicates of the differences that are 0 where degradation does no harm and models are equal."""
    both = []
    for table in tables:
        sums = CellSums(table, draws)
        both.append(CellFigures(sums.cells, {**sums.means(), **sums.calibration(curve_axes=())[0]}))
    for name, found in model_differences(*both).items():
        if name in TESTED:
            yield f"{name} of two models", found.rows([-1])
    sums = CellSums(tables[0], draws)
    for change in level_changes(sums, both[0].figures):
        # L0 and a degraded level hold different mixes of items: their plain difference is not 0 even here.
        if change.figure in TESTED and (change.pairing == "matched" or change.comparison == "L1_to_L2"):
            yield f"{change.figure} {change.comparison} {change.pairing}", change.replicates


def rejections(questions: int, draws: int, replicates: int) -> dict[str, dict[str, float]]:
    """Return test -> method -> share of the draws in which a true hypothesis of no difference is rejected."""
    found: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for draw in range(draws):
        tables = simulate(questions, np.random.default_rng([draw, questions, 1]), harm=0.0, models=2)
        weights = ClusterBootstrap(questions, replicates, seed=draw).draws()
        for name, difference in differences_of(tables, weights):
            found[name]["ours"].append(bool(difference.p_values()[0] < 0.05))
            found[name]["percentile"].append(not percentile_covers(difference.values[0], 0.0))
        for name, values in unclustered(tables[0], replicates, seed=draw):
            if name in found:
                found[name]["unclustered"].append(not percentile_covers(values, 0.0))
    return {name: {method: float(np.mean(each)) for method, each in methods.items()} for name, methods in found.items()}


def show(title: str, begin: float, found: dict[str, dict[str, float]], truth: dict[str, float]) -> None:
    print(f"\n{title}, {time.perf_counter() - begin:.0f} s", flush=True)
    for name, methods in found.items():
        row = "  ".join(f"{method} {methods[method]:.3f}" for method in METHODS if method in methods)
        print(f"  {name:45} truth {truth.get(name, 0.0):+.4f}  {row}", flush=True)


def report(clusters: list[int], draws: int, replicates: int, truth_questions: int) -> None:
    """Print coverage and rejections for each number of source questions."""
    (large,) = simulate(truth_questions, np.random.default_rng(0), HARM)
    truth = estimates_of(large)
    for questions in clusters:
        begin = time.perf_counter()
        found = run(questions, draws, replicates, HARM, truth)
        show(f"coverage of 95% intervals, {questions} source questions", begin, found, truth)
        begin = time.perf_counter()
        rejected = rejections(questions, draws, replicates)
        show(f"rejections of a true null at 5%, {questions} source questions", begin, rejected, {})
