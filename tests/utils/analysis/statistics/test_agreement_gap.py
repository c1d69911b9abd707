"""The agreement gap against pairs counted one by one, expectations over all votes, and worked examples."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medqdeg.utils.analysis.statistics import agreement_gap as gaps

EXAMPLES = np.array([[3, 1, 0, 0], [1, 2, 0, 0], [0, 3, 0, 0]])
"""AAAB; ABB and one unread; BBB and one unread; the answer is A."""


def test_worked_example() -> None:
    terms = gaps.vote_terms(EXAMPLES, np.array([0, 1, 1]), np.zeros(3, dtype=int))
    assert terms.difference.tolist() == [-1 / 4, 0, 1 / 2]
    assert terms.weight.tolist() == [1, 1 / 2, 1 / 2]
    assert terms.difference.sum() / terms.weight.sum() == 1 / 8


def test_worked_example_of_exact_probabilities() -> None:
    terms = gaps.exact_terms(np.array([[0.7, 0.2, 0.1]]), np.ones(1), np.zeros(1, dtype=int))
    assert terms.difference[0] == pytest.approx(-0.16)
    half = gaps.exact_terms(np.array([[0.7, 0.2, 0.1]]), np.full(1, 0.5), np.zeros(1, dtype=int))
    assert half.difference[0] / half.weight[0] == pytest.approx(-0.16)
    assert half.weight[0] == 0.25


def test_worked_example_of_stated_confidences() -> None:
    # "A 90%", "B 60%", unread, "A" without a number; the answer is A.
    terms = gaps.stated_terms(np.array([1.5]), np.array([1.0]), np.array([2.0]), np.array([4]))
    assert terms.difference[0] / terms.weight[0] == 0.25
    assert terms.readable[0] == 0.5


@given(st.lists(st.sampled_from("ABCu"), min_size=2, max_size=9))
def test_terms_are_shares_of_pairs(votes: list[str]) -> None:
    pairs = list(itertools.permutations(votes, 2))
    readable = [pair for pair in pairs if "u" not in pair]
    terms = gaps.vote_terms(
        np.array([[votes.count(letter) for letter in "ABC"]]), np.array([votes.count("u")]), np.array([1])
    )
    assert terms.agree[0] == pytest.approx(sum(a == b for a, b in readable) / len(pairs))
    assert terms.right[0] == pytest.approx(sum(a == "B" for a, _ in readable) / len(pairs))
    assert terms.weight[0] == pytest.approx(len(readable) / len(pairs))


@pytest.mark.parametrize("trials", [2, 3, 5])
@pytest.mark.parametrize("unread", [0.0, 0.3])
def test_a_calibrated_model_has_no_gap_at_any_number_of_trials(trials: int, unread: float) -> None:
    p = [0.6, 0.3, 0.1]
    difference = weight = 0.0
    for answer in range(3):
        for votes in itertools.product(range(4), repeat=trials):
            counts = np.bincount(votes, minlength=4)
            chance = p[answer] * np.prod([[*(share * (1 - unread) for share in p), unread][vote] for vote in votes])
            terms = gaps.vote_terms(counts[None, :3], counts[3:], np.array([answer]))
            difference += chance * terms.difference[0]
            weight += chance * terms.weight[0]
    assert difference == pytest.approx(0, abs=1e-12)
    assert weight == pytest.approx((1 - unread) ** 2)


def test_items_without_a_pair_are_left_out() -> None:
    terms = gaps.vote_terms(np.array([[1.0, 0], [0, 0], [0, 0]]), np.array([0.0, 1, 2]), np.zeros(3, dtype=int))
    assert np.isnan(terms.weight[:2]).all()
    assert np.isnan(terms.difference[:2]).all()
    assert terms.weight[2] == 0
    nothing = gaps.exact_terms(np.full((1, 2), np.nan), np.full(1, np.nan), np.zeros(1, dtype=int))
    assert np.isnan(nothing.difference[0])
    assert np.isnan(gaps.stated_terms(np.zeros(1), np.zeros(1), np.zeros(1), np.zeros(1)).weight[0])


def test_null_rules() -> None:
    reason = gaps.reason_without_gap
    assert reason(np.array([[1, 0], [0, 1]]), np.zeros(2)) == gaps.TOO_FEW_TRIALS
    assert reason(np.zeros((2, 2)), np.zeros(2)) == gaps.NO_TRIALS
    assert reason(np.array([[3, 0], [0, 3]]), np.zeros(2)) == gaps.NO_VARIATION
    assert reason(np.array([[2, 1], [0, 3]]), np.zeros(2)) is None
    assert reason(np.array([[2, 0], [0, 3]]), np.array([1, 0])) is None
    assert reason(np.array([[2, 1], [0, 3]]), np.zeros(2), greedy=True) == gaps.GREEDY
