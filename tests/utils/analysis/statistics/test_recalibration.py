"""Recalibration against worked examples, refits without an item, and simulated models."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize
from sklearn.linear_model import LogisticRegression

from medqdeg.utils.analysis.statistics import agreement_gap, recalibration
from medqdeg.utils.analysis.statistics.clustered import clustered_ratio


def _exact(questions: int, power: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities to the given power of a calibrated model's, and the right options."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(4, 0.5), questions)
    answer = np.array([rng.choice(4, p=row) for row in p])
    return recalibration.tempered(p, 1 / power), answer


def test_worked_example_of_the_slope() -> None:
    terms = agreement_gap.vote_terms(
        np.array([[3, 1, 0, 0], [1, 2, 0, 0], [0, 3, 0, 0]]), np.array([0, 1, 1]), np.zeros(3, dtype=int)
    )
    u, v, w = terms.agree - terms.weight / 4, terms.right - terms.weight / 4, terms.weight
    assert u.sum() / w.sum() == pytest.approx(1 / 3)
    assert v.sum() / w.sum() == pytest.approx(5 / 24)
    assert recalibration.calibration_slope(u[None], v[None], np.ones((1, 3))).estimate[0] == pytest.approx(5 / 8)
    gap, _ = recalibration.gap_after_slope(u, v, w, 4 / 5, np.zeros(3))
    assert gap == pytest.approx(7 / 150)


def test_worked_example_of_the_temperature() -> None:
    assert recalibration.tempered(np.array([[0.8, 0.2]]), 2.0)[0] == pytest.approx([2 / 3, 1 / 3])
    assert recalibration.tempered(np.array([[0.5, 0.5, 0.0]]), 3.0)[0].tolist() == [0.5, 0.5, 0.0]


def test_an_own_slope_leaves_no_gap() -> None:
    rng = np.random.default_rng(0)
    u, w = rng.random(50), np.ones(50)
    v = 0.7 * u + rng.normal(0, 0.1, 50)
    slope = recalibration.calibration_slope(u[None], v[None], w[None])
    gap, influence = recalibration.gap_after_slope(u, v, w, slope.estimate[0], slope.influence[0])
    assert gap == pytest.approx(0)
    assert influence == pytest.approx(np.zeros(50), abs=0.02)


def test_the_error_of_a_slope_fitted_elsewhere_is_added() -> None:
    rng = np.random.default_rng(1)

    def level(slope: float, questions: int = 400) -> tuple[np.ndarray, np.ndarray]:
        u = rng.random(questions)
        return u, slope * u + rng.normal(0, 0.2, questions)

    w, found, errors = np.ones(400), [], []
    for _ in range(300):
        clean, degraded = level(0.9), level(0.9)
        slope = recalibration.calibration_slope(clean[0][None], clean[1][None], w[None])
        gap, influence = recalibration.gap_after_slope(*degraded, w, slope.estimate[0], np.zeros(400))
        _, with_slope = recalibration.gap_after_slope(*degraded, w, slope.estimate[0], slope.influence[0])
        found.append(gap)
        # The two levels are of different questions here, so the two parts add up as variances.
        part = with_slope - influence
        errors.append(np.sqrt((influence**2).sum() + (part**2).sum()))
    assert np.std(found) == pytest.approx(np.mean(errors), rel=0.12)


def test_temperature_is_scipy_s_minimum_and_its_influence_a_refit() -> None:
    p, answer = _exact(1500, power=2.0)
    fit = recalibration.fit_temperature(p, answer)

    def loss(log_temperature: float) -> float:
        scaled = recalibration.tempered(p, np.exp(log_temperature))
        return float(recalibration.log_likelihood_loss(scaled, answer).mean())

    expected = optimize.minimize_scalar(loss, bounds=(-2, 2), method="bounded").x
    assert fit.parameters[0] == pytest.approx(expected, abs=1e-4)
    assert np.exp(fit.parameters[0]) == pytest.approx(2.0, rel=0.1)
    for out in (0, 5, 99):
        without = recalibration.fit_temperature(np.delete(p, out, 0), np.delete(answer, out))
        change = fit.parameters[0] - without.parameters[0]
        assert fit.influence[out, 0] == pytest.approx(change, rel=0.02, abs=1e-6)


def test_temperature_stops_at_its_range() -> None:
    p = np.array([[0.6, 0.4]] * 40)
    fit = recalibration.fit_temperature(p, np.zeros(40, dtype=int))
    assert np.exp(fit.parameters[0]) == pytest.approx(0.1, rel=1e-4)
    assert (fit.influence == 0).all()


def test_gap_after_a_temperature_has_the_error_of_both_levels() -> None:
    rng = np.random.default_rng(7)
    questions, found, errors = 300, [], []
    for _ in range(150):
        p, answer = _exact(questions, power=1.6, seed=int(rng.integers(1 << 30)))
        fit = recalibration.fit_temperature(p, answer)
        other, other_answer = _exact(questions, power=1.6, seed=int(rng.integers(1 << 30)))
        items = np.concatenate([np.zeros(questions), np.ones(questions)])

        def terms(
            parameters: np.ndarray, other: np.ndarray = other, other_answer: np.ndarray = other_answer
        ) -> tuple[np.ndarray, np.ndarray]:
            scaled = recalibration.tempered(other, np.exp(parameters[0]))
            own = agreement_gap.exact_terms(scaled, np.ones(questions), other_answer)
            nothing = np.zeros(questions)
            return np.concatenate([nothing, own.difference]), np.concatenate([nothing, own.weight])

        influence = np.concatenate([fit.influence, np.zeros((questions, 1))])
        gap, moved = recalibration.gap_after_fit(terms, fit.parameters, influence, items)
        found.append(gap)
        errors.append(np.sqrt((moved**2).sum()))
    assert np.mean(found) == pytest.approx(0, abs=0.01)
    assert np.std(found) == pytest.approx(np.mean(errors), rel=0.15)


def test_platt_is_a_logistic_regression() -> None:
    rng = np.random.default_rng(3)
    stated = rng.uniform(0.05, 0.95, 3000)
    right = (rng.random(3000) < recalibration.platt(stated, np.array([-0.4, 0.5]))).astype(float)
    fit = recalibration.fit_platt(stated, right)
    logit = np.log(stated / (1 - stated))[:, None]
    expected = LogisticRegression(C=1e6).fit(logit, right)
    assert fit.parameters == pytest.approx([expected.intercept_[0], expected.coef_[0, 0]], abs=0.005)
    for out in (0, 11):
        without = recalibration.fit_platt(np.delete(stated, out), np.delete(right, out)).parameters
        assert fit.influence[out] == pytest.approx(fit.parameters - without, rel=0.05, abs=1e-6)
    certain = recalibration.fit_platt(np.ones(40), np.ones(40))
    assert np.isfinite(certain.parameters).all()


def test_reasons_without_a_fit() -> None:
    assert recalibration.reason_without_fit(29, 3.0) == "fewer than 30 source questions at L0"
    assert recalibration.reason_without_fit(30, 0.0) == "no wrong item at L0"
    assert recalibration.reason_without_fit(30, 0.5) is None


def test_a_slope_needs_agreement_above_chance() -> None:
    found = recalibration.calibration_slope(np.array([[-0.2, 0.1]]), np.array([[0.1, 0.1]]), np.ones((1, 2)))
    assert np.isnan(found.estimate[0])
    assert clustered_ratio(np.ones((1, 2)), np.ones((1, 2))).estimate[0] == 1
