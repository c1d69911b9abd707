"""Subsets: the same everywhere, spread over tasks and numbers of degradations, and unbiased with their weights."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from medqdeg.utils.dataset.subset_plan import Question, largest_share, published_error, subset, whole_size


def _questions(number: int = 600) -> list[Question]:
    rng = np.random.default_rng(0)
    names = ("blur", "noise", "ghosting", "exposure")
    return [
        Question(f"index:{place}", ("a", "b", "c")[place % 3], tuple(rng.permutation(names)[: rng.integers(1, 4)]))
        for place in range(number)
    ]


def test_same_ids_in_any_order_of_the_questions() -> None:
    questions = _questions()
    assert subset(questions, 0.1) == subset(questions[::-1], 0.1)


def test_size_and_weights() -> None:
    questions = _questions()
    chosen = subset(questions, 1 / 6)
    assert 3 * len(chosen) == pytest.approx(whole_size(questions) / 6, abs=2)
    degradations = {question.question_id: question.degradations for question in questions}
    for one in chosen:
        assert one.degradation in degradations[one.question_id]
        assert one.weight == len(degradations[one.question_id])


def test_every_task_and_number_of_degradations_keeps_its_share() -> None:
    questions = _questions()
    chosen = {one.question_id for one in subset(questions, 1 / 6)}
    whole = Counter((question.task, len(question.degradations)) for question in questions)
    part = Counter(
        (question.task, len(question.degradations)) for question in questions if question.question_id in chosen
    )
    for stratum, number in whole.items():
        assert part[stratum] == pytest.approx(number * len(chosen) / len(questions), abs=1)


def test_each_degradation_of_a_question_is_as_likely() -> None:
    questions = [Question(f"q{place}", "a", ("blur", "noise", "ghosting")) for place in range(3000)]
    counts = Counter(one.degradation for one in subset(questions, largest_share(questions)))
    assert min(counts.values()) > 900


def test_weighted_means_are_those_of_the_whole() -> None:
    questions = _questions(3000)
    harm = {"blur": 0.1, "noise": 0.3, "ghosting": 0.5, "exposure": 0.2}
    whole = np.mean([harm[name] for question in questions for name in question.degradations])
    chosen = subset(questions, 0.3)
    weights = [one.weight for one in chosen]
    found = np.average([harm[one.degradation] for one in chosen], weights=weights)
    assert found == pytest.approx(whole, abs=0.015)


def test_questions_without_degradations_are_never_chosen_and_bad_shares_refused() -> None:
    questions = [Question("clean", "a", ()), Question("q", "a", ("blur",))]
    assert largest_share(questions) == 3 / 4
    assert [one.question_id for one in subset(questions, 0.75)] == ["q"]
    for share in (0.0, 1.0, -0.1):
        with pytest.raises(ValueError, match=r"between 0 and 0\.750"):
            subset(questions, share)
    with pytest.raises(ValueError, match="no question"):
        subset(questions[:1], 0.5)


def test_published_errors_of_five_per_cent_of_the_calls() -> None:
    for chosen, trials, expected in (
        (2075, 2, (1.5, 1.5, 1.7)),
        (1383, 3, (1.7, 1.9, 2.1)),
        (415, 10, (3.0, 3.5, 3.3)),
    ):
        found = published_error(chosen, 4306, trials)
        assert [100 * value for value in found.values()] == pytest.approx(expected, rel=0.2)
