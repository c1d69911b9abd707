"""Letter balance against brute force; the text probe on sets that leak and on one that does not."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from medqdeg.utils.building.item import SourceItem
from medqdeg.utils.building.plan.leakage import letter_balance, text_probe, uniform_p

from .samples import source_item


def chi_square(counts: tuple[int, ...]) -> float:
    return float(stats.chisquare(counts).statistic)


@pytest.mark.parametrize("counts", [(3, 0), (1, 1), (4, 1, 1), (2, 2, 2), (5, 0, 1, 1), (0, 0, 4, 0, 1)])
def test_the_exact_p_by_all_outcomes(counts: tuple[int, ...]) -> None:
    """Every sequence of answers is equally likely: count those that are at least as uneven."""
    k, n = len(counts), sum(counts)
    observed, extreme = chi_square(counts), 0
    for outcome in itertools.product(range(k), repeat=n):
        extreme += chi_square(tuple(outcome.count(place) for place in range(k))) >= observed - 1e-9
    assert uniform_p(counts) == pytest.approx(extreme / k**n)


def with_answers(counts: tuple[int, ...]) -> list[SourceItem]:
    options = tuple(f"option {place}" for place in range(len(counts)))
    answers = [place for place, count in enumerate(counts) for _ in range(count)]
    return [source_item(number, b"", options=options, answer=answer) for number, answer in enumerate(answers)]


def test_letter_balance() -> None:
    found = letter_balance(with_answers((30, 20, 25)) + with_answers((3, 1)))
    assert [(each.k, each.counts, each.exact) for each in found] == [(2, (3, 1), True), (3, (30, 20, 25), False)]
    assert found[0].p == pytest.approx(10 / 16)
    expected = stats.chisquare((30, 20, 25))
    assert (found[1].statistic, found[1].p) == (pytest.approx(expected.statistic), pytest.approx(expected.pvalue))
    assert letter_balance([]) == ()


def test_an_uneven_set_is_found() -> None:
    assert letter_balance(with_answers((90, 30, 30, 30)))[0].p < 1e-6


def questions(count: int, seed: int, kind: str) -> list[SourceItem]:
    """Items with 4 of 12 findings as options; `kind` says what gives the answer away."""
    rng = np.random.default_rng(seed)
    findings = [f"finding {name}" for name in "abcdefghijkl"]
    made = []
    for number in range(count):
        organ = int(rng.integers(6))
        options = [str(each) for each in rng.choice(findings, 4, replace=False)]
        answer = int(rng.integers(4))
        if kind == "length":
            options[answer] += " with a long and careful qualification"
        if kind == "place" and rng.random() < 0.5:
            answer = 2
        if kind == "common answer" and rng.random() < 0.6:
            options[answer] = findings[organ]
            options = [
                each if at == answer or each != findings[organ] else "finding z" for at, each in enumerate(options)
            ]
        question = f"What is seen in organ {organ}?"
        if kind == "unique":
            question = f"What is seen in organ {number}?"
        made.append(source_item(number, b"", question=question, options=tuple(options), answer=answer))
    return made


@pytest.fixture(scope="module", autouse=True)
def _scikit_learn() -> None:
    pytest.importorskip("sklearn")


@pytest.mark.parametrize("kind", ["length", "place", "common answer"])
def test_a_set_that_leaks_is_found(kind: str) -> None:
    by_item = text_probe(questions(400, 1, kind))[0]
    assert by_item.split == "items"
    assert by_item.low > 0
    assert by_item.p < 1e-4
    assert by_item.accuracy > 0.35
    assert by_item.low <= by_item.accuracy - by_item.chance <= by_item.high


def test_what_holds_for_one_question_alone_is_not_seen_across_questions() -> None:
    probes = {probe.split: probe for probe in text_probe(questions(400, 1, "common answer"))}
    assert probes["items"].accuracy > probes["questions"].accuracy + 0.1


def test_a_set_that_does_not_leak_is_mostly_passed() -> None:
    """A 95% interval lies above chance in 2.5% of sets; more than 3 of 12 would come by chance once in 6,000."""
    found = [text_probe(questions(150, seed, "none"))[0] for seed in range(12)]
    assert sum(probe.low > 0 for probe in found) <= 3
    assert np.mean([probe.accuracy for probe in found]) == pytest.approx(0.25, abs=0.04)
    assert all(probe.chance == pytest.approx(0.25) for probe in found)


def test_the_order_of_items_does_not_count() -> None:
    items = questions(120, 3, "length")
    assert text_probe(items) == text_probe(items[::-1])


def test_too_few_items_or_questions() -> None:
    assert text_probe(questions(20, 1, "none")) == ()
    one_question = [source_item(number, b"", answer=number % 3) for number in range(60)]
    assert [probe.split for probe in text_probe(one_question)] == ["items"]
    assert [probe.split for probe in text_probe(questions(60, 1, "unique"))] == ["items", "questions"]


def test_equal_scores_count_as_a_share() -> None:
    """Options that cannot be told apart: the accuracy is chance, not the luck of whichever comes first."""
    from scipy import sparse

    from medqdeg.utils.building.plan.leakage import _cross_validated

    features = sparse.csr_matrix(np.zeros((80, 3)))
    right = np.tile([True, False, False, False], 20)
    hits = _cross_validated(features, right, np.repeat(np.arange(20), 4), np.arange(20) % 5)
    assert hits == pytest.approx(np.full(20, 0.25))


def test_the_p_of_a_probe_is_the_poisson_binomial() -> None:
    from medqdeg.utils.building.plan.leakage import _upper_p

    assert _upper_p(np.full(20, 0.25), 9.0) == pytest.approx(float(stats.binom.sf(8, 20, 0.25)))
    mixed = _upper_p(np.array([0.5, 0.25, 0.2]), 2)
    expected = sum(
        math.prod(chance if hit else 1 - chance for hit, chance in zip(hits, (0.5, 0.25, 0.2), strict=True))
        for hits in itertools.product((0, 1), repeat=3)
        if sum(hits) >= 2
    )
    assert mixed == pytest.approx(expected)
    assert _upper_p(np.full(4000, 0.25), 1040.0) == pytest.approx(float(stats.binom.sf(1039, 4000, 0.25)), rel=0.02)
