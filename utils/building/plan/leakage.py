"""Whether answers can be guessed without the image: the balance of letters, and what a model of the text scores.

Neither check proves that a data set leaks nothing; each finds a way in which one would. A set that is drawn from
published benchmarks can be guessed to some extent by knowledge alone ("which organ does pneumonia affect?"), which the
probe, trained on the items themselves, sees only as far as items repeat.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse, stats

from ..item import SourceItem
from .duplicates import canonical_order, normalised

_EXACT_LIMIT = 200_000
_SMALL_EXPECTED = 5.0


@dataclass(frozen=True)
class LetterBalance:
    """How often each place of the right answer occurs among items with K options.

    Attributes:
        k: number of options.
        counts: K counts, A first.
        statistic: Pearson's chi-square against equal frequencies.
        p: probability of a statistic at least as large if all places are equally likely.
        exact: whether `p` is by the multinomial distribution itself; where every place is expected at least five
            times, or the table is too large to go through, it is by the chi-square distribution.
    """

    k: int
    counts: tuple[int, ...]
    statistic: float
    p: float
    exact: bool


def letter_balance(items: Sequence[SourceItem]) -> tuple[LetterBalance, ...]:
    """Return the balance for each number of options, in ascending order.

    With m entries, compare the smallest `p` with 0.05 / m (Bonferroni).
    """
    answers: dict[int, Counter[int]] = defaultdict(Counter)
    for item in items:
        answers[len(item.options)][item.answer] += 1
    return tuple(_balance(tuple(counts[place] for place in range(k))) for k, counts in sorted(answers.items()))


def uniform_p(counts: Sequence[int]) -> float:
    """Return the exact p of Pearson's chi-square against equal frequencies: the sum over all tables as extreme.

    The cost is the number of ways to write n as an ordered sum of K parts.
    """
    n, k = sum(counts), len(counts)
    # With equal frequencies the statistic is a growing function of the sum of squares, which is a whole number:
    # no rounding decides which tables count.
    observed = sum(count * count for count in counts)
    log_all = math.lgamma(n + 1) - n * math.log(k)
    terms = (
        math.exp(log_all - sum(math.lgamma(part + 1) for part in parts))
        for parts in _compositions(n, k)
        if sum(part * part for part in parts) >= observed
    )
    return min(1.0, math.fsum(terms))


@dataclass(frozen=True)
class Probe:
    """What a model that reads only the text gets right on items that it was not trained on.

    Attributes:
        split: "items" (other items with the same question may be in the training part: it can learn which answer is
            common) or "questions" (all items whose question reads the same are left out together).
        items: number of items N.
        accuracy: share of right guesses.
        chance: mean of 1 / K.
        low, high: 95% interval of `accuracy - chance`, by resampling whole questions (split "questions") or items.
        p: probability of at least this many right guesses if each were right with probability 1 / K
            (Poisson-binomial, normal approximation with continuity correction above 2,000 items).
        folds: number of parts.
    """

    split: str
    items: int
    accuracy: float
    chance: float
    low: float
    high: float
    p: float
    folds: int


def text_probe(items: Sequence[SourceItem], *, seed: int = 0, folds: int = 5) -> tuple[Probe, ...]:
    """Train logistic regressions on the text and return what they get by cross-validation, for both splits.

    Each option is one example (right or wrong), described by its place, its length relative to the others, whether it
    is the longest or shortest, the words it shares with the question, its words and pairs of words, and these words
    joined with the question; the guess is the option with the highest score. Features are hashed; the regression is
    scikit-learn's (L2, `liblinear`). The result does not depend on the order of the items.

    Args:
        items: N items; each is a source question of its own, so merge duplicates first.
        seed: of the folds and of the interval.
        folds: at least 2.

    Returns:
        The probes with split "items" and "questions"; the second is left out where fewer questions than folds occur,
        both where fewer than 10 items per fold do.
    """
    ordered = sorted(items, key=canonical_order)
    if len(ordered) < 10 * folds:
        return ()
    questions = {text: place for place, text in enumerate(dict.fromkeys(normalised(each.question) for each in ordered))}
    by_question = np.array([questions[normalised(each.question)] for each in ordered])
    features, right, item_of = _examples(ordered)
    probes = []
    for split, groups in (("items", np.arange(len(ordered))), ("questions", by_question)):
        if groups.max() + 1 >= folds:
            hits = _cross_validated(features, right, item_of, _folds(groups, folds, seed))
            probes.append(_probe(split, hits, ordered, groups, folds, seed))
    return tuple(probes)


def _balance(counts: tuple[int, ...]) -> LetterBalance:
    n, k = sum(counts), len(counts)
    expected = n / k
    statistic = sum((count - expected) ** 2 for count in counts) / expected
    exact = expected < _SMALL_EXPECTED and math.comb(n + k - 1, k - 1) <= _EXACT_LIMIT
    p = uniform_p(counts) if exact else float(stats.chi2.sf(statistic, k - 1))
    return LetterBalance(k, counts, statistic, p, exact)


def _compositions(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _compositions(total - first, parts - 1):
            yield (first, *rest)


_HASHED = 2**18


def _examples(items: Sequence[SourceItem]) -> tuple[sparse.csr_matrix, np.ndarray, np.ndarray]:
    """Return features (options in all, columns), whether each option is right, and its item's place."""
    from sklearn.feature_extraction import FeatureHasher

    rows, right, item_of = [], [], []
    for place, item in enumerate(items):
        lengths = [len(option) for option in item.options]
        question = normalised(item.question)
        for number, option in enumerate(item.options):
            rows.append(_features(question, option, number, lengths))
            right.append(number == item.answer)
            item_of.append(place)
    hashed = FeatureHasher(_HASHED, alternate_sign=False).transform(rows)
    return hashed.tocsr(), np.array(right), np.array(item_of)


def _features(question: str, option: str, number: int, lengths: Sequence[int]) -> Mapping[str, float]:
    words = normalised(option).split()
    asked = set(question.split())
    features: dict[str, float] = {
        f"place {number} of {len(lengths)}": 1.0,
        "relative length": lengths[number] * len(lengths) / max(1, sum(lengths)) - 1.0,
        "longest": float(lengths[number] == max(lengths) > min(lengths)),
        "shortest": float(lengths[number] == min(lengths) < max(lengths)),
        "shared words": len(asked & set(words)) / max(1, len(set(words))),
        f"whole {' '.join(words)}": 1.0,
        f"whole {' '.join(words)} to {question}": 1.0,
    }
    for first, second in zip(["", *words], words, strict=False):
        features[f"word {second}"] = 1.0
        features[f"words {first} {second}"] = 1.0
        features[f"word {second} to {question}"] = 1.0
    return features


def _folds(groups: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Return each item's fold: groups stay whole, the largest are dealt first, each to the smallest fold."""
    sizes = np.bincount(groups)
    order = np.random.default_rng(seed).permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    fold_of, filled = np.zeros(len(sizes), dtype=int), np.zeros(folds, dtype=int)
    for group in order:
        fold_of[group] = filled.argmin()
        filled[fold_of[group]] += sizes[group]
    return fold_of[groups]


def _cross_validated(
    features: sparse.csr_matrix, right: np.ndarray, item_of: np.ndarray, fold_of: np.ndarray
) -> np.ndarray:
    """Return whether each item's guess is right, float64 (N,); a tie among t options counts 1 / t if one is right."""
    from sklearn.linear_model import LogisticRegression

    scores = np.zeros(len(right))
    for fold in range(fold_of.max() + 1):
        held_out = fold_of[item_of] == fold
        if held_out.all() or len(np.unique(right[~held_out])) < 2:
            continue
        model = LogisticRegression(C=1.0, solver="liblinear", random_state=0)
        model.fit(features[~held_out], right[~held_out])
        scores[held_out] = model.decision_function(features[held_out])
    best = np.full(item_of.max() + 1, -np.inf)
    np.maximum.at(best, item_of, scores)
    tied = scores >= best[item_of] - 1e-9
    ties = np.bincount(item_of, weights=tied)
    return np.bincount(item_of, weights=tied & right) / ties


def _probe(
    split: str, hits: np.ndarray, items: Sequence[SourceItem], groups: np.ndarray, folds: int, seed: int
) -> Probe:
    chances = np.array([1 / len(item.options) for item in items])
    excess = hits - chances
    low, high = _interval(excess, groups, seed)
    return Probe(
        split=split,
        items=len(items),
        accuracy=float(hits.mean()),
        chance=float(chances.mean()),
        low=low,
        high=high,
        p=_upper_p(chances, float(hits.sum())),
        folds=folds,
    )


def _interval(excess: np.ndarray, groups: np.ndarray, seed: int, resamples: int = 2000) -> tuple[float, float]:
    """95% percentile bootstrap of the mean over groups drawn with replacement."""
    sums = np.bincount(groups, weights=excess)
    sizes = np.bincount(groups).astype(float)
    rng = np.random.default_rng([seed, 1])
    means = np.empty(resamples)
    for at in range(resamples):
        drawn = rng.integers(len(sums), size=len(sums))
        means[at] = sums[drawn].sum() / sizes[drawn].sum()
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def _upper_p(chances: np.ndarray, hits: float) -> float:
    """P(at least `hits` right) where item i is right with probability `chances[i]`."""
    at_least = math.ceil(hits - 1e-9)
    if len(chances) > 2000:
        spread = math.sqrt(float((chances * (1 - chances)).sum()))
        return float(stats.norm.sf((at_least - 0.5 - chances.sum()) / spread))
    distribution = np.array([1.0])
    for chance in chances:
        distribution = np.convolve(distribution, [1 - chance, chance])
    return float(min(1.0, distribution[at_least:].sum()))
