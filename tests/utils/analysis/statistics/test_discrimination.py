"""AUROC, its influence and interval, and AUGRC, against scikit-learn, the jackknife and whole curves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, special, stats
from sklearn.metrics import roc_auc_score

from medqdeg.utils.analysis.statistics import discrimination
from medqdeg.utils.analysis.statistics.clustered import clustered_ratio


def test_worked_example() -> None:
    score, right = np.array([1, 0.8, 0.8, 0.5]), np.array([1.0, 1, 0, 0])
    found = discrimination.clustered_auroc(score, right, np.arange(4), 4)
    assert found.value == 7 / 8
    assert found.influence.sum() == pytest.approx(0)
    assert discrimination.augrc(np.array(found.value), np.array(0.5)) == 5 / 32


@pytest.mark.parametrize("seed", range(3))
def test_scikit_learn_agrees_and_weights_repeat_items(seed: int) -> None:
    rng = np.random.default_rng(seed)
    score, right = rng.integers(0, 6, 80) / 5, rng.integers(0, 2, 80).astype(float)
    weight = rng.integers(1, 4, 80)
    clusters = rng.integers(0, 20, 80)
    found = discrimination.clustered_auroc(score, right, clusters, 20, weight.astype(float))
    assert found.value == pytest.approx(roc_auc_score(right, score, sample_weight=weight))
    repeated = discrimination.clustered_auroc(*(np.repeat(part, weight) for part in (score, right, clusters)), 20)
    assert found.value == pytest.approx(repeated.value)
    assert found.influence == pytest.approx(repeated.influence)


def test_fractional_credit_is_a_mixture_of_right_and_wrong() -> None:
    score, credit = np.array([0.2, 0.6, 0.9]), np.array([0.5, 0.0, 1.0])
    found = discrimination.clustered_auroc(score, credit, np.arange(3), 3).value
    expected = roc_auc_score([1, 0, 0, 1], [0.2, 0.2, 0.6, 0.9], sample_weight=[0.5, 0.5, 1, 1])
    assert found == pytest.approx(expected)


def test_influence_is_what_leaving_a_cluster_out_does() -> None:
    rng = np.random.default_rng(1)
    clusters = np.repeat(np.arange(300), 2)
    score, right = rng.integers(0, 11, 600) / 10, rng.integers(0, 2, 600).astype(float)
    found = discrimination.clustered_auroc(score, right, clusters, 300)
    for out in (0, 7, 123):
        kept = clusters != out
        without = roc_auc_score(right[kept], score[kept])
        assert found.influence[out] == pytest.approx(found.value - without, abs=2e-5)


def test_interval_is_the_formula_s() -> None:
    m, auroc, error = 12.0, 0.93, 0.04
    low, high = discrimination.auroc_interval(np.array([auroc]), np.array([error]), np.array([m]), np.array([0.4]))
    # The mean and variance of m + 1 numbers: m with this mean and error, and one at 1/2.
    centre = (m * auroc + 0.5) / 13
    spread = (m * error**2 * m + m * (auroc - centre) ** 2 + (0.5 - centre) ** 2) / (13 * 12)
    reach = stats.t.ppf(0.975, 11) * np.sqrt(spread) / (centre * (1 - centre))
    expected = special.expit(special.logit(centre) + np.array([-reach, reach]))
    assert [low[0], high[0]] == pytest.approx(expected.tolist())


def test_wrong_answers_that_all_have_the_same_score_say_little() -> None:
    score = np.where(np.arange(200) < 150, 1.0, 0.8)
    right = np.ones(200)
    right[:6] = 0  # all six wrong answers have the commonest score
    found = discrimination.clustered_auroc(score, right, np.arange(200), 200)
    assert found.modal == 1
    error = np.sqrt((found.influence**2).sum())[None]
    low, high = discrimination.auroc_interval(np.array([found.value]), error, np.array([6.0]), np.array([found.modal]))
    narrow = discrimination.auroc_interval(np.array([found.value]), error, np.array([6.0]), np.array([0.3]))
    assert high[0] - low[0] > 1.5 * (narrow[1][0] - narrow[0][0])


def test_few_wrong_answers_give_no_interval() -> None:
    low, _ = discrimination.auroc_interval(np.full(2, 0.99), np.full(2, 0.01), np.array([4.9, 5.0]), np.full(2, 0.2))
    assert np.isnan(low[0])
    assert np.isfinite(low[1])
    ratio = clustered_ratio(np.random.default_rng(0).random((1, 40)), np.ones((1, 40)))
    assert np.isnan(discrimination.brier_interval(ratio, np.array([4.0]))[0][0])
    assert np.isfinite(discrimination.brier_interval(ratio, np.array([5.0]))[0][0])


def test_all_right_has_no_auroc_but_an_augrc() -> None:
    found = discrimination.clustered_auroc(np.array([0.5, 1.0]), np.ones(2), np.arange(2), 2)
    assert np.isnan(found.value)
    assert (found.influence == 0).all()
    assert discrimination.augrc(np.array([np.nan, np.nan]), np.array([1.0, 0.0])).tolist() == [0, 0.5]
    assert np.isnan(discrimination.augrc(np.array(np.nan), np.array(np.nan)))


@pytest.mark.parametrize("seed", range(3))
def test_augrc_is_the_area_under_the_generalised_curve(seed: int) -> None:
    rng = np.random.default_rng(seed)
    score, right = rng.permutation(400) / 400, rng.integers(0, 2, 400).astype(float)
    auroc = discrimination.clustered_auroc(score, right, np.arange(400), 400).value
    order = np.argsort(-score)
    risk = np.concatenate([[0.0], np.cumsum(1 - right[order]) / 400])  # share answered and wrong at each coverage
    area = integrate.trapezoid(risk, dx=1 / 400)
    assert discrimination.augrc(np.array(auroc), np.array(right.mean())) == pytest.approx(area)
