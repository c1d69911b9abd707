"""Every metric of every cell, in the data and in replicates, against items that are physically repeated."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from medqdeg.utils.analysis.cell_sums import COVERAGES, Cell, CellSums
from medqdeg.utils.analysis.changes import level_changes
from medqdeg.utils.analysis.item_table import item_table
from medqdeg.utils.analysis.metrics import BOOTSTRAPPED, FIGURES
from medqdeg.utils.analysis.run_estimates import RunEstimates
from medqdeg.utils.analysis.statistics.bootstrap import ClusterBootstrap
from medqdeg.utils.scoring import level_summary
from medqdeg.utils.scoring.agreement import agreement_gap, item_gap

from ..run_files import scored_levels

REPLICATES = 6


@pytest.fixture(scope="module")
def records() -> list[dict[str, Any]]:
    return [record for level in scored_levels(60, seed=5).values() for record in level]


@pytest.fixture(scope="module")
def sums(records: list[dict[str, Any]]) -> CellSums:
    table = item_table(records)
    return CellSums(table, ClusterBootstrap(len(table.cluster_ids), REPLICATES, seed=2).draws())


@pytest.fixture(scope="module")
def estimates(sums: CellSums) -> RunEstimates:
    return RunEstimates(sums.table, sums, {**sums.means(), **sums.calibration()[0]})


def _repeated(sums: CellSums, cell: Cell, column: int) -> np.ndarray:
    """The items of a cell, each as often as its cluster was drawn."""
    items = sums.items[cell]
    return np.repeat(items, sums.draws[sums.table.clusters[items], column])


def test_cells_are_those_of_every_node(records: list[dict[str, Any]], sums: CellSums) -> None:
    expected = set()
    for level in ("L0", "L1", "L2"):
        own = [record for record in records if record["level"] == level]
        expected.add(Cell(level, "overall", "all"))
        expected |= {Cell(level, axis, node) for axis, found in level_summary.every_node(own).items() for node in found}
    assert set(sums.cells) == expected


def test_means_of_every_cell_and_replicate(records: list[dict[str, Any]], sums: CellSums) -> None:
    found = sums.means()
    for row, cell in enumerate(sums.cells):
        for column in range(1 + REPLICATES):
            chosen = _repeated(sums, cell, column)
            scores = level_summary.node_scores([records[item] for item in chosen])
            for name in ("confidence", "calibration_shift"):
                expected = math.nan if scores[name] is None else scores[name]
                assert found[name].values[row, column] == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_shares_and_gaps_of_every_cell(records: list[dict[str, Any]], estimates: RunEstimates) -> None:
    names = ("accuracy", "majority_vote", "unread_rate", "missing_rate", "readable_share")
    found = {name: estimates.metric(name).values for name in (*names, "agreement_gap")}
    for row, items in enumerate(estimates.items):
        own = [records[item] for item in items]
        scores = level_summary.node_scores(own)
        for name in names:
            expected = math.nan if scores[name] is None else scores[name]
            assert found[name][row] == pytest.approx(expected, abs=1e-12, nan_ok=True)
        if scores["agreement_gap"] is not None:
            assert found["agreement_gap"][row] == pytest.approx(scores["agreement_gap"], abs=1e-12)


def test_headline_columns_agree_with_the_votes(records: list[dict[str, Any]], sums: CellSums) -> None:
    """The columns that votes give are those of the records, so that the others can be trusted too."""
    from medqdeg.utils.analysis.item_answers import vote_counts
    from medqdeg.utils.analysis.item_table import vote_columns

    counts, unread = vote_counts(records)
    answer = np.array([record["options"].index(record["answer"]) for record in records])
    columns = vote_columns(counts, unread, sums.table.k, answer)
    for name in ("accuracy", "majority_vote", "confidence", "calibration_shift", "unread_rate"):
        assert columns[name] == pytest.approx(sums.table.columns[name], abs=1e-12, nan_ok=True)


def test_standard_errors_of_every_cell(sums: CellSums) -> None:
    found = sums.means()
    table = sums.table
    for row, cell in enumerate(sums.cells):
        for column in (0, REPLICATES):
            for name in ("confidence", "shift_unread_dropped", "unread_effect"):
                if name == "unread_effect":
                    parts = [table.columns["shift_unread_dropped"], table.columns["calibration_shift"]]
                else:
                    parts = [table.columns[name]]
                influence = np.zeros((len(parts), len(table.cluster_ids)))
                for part, values in enumerate(parts):
                    chosen = _repeated(sums, cell, column)
                    chosen = chosen[np.isfinite(values[chosen])]
                    if len(chosen) == 0:
                        influence[part] = np.nan
                        continue
                    mean = values[chosen].mean()
                    for item in sums.items[cell]:
                        if np.isfinite(values[item]):
                            influence[part, table.clusters[item]] += (values[item] - mean) / len(chosen)
                total = influence[0] - influence[1] if len(parts) == 2 else influence[0]
                expected = np.sqrt((sums.draws[:, column] * total**2).sum())
                errors = found[name].errors
                assert errors is not None
                assert errors[row, column] == pytest.approx(expected, abs=1e-7, nan_ok=True)


def test_calibration_of_every_cell_and_replicate(sums: CellSums, estimates: RunEstimates) -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    found, curves = sums.calibration()
    columns = sums.table.columns
    rocs = {name: estimates.metric(name).values for name in ("auroc", "confidence_auroc")}
    ece = estimates.metric("ece").values
    for row, cell in enumerate(sums.cells):
        for column in (0, 1, REPLICATES):
            chosen = _repeated(sums, cell, column)
            chosen = chosen[np.isfinite(columns["confidence"][chosen])]
            credit = columns["majority_vote"][chosen]
            for prefix, score in (("", "top_share"), ("confidence_", "confidence")):
                scores = np.round(columns[score][chosen], 9)
                area, roc = found[f"{prefix}aurc"].values[row, column], rocs[f"{prefix}auroc"][row]
                if not column and 0 < credit.sum() < len(chosen):
                    weights = np.concatenate([credit, 1 - credit])
                    truth = np.repeat([1, 0], len(chosen))
                    expected = metrics.roc_auc_score(truth, np.tile(scores, 2), sample_weight=weights)
                    assert roc == pytest.approx(expected, abs=1e-9)
                elif not column:
                    assert np.isnan(roc)
                assert area == pytest.approx(_aurc(scores, credit), abs=1e-9, nan_ok=True)
            if not column:
                expected = _ece(columns["top_share"][chosen], credit, 10)
                assert ece[row] == pytest.approx(expected, abs=1e-9, nan_ok=True)
        curve = curves[cell]
        assert curve.risk[-1, 0] == pytest.approx(
            1 - columns["majority_vote"][sums.items[cell]][np.isfinite(columns["confidence"][sums.items[cell]])].mean()
        )
        assert curve.count.sum() == curve.cell_n == found["aurc"].n[row]
        assert len(curve.risk) == len(COVERAGES)


def _aurc(score: np.ndarray, credit: np.ndarray) -> float:
    """Risk at each k by linear interpolation of the errors within tied items, rank by rank."""
    risks, errors, before = [], 0.0, 0
    for value in sorted(set(score), reverse=True):
        tied = credit[score == value]
        rate = 1 - tied.mean()
        risks += [(errors + rate * place) / (before + place) for place in range(1, len(tied) + 1)]
        errors, before = errors + rate * len(tied), before + len(tied)
    return float(np.mean(risks)) if risks else math.nan


def _ece(score: np.ndarray, credit: np.ndarray, trials: int) -> float:
    if len(score) == 0:
        return math.nan
    votes = np.array([math.floor(value * trials + 0.5 + 1e-9) for value in score])
    bins = [votes == count for count in range(trials + 1)]
    return sum(abs(credit[own].sum() - score[own].sum()) for own in bins) / len(score)


def test_every_metric_is_computed(sums: CellSums, estimates: RunEstimates) -> None:
    assert {*sums.means(), *sums.calibration()[0]} == set(BOOTSTRAPPED)
    for name, figure in FIGURES.items():
        found = estimates.metric(name)
        for values in (found.values, found.low, found.high):
            known = values[np.isfinite(values)]
            assert (known >= figure.bounds[0] - 1e-12).all()
            assert (known <= figure.bounds[1] + 1e-12).all()
        if figure.interval == "point":
            assert np.isnan(found.low).all()


def test_what_has_no_interval_says_why(estimates: RunEstimates) -> None:
    found = estimates.metric("auroc")
    for value, low, reason in zip(found.values, found.low, found.reasons, strict=True):
        assert (reason is None) == (not np.isfinite(value) or np.isfinite(low))
        assert reason is None or reason.startswith("too few questions differ (m=")
    assert any(found.reasons)


def test_changes_between_levels(records: list[dict[str, Any]], estimates: RunEstimates) -> None:
    changes = {(c.comparison, c.pairing, c.figure): c for c in level_changes(estimates, tuple(FIGURES))}
    by_level = {level: [r for r in records if r["level"] == level] for level in ("L0", "L1", "L2")}
    scores = {level: level_summary.node_scores(own) for level, own in by_level.items()}
    for name in ("calibration_shift", "agreement_gap"):
        plain = changes["L0_to_L2", "plain", name]
        row = plain.nodes.index(("overall", "all"))
        assert plain.estimates.values[row] == pytest.approx(scores["L2"][name] - scores["L0"][name])

    clean = {r["source_question_id"]: r["accuracy"] for r in by_level["L0"] if r["accuracy"] is not None}
    mild = {(r["source_question_id"], r["degradation"]): r["accuracy"] for r in by_level["L1"]}
    for node in ("motion_blur", "gaussian_noise"):
        own = [r for r in by_level["L2"] if r["degradation"] == node and r["accuracy"] is not None]
        drops = [r["accuracy"] - clean[r["source_question_id"]] for r in own if r["source_question_id"] in clean]
        matched = changes["L0_to_L2", "matched", "accuracy"]
        row = matched.nodes.index(("degradation", node))
        assert matched.estimates.values[row] == pytest.approx(np.mean(drops))
        assert matched.estimates.n[row] == len(drops)
        steps = [
            (r["accuracy"] - mild[key]) - (mild[key] - clean[key[0]])
            for r in own
            if mild.get(key := (r["source_question_id"], r["degradation"])) is not None and key[0] in clean
        ]
        cliff = changes["cliff", "matched", "accuracy"]
        assert cliff.estimates.values[cliff.nodes.index(("degradation", node))] == pytest.approx(np.mean(steps))
    # A clean item has no degradation, so only the matched change exists there.
    assert not any(axis == "degradation" for axis, _ in changes["L0_to_L1", "plain", "accuracy"].nodes)


def test_a_matched_gap_weighs_a_clean_item_as_its_degraded_versions(
    records: list[dict[str, Any]], estimates: RunEstimates
) -> None:
    changes = {(c.comparison, c.pairing, c.figure): c for c in level_changes(estimates, ("agreement_gap",))}
    found = changes["L0_to_L2", "matched", "agreement_gap"]
    clean = {r["source_question_id"]: r for r in records if r["level"] == "L0" and item_gap(r)}
    sides: list[list[Any]] = [[], []]
    for record in records:
        if record["level"] == "L2" and (gap := item_gap(record)) and record["source_question_id"] in clean:
            sides[0].append((item_gap(clean[record["source_question_id"]]), 1.0))
            sides[1].append((gap, 1.0))
    expected = agreement_gap(sides[1]) - agreement_gap(sides[0])
    assert found.estimates.values[found.nodes.index(("overall", "all"))] == pytest.approx(expected)
