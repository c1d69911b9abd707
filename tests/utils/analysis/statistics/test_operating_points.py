"""Operating points: the exact binomial bound, the worked examples, and thresholds found by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from medqdeg.utils.analysis.statistics import operating_points as points
from medqdeg.utils.analysis.statistics.folds import question_folds


def _bound(wrong: int, of: int) -> float:
    return points.error_bound((np.arange(of) < wrong).astype(float), np.ones(of), of)


def test_worked_examples() -> None:
    assert points.enough_questions() == 45
    assert _bound(0, 60) == pytest.approx(0.0376, abs=5e-5)
    assert _bound(1, 60) == pytest.approx(0.0639, abs=5e-5)
    assert _bound(1, 78) == pytest.approx(0.0493, abs=5e-5)
    assert _bound(60, 60) == 1


def test_a_bound_is_clopper_and_pearson_s_for_the_effective_number() -> None:
    exact = stats.binomtest(4, 200).proportion_ci(0.8, method="exact").high
    assert _bound(4, 200) == pytest.approx(exact, rel=0.01)
    # Two alike items of each question say no more than one.
    doubled = points.error_bound(2.0 * (np.arange(200) < 4), np.full(200, 2.0), 400.0)
    assert doubled == pytest.approx(_bound(4, 200))


def test_votes_are_compared_as_whole_numbers_with_unread_in_the_denominator() -> None:
    top, trials = np.array([10, 7, 9, 6, 0]), np.array([10, 10, 9, 9, 10])
    found = points.vote_candidates(top, trials, 10)
    assert found.thresholds[0] == 1
    assert found.answered[0].tolist() == [True, False, True, False, False]
    seven = found.thresholds.index(0.7)
    assert found.answered[seven].tolist() == [True, True, True, False, False]
    assert not found.answered[:, 4].any()


def test_probabilities_meet_their_threshold_in_spite_of_rounding() -> None:
    found = points.probability_candidates(np.array([0.1 + 0.2 + 0.6, 0.8999, np.nan]))
    assert found.answered[found.thresholds.index(0.9)].tolist() == [True, False, False]
    assert not found.answered[:, 2].any()


def _run(wrong_at: dict[int, float], questions: int = 600) -> tuple[points.Candidates, np.ndarray]:
    """One clean item per question; a third each with 5, 4 and 3 of 5 votes; the share wrong by number of votes."""
    top = np.resize([5, 4, 3], questions)
    wrong = np.zeros(questions)
    for votes, share in wrong_at.items():
        here = np.flatnonzero(top == votes)
        wrong[here[: round(share * len(here))]] = 1
    wrong_order = np.random.default_rng(0).permutation(questions)
    return points.vote_candidates(top[wrong_order], np.full(questions, 5), 5), wrong[wrong_order]


@pytest.mark.parametrize(
    ("wrong_at", "threshold"),
    [({5: 0.0, 4: 0.0, 3: 0.5}, 0.8), ({5: 0.01, 4: 0.3, 3: 0.0}, 1.0), ({5: 0.2, 4: 0.0, 3: 0.0}, None)],
)
def test_the_last_that_passes_before_the_first_failure(wrong_at: dict[int, float], threshold: float | None) -> None:
    candidates, wrong = _run(wrong_at)
    every = np.ones(len(wrong), dtype=bool)
    found = points.choose(candidates, wrong, np.arange(len(wrong)), len(wrong), every)
    assert (None if found.place is None else candidates.thresholds[found.place]) == threshold
    if threshold is None:
        bounds = []
        for answers in candidates.answered[:3]:
            errors = int(wrong[answers].sum())
            interval = stats.binomtest(errors, int(answers.sum())).proportion_ci(0.8, method="exact")
            bounds.append(interval.high)
        assert found.bound == pytest.approx(min(bounds), rel=0.02)
    else:
        assert found.bound <= 0.05


def test_too_few_questions_are_skipped_not_failed() -> None:
    top = np.array([5] * 20 + [4] * 200 + [3] * 100)
    wrong = np.zeros(320)
    wrong[:5] = 1  # a quarter of the twenty surest
    wrong[220:] = 1
    found = points.choose(
        points.vote_candidates(top, np.full(320, 5), 5), wrong, np.arange(320), 320, np.ones(320, dtype=bool)
    )
    assert found.place == 1


def test_each_fold_is_judged_by_the_threshold_of_the_others() -> None:
    candidates, wrong = _run({5: 0.0, 4: 0.02, 3: 0.4})
    size = len(wrong)
    folds = question_folds([f"question {number}" for number in range(size)])
    clean = np.ones(size, dtype=bool)
    found, answered = points.operating_point(candidates, wrong, np.arange(size), folds, clean)
    assert answered is not None
    for fold, threshold in enumerate(found.fold_thresholds):
        others = points.choose(candidates, wrong, np.arange(size), size, folds != fold)
        assert threshold == candidates.thresholds[others.place]
        here = folds == fold
        assert (answered[here] == candidates.answered[others.place][here]).all()
    outcome = points.level_outcome(answered, wrong, np.arange(size), size, clean)
    expected = [answered.mean(), wrong[answered].mean(), (wrong * answered).mean()]
    assert outcome.ratio.estimate == pytest.approx(expected)


def test_no_threshold_is_said_with_the_best_bound() -> None:
    candidates, wrong = _run({5: 0.1, 4: 0.2, 3: 0.4}, 84)
    folds = question_folds([str(number) for number in range(84)])
    found, answered = points.operating_point(candidates, wrong, np.arange(84), folds, np.ones(84, dtype=bool))
    assert found.threshold is None
    assert answered is None
    assert points.no_threshold_sentence(found.bound) == (
        f"No threshold keeps L0 error below 5% with 90% confidence (best upper bound {found.bound:.1%})"
    )


def test_folds_depend_on_the_id_alone() -> None:
    ids = [f"index:{number}" for number in range(1000)]
    folds = question_folds(ids)
    assert (question_folds(ids[::-1])[::-1] == folds).all()
    assert np.bincount(folds).min() > 150


def test_the_promise_is_kept() -> None:
    rng = np.random.default_rng(4)
    broken = 0
    error_at = {5: 0.02, 4: 0.06, 3: 0.2}
    for _ in range(200):
        top = rng.choice([5, 4, 3], size=300, p=[0.5, 0.3, 0.2])
        wrong = (rng.random(300) < np.vectorize(error_at.get)(top)).astype(float)
        found = points.choose(
            points.vote_candidates(top, np.full(300, 5), 5), wrong, np.arange(300), 300, np.ones(300, dtype=bool)
        )
        broken += found.place is not None and found.place >= 2  # 3 of 5: true error 6.7%
    assert broken <= 20
