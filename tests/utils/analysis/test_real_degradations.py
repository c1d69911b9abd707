"""Ranks on simulated and on real degradations, against pairs counted by hand."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from medqdeg.utils.analysis.analyse import Analysis, analyse
from medqdeg.utils.analysis.json_document import document
from medqdeg.utils.analysis.real_degradations import real_lines
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.report.content import SCOPE

from ..run_files import scored_levels, write_run


def with_real(seed: int, share: float, *, every: int = 4, unknown: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Records in which every so many degraded items are real; `share` of the items get only right answers."""
    levels = scored_levels(40, seed=seed, trials=4)
    for level in ("L1", "L2"):
        for number, record in enumerate(levels[level]):
            if number % every == 0:
                record["degradation_origin"] = "real, level not known" if unknown and level == "L1" else "real"
            if (number * 7919 % 100) < 100 * share:
                record["letters"] = [record["answer"]] * len(record["letters"])
                record["trials"], record["distinct_replies"] = len(record["letters"]), 1
                record["empty_replies"] = 0
    return levels


def analysed(folder: Path, shares: list[float], **options: Any) -> tuple[Analysis, list[dict[str, list[Any]]]]:
    levels = [with_real(number, share, **options) for number, share in enumerate(shares)]
    for number, own in enumerate(levels):
        write_run(folder, own, model=f"m{number}")
    return analyse(read_runs([folder]), 200, scope=SCOPE), levels


def mean(levels: dict[str, list[Any]], *, real: bool) -> float:
    answers = [
        [letter == record["answer"] for letter in record["letters"] if letter != "missing"]
        for level in ("L1", "L2")
        for record in levels[level]
        if ("degradation_origin" in record) == real
    ]
    scores = [sum(own) / len(own) for own in answers if own]
    return sum(scores) / len(scores)


def tau_b(first: list[float], second: list[float]) -> float:
    signs = [
        ((a > b) - (a < b), (c > d) - (c < d))
        for (a, c), (b, d) in itertools.combinations(zip(first, second, strict=True), 2)
    ]
    concordant = sum(one * other for one, other in signs)
    return concordant / (sum(one != 0 for one, _ in signs) * sum(other != 0 for _, other in signs)) ** 0.5


def test_means_and_ranks_are_those_counted_by_hand(tmp_path: Path) -> None:
    analysis, levels = analysed(tmp_path, [0.1, 0.5, 0.3, 0.8])
    table = analysis.tables["real_degradations"]
    accuracy = table[table["figure"] == "accuracy"].set_index(["run", "kind"])["estimate"]
    sides = {kind: [mean(own, real=kind == "real") for own in levels] for kind in ("real", "simulated")}
    for kind, values in sides.items():
        for number, value in enumerate(values):
            assert accuracy[f"m{number}", kind] == pytest.approx(value, abs=1e-12)
    ranks = analysis.tables["real_ranks"].set_index(["figure", "statistic"])
    found = ranks.loc[("accuracy", "kendall_tau_b")]
    assert found["estimate"] == pytest.approx(tau_b(sides["real"], sides["simulated"]))
    assert -1 <= found["low"] <= found["estimate"] <= found["high"] <= 1
    assert found["runs"] == 4
    assert "Kendall's tau-b" in real_lines(analysis.tables)[-1]
    assert len(document(analysis)["real_ranks"]) == 6


def test_of_two_runs_one_line_says_that_they_are_too_few(tmp_path: Path) -> None:
    analysis, _ = analysed(tmp_path, [0.1, 0.5], unknown=True)
    assert real_lines(analysis.tables)[-1].endswith("2 runs with the same real items; ranks need 3")
    (row,) = document(analysis)["real_ranks"]
    assert row["estimate"] is None


def test_without_real_items_nothing_is_said(tmp_path: Path) -> None:
    write_run(tmp_path, scored_levels(8, seed=1))
    analysis = analyse(read_runs([tmp_path]), 100, scope=SCOPE)
    assert real_lines(analysis.tables) == []
    assert "real_ranks" not in document(analysis)
