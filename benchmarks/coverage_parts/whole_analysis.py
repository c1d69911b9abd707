"""Do the intervals of everything that an analysis prints cover, and do its tests keep their level?

Simulated source questions: each has K = 2 to 5 options, a difficulty and a preference for one wrong option that its
items share, one clean item and one to three degradations, each at L1 and L2. The harder the question, the more often it
is degraded, so that cluster sizes carry information. Every item has option probabilities of its own around those of its
question, an unread probability that differs between questions and rises with severity, and missing trials; T = 10
votes are drawn. Truths are the same figures of a far larger sample (`--truth` source questions).

For tests of no difference L1 and L2 are as good as L0 in one world, and a second model answers the same items from the
same probabilities plus its own disturbance.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from medqdeg.utils.analysis.cell_ratios import Estimates
from medqdeg.utils.analysis.cell_sums import CellSums
from medqdeg.utils.analysis.changes import level_changes
from medqdeg.utils.analysis.item_answers import answers_of_votes
from medqdeg.utils.analysis.item_table import (
    ALL,
    OVERALL,
    VOTES,
    ItemTable,
    complete_columns,
    guesser_columns,
    vote_columns,
)
from medqdeg.utils.analysis.metrics import FIGURES
from medqdeg.utils.analysis.run_estimates import RunEstimates, run_difference
from medqdeg.utils.analysis.statistics.bootstrap import ClusterBootstrap

TRIALS = 10
K_SHARES = {2: 0.15, 3: 0.1, 4: 0.55, 5: 0.2}
LEVELS = np.array(["L0", "L1", "L2"], dtype=object)
ROUNDING = 1e-9
HARM = 0.25
TESTED = ("accuracy", "agreement_gap", "confidence", "calibration_shift", "shift_james_stein", "brier", "auroc", "aurc")


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
    answers = answers_of_votes(counts, unread, k, TRIALS)
    columns = vote_columns(counts, unread, k, answers.answer)
    columns["missing_rate"] = 1 - trials / TRIALS
    columns["readable_share"] = answers.gap.readable
    guesser = guesser_columns(VOTES, k, trials)
    complete_columns(columns, guesser)
    ids = tuple(map(str, range(int(question.max()) + 1)))
    return ItemTable(
        columns=columns,
        item_ids=np.arange(len(k)).astype(object),
        questions=question,
        question_ids=ids,
        clusters=question,
        cluster_ids=ids,
        pairs=pairs,
        levels=LEVELS[level],
        nodes={OVERALL: np.full(len(k), ALL, dtype=object)},
        k=k,
        trials=trials,
        vote_levels=TRIALS,
        elicitation=VOTES,
        guesser=guesser,
        answers=answers,
        weight=np.ones(len(k)),
        without_gap={},
    )


def estimates_of(table: ItemTable, replicates: int, seed: int) -> RunEstimates:
    sums = CellSums(table, ClusterBootstrap(len(table.cluster_ids), replicates, seed).draws())
    return RunEstimates(table, sums, {**sums.means(), **sums.calibration(curve_axes=())[0]})


def everything(run: RunEstimates) -> Iterator[tuple[str, Estimates, int]]:
    """Yield name, estimates and row of every metric of L2 and of every change."""
    place = next(row for row, cell in enumerate(run.cells) if cell.level == "L2")
    for name in FIGURES:
        yield name, run.metric(name), place
    for change in level_changes(run, tuple(FIGURES)):
        yield f"{change.figure} {change.comparison} {change.pairing}", change.estimates, 0


def coverage(
    questions: int, draws: int, replicates: int, harm: float, truth: dict[str, float]
) -> dict[str, tuple[float, float]]:
    """Return name -> share covered of those printed, share printed."""
    hits: dict[str, list[float]] = defaultdict(list)
    for draw in range(draws):
        (table,) = simulate(questions, np.random.default_rng([draw, questions]), harm)
        for name, found, row in everything(estimates_of(table, replicates, seed=draw)):
            low, high = found.low[row], found.high[row]
            hits[name].append(math.nan if math.isnan(low) else low - ROUNDING <= truth[name] <= high + ROUNDING)
    return {
        name: (float(np.nanmean(found)), float(np.mean(np.isfinite(found))))
        for name, found in hits.items()
        if np.isfinite(found).any()
    }


def rejections(questions: int, draws: int, replicates: int) -> dict[str, tuple[float, float]]:
    """Return test -> share of the draws in which a true hypothesis of no difference is rejected, share tested."""
    found: dict[str, list[float]] = defaultdict(list)
    for draw in range(draws):
        tables = simulate(questions, np.random.default_rng([draw, questions, 1]), harm=0.0, models=2)
        first, second = (estimates_of(table, replicates, seed=draw) for table in tables)
        rows = [row for row, cell in enumerate(first.cells) if cell.level == "L2"]
        sides = first.narrowed(rows), second.narrowed(rows)
        tests = [(f"{name} of two models", run_difference(name, *sides)[0].p[0]) for name in TESTED]
        for change in level_changes(first, TESTED):
            # L0 and a degraded level hold different mixes of items: their plain difference is not 0 even here.
            if change.pairing == "matched" or change.comparison == "L1_to_L2":
                tests.append((f"{change.figure} {change.comparison} {change.pairing}", change.estimates.p[0]))
        for name, p in tests:
            found[name].append(math.nan if math.isnan(p) else float(p < 0.05))
    return {
        name: (float(np.nanmean(each)), float(np.mean(np.isfinite(each))))
        for name, each in found.items()
        if np.isfinite(each).any()
    }


def report(clusters: list[int], draws: int, replicates: int, truth_questions: int) -> None:
    """Print coverage and rejections for each number of source questions."""
    (large,) = simulate(truth_questions, np.random.default_rng(0), HARM)
    truth = {name: float(found.values[row]) for name, found, row in everything(estimates_of(large, 1, seed=0))}
    for questions in clusters:
        begin = time.perf_counter()
        _show(f"coverage, {questions} source questions", begin, coverage(questions, draws, replicates, HARM, truth))
        begin = time.perf_counter()
        _show(f"rejections of a true null, {questions} questions", begin, rejections(questions, draws, replicates))


def _show(title: str, begin: float, found: dict[str, tuple[float, float]]) -> None:
    print(f"\n{title}, {time.perf_counter() - begin:.0f} s", flush=True)
    for name, (share, printed) in found.items():
        print(f"  {name:50} {100 * share:.1f}%  printed {100 * printed:.0f}%", flush=True)
    shares = [share for share, printed in found.values() if printed >= 0.2]
    worst, median, best = (100 * of(shares) for of in (min, np.median, max))
    print(f"  of {len(shares)}: worst {worst:.1f}, median {median:.1f}, best {best:.1f}")
