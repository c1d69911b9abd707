"""Calibration metrics against scikit-learn, torchmetrics and brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medqdeg.utils.analysis.statistics import calibration

CREDITS = (0.0, 0.5, 1.0)
items = st.lists(st.tuples(st.integers(1, 4), st.sampled_from(CREDITS)), min_size=1, max_size=6)


def grouped(score: np.ndarray, credit: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, counts and sums of credits of the tie groups, as columns."""
    values, group = np.unique(score, return_inverse=True)
    return values, np.bincount(group)[:, None].astype(float), np.bincount(group, weights=credit)[:, None]


def sample(seed: int, n: int = 400, trials: int = 10) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    score = rng.integers(3, trials + 1, n) / trials
    return score, rng.choice(CREDITS, n, p=[0.4, 0.1, 0.5])


def test_brier_and_auroc_agree_with_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    score, credit = sample(1)
    # An item of credit c is c of a right answer and 1 - c of a wrong one.
    truth = np.repeat([1, 0], len(score))
    weights = np.concatenate([credit, 1 - credit])
    twice = np.concatenate([score, score])
    _, count, credits = grouped(score, credit)
    expected = metrics.roc_auc_score(truth, twice, sample_weight=weights)
    assert calibration.auroc(count, credits)[0] == pytest.approx(expected, abs=1e-12)
    expected = metrics.brier_score_loss(truth, twice, sample_weight=weights)
    assert calibration.brier_terms(score, credit).mean() == pytest.approx(expected, abs=1e-12)


def test_ece_agrees_with_torchmetrics() -> None:
    functional = pytest.importorskip("torchmetrics.functional.classification", reason="torchmetrics is not installed")
    import torch

    trials = 10
    score, credit = sample(2)
    credit = np.round(credit)
    values, count, credits = grouped(score, credit)
    # With T + 1 bins of equal width, each vote level i / T lies in the bin of its own.
    expected = functional.binary_calibration_error(
        torch.tensor(score, dtype=torch.float64), torch.tensor(credit).long(), n_bins=trials + 1, norm="l1"
    )
    found = calibration.expected_calibration_error(count, credits, count * values[:, None])
    assert found[0] == pytest.approx(float(expected), abs=1e-6)


@given(items)
def test_aurc_and_risk_are_means_over_all_orders_of_tied_items(pairs: list[tuple[int, float]]) -> None:
    score, credit = (np.array(values, dtype=float) for values in zip(*pairs, strict=True))
    curves = []
    for order in itertools.permutations(range(len(pairs))):
        if all(score[a] >= score[b] for a, b in itertools.pairwise(order)):
            curves.append(np.cumsum(1 - credit[list(order)]) / np.arange(1, len(pairs) + 1))
    _, count, credits = grouped(score, credit)
    mean = np.mean(curves, axis=0)
    assert calibration.area_under_risk_coverage(count, credits)[0] == pytest.approx(mean.mean(), abs=1e-12)
    coverage = np.arange(1, len(pairs) + 1) / len(pairs)
    assert calibration.risk_at_coverage(count, credits, coverage)[:, 0] == pytest.approx(mean, abs=1e-12)


@given(items)
def test_auroc_is_a_share_of_pairs(pairs: list[tuple[int, float]]) -> None:
    score, credit = (np.array(values, dtype=float) for values in zip(*pairs, strict=True))
    weights = credit[:, None] * (1 - credit)[None, :]
    wins = (score[:, None] > score[None, :]) + 0.5 * (score[:, None] == score[None, :])
    _, count, credits = grouped(score, credit)
    found = calibration.auroc(count, credits)[0]
    if credit.sum() in (0, len(credit)):
        assert np.isnan(found)
    else:
        total = credit.sum() * (1 - credit).sum()
        assert found == pytest.approx((weights * wins).sum() / total, abs=1e-12)


def test_many_weightings_and_empty_groups() -> None:
    score, credit = sample(3, n=50)
    values, group = np.unique(score, return_inverse=True)
    weights = np.random.default_rng(0).integers(0, 3, (50, 4))
    weights[score == values[0], 1] = 0
    weights[:, 2] = 0
    indicator = (group[None, :] == np.arange(len(values))[:, None]).astype(float)
    count, credits = indicator @ weights, (indicator * credit) @ weights
    for column in range(4):
        chosen = np.repeat(np.arange(50), weights[:, column])
        for metric in (calibration.auroc, calibration.area_under_risk_coverage):
            found = metric(count, credits)[column]
            if not len(chosen):
                assert np.isnan(found)
            else:
                _, own, own_credits = grouped(score[chosen], credit[chosen])
                assert found == pytest.approx(metric(own, own_credits)[0], abs=1e-12)


def test_vote_levels_are_the_nearest() -> None:
    # 3 of 10 votes and half an unread one over two options lie between three and four votes.
    assert calibration.vote_levels(np.array([0.3, 0.34, 0.35, 1.0, 7 / 9]), 10).tolist() == [3, 3, 4, 10, 8]
