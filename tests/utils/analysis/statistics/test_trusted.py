"""Up to which severity accuracy holds."""

from __future__ import annotations

import numpy as np
import pytest

from medqdeg.utils.analysis.statistics.clustered import ClusteredRatio, clustered_ratio
from medqdeg.utils.analysis.statistics.trusted import accuracy_holds, largest_held


def ratio(right: np.ndarray) -> ClusteredRatio:
    """Accuracies of (S, G) source questions of one item each."""
    return clustered_ratio(right.astype(float), np.ones(right.shape))


@pytest.mark.parametrize(
    ("held", "clean_counts", "expected"),
    [
        ([True, True, False, True], False, 0.5),  # what holds again later does not count
        ([True, False, True, True], False, None),
        ([True, False, True, True], True, 0.0),
        ([False, True, True, True], True, None),
        ([True] * 4, False, 2.0),
    ],
)
def test_it_must_hold_at_every_smaller_severity(held: list[bool], clean_counts: bool, expected: float | None) -> None:
    found = largest_held(np.array([0, 0.5, 1, 2]), np.array(held), clean_counts=clean_counts)
    assert found == expected


@pytest.mark.parametrize(("questions", "holds"), [(50, False), (150, True)])
def test_where_nothing_changes_the_number_of_questions_decides(questions: int, holds: bool) -> None:
    right = np.ones((2, questions))
    right[:, ::3] = 0.0
    # No loss among G questions: with 97.5% confidence less than about 3.7 / G.
    assert accuracy_holds(ratio(right)).tolist() == [True, holds]


def test_a_loss_above_the_margin_does_not_hold_however_many() -> None:
    rng = np.random.default_rng(1)
    clean = rng.random(2000) < 0.8
    right = np.array([clean, clean & (rng.random(2000) < 0.99), clean & (rng.random(2000) < 0.9)])
    assert accuracy_holds(ratio(right)).tolist() == [True, True, False]


def test_a_severity_that_loses_too_much_is_rarely_trusted() -> None:
    rng = np.random.default_rng(2)
    trusted = 0
    for _ in range(300):
        clean = rng.random(150) < 0.85
        worse = clean & (rng.random(150) < 0.8 / 0.85)  # exactly the margin
        trusted += bool(accuracy_holds(ratio(np.array([clean, worse])))[1])
    assert trusted / 300 <= 0.05


def test_losses_too_small_to_matter_do_not_hide_what_few_questions_leave_open() -> None:
    """Exact probabilities lose thousandths everywhere; one of 30 questions unseen that loses all would be 0.03."""
    right = np.full((2, 30), 0.9)
    right[1, :4] -= 0.001
    assert accuracy_holds(ratio(right)).tolist() == [True, False]
    assert accuracy_holds(ratio(np.tile(right, 6))).tolist() == [True, True]
