"""Cells, verdicts, operating points, recalibration and pilots of runs whose truth is known."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from medqdeg.utils.analysis.cell_ratios import CellRatios
from medqdeg.utils.analysis.change_estimates import matched_columns
from medqdeg.utils.analysis.item_answers import ItemAnswers, answers_of_votes, item_answers
from medqdeg.utils.analysis.operating import operating_point
from medqdeg.utils.analysis.pilot import Pilot, pilot
from medqdeg.utils.analysis.recalibrated import recalibration
from medqdeg.utils.analysis.statistics.agreement_gap import NO_VARIATION, exact_terms, vote_terms
from medqdeg.utils.analysis.verdict_rows import node_verdicts

K = 4


@dataclass
class Simulated:
    """A run at L0 and L2: one clean and two degraded items per question, the right option first."""

    answers: ItemAnswers
    credit: np.ndarray
    accuracy: np.ndarray
    levels: np.ndarray
    clusters: np.ndarray
    ids: list[str]

    @property
    def weight(self) -> np.ndarray:
        return np.ones(len(self.levels))


def simulated(
    questions: int, strength: tuple[float, float], sharpness: tuple[float, float], trials: int, seed: int = 0
) -> Simulated:
    """Gaussian evidence, its exact posterior to the power of the sharpness; `trials` 0 gives exact probabilities."""
    rng = np.random.default_rng(seed)
    clusters = np.concatenate([np.arange(questions), np.repeat(np.arange(questions), 2)])
    degraded = np.arange(len(clusters)) >= questions
    common = rng.normal(size=(questions, K)) * math.sqrt(0.5)
    evidence = common[clusters] + rng.normal(size=(len(clusters), K)) * math.sqrt(0.5)
    s = np.where(degraded, strength[1], strength[0])
    evidence[:, 0] += s
    logits = evidence * (s * np.where(degraded, sharpness[1], sharpness[0]))[:, None]
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    levels = np.where(degraded, "L2", "L0").astype(object)
    ids = [f"index:{number}" for number in range(questions)]
    k = np.full(len(clusters), K)
    if trials:
        counts = rng.multinomial(trials, p).astype(float)
        answers = answers_of_votes(counts, np.zeros(len(counts)), k, trials)
        top = counts.max(axis=1)
        credit = np.where(counts[:, 0] == top, 1 / (counts == top[:, None]).sum(axis=1), 0.0)
        return Simulated(answers, credit, counts[:, 0] / trials, levels, clusters, ids)
    zero = np.zeros(len(p), dtype=int)
    nothing = answers_of_votes(np.zeros_like(p), np.zeros(len(p)), k, 0)
    answers = ItemAnswers(
        *("exact", 0, nothing.counts, nothing.unread, zero, k, p, np.ones(len(p)), nothing.stated),
        gap=exact_terms(p, np.ones(len(p)), zero),
    )
    return Simulated(answers, (p.argmax(axis=1) == 0).astype(float), p[:, 0], levels, clusters, ids)


def _verdicts(run: Simulated, nodes: int = 1) -> list:
    later = run.levels == "L2"
    node = run.clusters % nodes
    items = {place: np.flatnonzero(later & (node == place)) for place in range(nodes)}
    ratios = CellRatios(items, run.clusters, len(run.ids), run.weight)
    return list(
        node_verdicts(
            *(ratios, {"axis": list(range(nodes))}, run.accuracy, run.answers.gap, run.clusters),
            *(run.levels == "L0", later, None),
        )
    )


def test_weights_repeat_items() -> None:
    rng = np.random.default_rng(0)
    values, clusters, weight = rng.random(50), rng.integers(0, 12, 50), rng.integers(1, 4, 50)
    values[::7] = np.nan
    found = CellRatios({"all": np.arange(50)}, clusters, 12, weight.astype(float)).mean(values)
    repeated = np.repeat(np.arange(50), weight)
    expected = CellRatios({"all": np.arange(len(repeated))}, clusters[repeated], 12, np.ones(len(repeated))).mean(
        values[repeated]
    )
    assert found.estimate == pytest.approx(expected.estimate)
    assert found.error == pytest.approx(expected.error)


def test_cells_are_independent_means() -> None:
    values, clusters = np.arange(6.0), np.array([0, 0, 1, 1, 2, 2])
    ratios = CellRatios({"a": np.array([0, 2]), "b": np.array([1, 4, 5])}, clusters, 3, np.ones(6))
    found = ratios.mean(values)
    assert found.estimate.tolist() == [1.0, 10 / 3]
    assert found.clusters.tolist() == [2, 2]
    assert ratios.count(values > 1).tolist() == [1, 2]


def test_matched_columns_hold_both_versions_of_the_same_items() -> None:
    values = np.array([1.0, 0.5, np.nan, 0.2, 0.4, 0.6])
    units, clean = np.array([0, 1, 2, 0, 1, 2]), np.arange(6) < 3
    earlier, later = matched_columns(values, units, clean, ~clean)
    assert np.isnan(earlier[[0, 1, 2, 5]]).all()
    assert earlier[[3, 4]].tolist() == [1.0, 0.5]
    assert later[[3, 4]].tolist() == [0.2, 0.4]


@pytest.mark.parametrize("trials", [2, 3, 10])
def test_a_calibrated_model_that_gets_worse_is_not_said_to_overrate_itself(trials: int) -> None:
    (found,) = _verdicts(simulated(400, (1.8, 0.9), (1.0, 1.0), trials))
    assert found.verdict.word in ("not decided", "contradicted")
    (found,) = _verdicts(simulated(400, (1.8, 0.9), (1.0, 3.0), trials))
    assert found.verdict.word == "supported"
    assert found.verdict.form == "grows"
    assert found.p < 0.05


def test_nodes_need_q_not_only_p() -> None:
    run = simulated(400, (1.8, 1.1), (1.0, 2.2), 10)
    alone, many = _verdicts(run)[0], _verdicts(run, nodes=20)
    assert alone.verdict.word == "supported"
    assert all(one.q >= one.p or math.isnan(one.p) for one in many)
    assert all(one.q <= 0.05 for one in many if one.verdict.word == "supported")


def test_operating_point_of_votes() -> None:
    run = simulated(1200, (2.4, 1.0), (1.0, 1.0), 10)
    found = operating_point(run.answers, run.credit, run.levels, run.clusters, run.ids, run.weight)
    assert found.threshold is not None
    assert found.text == f"at least {round(10 * found.threshold)} of 10 votes"
    clean, degraded = found.levels["L0"].values, found.levels["L2"].values
    assert clean[1] < 0.05 < degraded[1]
    assert clean[0] > degraded[0]
    share = run.answers.counts.max(axis=1) / 10
    chosen = (run.levels == "L2") & (share >= found.threshold)
    assert degraded[0] == pytest.approx(chosen.sum() / (run.levels == "L2").sum(), abs=0.05)
    assert degraded[2] == pytest.approx(degraded[0] * degraded[1])


def test_no_operating_point_is_a_sentence() -> None:
    run = simulated(84, (1.2, 0.8), (1.0, 1.0), 10)
    found = operating_point(run.answers, run.credit, run.levels, run.clusters, run.ids, run.weight)
    assert found.threshold is None
    assert found.levels == {}
    assert found.text.startswith("No threshold keeps L0 error below 5% with 90% confidence")
    laxer = operating_point(run.answers, run.credit, run.levels, run.clusters, run.ids, run.weight, risk=0.6)
    assert laxer.threshold is not None


def _recalibrated(run: Simulated) -> object:
    return recalibration(run.answers, run.credit, run.levels, run.clusters, run.ids, run.weight, {})


def test_the_slope_of_votes_is_one_for_a_calibrated_model_and_smaller_for_a_sharper() -> None:
    calibrated = _recalibrated(simulated(1500, (1.8, 1.0), (1.0, 1.0), 5))
    for level in ("L0", "L2"):
        _, low, high = calibrated.levels[level].slope
        assert low < 1 < high
        _, low, high = calibrated.levels[level].gap_after
        assert low < 0 < high
    sharper = _recalibrated(simulated(1500, (1.8, 1.0), (1.0, 2.5), 5))
    change, _, high = sharper.levels["L2"].slope_change
    assert change < 0
    assert high < 0
    assert sharper.levels["L2"].gap_after[1] > 0


def test_a_temperature_learnt_on_clean_images_mends_equal_overconfidence() -> None:
    found = _recalibrated(simulated(1500, (1.8, 1.0), (2.0, 2.0), 0))
    assert found.parameters["temperature"] == pytest.approx(2.0, rel=0.15)
    for level in ("L0", "L2"):
        own = found.levels[level]
        assert own.gap_before[1] > 0.02
        assert own.gap_after[1] < 0 < own.gap_after[2]
        for before, after in own.scores.values():
            assert after < before


def test_stated_confidences_are_scaled_by_platt() -> None:
    rng = np.random.default_rng(0)
    records = []
    for number in range(200):
        for level in ("L0", "L2"):
            stated = rng.uniform(0.55, 0.99, 3)
            right = rng.random(3) < stated - 0.25
            records.append(
                {
                    "level": level,
                    "options": list("AB"),
                    "answer": "A",
                    "k": 2,
                    "letters": ["A" if one else "B" for one in right],
                    "stated": [*stated[:2], None if number % 5 == 0 else stated[2]],
                }
            )
    answers = item_answers(records, "verbalized", 3)
    assert answers.gap.weight[0] == 2  # a trial without a number counts nowhere
    levels = np.array([record["level"] for record in records], dtype=object)
    clusters = np.repeat(np.arange(200), 2)
    credit = np.array([record["letters"].count("A") >= 2 for record in records]).astype(float)
    found = recalibration(answers, credit, levels, clusters, [str(n) for n in range(200)], np.ones(400), {})
    assert found.parameters.keys() == {"offset", "slope"}
    for own in found.levels.values():
        assert own.gap_before[1] > 0.2
        assert own.gap_after[1] < 0 < own.gap_after[2]


def test_nothing_is_fitted_without_reason() -> None:
    run = simulated(20, (1.8, 1.0), (1.0, 1.0), 5)
    assert _recalibrated(run).reason == "fewer than 30 source questions at L0"
    found = recalibration(
        *(run.answers, run.credit, run.levels, run.clusters, run.ids, run.weight), {"L0": NO_VARIATION}
    )
    assert found.reason == NO_VARIATION


@pytest.mark.parametrize("trials", [1, 5, 0])
def test_a_pilot_goes_through_json(trials: int) -> None:
    run = simulated(84, (1.8, 1.0), (1.0, 1.5), trials)
    without = {"L0": "one vote", "L2": "one vote"} if trials == 1 else {}
    found = pilot(run.answers, run.accuracy, run.levels, run.clusters, run.clusters, without)
    assert found is not None
    again = Pilot.from_json(found.as_json())
    if trials == 1:
        assert found.unit is None
        assert found.measured.keys() == {"accuracy"}
        return
    assert again.unit.at("gap", 7) == pytest.approx(found.unit.at("gap", 7), rel=1e-6)
    assert found.unit.at("accuracy", 100) < found.unit.at("accuracy", 3)
    if trials:
        assert found.unit.at("accuracy", trials) == pytest.approx(found.measured["accuracy"])


def test_terms_of_votes_are_those_of_the_records() -> None:
    record = {"options": list("ABCD"), "answer": "A", "k": 4, "letters": ["A", "B", "B", "unread", "missing"]}
    answers = item_answers([record], "votes", 5)
    assert answers.trials.tolist() == [4]
    expected = vote_terms(np.array([[1.0, 2, 0, 0]]), np.ones(1), np.zeros(1, dtype=int))
    assert answers.gap.difference == expected.difference
